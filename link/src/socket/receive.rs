use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use nix::libc;

use super::{
    inlet::{HEADROOM, Inlet, Message},
    sys,
};
use crate::frame::{Batch, Came, Checksum, Direction, Discard, HEADER_LEN, Said, TAG_LEN};

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

    /// Takes the next batch in, and returns how many there are for [`Receive::each`] to show.
    pub(super) fn take(&mut self) -> io::Result<usize> {
        match self.inlet.take(&self.fd) {
            // Told once when the interface goes down; the line knows.
            Err(error) if error.kind() == io::ErrorKind::NetworkDown => Ok(0),
            count => count,
        }
    }

    /// Shows the frames of the batch: received, or sent by whomever.
    #[inline]
    pub(super) fn each(&mut self, batch: &Batch, mut see: impl FnMut(Came<'_>)) {
        let stats = &mut self.stats;
        self.inlet.each(|message| {
            if message.truncated {
                stats.truncated += 1;
                return;
            }
            let direction = match message.kind {
                libc::PACKET_OUTGOING => Direction::Sent,
                _ => Direction::Received,
            };
            let Ok(came) = view(message, direction, batch) else {
                stats.runts += 1;
                return;
            };
            stats.received += u64::from(direction == Direction::Received);
            see(came);
        });
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
    batch: &'a Batch,
) -> Result<Came<'a>, Discard> {
    let control = message.control;
    let octets = match control.tag() {
        Some(tag) if message.room.len() >= HEADROOM + HEADER_LEN => {
            message.room.copy_within(HEADROOM..HEADROOM + ADDRESSES, HEADROOM - TAG_LEN);
            message.room[HEADROOM - TAG_LEN + ADDRESSES..][..TAG_LEN].copy_from_slice(&tag);
            &message.room[HEADROOM - TAG_LEN..]
        }
        _ => &message.room[HEADROOM..],
    };
    let checksum = if control.is_unfinished() { Checksum::Unfinished } else { Checksum::Complete };
    Came::new(octets, Said { direction, checksum, stamp: control.stamp, batch })
}

/// Octets of the two addresses that a frame begins with.
const ADDRESSES: usize = 12;
