pub(crate) mod clock;
mod closing;
mod control;
mod fanout;
mod hand;
mod inlet;
pub(crate) mod line;
mod options;
mod receive;
mod ring;
mod stamps;
mod sys;
mod transmit;
#[cfg(feature = "tokio")]
mod watch;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use macaddr::MacAddr6;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

pub use fanout::Fanout;
pub use options::{OpenError, Options};
pub use ring::Ring;
#[cfg(feature = "tokio")]
pub(crate) use watch::Watch;

use self::{
    clock::{Clock, Reading},
    closing::Closing,
    hand::Hand,
    line::Line,
    receive::{Receive, ReceiveStats},
    sys::BATCH,
    transmit::Transmit,
};
use crate::{
    frame::{Batch, Frame},
    io::{Event, FrameIo, FrameTx, SendError, Wait},
};

/// A Linux packet socket on one Ethernet interface, beside whatever the kernel does there.
///
/// Frames that the kernel refuses come back unsent, and nothing is sent late after an outage.
pub struct PacketSocket {
    receive: Receive,
    transmit: Transmit,
    line: Line,
    clock: Clock,
    /// When the messages that are being shown were taken in.
    reading: Reading,
    buffer: usize,
    outgoing: bool,
    #[expect(dead_code, reason = "it has its turn last of all, when the socket is dropped")]
    closing: Closing,
}

impl PacketSocket {
    /// Opens the interface called `name` as it is, with all that [`PacketSocket::options`] offers
    /// left as it is.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open(name: &str) -> Result<Self, OpenError> {
        Self::options().open(name)
    }

    /// Other ways to open an interface.
    pub fn options() -> Options {
        Options::new()
    }

    /// What has passed since it was opened; asks the kernel for what it had to drop.
    pub fn stats(&mut self) -> Stats {
        let (receive, transmit) = (self.receive.stats(), self.transmit.stats());
        Stats {
            received: receive.received,
            truncated: receive.truncated,
            runts: receive.runts,
            dropped: receive.dropped,
            sent: transmit.sent,
            unsent: transmit.unsent,
            unstamped: transmit.unstamped,
        }
    }

    /// Octets that the kernel keeps for us while we are busy, its own bookkeeping included; without
    /// a ring, less than 8 MiB means that it was not generous.
    pub fn receive_buffer(&self) -> usize {
        self.buffer
    }

    /// Hands up what could not leave, or was not seen to.
    fn hand_back(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> usize {
        self.transmit.expire(now, &self.line, &self.clock);
        self.transmit.outbox.hand_back(each)
    }

    /// Whether there is something to tell without asking the kernel.
    pub(crate) fn has_news(&self) -> bool {
        self.transmit.outbox.has_returned() || self.line.has_event() || self.line.is_gone()
    }

    /// Becomes what the interface has become.
    fn follow(&mut self, now: Instant) {
        self.line.follow(now);
        self.transmit.outbox.follow(&self.line);
        self.receive.follow(self.line.mtu());
    }
}

impl FrameTx for PacketSocket {
    fn mac(&self) -> MacAddr6 {
        self.transmit.outbox.mac()
    }

    fn mtu(&self) -> usize {
        self.transmit.outbox.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.transmit.outbox.transmit(len, write)
    }
}

impl FrameIo for PacketSocket {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        self.follow(now);
        let taken = self.receive.take()?;
        let is_stale = taken > 0 || self.reading.after + FRESH <= now;
        if is_stale && !self.receive.goes_on() {
            self.reading = Reading::now();
            self.clock.read(self.reading);
        }
        let Reading { wall, after: at, .. } = self.reading;
        let batch = Batch { mac: self.line.mac(), at, wall, span: self.clock.span() };
        let mut hand = Hand {
            batch: &batch,
            transmit: &mut self.transmit,
            outgoing: self.outgoing,
            each,
            sent: 0,
            stats: ReceiveStats::default(),
        };
        self.receive.each(&mut hand);
        let mut count = hand.count();
        self.receive.release();
        if taken < BATCH {
            // Who was not seen to leave by now is not merely waiting to be looked at.
            count += self.hand_back(now, each);
        }
        if taken == 0 {
            self.line.check()?;
        }
        Ok(count.max(taken)) // what was passed over was waiting too
    }

    fn flush(&mut self) -> io::Result<()> {
        self.follow(clock::now());
        self.transmit.flush(&mut self.line)?;
        self.line.check()
    }

    fn event(&mut self) -> Option<Event> {
        self.follow(clock::now());
        self.line.event()
    }

    fn returns_sent(&self) -> bool {
        self.transmit.mark().is_some()
    }

    fn dropped(&mut self) -> u64 {
        self.stats().dropped
    }
}

impl Wait for PacketSocket {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        UNIX_EPOCH + self.clock.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if self.has_news() {
            return Ok(());
        }
        let until = until.into_iter().chain(self.transmit.deadline()).min();
        let timeout = until.map(|until| until.saturating_duration_since(clock::now()));
        let room = if self.transmit.needs_room() { PollFlags::POLLOUT } else { PollFlags::empty() };
        let mut fds = vec![
            PollFd::new(self.receive.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.transmit.as_fd(), room),
            PollFd::new(self.line.as_fd(), PollFlags::POLLIN),
        ];
        fds.extend(wake.map(|wake| PollFd::new(wake, PollFlags::POLLIN)));
        match ppoll(&mut fds, timeout.map(TimeSpec::from), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if fds[2].revents().is_some_and(|events| !events.is_empty()) {
            self.line.ring();
        }
        if fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR)) {
            self.receive.relieve();
        }
        Ok(())
    }
}

/// For how long a reading of the clocks will do while nothing comes in that bears a stamp.
const FRESH: Duration = Duration::from_millis(1);

/// What has passed a [`PacketSocket`], in frames.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Handed up.
    pub received: u64,
    /// Received, but longer than the MTU lets expect.
    pub truncated: u64,
    /// Received without a whole header, tags included.
    pub runts: u64,
    /// Lost by the kernel because we were too slow to take them.
    pub dropped: u64,
    /// Taken by the kernel.
    pub sent: u64,
    /// Handed back because they could not leave.
    pub unsent: u64,
    /// Sent, but never stamped by the kernel as asked.
    pub unstamped: u64,
}
