//! What the kernel writes before each frame, read from plain octets. Whatever they are, nothing
//! outside them is looked at, nothing panics, and every walk ends.

use std::{
    hint,
    mem::{self, offset_of},
};

use nix::libc::{
    sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket2_hdr,
    tpacket3_hdr,
};

use crate::socket::{
    control::{Control, field},
    inlet::{HEADROOM, Message},
};

/// Reads the slot of a V2 ring.
#[inline]
pub(super) fn slot(slot: &mut [u8]) -> Option<Message<'_>> {
    let header: &[u8; V2] = slot.first_chunk()?;
    let said = Said {
        status: word(header, offset_of!(tpacket2_hdr, tp_status))?,
        len: word(header, offset_of!(tpacket2_hdr, tp_len))?,
        snaplen: word(header, offset_of!(tpacket2_hdr, tp_snaplen))?,
        mac: half(header, offset_of!(tpacket2_hdr, tp_mac))?,
        stamp: field(header, offset_of!(tpacket2_hdr, tp_sec))?,
        tci: half(header, offset_of!(tpacket2_hdr, tp_vlan_tci))?,
        tpid: half(header, offset_of!(tpacket2_hdr, tp_vlan_tpid))?,
        kind: header[size_of::<tpacket2_hdr>() + KIND],
    };
    said.message(V2, slot)
}

/// The way through a block of a V3 ring: it is cut into pieces of one frame each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    at: usize,
    /// Where the kernel says that the last frame ends.
    end: usize,
    left: usize,
}

impl Walk {
    /// Begins with the first frame of a block.
    pub(super) fn begin(block: &[u8]) -> Self {
        let read = |at| word(block, HEADER + at).map(|word| word as usize);
        let (Some(left), Some(at), Some(end)) = (
            read(offset_of!(tpacket_hdr_v1, num_pkts)),
            read(offset_of!(tpacket_hdr_v1, offset_to_first_pkt)),
            read(offset_of!(tpacket_hdr_v1, blk_len)),
        ) else {
            return Self { at: 0, end: 0, left: 0 };
        };
        let sane = size_of::<tpacket_block_desc>() <= at && at <= end && end <= block.len();
        Self { at, end, left: if sane { left } else { 0 } }
    }

    /// How many frames are still to come, if all is as it should be.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Goes on in the same block, for `count` frames at most.
    pub(super) fn resume<'b>(&mut self, block: &'b mut [u8], count: usize) -> Pieces<'_, 'b> {
        let rest = block.get_mut(self.at..self.end).unwrap_or_default();
        let (left, until) = (self.left, self.left.saturating_sub(count));
        Pieces { rest, left, until, walk: self }
    }
}

/// What of a block is still to be walked. The walk has come as far when this is dropped, even by a
/// panic.
pub(super) struct Pieces<'w, 'b> {
    rest: &'b mut [u8],
    left: usize,
    /// How many are to be left.
    until: usize,
    walk: &'w mut Walk,
}

impl<'b> Pieces<'_, 'b> {
    /// Cuts the next piece off, that of one frame; what is not sane ends the walk.
    #[inline(always)]
    pub(super) fn cut(&mut self) -> Option<&'b mut [u8]> {
        if self.left == self.until {
            return None;
        }
        let is_last = self.left == 1;
        let Some((piece, rest)) = first(mem::take(&mut self.rest), is_last) else {
            (self.left, self.until) = (0, 0);
            return None;
        };
        self.rest = rest;
        self.left -= 1;
        Some(piece)
    }

    /// What comes after the piece that was cut last.
    pub(super) fn rest(&self) -> &[u8] {
        self.rest
    }
}

impl Drop for Pieces<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.walk.left = self.left;
        self.walk.at = self.walk.end - self.rest.len();
    }
}

/// Cuts `rest` after its first frame; the last of a block has all that is left.
#[inline(always)]
fn first(rest: &mut [u8], is_last: bool) -> Option<(&mut [u8], &mut [u8])> {
    let header: &[u8; V3] = rest.first_chunk()?;
    let next = word(header, offset_of!(tpacket3_hdr, tp_next_offset))? as usize;
    // A branch has a copy of all that follows made for the last frame, and every other one jump.
    let len = hint::select_unpredictable(is_last, rest.len(), next);
    // No piece is without its header, so every walk ends.
    if len < V3 { None } else { rest.split_at_mut_checked(len) }
}

