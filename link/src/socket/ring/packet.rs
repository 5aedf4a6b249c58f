//! What the kernel writes before each frame, read from plain octets. Whatever they are, nothing
//! outside them is looked at, nothing panics, and every walk ends.

use std::mem::offset_of;

use nix::libc::{
    sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket2_hdr,
    tpacket3_hdr,
};

use crate::socket::{
    control::{Control, field},
    inlet::{HEADROOM, Message},
};

/// A frame in ring memory: its octets, and [`HEADROOM`] before, lie within.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Packet {
    /// Where it begins.
    start: usize,
    /// Where it ends.
    end: usize,
    truncated: bool,
    kind: u8,
    control: Control,
}

impl Packet {
    /// The frame, in the octets that it was found in.
    #[inline(always)]
    pub(super) fn message(self, octets: &mut [u8]) -> Option<Message<'_>> {
        let room = octets.get_mut(self.start.checked_sub(HEADROOM)?..self.end)?;
        let Self { truncated, kind, control, .. } = self;
        Some(Message { room, truncated, kind, control })
    }
}

/// Reads a slot of a V2 ring.
#[inline]
pub(super) fn lone(octets: &[u8]) -> Option<Packet> {
    let header: &[u8; V2] = octets.first_chunk()?;
    let said = Said {
        status: word(header, offset_of!(tpacket2_hdr, tp_status))?,
        len: word(header, offset_of!(tpacket2_hdr, tp_len))?,
        snaplen: word(header, offset_of!(tpacket2_hdr, tp_snaplen))?,
        mac: half(header, offset_of!(tpacket2_hdr, tp_mac))?,
        sec: word(header, offset_of!(tpacket2_hdr, tp_sec))?,
        nsec: word(header, offset_of!(tpacket2_hdr, tp_nsec))?,
        tci: half(header, offset_of!(tpacket2_hdr, tp_vlan_tci))?,
        tpid: half(header, offset_of!(tpacket2_hdr, tp_vlan_tpid))?,
        kind: header[size_of::<tpacket2_hdr>() + KIND],
    };
    said.packet(0, V2, octets.len())
}

/// The way through a block of a V3 ring.
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
        let sane = at >= size_of::<tpacket_block_desc>() && end <= block.len();
        Self { at, end, left: if sane { left } else { 0 } }
    }

    /// The part of the block in which its frames are.
    pub(super) fn within<'b>(&self, block: &'b mut [u8]) -> &'b mut [u8] {
        block.get_mut(..self.end).unwrap_or_default()
    }

    /// Where the next frame begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many frames are still to come, if all is as it should be.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The next frame, in what is [`Walk::within`]; what is not sane ends the walk.
    #[inline(always)]
    pub(super) fn next(&mut self, octets: &[u8]) -> Option<Packet> {
        let left = self.left.checked_sub(1)?;
        self.left = 0;
        let (packet, next) = frame(octets, self.at)?;
        // Each begins after the end of the one before, or this is the last.
        self.left = if next >= packet.end { left } else { 0 };
        self.at = next;
        Some(packet)
    }
}

/// Reads a frame of a block, and where the next one begins.
#[inline(always)]
fn frame(block: &[u8], at: usize) -> Option<(Packet, usize)> {
    let header: &[u8; V3] = block.get(at..)?.first_chunk()?;
    let vlan = offset_of!(tpacket3_hdr, hv1);
    let said = Said {
        status: word(header, offset_of!(tpacket3_hdr, tp_status))?,
        len: word(header, offset_of!(tpacket3_hdr, tp_len))?,
        snaplen: word(header, offset_of!(tpacket3_hdr, tp_snaplen))?,
        mac: half(header, offset_of!(tpacket3_hdr, tp_mac))?,
        sec: word(header, offset_of!(tpacket3_hdr, tp_sec))?,
        nsec: word(header, offset_of!(tpacket3_hdr, tp_nsec))?,
        tci: word(header, vlan + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))? as u16,
        tpid: half(header, vlan + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?,
        kind: header[size_of::<tpacket3_hdr>() + KIND],
    };
    let next = word(header, offset_of!(tpacket3_hdr, tp_next_offset))? as usize;
    Some((said.packet(at, V3, block.len())?, at.checked_add(next)?))
}

