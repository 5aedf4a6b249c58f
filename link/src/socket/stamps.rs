use std::{
    collections::VecDeque,
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use nix::libc;

use super::{
    clock::{Clock, Reading},
    control::Control,
    sys::{self, BATCH, Batch},
};

/// The frames whose transmit stamp is awaited, and how it comes.
///
/// The kernel numbers the frames that it takes, and queues their stamps, without their octets, as
/// errors of the socket.
pub(super) struct Stamps {
    answers: Batch,
    waiting: VecDeque<Waiting>,
    /// What the kernel will call the next frame that it takes.
    id: u32,
}

impl Stamps {
    /// Has the kernel stamp what leaves by `fd`.
    pub(super) fn begin(fd: &OwnedFd) -> io::Result<Self> {
        number(fd)?;
        Ok(Self { answers: Batch::new(0), waiting: VecDeque::new(), id: 0 })
    }

    /// The kernel has taken a frame, which was given to it just after `since`.
    ///
    /// Whether stamps should be collected now: it keeps some 255, and a call reads [`BATCH`].
    pub(super) fn expect(&mut self, octets: Vec<u8>, since: Instant) -> bool {
        self.waiting.push_back(Waiting { octets, id: self.id, since });
        self.id = self.id.wrapping_add(1);
        self.waiting.len().is_multiple_of(BATCH)
    }

    /// Hands the frames whose stamps have come to `each`, with their instant and stamp.
    pub(super) fn collect(
        &mut self,
        fd: &OwnedFd,
        clock: &mut Clock,
        each: &mut dyn FnMut(Vec<u8>, Instant, Duration),
    ) {
        // An error is the link's, not the stamps'; the receive half and the line will tell it.
        while let Ok(count @ 1..) = self.answers.receive(fd, libc::MSG_ERRQUEUE) {
            clock.read(Reading::now());
            for n in 0..count {
                let control = self.answers.message(n).map(|message| Control::read(message.control));
                let Some(Control { stamp: Some(stamp), id: Some(id), .. }) = control else {
                    continue;
                };
                if let Some((octets, at)) = self.stamped(id, stamp, clock) {
                    each(octets, at, stamp);
                }
            }
        }
    }

    /// Gives up on the first frame, if it has waited too long, or keeps others from being sent.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<(Vec<u8>, Instant)> {
        let crowded = self.waiting.len() > MAX_WAITING;
        let overdue = self.waiting.front().is_some_and(|first| now >= first.since + PATIENCE);
        if crowded || overdue { self.give_up() } else { None }
    }

    /// Gives up on the first frame: it, and when it was given to the kernel.
    pub(super) fn give_up(&mut self) -> Option<(Vec<u8>, Instant)> {
        self.waiting.pop_front().map(|Waiting { octets, since, .. }| (octets, since))
    }

    /// Numbers frames anew, when all that waited are given up: only the kernel knows whether a
    /// frame that it refused has used up a number.
    pub(super) fn renumber(&mut self, fd: &OwnedFd) -> io::Result<()> {
        self.id = 0;
        number(fd)
    }

    /// When the first frame is overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.since + PATIENCE)
    }

    fn stamped(&mut self, id: u32, stamp: Duration, clock: &Clock) -> Option<(Vec<u8>, Instant)> {
        let n = self.waiting.iter().position(|frame| frame.id == id)?;
        let since = self.waiting.get(n)?.since;
        let at = clock.instant(stamp).unwrap_or(since);
        if at < since {
            return None; // that of a frame before they were numbered anew
        }
        self.waiting.remove(n).map(|frame| (frame.octets, at))
    }
}

/// A frame that the kernel took, and did not stamp yet.
struct Waiting {
    octets: Vec<u8>,
    id: u32,
    /// Just before it was given to the kernel.
    since: Instant,
}

/// Has frames numbered from 0, and stamped.
fn number(fd: &OwnedFd) -> io::Result<()> {
    let stamps = libc::SOF_TIMESTAMPING_TX_SOFTWARE
        | libc::SOF_TIMESTAMPING_SOFTWARE
        | libc::SOF_TIMESTAMPING_OPT_ID
        | libc::SOF_TIMESTAMPING_OPT_TSONLY;
    sys::set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, 0)?;
    sys::set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, stamps.cast_signed())
}

/// Frames that wait for a stamp while others want their slots.
const MAX_WAITING: usize = super::transmit::SLOTS / 2;

/// How long a stamp is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
