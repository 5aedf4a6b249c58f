//! The program, run as a user runs it.

use std::{
    io,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Runs the program with these arguments, which white space separates, to its end.
pub(crate) fn sidestack(args: &str) -> Output {
    ended(start(args))
}

/// Starts the program, with pipes to all that it says.
pub(crate) fn start(args: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sidestack"))
        .args(args.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits for its end, and what it said meanwhile; kills it where that takes far too long.
pub(crate) fn ended(child: Child) -> Output {
    let pid = child.id();
    within_patience(pid, move || child.wait_with_output()).expect("the program can be waited for")
}

/// What `job` gives; where that takes far too long, the program `pid` is killed, and the test
/// fails.
pub(crate) fn within_patience<T: Send + 'static>(
    pid: u32,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, waiting) = mpsc::channel();
    let job = thread::spawn(move || {
        let result = job();
        let _ = done.send(()); // too late: nobody waits any more
        result
    });
    let in_time = waiting.recv_timeout(PATIENCE) != Err(mpsc::RecvTimeoutError::Timeout);
    if !in_time {
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
    let result = job.join().expect("the job does not panic");
    assert!(in_time, "the program {pid} did not end within {PATIENCE:?}");
    result
}

/// Far more than any run in the tests takes.
const PATIENCE: Duration = Duration::from_secs(60);
