use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use macaddr::MacAddr6;
use nix::libc;

use super::{
    clock::{Clock, Reading},
    inlet::{HEADROOM, Inlet, Message},
    sys,
};
use crate::frame::{
    Cast, Checksum, Direction, Discard, Facts, Frame, HEADER_LEN, Source, Stamp, TAG_LEN,
};

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

    /// Takes the next batch in, and returns how many there are for [`Receive::next`] to show.
    pub(super) fn take(&mut self) -> io::Result<usize> {
        match self.inlet.take(&self.fd) {
            // Told once when the interface goes down; the line knows.
            Err(error) if error.kind() == io::ErrorKind::NetworkDown => Ok(0),
            count => count,
        }
    }

    /// The next frame of the batch, unless it is not one; received, or sent by whomever.
    #[inline]
    pub(super) fn next(
        &mut self,
        mac: MacAddr6,
        clock: &Clock,
        reading: Reading,
    ) -> Option<Frame<'_>> {
        let message = self.inlet.next()?;
        let direction = match message.kind {
            libc::PACKET_OUTGOING => Direction::Sent,
            _ => Direction::Received,
        };
        if message.truncated {
            self.stats.truncated += 1;
            return None;
        }
        let Ok(frame) = view(message, direction, mac, clock, reading) else {
            self.stats.runts += 1;
            return None;
        };
        self.stats.received += u64::from(direction == Direction::Received);
        Some(frame)
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

/// Puts the tag back that the kernel took off, and says what it said.
#[inline]
fn view<'a>(
    message: Message<'a>,
    direction: Direction,
    mac: MacAddr6,
    clock: &Clock,
    reading: Reading,
) -> Result<Frame<'a>, Discard> {
    let control = message.control;
    let octets = match control.tag() {
        Some(tag) if message.room.len() >= HEADROOM + HEADER_LEN => {
            message.room.copy_within(HEADROOM..HEADROOM + ADDRESSES, HEADROOM - TAG_LEN);
            message.room[HEADROOM - TAG_LEN + ADDRESSES..][..TAG_LEN].copy_from_slice(&tag);
            &message.room[HEADROOM - TAG_LEN..]
        }
        _ => &message.room[HEADROOM..],
    };
    let dst = octets.first_chunk().copied().unwrap_or_default();
    let user = Stamp { since_epoch: reading.wall, source: Source::User };
    let kernel = |since_epoch| Stamp { since_epoch, source: Source::Kernel };
    let checksum = if control.is_unfinished() { Checksum::Unfinished } else { Checksum::Complete };
    Frame::new(
        octets,
        Facts {
            direction,
            cast: Cast::of(MacAddr6::from(dst), mac),
            at: control.stamp.and_then(|stamp| clock.instant(stamp)).unwrap_or(reading.after),
            stamp: control.stamp.map_or(user, kernel),
            checksum,
        },
    )
}

/// Octets of the two addresses that a frame begins with.
const ADDRESSES: usize = 12;
