use std::{
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

use crate::{
    frame::Frame,
    io::{Event, FrameIo, FrameTx, SendError, Wait},
};

/// A link in virtual time that keeps step with the clock on the wall: it waits as long as a wire
/// would, and all it says of time stays virtual, and so the same in every run.
pub struct Paced<L> {
    inner: L,
    /// The same moment on both clocks, the real one first.
    since: (Instant, Instant),
}

impl<L: Wait> Paced<L> {
    /// Lets the two clocks start together.
    #[expect(clippy::disallowed_methods, reason = "it is here to keep step with the real clock")]
    pub fn new(inner: L) -> Self {
        let since = (Instant::now(), inner.now());
        Self { inner, since }
    }

    /// How long until the real clock stands where the virtual one does.
    #[expect(clippy::disallowed_methods, reason = "it is here to keep step with the real clock")]
    fn ahead(&self) -> Duration {
        let passed = self.inner.now().saturating_duration_since(self.since.1);
        (self.since.0 + passed).saturating_duration_since(Instant::now())
    }
}

impl<L: FrameTx> FrameTx for Paced<L> {
    fn mac(&self) -> MacAddr6 {
        self.inner.mac()
    }

    fn mtu(&self) -> usize {
        self.inner.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.inner.transmit(len, write)
    }
}

impl<L: FrameIo> FrameIo for Paced<L> {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        self.inner.recv(now, each)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn event(&mut self) -> Option<Event> {
        self.inner.event()
    }

    fn returns_sent(&self) -> bool {
        self.inner.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.inner.dropped()
    }
}

impl<L: Wait> Wait for Paced<L> {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.inner.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let before = self.inner.now();
        self.inner.wait(until, None)?;
        let nothing_will_happen = until.is_none() && self.inner.now() == before;
        let left = if nothing_will_happen { None } else { Some(TimeSpec::from(self.ahead())) };
        let mut fds: Vec<_> =
            wake.map(|wake| PollFd::new(wake, PollFlags::POLLIN)).into_iter().collect();
        match ppoll(&mut fds, left, None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}
