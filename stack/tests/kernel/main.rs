//! The host on a packet socket, against the Linux kernel's own hosts in private namespaces.

mod bare;
mod echo;
mod far;
mod gateways;
mod line;
mod many;
mod neighbours;
mod net;
mod noted;
mod path;
mod raw;
mod vlan;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use sidestack_stack::link::namespace;

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let _stamping = match net::stamping() {
        Ok(host) => host,
        Err(failed) => {
            eprintln!("the kernel does not begin to stamp: {}", failed.message().unwrap_or("?"));
            return ExitCode::FAILURE;
        }
    };
    let to_kernels = [echo::tests(), line::tests(), bare::tests(), vlan::tests()];
    let to_ours = [gateways::tests(), neighbours::tests(), path::tests(), many::tests()];
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TOGETHER); // they wait more than they work
    let tests: Vec<Trial> = to_ours.into_iter().chain(to_kernels).flatten().collect();
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// Tests that run at the same time, each in networks of its own.
const TOGETHER: usize = 8;
