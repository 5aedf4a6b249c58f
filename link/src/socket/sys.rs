//! The raw system calls of a packet socket, and all of its `unsafe`.

#![expect(
    unsafe_code,
    reason = "nix binds no packet socket by index, and loses control messages of a reused batch"
)]

use std::{
    io, mem,
    os::fd::{AsRawFd, OwnedFd},
    ptr,
};

use macaddr::MacAddr6;
use nix::{
    errno::Errno,
    libc,
    sys::socket::{self, AddressFamily, SockFlag, SockType},
};

use super::{
    control::Control,
    inlet::{HEADROOM, Message},
};
use crate::filter::Instruction;

/// Room for the messages of one system call, allocated once.
pub(super) struct Batch {
    octets: Vec<u8>,
    /// Octets of one message, [`HEADROOM`] included.
    stride: usize,
    ancillary: Vec<Ancillary>,
    arrived: Vec<Arrived>,
}

impl Batch {
    /// Room for messages of up to `len` octets.
    pub(super) fn new(len: usize) -> Self {
        let stride = HEADROOM + len;
        Self {
            octets: vec![0; stride * BATCH],
            stride,
            ancillary: vec![Ancillary([0; CONTROL]); BATCH],
            arrived: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what is waiting, up to [`BATCH`] messages, and returns how many; 0 if nothing is.
    pub(super) fn receive(&mut self, fd: &OwnedFd) -> Result<usize, Errno> {
        let fd = fd.as_raw_fd();
        // SAFETY: null pointers and zero lengths are valid for these types of plain C data.
        let (mut headers, mut vectors, mut names): (
            [libc::mmsghdr; BATCH],
            [libc::iovec; BATCH],
            [libc::sockaddr_ll; BATCH],
        ) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        let rooms = self.octets.chunks_exact_mut(self.stride).zip(&mut self.ancillary);
        let parts = headers.iter_mut().zip(&mut vectors).zip(&mut names);
        for (((header, vector), name), (room, control)) in parts.zip(rooms) {
            let room = &mut room[HEADROOM..];
            *vector = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            header.msg_hdr.msg_control = (&raw mut control.0).cast();
            header.msg_hdr.msg_controllen = CONTROL as _;
        }
        let count = again(|| {
            // SAFETY: the headers point to buffers of the lengths they say, which all outlive the
            // call and which nothing else uses during it.
            Errno::result(unsafe {
                libc::recvmmsg(
                    fd,
                    headers.as_mut_ptr(),
                    BATCH as u32,
                    libc::MSG_DONTWAIT as _,
                    ptr::null_mut(),
                )
            })
        });
        self.arrived.clear();
        let count = match count {
            Err(Errno::EAGAIN) => return Ok(0),
            other => other? as usize,
        };
        self.arrived.extend(headers.iter().zip(&names).take(count).map(|(header, name)| Arrived {
            len: header.msg_len as usize,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            kind: name.sll_pkttype,
            control: CONTROL.min(header.msg_hdr.msg_controllen as _),
        }));
        Ok(count)
    }

    /// Shows the messages of the latest batch.
    #[inline]
    pub(super) fn each(&mut self, mut see: impl FnMut(Message<'_>)) {
        let rooms = self.octets.chunks_exact_mut(self.stride).zip(&self.ancillary);
        for (arrived, (room, control)) in self.arrived.iter().zip(rooms) {
            let Some(room) = room.get_mut(..HEADROOM + arrived.len) else { continue };
            see(Message {
                room,
                truncated: arrived.truncated,
                kind: arrived.kind,
                control: Control::read(&control.0[..arrived.control]),
            });
        }
    }
}

#[derive(Clone, Copy)]
struct Arrived {
    len: usize,
    truncated: bool,
    kind: u8,
    control: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Ancillary([u8; CONTROL]);

/// A packet socket that receives nothing yet: its protocol is 0.
pub(super) fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket::socket(AddressFamily::Packet, SockType::Raw, flags, None)?)
}

/// Ties `fd` to one interface, to receive frames of `protocol` (0: none).
pub(super) fn bind(fd: &OwnedFd, index: u32, protocol: i32) -> io::Result<()> {
    // SAFETY: all zeros is a valid `sockaddr_ll`.
    let mut name: libc::sockaddr_ll = unsafe { mem::zeroed() };
    name.sll_family = libc::AF_PACKET as u16;
    name.sll_protocol = (protocol as u16).to_be();
    name.sll_ifindex = index as i32;
    let len = size_of_val(&name) as libc::socklen_t;
    // SAFETY: `name` is `len` octets long and outlives the call.
    Errno::result(unsafe { libc::bind(fd.as_raw_fd(), (&raw const name).cast(), len) })?;
    Ok(())
}

/// Sends `frames`, up to [`BATCH`] of them, and returns how many left; an error is the first's.
pub(super) fn send<'a>(
    fd: &OwnedFd,
    frames: impl Iterator<Item = &'a [u8]>,
) -> Result<usize, Errno> {
    // SAFETY: null pointers and zero lengths are valid for these types of plain C data.
    let (mut headers, mut vectors): ([libc::mmsghdr; BATCH], [libc::iovec; BATCH]) =
        unsafe { (mem::zeroed(), mem::zeroed()) };
    let mut count = 0;
    for ((header, vector), frame) in headers.iter_mut().zip(&mut vectors).zip(frames) {
        *vector = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    again(|| {
        // SAFETY: the first `count` headers point to frames borrowed for the call; it only reads.
        Errno::result(unsafe { libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, 0) })
    })
    .map(|sent| sent as usize)
}

/// Sets an option whose value is an `int`.
pub(super) fn set(fd: &OwnedFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    set_raw(fd, level, option, &value)
}

/// Makes the interface take frames in that are not for its own address: those for `mac`, or any.
pub(super) fn join(fd: &OwnedFd, index: u32, mac: Option<MacAddr6>) -> io::Result<()> {
    let (kind, address) = match mac {
        Some(mac) => (libc::PACKET_MR_UNICAST, mac.into_array()),
        None => (libc::PACKET_MR_PROMISC, [0; 6]),
    };
    let mut mr_address = [0; 8];
    mr_address[..6].copy_from_slice(&address);
    let request = libc::packet_mreq {
        mr_ifindex: index as i32,
        mr_type: kind as u16,
        mr_alen: 6,
        mr_address,
    };
    set_raw(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// Makes a receive ring of the version that was set before.
pub(super) fn set_ring(fd: &OwnedFd, request: &libc::tpacket_req3) -> io::Result<()> {
    // Of a V2 ring's request, this is a longer form.
    set_raw(fd, libc::SOL_PACKET, libc::PACKET_RX_RING, request)
}

/// Attaches a filter for good.
pub(super) fn attach(fd: &OwnedFd, program: &[Instruction]) -> io::Result<()> {
    let mut program: Vec<_> = program
        .iter()
        .map(|i| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k })
        .collect();
    let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    // `program` outlives the call below, in which the kernel copies it.
    let request = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    set_raw(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &request)?;
    set(fd, libc::SOL_SOCKET, libc::SO_LOCK_FILTER, 1)
}

/// How many frames overflowed the receive buffer since this was last asked.
pub(super) fn dropped(fd: &OwnedFd) -> io::Result<u64> {
    // Of what the kernel tells otherwise, this is a longer form.
    let mut stats = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let mut len = size_of_val(&stats) as libc::socklen_t;
    // SAFETY: `stats` is `len` octets long, and any octets are a valid value of it.
    Errno::result(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut stats).cast(),
            &raw mut len,
        )
    })?;
    Ok(stats.tp_drops.into())
}

/// `value` is plain C data, and what it points to outlives the call.
fn set_raw<T>(fd: &OwnedFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    let value: *const T = value;
    // SAFETY: `value` is `len` octets long and outlives the call, which only reads them.
    Errno::result(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value.cast(), len) })?;
    Ok(())
}

/// Repeats a call for as long as signals interrupt it.
fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// Messages of one system call.
pub(super) const BATCH: usize = 64;

/// Octets of control messages: a stamp (64), and auxiliary data (40).
const CONTROL: usize = 128;
