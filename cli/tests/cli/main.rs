//! What a user meets: exit codes and their messages, flags, help, signals and closed pipes.

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod flags;
mod refused;

use std::process::Output;

use common::sidestack;

/// What a run said, and its exit code.
struct Ran {
    out: String,
    err: String,
    exit: i32,
}

fn run(args: &str) -> Ran {
    ran(sidestack(args), String::new())
}

fn ran(output: Output, mut out: String) -> Ran {
    let text = |octets| String::from_utf8(octets).expect("UTF-8");
    out.push_str(&text(output.stdout));
    let exit = output.status.code().expect("it was not killed by a signal");
    Ran { out, err: text(output.stderr), exit }
}
