use std::os::fd::{AsFd, BorrowedFd};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll, ppoll},
    sys::{
        signal::{SigSet, SigmaskHow, Signal, raise, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
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

/// Waits until `to` can be written to. A wish to stop that comes meanwhile is heard afterwards; a
/// second one is granted by the kernel, at once; so is the first if there is no descriptor to hear
/// it by.
pub(crate) fn wait_to_write(to: BorrowedFd<'_>) -> nix::Result<()> {
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    let Ok(fd) = SignalFd::with_flags(&stops(), flags) else { return wait_unheard(to) };
    let writable = || PollFd::new(to, PollFlags::POLLOUT);
    loop {
        let mut fds = [writable(), PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
            Ok(_) => {}
        }
        if fds[0].any() == Some(true) {
            return Ok(());
        }
        if let Some(first) = fd.read_signal()? {
            let stop = Signal::try_from(first.ssi_signo.cast_signed())?;
            wait_unheard(to)?;
            return raise(stop);
        }
    }
}

/// Waits until `to` can be written to, unless a wish to stop comes: that ends us.
fn wait_unheard(to: BorrowedFd<'_>) -> nix::Result<()> {
    let mut others = SigSet::thread_get_mask()?;
    stops().iter().for_each(|stop| others.remove(stop));
    loop {
        match ppoll(&mut [PollFd::new(to, PollFlags::POLLOUT)], None, Some(others)) {
            Ok(0) | Err(Errno::EINTR) => {}
            waited => return waited.map(drop),
        }
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
