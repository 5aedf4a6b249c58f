use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use macaddr::MacAddr6;
use nix::{errno::Errno, libc};

use super::{
    clock::{Clock, Reading},
    control::Control,
    line::Line,
    sys::{self, BATCH, Batch},
};
use crate::{
    frame::{Cast, Checksum, Direction, Facts, Source, Stamp, Unsent},
    io::{FrameTx, SendError},
};

/// The transmit half: the queue, the frames whose stamp is awaited, and those on their way back.
pub(super) struct Transmit {
    fd: OwnedFd,
    mac: MacAddr6,
    mtu: usize,
    /// Empty slots: every frame below came out of one, and goes back there.
    spare: Vec<Vec<u8>>,
    queue: VecDeque<Vec<u8>>,
    waiting: VecDeque<Waiting>,
    back: VecDeque<Returned>,
    hold: Hold,
    /// The kernel's answers, if it is to stamp what leaves.
    stamps: Option<Batch>,
    /// What the kernel will call the next frame that it takes.
    id: u32,
    stats: TransmitStats,
}

impl Transmit {
    /// Opens the transmit socket, which never receives a frame.
    pub(super) fn open(index: u32, line: &Line, stamps: bool) -> io::Result<Self> {
        let fd = sys::open()?;
        if stamps {
            number(&fd)?;
        }
        sys::bind(&fd, index, 0)?;
        let room = crate::HEADER_LEN + line.mtu();
        Ok(Self {
            fd,
            mac: line.mac(),
            mtu: line.mtu(),
            spare: (0..SLOTS).map(|_| Vec::with_capacity(room)).collect(),
            queue: VecDeque::with_capacity(SLOTS),
            waiting: VecDeque::with_capacity(SLOTS),
            back: VecDeque::with_capacity(SLOTS),
            hold: Hold::No,
            stamps: stamps.then(|| Batch::new(0)),
            id: 0,
            stats: TransmitStats::default(),
        })
    }

    /// Speaks by what the line has become.
    pub(super) fn follow(&mut self, line: &Line) {
        self.mac = line.mac();
        self.mtu = line.mtu();
    }

    /// Hands the queue to the kernel.
    ///
    /// One frame a call if they are stamped: of a batch, the kernel does not say whether the first
    /// that it refused has taken an id.
    pub(super) fn flush(&mut self, line: &mut Line, clock: &mut Clock) -> io::Result<()> {
        while let Some(first) = self.queue.front() {
            let reading = Reading::now();
            if let Some(reason) = line.bar() {
                self.refuse(reason, reading);
                continue;
            }
            if matches!(self.hold, Hold::Until(at) if reading.after < at) {
                break;
            }
            self.hold = Hold::No;
            let sent = match self.stamps {
                Some(_) => sys::send_one(&self.fd, first).map(|()| 1),
                None => sys::send(&self.fd, self.queue.iter().map(Vec::as_slice)),
            };
            match sent {
                Ok(sent) => self.left(sent, reading.after, clock),
                Err(Errno::EAGAIN) => {
                    self.hold = Hold::Writable;
                    break;
                }
                Err(error) => self.refused(error, reading, line, clock)?,
            }
        }
        self.collect(clock);
        Ok(())
    }

    /// Takes in the stamps of what has left.
    pub(super) fn collect(&mut self, clock: &mut Clock) {
        let Some(mut stamps) = self.stamps.take() else { return };
        // An error is the link's, not the stamps'; the receive half and the line will tell it.
        while let Ok(count @ 1..) = stamps.receive(&self.fd, libc::MSG_ERRQUEUE) {
            clock.read(Reading::now());
            for n in 0..count {
                let control = stamps.message(n).map(|message| Control::read(message.control));
                if let Some(Control { stamp: Some(stamp), id: Some(id), .. }) = control {
                    self.stamped(id, stamp, clock);
                }
            }
        }
        self.stamps = Some(stamps);
    }

    /// Gives up on stamps that are overdue, or will never come over this line.
    pub(super) fn expire(&mut self, now: Instant, line: &Line, clock: &Clock) {
        while let Some(first) = self.waiting.front() {
            let overdue = now >= first.since + PATIENCE || self.waiting.len() > MAX_WAITING;
            let direction = match line.bar() {
                Some(reason) => Direction::Unsent(reason),
                None if overdue => Direction::Sent,
                None => break,
            };
            let Some(Waiting { octets, since, .. }) = self.waiting.pop_front() else { break };
            self.give_back(octets, direction, since, user(since, clock));
        }
    }

    /// The next frame that has left, or could not; to be handed to [`Transmit::recycle`].
    pub(super) fn returned(&mut self) -> Option<Returned> {
        self.back.pop_front()
    }

    /// Takes a slot back.
    pub(super) fn recycle(&mut self, slot: Vec<u8>) {
        self.spare.push(slot);
    }

    /// Whether frames that have left come back.
    pub(super) fn stamps(&self) -> bool {
        self.stamps.is_some()
    }

    /// Whether there is something to hand back right now.
    pub(super) fn has_returned(&self) -> bool {
        !self.back.is_empty()
    }

    /// Whether the queue can move on only when the socket is writable.
    pub(super) fn needs_room(&self) -> bool {
        matches!(self.hold, Hold::Writable) && !self.queue.is_empty()
    }

