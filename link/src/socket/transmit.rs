use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::errno::Errno;

use super::{
    clock::{self, Clock, Reading},
    line::Line,
    stamps::Stamps,
    sys,
};
use crate::{
    frame::{Direction, Source, Stamp, Unsent},
    outbox::Outbox,
};

/// The transmit half: our frames, and those of them whose stamp is awaited.
pub(super) struct Transmit {
    fd: OwnedFd,
    pub(super) outbox: Outbox,
    hold: Option<Hold>,
    /// The frames that the kernel is to stamp, if it is to.
    stamps: Option<Stamps>,
    stats: TransmitStats,
}

impl Transmit {
    /// Opens the transmit socket, which never receives a frame.
    pub(super) fn open(index: u32, line: &Line, stamps: bool) -> io::Result<Self> {
        let fd = sys::open()?;
        let stamps = stamps.then(|| Stamps::begin(&fd));
        sys::bind(&fd, index, 0)?;
        let stats = TransmitStats::default();
        Ok(Self { fd, outbox: Outbox::new(line), hold: None, stamps, stats })
    }

    /// Hands the queue to the kernel.
    pub(super) fn flush(&mut self, line: &mut Line) -> io::Result<()> {
        while !self.outbox.is_empty() {
            if let Some(reason) = line.bar() {
                self.refuse(reason, Reading::now());
                continue;
            }
            let now = clock::now();
            if self.hold.is_some_and(|hold| now >= hold.since + PATIENCE) {
                self.refuse(Unsent::Full, Reading::now());
                continue;
            }
            if self.hold.and_then(|hold| hold.retry).is_some_and(|retry| now < retry) {
                return Ok(());
            }
            match sys::send(&self.fd, self.outbox.queue()) {
                Ok(sent) => {
                    self.hold = None;
                    self.left(sent, now);
                }
                Err(Errno::EAGAIN) => {
                    self.hold(now, None);
                    return Ok(());
                }
                Err(error) => self.refused(error, Reading::now(), line)?,
            }
        }
        self.hold = None;
        Ok(())
    }

    /// A frame was seen to leave: if it is ours, when it was given to the kernel.
    pub(super) fn seen(&mut self, octets: &[u8]) -> Option<Instant> {
        let (slot, since) = self.stamps.as_mut()?.seen(octets)?;
        self.outbox.recycle(slot);
        Some(since)
    }

    /// Gives up on stamps that are overdue, or will never come over this line.
    pub(super) fn expire(&mut self, now: Instant, line: &Line, clock: &Clock) {
        let Some(stamps) = &mut self.stamps else { return };
        let (direction, next): (_, fn(&mut Stamps, Instant) -> _) = match line.bar() {
            Some(reason) => (Direction::Unsent(reason), |stamps, _| stamps.give_up()),
            None => (Direction::Sent, Stamps::overdue),
        };
        while let Some((octets, since)) = next(stamps, now) {
            match direction {
                Direction::Unsent(_) => self.stats.unsent += 1,
                _ => self.stats.unstamped += 1,
            }
            self.outbox.answer(octets, direction, since, user(since, clock));
        }
    }

    /// What frames that come back once they have left bear; `None` if they do not.
    pub(super) fn mark(&self) -> Option<u32> {
        self.stamps.as_ref().map(Stamps::mark)
    }

    /// Whether the queue can move on only when the socket is writable.
    pub(super) fn needs_room(&self) -> bool {
        self.hold.is_some_and(|hold| hold.retry.is_none()) && !self.outbox.is_empty()
    }

    /// When there is something to do without any news.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let held = self.hold.filter(|_| !self.outbox.is_empty());
        let retry = held.map(|hold| hold.retry.unwrap_or(hold.since + PATIENCE));
        let overdue = self.stamps.as_ref().and_then(Stamps::deadline);
        retry.into_iter().chain(overdue).min()
    }

    pub(super) fn stats(&self) -> TransmitStats {
        self.stats
    }

    /// The first `count` of the queue have left, no earlier than `since`.
    fn left(&mut self, count: usize, since: Instant) {
        self.stats.sent += count as u64;
        match &mut self.stamps {
            Some(stamps) => {
                self.outbox.take(count).for_each(|octets| stamps.expect(octets, since));
            }
            None => self.outbox.forget(count),
        }
    }

    /// What the kernel's refusal of the first frame means for it, and for the rest.
    fn refused(&mut self, error: Errno, reading: Reading, line: &mut Line) -> io::Result<()> {
        match error {
            Errno::ENETDOWN => {
                line.listen(); // it may be gone for good
                self.refuse(Unsent::Down, reading);
            }
            Errno::EMSGSIZE => {
                line.ask();
                self.outbox.follow(line);
                self.refuse(Unsent::TooLong, reading);
            }
            Errno::ENOBUFS | Errno::ENOMEM => {
                if self.hold.is_none() {
                    line.ask(); // without a carrier, this is the queue's end
                }
                self.hold(reading.after, Some(reading.after + BACK_OFF));
            }
            Errno::ENXIO | Errno::ENODEV => line.cut(),
            error => return Err(error.into()),
        }
        Ok(())
    }

    /// Leaves the queue alone, until `retry` or until the socket is writable.
    fn hold(&mut self, now: Instant, retry: Option<Instant>) {
        let since = self.hold.map_or(now, |hold| hold.since);
        self.hold = Some(Hold { since, retry });
    }

    /// Hands back the first of the queue.
    fn refuse(&mut self, reason: Unsent, reading: Reading) {
        let Some(octets) = self.outbox.pop() else { return };
        let stamp = Stamp { since_epoch: reading.wall, source: Source::User };
        self.stats.unsent += 1;
        self.outbox.answer(octets, Direction::Unsent(reason), reading.after, stamp);
    }
}

impl AsFd for Transmit {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What became of the frames that were sent.
#[derive(Clone, Copy, Default)]
pub(super) struct TransmitStats {
    pub(super) sent: u64,
    pub(super) unsent: u64,
    pub(super) unstamped: u64,
}

/// The kernel takes nothing at present.
#[derive(Clone, Copy)]
struct Hold {
    since: Instant,
    /// When to try again; `None` when the socket is writable.
    retry: Option<Instant>,
}

/// The user's own stamp.
fn user(at: Instant, clock: &Clock) -> Stamp {
    Stamp { since_epoch: clock.wall(at), source: Source::User }
}

/// How long the kernel may take nothing before frames come back: nothing old is sent.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a full queue of the kernel's is left alone.
const BACK_OFF: Duration = Duration::from_millis(1);
