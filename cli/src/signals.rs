use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::{
    signal::{SigSet, SigmaskHow, Signal, sigprocmask},
    signalfd::{SfdFlags, SignalFd},
};

use crate::failure::Failure;

/// The signals that a command listens to between two waits.
pub(crate) struct Signals {
    fd: SignalFd,
}

/// What a signal wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// SIGINT, SIGTERM or SIGHUP: an end, with a summary.
    Stop,
    /// SIGQUIT or SIGUSR1: the figures so far.
    Figures,
}

impl Signals {
    /// Listens from now on; before any thread is started.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut set = stops();
        set.add(Signal::SIGQUIT);
        set.add(Signal::SIGUSR1);
        let listen = || {
            sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?;
            SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        };
        let fd = listen().map_err(|errno| Failure::link(format!("signals: {errno}")))?;
        Ok(Self { fd })
    }

    /// The next signal that has come; the second wish to stop is granted by the kernel, at once.
    pub(crate) fn heard(&mut self) -> Option<Wish> {
        let signal = self.fd.read_signal().ok().flatten()?;
        let signal = i32::try_from(signal.ssi_signo).ok()?;
        if [Signal::SIGQUIT as i32, Signal::SIGUSR1 as i32].contains(&signal) {
            return Some(Wish::Figures);
        }
        let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&stops()), None); // then it is SIGKILL
        Some(Wish::Stop)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn stops() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGHUP);
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set
}
