use std::{io, mem::offset_of, os::fd::OwnedFd, time::Duration};

use nix::libc::{self, tpacket_block_desc, tpacket_hdr_v1};

use super::{
    PAGE, Shape,
    map::{self, Map},
    packet, power_of_two,
};
use crate::socket::inlet::Message;

/// A TPACKET_V3 receive ring: blocks of many frames, which the kernel fills in their order.
pub(in crate::socket) struct Blocks {
    map: Map,
    /// The block whose turn it is.
    block: usize,
    /// How many of its frames were taken.
    taken: usize,
    /// Whether others of it were taken before.
    goes_on: bool,
    /// What is still to be shown of it, once it is ours.
    walk: Option<packet::Walk>,
}

impl Blocks {
    pub(in crate::socket) fn open(
        fd: &OwnedFd,
        octets: usize,
        block: usize,
        timeout: Duration,
    ) -> io::Result<Self> {
        let block = power_of_two(block)?.max(PAGE);
        let blocks = octets.div_ceil(block).max(LEAST);
        let version = libc::tpacket_versions::TPACKET_V3;
        let map = Shape { version, block, blocks, slot: SLOT, timeout }.map(fd, block, STATUS)?;
        Ok(Self { map, block: 0, taken: 0, goes_on: false, walk: None })
    }

    pub(in crate::socket) fn octets(&self) -> usize {
        self.map.octets()
    }

    /// Counts what is left of the block whose turn it is, up to [`MOST`].
    pub(in crate::socket) fn take(&mut self) -> usize {
        self.taken = 0;
        self.goes_on = self.left() > 0;
        for _ in 0..self.map.count() {
            self.release();
            if self.walk.is_none() {
                let Some(octets) = self.map.part(self.block) else { return 0 };
                self.walk = Some(packet::Walk::begin(octets));
            }
            match self.left() {
                0 => {} // empty, or not sane: the next
                left => {
                    self.taken = left.min(MOST);
                    return self.taken;
                }
            }
        }
        0
    }

    /// Whether those taken are of a block of which others were taken before: it was filled by then.
    pub(in crate::socket) fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Shows the frames that were taken.
    #[inline(always)]
    pub(in crate::socket) fn each(&mut self, mut see: impl FnMut(Message<'_>)) {
        let (Some(block), Some(walk)) = (self.map.part(self.block), &mut self.walk) else {
            return;
        };
        let mut pieces = walk.resume(block, self.taken);
        while let Some(piece) = pieces.cut() {
            map::fetch(pieces.rest(), AHEAD.wrapping_mul(piece.len()));
            if let Some(message) = packet::piece(piece) {
                see(message);
            }
        }
    }

    /// Gives the block back once all of it was shown.
    pub(in crate::socket) fn release(&mut self) {
        if self.walk.is_some() && self.left() == 0 {
            self.walk = None;
            self.map.release(self.block);
            self.block = (self.block + 1) % self.map.count();
        }
    }

    fn left(&self) -> usize {
        self.walk.as_ref().map_or(0, packet::Walk::left)
    }
}

/// Frames taken at once: as many answers as can wait to leave.
const MOST: usize = crate::outbox::SLOTS;

/// Frames between the next one and the one whose octets are asked of the memory. They often come in
/// runs of one length, so where that one begins can be guessed.
///
/// Chosen rather than measured: on a busy machine, benches/link could not tell 8, 16 and 32 apart,
/// and had a better ratio with this than with none in two of three pairs of runs. Where the memory
/// is near, to ask costs 0.6 ns a frame.
const AHEAD: usize = 24;

/// Blocks of the smallest ring: one to fill and one to read.
const LEAST: usize = 2;

/// What the kernel is told of the size of frames, and takes no notice of.
const SLOT: usize = 2_048;

const STATUS: usize =
    offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, block_status);
