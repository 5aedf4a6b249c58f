use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
};

use nix::{errno::Errno, libc};

/// Opens the kernel's door to its own network devices, for one that is not chosen yet.
///
/// The device will be in the network namespace of the calling thread.
pub(super) fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(TUN)
}

/// Makes the tap `name`, or attaches to it if it is there; whole frames pass, and nothing beside
/// them.
#[expect(unsafe_code, reason = "neither std nor nix has TUNSETIFF")]
pub(super) fn attach(tun: &File, name: &str) -> Result<(), Errno> {
    let flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags },
    };
    if name.len() >= libc::IFNAMSIZ {
        return Err(Errno::ENAMETOOLONG);
    }
    for (slot, octet) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *slot = octet as libc::c_char;
    }
    // SAFETY: the request is an ifreq with a terminated name, and outlives the call, which reads it
    // and writes it, and keeps nothing of it.
    Errno::result(unsafe {
        libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as libc::Ioctl, &raw mut request)
    })?;
    Ok(())
}

/// Where the kernel hands out its taps.
pub(super) const TUN: &str = "/dev/net/tun";
