use std::{io, os::fd::OwnedFd};

use nix::sys::socket::{getsockopt, setsockopt, sockopt};

use super::{
    control::Control,
    hand::Hand,
    ring::{Blocks, Ring, Slots},
    sys::Batch,
};
use crate::frame::{HEADER_LEN, TAG_LEN};

/// The way messages come in from the kernel.
pub(super) enum Inlet {
    /// Copied by system calls.
    Batch(Batch),
    /// Each in a slot of memory that is shared with the kernel.
    Slots(Slots),
    /// Many in a block of it.
    Blocks(Blocks),
}

impl Inlet {
    /// Makes a way in to a socket that is not bound yet, for frames of up to `mtu` octets after
    /// their header.
    pub(super) fn open(fd: &OwnedFd, ring: Option<Ring>, mtu: usize) -> io::Result<Self> {
        match ring {
            None => {
                if setsockopt(fd, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
                    setsockopt(fd, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
                }
                Ok(Self::Batch(Batch::new(longest(mtu))))
            }
            Some(Ring::V2 { octets }) => {
                Slots::open(fd, octets, HEADROOM + longest(mtu)).map(Self::Slots)
            }
            Some(Ring::V3 { octets, block, timeout }) => {
                Blocks::open(fd, octets, block, timeout).map(Self::Blocks)
            }
        }
    }

    /// Octets that the kernel keeps for us while we are busy, its own bookkeeping included.
    pub(super) fn octets(&self, fd: &OwnedFd) -> io::Result<usize> {
        match self {
            Self::Batch(_) => Ok(getsockopt(fd, sockopt::RcvBuf)?),
            Self::Slots(slots) => Ok(slots.octets()),
            Self::Blocks(blocks) => Ok(blocks.octets()),
        }
    }

    /// Makes room for frames of a greater MTU; a ring is as it was made.
    pub(super) fn follow(&mut self, mtu: usize) {
        if let Self::Batch(batch) = self {
            *batch = Batch::new(longest(mtu));
        }
    }

    /// Takes what is waiting, at least some of it, and returns how much there is to be shown.
    pub(super) fn take(&mut self, fd: &OwnedFd) -> io::Result<usize> {
        match self {
            Self::Batch(batch) => Ok(batch.receive(fd)?),
            Self::Slots(slots) => Ok(slots.take()),
            Self::Blocks(blocks) => Ok(blocks.take()),
        }
    }

    /// Whether what was taken goes on with a block that was begun before.
    pub(super) fn goes_on(&self) -> bool {
        match self {
            Self::Batch(_) | Self::Slots(_) => false,
            Self::Blocks(blocks) => blocks.goes_on(),
        }
    }

    /// Hands up what was taken, except for messages whose description by the kernel is not sane.
    ///
    /// A loop for each kind, not a choice for each message.
    #[inline(always)]
    pub(super) fn each(&mut self, hand: &mut Hand<'_>) {
        match self {
            Self::Batch(batch) => batch.each(|message| hand.up(message)),
            Self::Slots(slots) => slots.each(|message| hand.up(message)),
            Self::Blocks(blocks) => blocks.each(|message| hand.up(message)),
        }
    }

    /// Gives the kernel back the memory of the messages that were shown.
    pub(super) fn release(&mut self) {
        match self {
            Self::Batch(_) => {}
            Self::Slots(slots) => slots.release(),
            Self::Blocks(blocks) => blocks.release(),
        }
    }

    /// Takes note of an error that the socket has pending, which would end every wait: a ring is
    /// read by no system call that could report it.
    pub(super) fn relieve(&self, fd: &OwnedFd) {
        if !matches!(self, Self::Batch(_)) {
            // It says that the interface went down or away, which the line knows.
            let _ = getsockopt(fd, sockopt::SocketError);
        }
    }
}

/// One message that came in.
pub(super) struct Message<'a> {
    /// [`HEADROOM`] free octets, then those received.
    pub(super) room: &'a mut [u8],
    /// Whether it was longer than its room.
    pub(super) truncated: bool,
    /// `PACKET_HOST`, `PACKET_OUTGOING` and so on.
    pub(super) kind: u8,
    /// What the kernel says about it.
    pub(super) control: Control,
}

/// Octets of the longest frame that can come in.
fn longest(mtu: usize) -> usize {
    HEADER_LEN + TAGS * TAG_LEN + mtu
}

/// Free octets before each message: a VLAN tag fits in.
pub(super) const HEADROOM: usize = TAG_LEN;

/// Tags that may still be in a frame as it is received.
const TAGS: usize = 2;

/// Octets of frames that the kernel keeps for us while we are busy, where it keeps them itself.
const RECEIVE_BUFFER: usize = 4 << 20;