/// What a header says, before any of it is believed.
struct Said {
    status: u32,
    len: u32,
    snaplen: u32,
    mac: u16,
    sec: u32,
    nsec: u32,
    tci: u16,
    tpid: u16,
    kind: u8,
}

impl Said {
    /// The frame of a header that is `header` octets long and stands at `at`, if it lies between
    /// that and `end`.
    #[inline(always)]
    fn packet(self, at: usize, header: usize, end: usize) -> Option<Packet> {
        let start = at.checked_add(self.mac.into())?;
        let stop = start.checked_add(self.snaplen as usize)?;
        if usize::from(self.mac) < header + HEADROOM || stop > end {
            return None;
        }
        let stamp = u64::from(self.sec) * 1_000_000_000 + u64::from(self.nsec);
        let control = Control { stamp, status: self.status, tci: self.tci, tpid: self.tpid };
        let truncated = self.snaplen < self.len;
        Some(Packet { start, end: stop, truncated, kind: self.kind, control })
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

    /// Walks, and asks for every frame's octets.
    fn walk(octets: &mut [u8]) -> Vec<Packet> {
        let mut walk = Walk::begin(octets);
        let octets = walk.within(octets);
        let mut packets = Vec::new();
        while walk.left() > 0 {
            let Some(packet) = walk.next(octets) else { break };
            let message = packet.message(octets).expect("within the octets");
            assert_eq!(message.room.len(), HEADROOM + packet.end - packet.start);
            packets.push(packet);
        }
        assert!(packets.is_sorted_by(|one, next| one.end <= next.start));
        packets
    }

    #[test]
    fn every_frame_of_a_block_is_found() {
        let mut block = block(&[60, 1_514, 0, 61]);
        let packets = walk(&mut block);
        let lens: Vec<usize> = packets.iter().map(|packet| packet.end - packet.start).collect();
        assert_eq!(lens, [60, 1_514, 0, 61]);
        assert_eq!(packets[1].control.stamp, 7_000_000_001);
        assert!(block[packets[3].start..packets[3].end].iter().all(|&octet| octet == 3));
    }

    #[test]
    fn a_frame_beyond_the_end_of_the_block_ends_the_walk() {
        let mut block = block(&[60, 60]);
        let second = FIRST + (V3 + 18 + 60_usize).next_multiple_of(16);
        block[second + 12..second + 16].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(walk(&mut block).len(), 1);
    }

    #[test]
    fn frames_that_lead_back_to_themselves_are_seen_once() {
        let mut block = block(&[60, 60]);
        block[FIRST..FIRST + 4].copy_from_slice(&0_u32.to_ne_bytes());
        assert_eq!(walk(&mut block).len(), 1);
    }

    #[test]
    fn a_slot_is_read_and_a_tag_fits_before_its_frame() {
        let mut slot = vec![0; 256];
        for (word, at) in [(1_u32, 0), (80, 4), (64, 8), (70, 12), (9, 16), (4, 20)] {
            slot[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        slot[42] = 4;
        let message = lone(&slot).unwrap().message(&mut slot).unwrap();
        assert_eq!((message.room.len(), message.truncated, message.kind), (HEADROOM + 64, true, 4));
        assert_eq!(message.control.stamp, 9_000_000_004);
        slot[12] = (V2 + HEADROOM - 1) as u8;
        assert_eq!(lone(&slot), None);
    }

    proptest! {
        #[test]
        fn arbitrary_octets_are_walked_within_their_bounds(
            mut octets in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            walk(&mut octets);
            if let Some(packet) = lone(&octets) {
                prop_assert!(packet.message(&mut octets).is_some());
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