    /// When there is something to do without any news.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let retry = match self.hold {
            Hold::Until(at) if !self.queue.is_empty() => Some(at),
            _ => None,
        };
        let overdue = self.waiting.front().map(|first| first.since + PATIENCE);
        retry.into_iter().chain(overdue).min()
    }

    pub(super) fn stats(&self) -> TransmitStats {
        self.stats
    }

    /// The first `count` of the queue have left, no earlier than `since`.
    fn left(&mut self, count: usize, since: Instant, clock: &mut Clock) {
        for octets in self.queue.drain(..count) {
            self.stats.sent += 1;
            if self.stamps.is_none() {
                self.spare.push(octets);
                continue;
            }
            self.waiting.push_back(Waiting { octets, id: self.id, since });
            self.id = self.id.wrapping_add(1);
        }
        // The kernel keeps some 255 stamps, and this many are read in one call.
        if self.waiting.len().is_multiple_of(BATCH) {
            self.collect(clock);
        }
    }

    /// What the kernel's refusal of the first frame means for it, and for the rest.
    fn refused(
        &mut self,
        error: Errno,
        reading: Reading,
        line: &mut Line,
        clock: &mut Clock,
    ) -> io::Result<()> {
        match error {
            Errno::ENETDOWN => self.refuse(Unsent::Down, reading),
            Errno::EMSGSIZE => {
                line.ask();
                self.follow(line);
                self.refuse(Unsent::TooLong, reading);
                self.renumber(clock)?;
            }
            Errno::ENOBUFS | Errno::ENOMEM => {
                line.ask(); // without a carrier, this is its end
                self.hold = Hold::Until(reading.after + BACK_OFF);
                self.renumber(clock)?;
            }
            Errno::ENXIO | Errno::ENODEV => line.cut(),
            error => return Err(error.into()),
        }
        Ok(())
    }

    /// Hands back the first of the queue.
    fn refuse(&mut self, reason: Unsent, reading: Reading) {
        let Some(octets) = self.queue.pop_front() else { return };
        let stamp = Stamp { since_epoch: reading.wall, source: Source::User };
        self.give_back(octets, Direction::Unsent(reason), reading.after, stamp);
    }

    /// The kernel has stamped the frame `id`.
    fn stamped(&mut self, id: u32, stamp: Duration, clock: &Clock) {
        let Some(n) = self.waiting.iter().position(|frame| frame.id == id) else { return };
        let since = self.waiting[n].since;
        let at = clock.instant(stamp).unwrap_or(since);
        if at < since {
            return; // that of a frame before the ids were counted anew
        }
        let Some(Waiting { octets, .. }) = self.waiting.remove(n) else { return };
        let stamp = Stamp { since_epoch: stamp, source: Source::Kernel };
        self.give_back(octets, Direction::Sent, at, stamp);
    }

    /// Counts ids anew, because only the kernel knows whether the frame it refused has taken one.
    fn renumber(&mut self, clock: &mut Clock) -> io::Result<()> {
        if self.stamps.is_none() {
            return Ok(());
        }
        self.collect(clock);
        while let Some(Waiting { octets, since, .. }) = self.waiting.pop_front() {
            self.give_back(octets, Direction::Sent, since, user(since, clock));
        }
        self.id = 0;
        number(&self.fd)
    }

    fn give_back(&mut self, octets: Vec<u8>, direction: Direction, at: Instant, stamp: Stamp) {
        match (direction, stamp.source) {
            (Direction::Unsent(_), _) => self.stats.unsent += 1,
            (_, Source::User) => self.stats.unstamped += 1,
            _ => {}
        }
        let dst = octets.first_chunk().copied().unwrap_or_default();
        let cast = Cast::of(MacAddr6::from(dst), self.mac);
        let facts = Facts { direction, cast, at, stamp, checksum: Checksum::Complete };
        self.back.push_back(Returned { octets, facts });
    }
}

impl AsFd for Transmit {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl FrameTx for Transmit {
    fn mac(&self) -> MacAddr6 {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        SendError::check(len, self.mtu)?;
        let mut slot = self.spare.pop().ok_or(SendError::Full)?;
        slot.clear();
        slot.resize(len, 0);
        write(&mut slot);
        self.queue.push_back(slot);
        Ok(())
    }
}

/// A frame of ours on its way back.
pub(super) struct Returned {
    pub(super) octets: Vec<u8>,
    pub(super) facts: Facts,
}

/// What became of the frames that were sent.
#[derive(Clone, Copy, Default)]
pub(super) struct TransmitStats {
    pub(super) sent: u64,
    pub(super) unsent: u64,
    pub(super) unstamped: u64,
}

/// A frame that the kernel took, and did not stamp yet.
struct Waiting {
    octets: Vec<u8>,
    id: u32,
    /// Just before it was given to the kernel.
    since: Instant,
}

/// What keeps the queue from moving on.
enum Hold {
    No,
    Writable,
    Until(Instant),
}

/// The user's own stamp.
fn user(at: Instant, clock: &Clock) -> Stamp {
    Stamp { since_epoch: clock.wall(at), source: Source::User }
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

/// Frames of ours at any time, queued, waiting or on their way back.
const SLOTS: usize = 256;

/// Frames that wait for a stamp while others want their slots.
const MAX_WAITING: usize = SLOTS / 2;

/// How long a stamp is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a full queue of the kernel's is left alone.
const BACK_OFF: Duration = Duration::from_millis(1);
