//! The program on real interfaces, against the Linux kernel's own hosts in private namespaces.

mod adopt;
mod bridge;
mod capture;
mod conformance;
mod drops;
mod fault;
mod interrupted;
mod line;
mod many;
mod net;
mod others;
mod path_mtu;
mod peers;
mod ping;
mod privilege;
mod raw;
mod responder;
mod run;
mod scan;
#[path = "../common/schema.rs"]
mod schema;
mod send;
mod serve;
mod stopped;
mod tap;
mod threads;
mod unread;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use link::namespace;
use nix::unistd::geteuid;

fn main() -> ExitCode {
    let is_root = geteuid().is_root();
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let mut tests: Vec<Trial> = conformance::minute(); // what takes longest is to begin first
    let others = [adopt::tests(), ping::tests(), line::tests(), privilege::tests(), send::tests()];
    tests.extend(others.into_iter().flatten().chain(path_mtu::tests()));
    tests.extend(serve::tests().into_iter().chain(scan::tests()).chain(stopped::tests()));
    tests.extend(interrupted::tests().into_iter().chain(many::tests()));
    tests.extend(conformance::tests().into_iter().chain(peers::tests()));
    tests.extend(capture::tests().into_iter().chain(fault::tests()));
    tests.extend(bridge::tests(is_root).into_iter().chain(drops::tests()));
    tests.extend(threads::tests(is_root).into_iter().chain(unread::tests()));
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TOGETHER); // they wait more than they work
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// Tests that run at the same time, each in networks of its own.
const TOGETHER: usize = 16;
