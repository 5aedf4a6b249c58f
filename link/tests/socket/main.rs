//! The packet socket, against the kernel's own interfaces in private namespaces.

#[path = "../ends/mod.rs"]
mod ends;
mod frames;
mod helped;
mod interface;
mod opening;
mod queue;
mod signal;
mod stamps;
mod wire;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use sidestack_link::namespace;

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    signal::keep_away().expect("a signal can be blocked");
    let themes = [frames::tests(), stamps::tests(), interface::tests(), opening::tests()];
    let others = [queue::tests(), helped::tests(), signal::tests()];
    let tests = themes.into_iter().chain(others).flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
