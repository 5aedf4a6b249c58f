use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hasher, RandomState},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use nix::libc;

use super::sys;

/// The frames that were given to the kernel, and are to be seen again when they leave.
///
/// Whatever an interface sends, the kernel shows to the packet sockets that listen there, just
/// before the driver gets it, and stamped: what bears our mark is ours.
pub(super) struct Stamps {
    mark: u32,
    waiting: VecDeque<Waiting>,
}

impl Stamps {
    /// Marks what leaves by `fd`.
    pub(super) fn begin(fd: &OwnedFd) -> Self {
        let mark = RandomState::new().build_hasher().finish() as u32 | 1 << 31; // hardly anybody's
        // Kernels before 5.17 want CAP_NET_ADMIN for it. Without a mark we are also shown what
        // others send, and only have more to compare.
        let marked = sys::set(fd, libc::SOL_SOCKET, libc::SO_MARK, mark.cast_signed());
        Self { mark: marked.map_or(0, |()| mark), waiting: VecDeque::new() }
    }

    /// What our frames bear.
    pub(super) fn mark(&self) -> u32 {
        self.mark
    }

    /// The kernel has taken a frame, which was given to it just after `since`.
    pub(super) fn expect(&mut self, octets: Vec<u8>, since: Instant) {
        self.waiting.push_back(Waiting { octets, since });
    }

    /// A frame was seen to leave: if it is ours, its slot, and when it was given to the kernel.
    pub(super) fn seen(&mut self, octets: &[u8]) -> Option<(Vec<u8>, Instant)> {
        let nth = self.waiting.iter().position(|frame| frame.octets == octets)?;
        self.waiting.remove(nth).map(|Waiting { octets, since }| (octets, since))
    }

    /// Gives up on the first frame, if it has waited too long, or keeps others from being sent.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<(Vec<u8>, Instant)> {
        let crowded = self.waiting.len() > MAX_WAITING;
        let overdue = self.waiting.front().is_some_and(|first| now >= first.since + PATIENCE);
        if crowded || overdue { self.give_up() } else { None }
    }

    /// Gives up on the first frame: it, and when it was given to the kernel.
    pub(super) fn give_up(&mut self) -> Option<(Vec<u8>, Instant)> {
        self.waiting.pop_front().map(|Waiting { octets, since }| (octets, since))
    }

    /// When the first frame is overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.since + PATIENCE)
    }
}

/// A frame that the kernel took, and that was not seen to leave yet.
struct Waiting {
    octets: Vec<u8>,
    /// Just before it was given to the kernel.
    since: Instant,
}

/// Frames that wait for a stamp while others want their slots.
const MAX_WAITING: usize = crate::outbox::SLOTS / 2;

/// How long a stamp is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
