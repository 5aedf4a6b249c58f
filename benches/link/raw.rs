//! The same system calls and the same memory as a packet socket's, with nothing around them: no
//! checks, no types, no stamps read.

#![expect(unsafe_code, reason = "this is what the link is held against")]

use std::{
    io, mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr, slice,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use nix::libc;

/// A packet socket bound to the interface `index` for `protocol` (0: it only sends).
pub(crate) fn socket(index: u32, protocol: i32) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: a plain call; what it returns is ours.
    let fd = unsafe { OwnedFd::from_raw_fd(check(libc::socket(libc::AF_PACKET, kind, 0))?) };
    bind(&fd, index, protocol)?;
    Ok(fd)
}

/// Has the kernel stamp what `fd` receives.
pub(crate) fn stamp(fd: &OwnedFd) -> io::Result<()> {
    let stamps = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &stamps)
}

/// Keeps what goes out from `fd`.
pub(crate) fn ignore_outgoing(fd: &OwnedFd) -> io::Result<()> {
    set(fd, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1)
}

/// Sleeps until there is something, 20 ms at most.
pub(crate) fn wait(fd: &OwnedFd) {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    unsafe { libc::poll(&raw mut poll, 1, 20) };
}

/// Sends what is in `frames`, in one call, and returns how many left.
pub(crate) fn send(fd: &OwnedFd, frames: &[Vec<u8>]) -> io::Result<usize> {
    // SAFETY: zeros are valid for both.
    let (mut headers, mut vectors): ([libc::mmsghdr; BATCH], [libc::iovec; BATCH]) =
        unsafe { (mem::zeroed(), mem::zeroed()) };
    for ((header, vector), frame) in headers.iter_mut().zip(&mut vectors).zip(frames) {
        *vector = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
    }
    let count = frames.len().min(BATCH) as u32;
    // SAFETY: the first `count` headers point to frames that outlive the call.
    let sent = check(unsafe { libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, 0) })?;
    Ok(sent as usize)
}

/// The processor time of the calling thread.
pub(crate) fn processor_time() -> Duration {
    // SAFETY: zeros are valid, and it outlives the call.
    let time = unsafe {
        let mut time: libc::timespec = mem::zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time);
        time
    };
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// A receive ring, read with trust.
pub(crate) struct Ring {
    fd: OwnedFd,
    base: *mut u8,
    part: usize,
    count: usize,
    at: usize,
}

