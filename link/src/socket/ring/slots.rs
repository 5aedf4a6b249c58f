use std::{io, mem::offset_of, os::fd::OwnedFd, time::Duration};

use nix::libc::{self, tpacket2_hdr};

use super::{PAGE, Shape, map::Map, packet, power_of_two};
use crate::socket::inlet::Message;

/// A TPACKET_V2 receive ring: slots of one frame each, which the kernel fills in their order.
pub(in crate::socket) struct Slots {
    map: Map,
    /// The first slot that was not released yet.
    first: usize,
    /// How many from there on were taken.
    taken: usize,
    /// How many of those were shown.
    shown: usize,
}

impl Slots {
    /// A ring with room for messages of `len` octets.
    pub(in crate::socket) fn open(fd: &OwnedFd, octets: usize, len: usize) -> io::Result<Self> {
        let slot = power_of_two(packet::SLOT_HEADER + len)?;
        let block = slot.max(PAGE);
        let octets = power_of_two(octets)?.max(LEAST * slot).max(block);
        let version = libc::tpacket_versions::TPACKET_V2;
        let shape = Shape { version, block, blocks: octets / block, slot, timeout: Duration::ZERO };
        let map = shape.map(fd, slot, offset_of!(tpacket2_hdr, tp_status))?;
        Ok(Self { map, first: 0, taken: 0, shown: 0 })
    }

    pub(in crate::socket) fn octets(&self) -> usize {
        self.map.octets()
    }

    /// Counts the slots that are ours, up to [`MOST`].
    pub(in crate::socket) fn take(&mut self) -> usize {
        self.release(); // what a callback that panicked had seen
        let most = MOST.min(self.map.count());
        self.taken = (0..most).take_while(|&n| self.map.is_ours(self.nth(n))).count();
        self.taken
    }

    /// Shows the slots that were taken.
    #[inline]
    pub(in crate::socket) fn each(&mut self, mut see: impl FnMut(Message<'_>)) {
        while self.shown < self.taken {
            let slot = self.nth(self.shown);
            self.shown += 1;
            if let Some(message) = self.map.part(slot).and_then(packet::slot) {
                see(message);
            }
        }
    }

    /// Gives back the slots that were shown.
    pub(in crate::socket) fn release(&mut self) {
        for n in 0..self.shown {
            self.map.release(self.nth(n));
        }
        self.first = self.nth(self.shown);
        self.taken -= self.shown;
        self.shown = 0;
    }

    /// The slot that is `n` after the first.
    fn nth(&self, n: usize) -> usize {
        (self.first + n) % self.map.count()
    }
}

/// Slots taken at once: their answers leave in one system call.
const MOST: usize = 64;

/// Slots of the smallest ring.
const LEAST: usize = 64;
