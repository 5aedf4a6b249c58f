mod blocks;
mod map;
mod packet;
mod slots;

use std::{io, os::fd::OwnedFd, time::Duration};

use nix::libc;

use self::map::Map;
pub(super) use self::{blocks::Blocks, slots::Slots};
use super::{inlet::HEADROOM, sys};

/// Memory shared with the kernel, which writes received frames there: no system call and no copy
/// for each (Linux `packet_mmap.rst`).
///
/// | what it is for | choose |
/// |---|---|
/// | one probe at a time, its answer soon | neither: a plain socket is the least trouble, and opens and closes fastest |
/// | bursts and answers to them, with the least of the processor: a responder | [`Ring::LOW_DELAY`] |
/// | many answers to who is busy elsewhere for a while: a fast sweep | neither: a plain socket holds the most frames |
/// | all that passes: captures | [`Ring::CAPTURE`] |
///
/// By [`Ring::LOW_DELAY`], a sweep of 65,536 hosts took one thread 0.94 of the time that it took by
/// a plain socket, and 0.87 of the processor's; with a second thread that sends, it was as long
/// either way. But a slot is as large as the longest frame: there are 512 of them at an MTU of 1500,
/// while a plain socket that is allowed its 8 MiB holds many times as many short frames.
///
/// Frames leave by system calls, many in one, in every mode: a ring for that was measured to be
/// slower. A ring is as large as it is; frames that find no room are counted as
/// [`Stats::dropped`](crate::Stats::dropped).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ring {
    /// A slot for each frame (TPACKET_V2), which wakes us as a plain socket does.
    ///
    /// A slot has room for a frame of the MTU that the interface has when it is opened; what is
    /// longer later is counted as [`Stats::truncated`](crate::Stats::truncated).
    V2 {
        /// Octets of memory; rounded up to a power of two, and to 64 slots.
        octets: usize,
    },
    /// Blocks of many frames (TPACKET_V3), which wake us when they are full or their time is over:
    /// the least work a frame, but a frame on a quiet link is seen only then.
    ///
    /// That holds for our own frames too: with [`Options::stamps`](crate::Options::stamps), no
    /// more than 128 of them in one `timeout` come back stamped.
    V3 {
        /// Octets of memory; rounded up to whole blocks, two at least.
        octets: usize,
        /// Octets of one block; rounded up to a power of two, 64 KiB at least.
        block: usize,
        /// How long a frame may wait for its block to fill up; rounded up to a millisecond.
        timeout: Duration,
    },
}

impl Ring {
    /// 1 MiB of slots.
    pub const LOW_DELAY: Self = Self::V2 { octets: 1 << 20 };

    /// Eight blocks of 1 MiB, each of which waits 10 ms at most.
    pub const CAPTURE: Self =
        Self::V3 { octets: 8 << 20, block: 1 << 20, timeout: Duration::from_millis(10) };
}

/// How the kernel is to lay out a ring.
struct Shape {
    version: libc::tpacket_versions,
    /// Octets of what the kernel allocates in one piece.
    block: usize,
    blocks: usize,
    /// Octets of one frame's slot; for blocks of frames, a formality.
    slot: usize,
    timeout: Duration,
}

impl Shape {
    /// Makes the ring: its parts are `part` octets long, and have their status at `status`.
    fn map(&self, fd: &OwnedFd, part: usize, status: usize) -> io::Result<Map> {
        let octets = self.block.checked_mul(self.blocks).ok_or(io::ErrorKind::InvalidInput)?;
        let timeout = self.timeout.as_nanos().div_ceil(1_000_000).max(1);
        let request = libc::tpacket_req3 {
            tp_block_size: number(self.block)?,
            tp_block_nr: number(self.blocks)?,
            tp_frame_size: number(self.slot)?,
            tp_frame_nr: number(octets / self.slot)?,
            tp_retire_blk_tov: number(timeout)?,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        sys::set(fd, libc::SOL_PACKET, libc::PACKET_VERSION, self.version as i32)?;
        sys::set(fd, libc::SOL_PACKET, libc::PACKET_RESERVE, HEADROOM as i32)?;
        sys::set_ring(fd, &request)?;
        Map::new(fd, part, octets / part, status)
    }
}

/// # Errors
/// InvalidInput if it is more than the kernel can be told.
fn number<T: TryInto<u32>>(number: T) -> io::Result<u32> {
    number.try_into().map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// `octets`, or the next greater power of two.
fn power_of_two(octets: usize) -> io::Result<usize> {
    octets.checked_next_power_of_two().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Octets that are a multiple of every kernel's pages.
const PAGE: usize = 64 << 10;
