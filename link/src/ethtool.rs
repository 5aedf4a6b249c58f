use std::{io, os::fd::AsRawFd};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{AddressFamily, SockFlag, SockType, socket},
};

/// Who can say when a frame left or arrived.
///
/// The kernel can always stamp what it receives.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TimeStamping {
    /// The driver hands the kernel each frame's moment of leaving.
    pub transmit_software: bool,
    /// The card stamps what it sends.
    pub transmit_hardware: bool,
    /// The card stamps what it receives.
    pub receive_hardware: bool,
}

/// What the driver of the interface `name` can stamp; nothing if it does not say.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is no such interface.
pub fn time_stamping(name: &str) -> io::Result<TimeStamping> {
    let offers = match command(name, Command::GetTimeStamping, 0) {
        Ok(offers) => offers,
        Err(Errno::EOPNOTSUPP) => return Ok(TimeStamping::default()),
        Err(Errno::ENODEV) => return Err(crate::netlink::no_such_interface(name)),
        Err(error) => return Err(error.into()),
    };
    Ok(TimeStamping {
        transmit_software: offers & libc::SOF_TIMESTAMPING_TX_SOFTWARE != 0,
        transmit_hardware: offers & libc::SOF_TIMESTAMPING_TX_HARDWARE != 0,
        receive_hardware: offers & libc::SOF_TIMESTAMPING_RX_HARDWARE != 0,
    })
}

/// Stops the interface `name` from leaving work on frames to the card: each then passes as the wire
/// would carry it, within the MTU and with its checksums.
pub(crate) fn offloads_off(name: &str) -> io::Result<()> {
    for offload in [
        Command::SetSegmentationTcp,
        Command::SetSegmentation,
        Command::SetReceiveMerging,
        Command::SetTransmitChecksum,
        Command::SetReceiveChecksum,
    ] {
        match command(name, offload, 0) {
            Ok(_) | Err(Errno::EOPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Carries out `command` with its one argument; returns the word that follows the command's own.
#[expect(unsafe_code, reason = "neither std nor nix has SIOCETHTOOL")]
fn command(name: &str, command: Command, argument: u32) -> nix::Result<u32> {
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_metric: 0 },
    };
    if name.len() >= libc::IFNAMSIZ {
        return Err(Errno::ENODEV);
    }
    for (slot, octet) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *slot = octet as libc::c_char;
    }
    let mut words = [0; WORDS];
    words[0] = command as u32;
    words[1] = argument;
    request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: the request is an ifreq with a terminated name. Its pointer leads to `words`, which
    // is alive, aligned, and at least as long as the structure of every `Command`.
    Errno::result(unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as libc::Ioctl, &raw mut request)
    })?;
    Ok(words[1])
}

/// The commands of `linux/ethtool.h` in use here; none has a structure of more than [`WORDS`].
#[derive(Clone, Copy)]
#[repr(u32)]
enum Command {
    SetReceiveChecksum = 0x15,
    SetTransmitChecksum = 0x17,
    SetSegmentationTcp = 0x1f,
    SetSegmentation = 0x24,
    SetReceiveMerging = 0x2c,
    GetTimeStamping = 0x41,
}

/// 32-bit words of `struct ethtool_ts_info`; `struct ethtool_value` has two.
const WORDS: usize = 11;
