use std::{
    fs::File,
    io::{self, Read},
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;

use super::reader::{Captured, Reader};
use crate::{
    frame::{Cast, Checksum, Direction, Facts, Frame, Source, Stamp},
    io::{FrameIo, FrameTx, SendError, Wait},
};

/// A capture as a link: what passed then is received now, as fast as it is taken, under its own
/// stamps; the clock stands where the last frame left it.
///
/// Nothing can be sent on it: its MTU is 0. What the capture says went out comes back as
/// [`Direction::Sent`]. A frame that was captured only in part is handed up as far as it was, and
/// one without a whole header is counted: [`Reader`] shows both as they are.
pub struct Replay<R: Read> {
    reader: Reader<R>,
    /// An instant, and the time of day of the first frame, which it stands for.
    origin: (Instant, Option<Duration>),
    now: Instant,
    runts: u64,
    done: bool,
}

impl Replay<File> {
    /// Opens the capture at `path`.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open(path: &Path) -> io::Result<Self> {
        Reader::open(path).map(Self::new)
    }
}

impl<R: Read> Replay<R> {
    /// Replays what `reader` reads.
    #[expect(clippy::disallowed_methods, reason = "an arbitrary origin")]
    pub fn new(reader: Reader<R>) -> Self {
        let now = Instant::now();
        Self { reader, origin: (now, None), now, runts: 0, done: false }
    }

    /// Whether there is nothing more to come.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Frames without a whole header, which were not handed up.
    pub fn runts(&self) -> u64 {
        self.runts
    }
}

impl<R: Read> FrameTx for Replay<R> {
    fn mac(&self) -> MacAddr6 {
        MacAddr6::nil()
    }

    fn mtu(&self) -> usize {
        0
    }

    fn transmit(&mut self, len: usize, _: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        Mute.transmit(len, &mut |_| {})
    }
}

impl<R: Read> FrameIo for Replay<R> {
    /// # Errors
    /// As [`Reader::next_frame`].
    fn recv(
        &mut self,
        _: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let mut handed = 0;
        while handed == 0 && !self.done {
            let Self { reader, origin: (start, first), now, runts, done } = self;
            let read = reader.next_frame(&mut |captured| {
                let first = *first.get_or_insert(captured.stamp);
                let passed = captured.stamp.saturating_sub(first);
                let at = start.checked_add(passed).unwrap_or(*now);
                match Frame::new(captured.octets, facts(&captured, at)) {
                    Err(_) => *runts += 1,
                    Ok(frame) => {
                        *now = (*now).max(at);
                        each(frame, &mut Mute);
                        handed = 1;
                    }
                }
            });
            *done = !matches!(read, Ok(true));
            read?;
        }
        Ok(handed)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn returns_sent(&self) -> bool {
        true
    }
}

impl<R: Read> Wait for Replay<R> {
    fn now(&self) -> Instant {
        self.now
    }

    fn wall(&self, at: Instant) -> SystemTime {
        let (start, first) = self.origin;
        let passed = at.saturating_duration_since(start);
        let since_epoch = first.unwrap_or_default().saturating_add(passed);
        SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Never waits: what there is, is there.
    fn wait(&mut self, until: Option<Instant>, _: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.now = self.now.max(until.unwrap_or(self.now));
        Ok(())
    }
}

fn facts(captured: &Captured<'_>, at: Instant) -> Facts {
    let dst = captured.octets.first_chunk::<6>().copied().unwrap_or_default();
    Facts {
        direction: match captured.outbound {
            Some(true) => Direction::Sent,
            _ => Direction::Received,
        },
        cast: Cast::of(dst.into(), MacAddr6::nil()),
        at,
        stamp: Stamp { since_epoch: captured.stamp, source: Source::Kernel },
        checksum: Checksum::Complete,
    }
}

/// What answers to the past are sent through.
struct Mute;

impl FrameTx for Mute {
    fn mac(&self) -> MacAddr6 {
        MacAddr6::nil()
    }

    fn mtu(&self) -> usize {
        0
    }

    fn transmit(&mut self, len: usize, _: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        SendError::check(len, 0)?;
        Err(SendError::TooLong { len: 0, mtu: 0 })
    }
}
