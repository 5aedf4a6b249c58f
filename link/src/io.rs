use std::{
    io,
    os::fd::BorrowedFd,
    time::{Instant, SystemTime},
};

use etherparse::EtherType;
use macaddr::MacAddr6;

use crate::frame::{Frame, HEADER_LEN, write_header};

/// The transmit half of a link.
pub trait FrameTx {
    /// The address of the station that speaks.
    fn mac(&self) -> MacAddr6;

    /// Largest payload of one frame, in octets, Ethernet header excluded.
    fn mtu(&self) -> usize;

    /// Queues one frame of `len` octets, header included.
    ///
    /// `write` is handed the zeroed slot, `len` octets long, that the frame will leave from; it
    /// runs exactly once when the result is `Ok`, never otherwise.
    ///
    /// # Errors
    /// [`SendError::Full`]: [`FrameIo::flush`], and try again. [`SendError::Runt`] without a whole
    /// header, [`SendError::TooLong`] past the MTU: never.
    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError>;

    /// Queues a frame to `dst` whose payload of `len` octets `write` writes.
    ///
    /// # Errors
    /// As [`FrameTx::transmit`].
    fn send(
        &mut self,
        dst: MacAddr6,
        ether_type: EtherType,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), SendError> {
        let src = self.mac();
        self.transmit(HEADER_LEN + len, &mut |slot| {
            write_header(slot, dst, src, ether_type);
            write(&mut slot[HEADER_LEN..]);
        })
    }
}

/// A link: it transmits, it receives, it flushes.
pub trait FrameIo: FrameTx {
    /// Hands the frames of the next batch to `each`, with the transmit half to answer through.
    ///
    /// Returns how many; 0 means that nothing is waiting, for it never blocks. A frame is lent for
    /// its one call. A frame of our own that has left, or could not, comes before its answer.
    ///
    /// # Errors
    /// When the link is gone. A malformed frame is not an error.
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize>;

    /// Hands every queued frame to the wire.
    ///
    /// What the wire cannot take yet stays queued, so that [`SendError::Full`] comes in the end.
    ///
    /// # Errors
    /// When the link is gone.
    fn flush(&mut self) -> io::Result<()>;

    /// What has happened to the link itself; call until it returns `None`.
    fn event(&mut self) -> Option<Event> {
        None
    }

    /// Whether each frame that leaves comes back to [`FrameIo::recv`] as
    /// [`Direction::Sent`](crate::Direction::Sent), with the stamp of its leaving.
    fn returns_sent(&self) -> bool {
        false
    }

    /// How many frames were lost so far because they were not taken in time.
    fn dropped(&mut self) -> u64 {
        0
    }
}

/// What the owner of a loop needs of a link: its clock, and to sleep on it.
///
/// Time is real for a socket, virtual for the network in memory, where waiting is a jump.
pub trait Wait {
    /// The time, to be given to every layer above.
    fn now(&self) -> Instant;

    /// The time of day at `at`.
    fn wall(&self, at: Instant) -> SystemTime;

    /// Returns when there may be something to receive, when queued frames may leave again, at
    /// `until`, or when `wake` is readable; at once while there is a [`FrameIo::event`] to be
    /// taken.
    ///
    /// # Errors
    /// When the operating system refuses to wait. A signal is no error: it returns early.
    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()>;
}

/// A link that can also be waited on: all that a program needs of one.
pub trait Link: FrameIo + Wait {}

impl<L: FrameIo + Wait + ?Sized> Link for L {}

impl<L: FrameTx + ?Sized> FrameTx for Box<L> {
    fn mac(&self) -> MacAddr6 {
        (**self).mac()
    }

    fn mtu(&self) -> usize {
        (**self).mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        (**self).transmit(len, write)
    }
}

impl<L: FrameIo + ?Sized> FrameIo for Box<L> {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        (**self).recv(now, each)
    }

    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }

    fn event(&mut self) -> Option<Event> {
        (**self).event()
    }

    fn returns_sent(&self) -> bool {
        (**self).returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        (**self).dropped()
    }
}

impl<L: Wait + ?Sized> Wait for Box<L> {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        (**self).wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        (**self).wait(until, wake)
    }
}

/// What happened to the link itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It went down, or lost its carrier; what is sent now comes back unsent.
    Down,
    /// It is up again, carrier included.
    Up,
    /// Its MTU is now this many octets.
    Mtu(usize),
    /// Its own address is now this one.
    Mac(MacAddr6),
}

/// Why a frame could not be queued.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No free slot; flush, then try again.
    #[error("the transmit queue is full")]
    Full,
    /// Too short for an Ethernet header.
    #[error("{len} octets are no frame: an Ethernet header alone has {HEADER_LEN}")]
    Runt {
        /// Octets asked for.
        len: usize,
    },
    /// The payload exceeds the MTU.
    #[error("a payload of {len} octets exceeds the MTU of {mtu}")]
    TooLong {
        /// Octets of payload asked for.
        len: usize,
        /// Octets allowed.
        mtu: usize,
    },
}

impl SendError {
    /// Refuses what can never be a frame of `len` octets on a link of that `mtu`.
    ///
    /// # Errors
    /// [`SendError::Runt`] without a whole header, [`SendError::TooLong`] past the MTU.
    pub fn check(len: usize, mtu: usize) -> Result<(), Self> {
        match len.checked_sub(HEADER_LEN) {
            None => Err(Self::Runt { len }),
            Some(len) if len > mtu => Err(Self::TooLong { len, mtu }),
            Some(_) => Ok(()),
        }
    }
}
