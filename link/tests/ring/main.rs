//! The packet socket with mapped rings, and in groups, against the kernel's own interfaces.

#[path = "../ends/mod.rs"]
mod ends;
mod frames;
mod interface;
mod opening;
mod wire;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use sidestack_link::namespace;

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let themes = [frames::tests(), interface::tests(), opening::tests()];
    let tests = themes.into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1); // what is mapped is the whole process's
    libtest_mimic::run(&arguments, tests).exit_code()
}