/// Reads a piece of a V3 block: a frame, and what the kernel writes before it.
#[inline(always)]
pub(super) fn piece(piece: &mut [u8]) -> Option<Message<'_>> {
    let header: &[u8; V3] = piece.first_chunk()?;
    let vlan = offset_of!(tpacket3_hdr, hv1);
    let said = Said {
        status: word(header, offset_of!(tpacket3_hdr, tp_status))?,
        len: word(header, offset_of!(tpacket3_hdr, tp_len))?,
        snaplen: word(header, offset_of!(tpacket3_hdr, tp_snaplen))?,
        mac: half(header, offset_of!(tpacket3_hdr, tp_mac))?,
        stamp: field(header, offset_of!(tpacket3_hdr, tp_sec))?,
        tci: word(header, vlan + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))? as u16,
        tpid: half(header, vlan + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?,
        kind: header[size_of::<tpacket3_hdr>() + KIND],
    };
    said.message(V3, piece)
}

/// What a header says, before any of it is believed.
struct Said {
    status: u32,
    len: u32,
    snaplen: u32,
    mac: u16,
    stamp: [u8; 8],
    tci: u16,
    tpid: u16,
    kind: u8,
}

impl Said {
    /// The frame after a header of `header` octets, if it lies in `octets` as a whole.
    #[inline(always)]
    fn message(self, header: usize, octets: &mut [u8]) -> Option<Message<'_>> {
        let start = usize::from(self.mac);
        if start < header + HEADROOM {
            return None;
        }
        let end = start.checked_add(self.snaplen as usize)?;
        let room = octets.get_mut(start - HEADROOM..end)?;
        let control =
            Control { stamp: self.stamp, status: self.status, tci: self.tci, tpid: self.tpid };
        Some(Message { room, truncated: self.snaplen < self.len, kind: self.kind, control })
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    field(octets, at).map(u32::from_ne_bytes)
}

fn half(octets: &[u8], at: usize) -> Option<u16> {
    field(octets, at).map(u16::from_ne_bytes)
}

/// Octets before the frame in a V2 slot, at most: its header, the address, the padding that
/// aligns the network header, and [`HEADROOM`].
pub(super) const SLOT_HEADER: usize = 96;

/// Octets of a header, the address after it included; both headers are a multiple of 16 long, so
/// there is nothing between.
const V2: usize = size_of::<tpacket2_hdr>() + size_of::<sockaddr_ll>();
const V3: usize = size_of::<tpacket3_hdr>() + size_of::<sockaddr_ll>();

/// Where in the address `PACKET_OUTGOING` or another stands.
const KIND: usize = offset_of!(sockaddr_ll, sll_pkttype);

