use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use super::{hand::Hand, inlet::Inlet, sys};

/// The receive half.
pub(super) struct Receive {
    fd: OwnedFd,
    mtu: usize,
    inlet: Inlet,
    stats: ReceiveStats,
}

impl Receive {
    /// Takes over a socket that is set up and bound.
    pub(super) fn new(fd: OwnedFd, mtu: usize, inlet: Inlet) -> Self {
        Self { fd, mtu, inlet, stats: ReceiveStats::default() }
    }

    /// Makes room for frames of a greater MTU.
    pub(super) fn follow(&mut self, mtu: usize) {
        if mtu > self.mtu {
            self.mtu = mtu;
            self.inlet.follow(mtu);
        }
    }

    /// Takes the next batch in, and returns how many there are for [`Receive::each`] to show.
    pub(super) fn take(&mut self) -> io::Result<usize> {
        match self.inlet.take(&self.fd) {
            // Told once when the interface goes down; the line knows.
            Err(error) if error.kind() == io::ErrorKind::NetworkDown => Ok(0),
            count => count,
        }
    }

    /// Whether the batch was waiting in memory, whole, when the one before it was taken in.
    pub(super) fn goes_on(&self) -> bool {
        self.inlet.goes_on()
    }

    /// Hands the messages of the batch up.
    #[inline(always)]
    pub(super) fn each(&mut self, hand: &mut Hand<'_>) {
        self.inlet.each(hand);
        self.stats.received += hand.stats.received;
        self.stats.truncated += hand.stats.truncated;
        self.stats.runts += hand.stats.runts;
    }

    /// Lets the kernel have the memory of the frames that were shown.
    pub(super) fn release(&mut self) {
        self.inlet.release();
    }

    /// Takes note of an error that is pending.
    pub(super) fn relieve(&self) {
        self.inlet.relieve(&self.fd);
    }

    /// What came in, overflows included, of which the kernel is asked.
    pub(super) fn stats(&mut self) -> ReceiveStats {
        // A socket that cannot be asked has no news.
        self.stats.dropped += sys::dropped(&self.fd).unwrap_or_default();
        self.stats
    }
}

impl AsFd for Receive {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What became of the frames that came in.
#[derive(Clone, Copy, Default)]
pub(super) struct ReceiveStats {
    pub(super) received: u64,
    pub(super) truncated: u64,
    pub(super) runts: u64,
    pub(super) dropped: u64,
}
