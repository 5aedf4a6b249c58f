//! A link whose every batch was written down beforehand.

use std::{
    collections::VecDeque,
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;
use sidestack_link::{
    Cast, Checksum, Direction, Event, Facts, Frame, FrameIo, FrameTx, HEADER_LEN, SendError,
    Source, Stamp, Wait,
};

/// Its clock stands still at [`WALL`]; every stamp of a frame is counted from there.
pub(crate) struct Script {
    /// What each `recv` hands up; then nothing is waiting.
    pub(crate) batches: VecDeque<Vec<(Facts, Vec<u8>)>>,
    /// What was transmitted.
    pub(crate) left: Vec<Vec<u8>>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) flushes: u32,
    pub(crate) returns_sent: bool,
    pub(crate) dropped: u64,
    pub(crate) mtu: usize,
    now: Instant,
}

impl Script {
    pub(crate) fn new(batches: impl IntoIterator<Item = Vec<(Facts, Vec<u8>)>>) -> Self {
        Self {
            batches: batches.into_iter().collect(),
            left: Vec::new(),
            events: VecDeque::new(),
            flushes: 0,
            returns_sent: false,
            dropped: 0,
            mtu: 1500,
            now: start(),
        }
    }
}

impl FrameTx for Script {
    fn mac(&self) -> MacAddr6 {
        US
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    /// Takes frames one tag longer than the MTU.
    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        if len > HEADER_LEN + self.mtu {
            return Err(SendError::TooLong { len: len - HEADER_LEN, mtu: self.mtu });
        }
        let mut slot = vec![0; len];
        write(&mut slot);
        self.left.push(slot);
        Ok(())
    }
}

impl FrameIo for Script {
    fn recv(
        &mut self,
        _now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let batch = self.batches.pop_front().unwrap_or_default();
        for (facts, octets) in &batch {
            each(Frame::new(octets, *facts).unwrap(), self);
        }
        Ok(batch.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes += 1;
        Ok(())
    }

    fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn returns_sent(&self) -> bool {
        self.returns_sent
    }

    fn dropped(&mut self) -> u64 {
        self.dropped
    }
}

impl Wait for Script {
    fn now(&self) -> Instant {
        self.now
    }

    fn wall(&self, at: Instant) -> SystemTime {
        SystemTime::UNIX_EPOCH + WALL + (at - self.now)
    }

    fn wait(&mut self, until: Option<Instant>, _wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.now = until.unwrap_or(self.now);
        Ok(())
    }
}

/// Facts of a frame that was stamped `nanoseconds` after [`WALL`].
pub(crate) fn facts(direction: Direction, cast: Cast, nanoseconds: u64) -> Facts {
    let since_epoch = WALL + Duration::from_nanos(nanoseconds);
    let stamp = Stamp { since_epoch, source: Source::Kernel };
    Facts { direction, cast, at: start(), stamp, checksum: Checksum::Complete }
}

/// Destination, source, and `rest` from the EtherType or the first tag on.
pub(crate) fn frame(rest: &[u8]) -> Vec<u8> {
    [US.as_bytes(), THEM.as_bytes(), rest].concat()
}

#[expect(clippy::disallowed_methods, reason = "some Instant is needed, whichever it is")]
fn start() -> Instant {
    Instant::now()
}

pub(crate) const US: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
pub(crate) const THEM: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// The time of day, since the epoch.
pub(crate) const WALL: Duration = Duration::new(1_800_000_000, 123_456_789);
