//! What passes over a link, kept as a pcapng file (draft-ietf-opsawg-pcapng) or as classic pcap, in
//! one file or several; and captures of any kind, read.

mod block;
mod blocks;
mod fields;
mod format;
mod journal;
mod link_type;
mod reader;
mod replay;
mod section;
mod writer;

use std::{
    io::{self, Write},
    os::fd::BorrowedFd,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;

use crate::{
    frame::{Cast, Direction, Frame},
    io::{Event, FrameIo, FrameTx, Link, SendError, Wait},
};
use journal::Journal;

pub use format::{Format, numbered};
pub use link_type::LinkType;
pub use reader::{Captured, Reader};
pub use replay::Replay;
pub use writer::Writer;

/// A link that records both directions, with time stamps in nanoseconds.
///
/// A received frame is recorded as it is handed up, tags included. A sent frame is recorded when
/// it comes back with the stamp of its leaving, where [`FrameIo::returns_sent`] says that it will;
/// elsewhere at once, when it is queued, with the user's clock. A frame that comes back as
/// [`Direction::Unsent`] is not recorded.
///
/// # Order
/// A sent frame may come back one `recv` after the answer to it. So records are held, and written
/// in the order of their stamps, as one write, whenever `recv` finds nothing waiting: what comes
/// afterwards happened afterwards. Under constant load the older half is written whenever more
/// than 4,096 are held, which also bounds the memory. A frame that comes back later still, as one
/// whose stamp was long in coming, stands out of order.
///
/// # Failure
/// When a write fails, recording stops and the link goes on: see [`Recorder::error`] and
/// [`Recorder::finish`]. Dropping the recorder also writes what it holds, but tells nobody of a
/// failure.
pub struct Recorder<L, W: Write> {
    inner: L,
    journal: Journal<W>,
}

impl<L, W: Write> Recorder<L, W> {
    /// Records what passes over `inner` to `out` as pcapng, as the interface of that name.
    ///
    /// # Errors
    /// When the head of the file cannot be written.
    pub fn new(inner: L, interface: &str, out: W) -> io::Result<Self> {
        Ok(Self::over(inner, Writer::new(interface, out)?))
    }

    /// Records what passes over `inner` by `writer`, which has its form and its files.
    pub fn over(inner: L, writer: Writer<W>) -> Self {
        Self { inner, journal: Journal::over(writer) }
    }

    /// Writes what is still held, and flushes; the link below survives in any case.
    ///
    /// A sent frame that has not come back is missing: call `recv` until nothing is waiting, first.
    ///
    /// # Errors
    /// The file's part is the failure that stopped the recording, however long ago.
    pub fn finish(self) -> (L, io::Result<W>) {
        (self.inner, self.journal.finish())
    }

    /// The link below.
    pub fn inner(&self) -> &L {
        &self.inner
    }

    /// Why recording has stopped, if it has.
    pub fn error(&self) -> Option<&io::Error> {
        self.journal.error()
    }
}

impl<L: Link, W: Write> Recorder<L, W> {
    /// The stamp of what is sent at `at`; none where the link itself will say.
    fn stamp(&self, at: Instant) -> Option<Duration> {
        if self.inner.returns_sent() {
            return None;
        }
        let since_epoch = self.inner.wall(at).duration_since(SystemTime::UNIX_EPOCH);
        Some(since_epoch.unwrap_or_default()) // captures know nothing before 1970
    }
}

impl<L: Link, W: Write> FrameTx for Recorder<L, W> {
    fn mac(&self) -> MacAddr6 {
        self.inner.mac()
    }

    fn mtu(&self) -> usize {
        self.inner.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let stamp = self.stamp(self.inner.now());
        Tx { below: &mut self.inner, journal: &mut self.journal, stamp }.transmit(len, write)
    }
}

impl<L: Link, W: Write> FrameIo for Recorder<L, W> {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let stamp = self.stamp(now);
        let Self { inner, journal } = self;
        let handed = inner.recv(now, &mut |frame, tx| {
            let arrived = frame.stamp().since_epoch;
            match frame.direction() {
                Direction::Received => journal.hold(arrived, inbound(frame.cast()), frame.octets()),
                Direction::Sent if stamp.is_none() => {
                    journal.hold(arrived, OUTBOUND, frame.octets());
                }
                Direction::Sent | Direction::Unsent(_) => {}
            }
            // The frame may have arrived after `now` was read; its answer still comes after it.
            let stamp = stamp.map(|now| now.max(arrived));
            each(frame, &mut Tx { below: tx, journal, stamp });
        });
        if matches!(handed, Ok(0) | Err(_)) {
            journal.settle();
        }
        handed
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

impl<L: Wait, W: Write> Wait for Recorder<L, W> {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.inner.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.inner.wait(until, wake)
    }
}

/// The transmit half, as it is also lent to whoever answers from inside `recv`.
struct Tx<'a, W: Write> {
    below: &'a mut dyn FrameTx,
    journal: &'a mut Journal<W>,
    stamp: Option<Duration>,
}

impl<W: Write> FrameTx for Tx<'_, W> {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let Self { below, journal, stamp } = self;
        below.transmit(len, &mut |slot| {
            write(slot);
            if let Some(stamp) = *stamp {
                journal.hold(stamp, OUTBOUND, slot);
            }
        })
    }
}

/// The flags of a received frame: its direction, and in the next three bits its reception type.
fn inbound(cast: Cast) -> u32 {
    let reception = match cast {
        Cast::Host => 1,
        Cast::Multicast => 2,
        Cast::Broadcast => 3,
        Cast::Other => 4,
    };
    INBOUND | reception << 2
}

/// Direction bits of epb_flags (draft-ietf-opsawg-pcapng §4.3.1): it came in.
const INBOUND: u32 = 0b01;

/// Direction bits of epb_flags (draft-ietf-opsawg-pcapng §4.3.1): it went out.
const OUTBOUND: u32 = 0b10;

/// The last point in time that 64 bits of nanoseconds reach, in the year 2554.
const STAMP_MAX: Duration = Duration::from_nanos(u64::MAX);
