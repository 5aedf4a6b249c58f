use std::{env, fs, io, process::ExitCode};

use nix::{
    sched::{CloneFlags, unshare},
    sys::prctl,
    unistd::{getegid, geteuid},
};

use super::settle;

/// Moves this process to a new, empty network namespace; as an ordinary user also to a user
/// namespace of its own, whose root it is.
///
/// To be called once, early in `main`, before there is a second thread. What was open before stays
/// what it was; privileges outside are gone for an ordinary user, files are as accessible as
/// before.
///
/// # Errors
/// A [`Refusal`]; the process may be halfway in, and has little to do but to end.
pub fn enter() -> Result<(), Refusal> {
    let threads = threads().map_err(|cause| forbidden("/proc/self/status", cause))?;
    if threads != 1 {
        return Err(Refusal::Threads(threads));
    }
    let (user, group) = (geteuid(), getegid()); // the new namespace would not know them
    if !user.is_root() || unshare(CloneFlags::CLONE_NEWNET).is_err() {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
            .map_err(|cause| forbidden("unshare", cause.into()))?;
        // A program with file capabilities may not open its own files in /proc. Those capabilities
        // are gone by now, and with them the reason.
        prctl::set_dumpable(true).map_err(|cause| forbidden("prctl", cause.into()))?;
        for (path, line) in [
            ("/proc/self/setgroups", "deny".into()),
            ("/proc/self/uid_map", format!("0 {user} 1")),
            ("/proc/self/gid_map", format!("0 {group} 1")),
        ] {
            fs::write(path, line).map_err(|cause| forbidden(path, cause))?;
        }
    }
    // Some systems give the namespace, and none of the privileges that should come with it.
    settle().map_err(|cause| forbidden("loopback", cause))
}

/// [`enter`] for the `main` of a test binary that has no harness.
///
/// # Errors
/// If there can be no namespaces: it has said on one line that the kernel tests are left out, and
/// `main` returns the code, which is success unless the variable CI is set.
///
/// ```no_run
/// # use std::process::ExitCode;
/// fn main() -> ExitCode {
///     if let Err(left_out) = sidestack_link::namespace::for_tests() {
///         return left_out;
///     }
///     // libtest_mimic::run(&arguments, tests).exit_code()
///     # ExitCode::SUCCESS
/// }
/// ```
pub fn for_tests() -> Result<(), ExitCode> {
    enter().map_err(|refusal| {
        eprintln!("kernel tests left out: {refusal}");
        if env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    })
}

/// Why a process cannot have a network namespace of its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The process has this many threads; a user namespace is for all of them, or none.
    #[error("a process with {0} threads cannot enter a network namespace: it must have one")]
    Threads(usize),
    /// The system forbids it.
    #[error("this system allows no private network namespace ({step}: {cause}): {reason}")]
    Forbidden {
        /// What was refused.
        step: &'static str,
        /// How.
        cause: io::Error,
        /// Which setting seems to be behind it.
        reason: &'static str,
    },
}

fn forbidden(step: &'static str, cause: io::Error) -> Refusal {
    let reason = SETTINGS
        .into_iter()
        .find(|(path, forbids, _)| fs::read_to_string(path).is_ok_and(|is| is.trim() == *forbids))
        .map_or(OTHERWISE, |(_, _, reason)| reason);
    Refusal::Forbidden { step, cause, reason }
}

fn threads() -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let count = status.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok());
    count.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Settings that forbid an ordinary user a namespace: where, by which value, and what to say.
const SETTINGS: [(&str, &str, &str); 4] = [
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces is 0"),
    ("/proc/sys/user/max_net_namespaces", "0", "user.max_net_namespaces is 0"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns is 1",
    ),
];

const OTHERWISE: &str = "a container's seccomp filter or a security module may be behind it";