/// Where in a block the numbers of it stand.
const HEADER: usize = offset_of!(tpacket_block_desc, hdr);

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::prelude::*;

    use super::*;

    const FIRST: usize = size_of::<tpacket_block_desc>();

    /// A block of frames of these lengths, as the kernel lays it out.
    fn block(lens: &[usize]) -> Vec<u8> {
        let mut block = vec![0; FIRST];
        for (n, &len) in lens.iter().enumerate() {
            let mac = V3 + 18;
            let next = (mac + len).next_multiple_of(16);
            let mut frame = vec![n as u8; next];
            let last = n + 1 == lens.len();
            let words = [if last { 0 } else { next }, 7, n, len, len, 0, mac];
            for (word, at) in words.into_iter().zip((0..).step_by(4)) {
                frame[at..at + 4].copy_from_slice(&(word as u32).to_ne_bytes());
            }
            block.extend(frame);
        }
        let len = block.len();
        for (word, at) in [lens.len(), FIRST, len].into_iter().zip([12, 16, 20]) {
            block[at..at + 4].copy_from_slice(&(word as u32).to_ne_bytes());
        }
        block.resize(len + 64, 0xff);
        block
    }

    /// What was found of a frame: where it is, and when it came.
    type Found = (Range<usize>, [u32; 2]);

    fn stamp(message: &Message<'_>) -> [u32; 2] {
        let stamp = &message.control.stamp;
        [0, 4].map(|at| word(stamp, at).unwrap())
    }

    /// Walks, and looks at every octet that it is led to.
    fn walk(octets: &mut [u8]) -> Vec<Found> {
        let start = octets.as_ptr().addr();
        let mut walk = Walk::begin(octets);
        let mut pieces = walk.resume(octets, usize::MAX);
        let mut found: Vec<Found> = Vec::new();
        while let Some(message) = pieces.cut().and_then(piece) {
            let at = message.room.as_ptr().addr() - start + HEADROOM;
            let end = at - HEADROOM + message.room.len();
            message.room.fill(0xee);
            found.push((at..end, stamp(&message)));
        }
        assert!(found.is_sorted_by(|(one, _), (next, _)| one.end <= next.start));
        found
    }

    #[test]
    fn every_frame_of_a_block_is_found() {
        let mut block = block(&[60, 1_514, 0, 61]);
        let before = block.clone();
        let found = walk(&mut block);
        let lens: Vec<usize> = found.iter().map(|(at, _)| at.len()).collect();
        assert_eq!(lens, [60, 1_514, 0, 61]);
        assert_eq!(found[1].1, [7, 1]);
        assert!(before[found[3].0.clone()].iter().all(|&octet| octet == 3));
    }

    #[test]
    fn a_walk_goes_on_where_it_was_left() {
        let mut block = block(&[60, 61, 62]);
        let mut walk = Walk::begin(&block);
        for (len, left) in [(60, 2), (61, 1), (62, 0)] {
            let mut pieces = walk.resume(&mut block, 1);
            let message = pieces.cut().and_then(piece).unwrap();
            assert_eq!(message.room.len(), HEADROOM + len);
            assert!(pieces.cut().is_none());
            drop(pieces);
            assert_eq!(walk.left(), left);
        }
    }

    #[test]
    fn a_frame_beyond_the_end_of_the_block_ends_the_walk() {
        let mut block = block(&[60, 60]);
        let second = FIRST + (V3 + 18 + 60_usize).next_multiple_of(16);
        block[second + 12..second + 16].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(walk(&mut block).len(), 1);
    }

    #[test]
    fn a_frame_that_leads_back_to_itself_ends_the_walk() {
        let mut block = block(&[60, 60]);
        block[FIRST..FIRST + 4].copy_from_slice(&0_u32.to_ne_bytes());
        assert_eq!(walk(&mut block).len(), 0);
    }

    #[test]
    fn a_slot_is_read_and_a_tag_fits_before_its_frame() {
        let mut slot = vec![0; 256];
        for (word, at) in [(1_u32, 0), (80, 4), (64, 8), (70, 12), (9, 16), (4, 20)] {
            slot[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        slot[42] = 4;
        let message = super::slot(&mut slot).unwrap();
        assert_eq!((message.room.len(), message.truncated, message.kind), (HEADROOM + 64, true, 4));
        assert_eq!(stamp(&message), [9, 4]);
        slot[12] = (V2 + HEADROOM - 1) as u8;
        assert!(super::slot(&mut slot).is_none());
    }

    proptest! {
        #[test]
        fn arbitrary_octets_are_walked_within_their_bounds(
            mut octets in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            walk(&mut octets);
            if let Some(message) = slot(&mut octets) {
                message.room.fill(0xee);
            }
        }

        #[test]
        fn a_block_with_changed_octets_is_walked_within_its_bounds(
            lens in prop::collection::vec(0..200_usize, 1..5),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        ) {
            let mut octets = block(&lens);
            for (at, value) in changes {
                // Half of them where it hurts most.
                let all = octets.len();
                let at = at.index(2 * all);
                octets[if at < all { at } else { at % (FIRST + V3) }] = value;
            }
            walk(&mut octets);
        }
    }
}