// SAFETY: the memory is not tied to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// 1 MiB of V2 slots.
    pub(crate) fn slots(index: u32) -> io::Result<Self> {
        Self::open(index, libc::tpacket_versions::TPACKET_V2, PAGE, 16, SLOT)
    }

    /// Eight V3 blocks of 1 MiB, 10 ms at most.
    pub(crate) fn blocks(index: u32) -> io::Result<Self> {
        Self::open(index, libc::tpacket_versions::TPACKET_V3, 1 << 20, 8, 1 << 20)
    }

    fn open(
        index: u32,
        version: libc::tpacket_versions,
        block: usize,
        blocks: usize,
        part: usize,
    ) -> io::Result<Self> {
        let fd = socket(index, 0)?;
        let octets = block * blocks;
        // SAFETY: zeros are valid.
        let mut request: libc::tpacket_req3 = unsafe { mem::zeroed() };
        request.tp_block_size = block as u32;
        request.tp_block_nr = blocks as u32;
        request.tp_frame_size = SLOT as u32;
        request.tp_frame_nr = (octets / SLOT) as u32;
        request.tp_retire_blk_tov = 10;
        set(&fd, libc::SOL_PACKET, libc::PACKET_VERSION, &(version as i32))?;
        set(&fd, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        stamp(&fd)?;
        ignore_outgoing(&fd)?;
        // SAFETY: the kernel chooses where.
        let base = unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            libc::mmap(ptr::null_mut(), octets, access, libc::MAP_SHARED, fd.as_raw_fd(), 0)
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        bind(&fd, index, libc::ETH_P_ALL)?;
        Ok(Self { fd, base: base.cast(), part, count: octets / part, at: 0 })
    }

    /// Shows the frame of each slot that is ours, 64 at most, and returns how many.
    pub(crate) fn take_slots(&mut self, mut each: impl FnMut(&[u8])) -> usize {
        for n in 0..BATCH {
            // SAFETY: the kernel is trusted: what it says of its memory is so.
            unsafe {
                let header = self.base.add(self.at * self.part).cast::<libc::tpacket2_hdr>();
                let status = AtomicU32::from_ptr(&raw mut (*header).tp_status);
                if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
                    return n;
                }
                let start = header.cast::<u8>().add((*header).tp_mac.into());
                each(slice::from_raw_parts(start, (*header).tp_snaplen as usize));
                status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
            }
            self.at = (self.at + 1) % self.count;
        }
        BATCH
    }

    /// Shows the frames of the next block, if it is ours, and returns how many.
    pub(crate) fn take_block(&mut self, mut each: impl FnMut(&[u8])) -> usize {
        // SAFETY: the kernel is trusted: what it says of its memory is so.
        unsafe {
            let block = self.base.add(self.at * self.part);
            let header = &raw mut (*block.cast::<libc::tpacket_block_desc>()).hdr.bh1;
            let status = AtomicU32::from_ptr(&raw mut (*header).block_status);
            if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
                return 0;
            }
            let count = (*header).num_pkts as usize;
            let mut at = block.add((*header).offset_to_first_pkt as usize);
            for _ in 0..count {
                let frame = at.cast::<libc::tpacket3_hdr>();
                let start = at.add((*frame).tp_mac.into());
                each(slice::from_raw_parts(start, (*frame).tp_snaplen as usize));
                at = at.add((*frame).tp_next_offset as usize);
            }
            status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.at = (self.at + 1) % self.count;
            count
        }
    }

    /// Shows what comes next, by slot or by block, and returns how much.
    pub(crate) fn take(&mut self, each: impl FnMut(&[u8])) -> usize {
        if self.part == SLOT { self.take_slots(each) } else { self.take_block(each) }
    }

    /// Sleeps until there is something, 20 ms at most.
    pub(crate) fn wait(&self) {
        wait(&self.fd);
    }

    /// Frames that found no room.
    pub(crate) fn dropped(&self) -> io::Result<u64> {
        let mut stats = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut len = size_of_val(&stats) as libc::socklen_t;
        let fd = self.fd.as_raw_fd();
        let (level, option) = (libc::SOL_PACKET, libc::PACKET_STATISTICS);
        // SAFETY: `stats` is `len` octets long and outlives the call.
        check(unsafe {
            libc::getsockopt(fd, level, option, (&raw mut stats).cast(), &raw mut len)
        })?;
        Ok(stats.tp_drops.into())
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: it is what was mapped.
        unsafe { libc::munmap(self.base.cast(), self.part * self.count) };
    }
}

/// Ties `fd` to the interface `index`, for `protocol`.
pub(crate) fn bind(fd: &OwnedFd, index: u32, protocol: i32) -> io::Result<()> {
    // SAFETY: zeros are valid, and the name outlives the call.
    unsafe {
        let mut name: libc::sockaddr_ll = mem::zeroed();
        name.sll_family = libc::AF_PACKET as u16;
        name.sll_protocol = (protocol as u16).to_be();
        name.sll_ifindex = index as i32;
        let len = size_of_val(&name) as libc::socklen_t;
        check(libc::bind(fd.as_raw_fd(), (&raw const name).cast(), len)).map(|_| ())
    }
}

fn set<T>(fd: &OwnedFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    let value: *const T = value;
    // SAFETY: `value` is `len` octets long and outlives the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value.cast(), len) }).map(|_| ())
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Frames of one system call.
pub(crate) const BATCH: usize = 64;

const PAGE: usize = 64 << 10;
const SLOT: usize = 2_048;
