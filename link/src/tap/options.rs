use std::io;

use macaddr::MacAddr6;
use nix::errno::Errno;

use super::{Tap, device, outlet::Outlet};
use crate::{
    interface::State,
    monitor::{Change, Monitor},
    netlink::Netlink,
    socket::{
        clock::{self, Clock, Reading},
        line::Line,
    },
};

/// How to open a [`Tap`].
#[derive(Clone, Debug, Default)]
pub struct TapOptions {
    mac: Option<MacAddr6>,
    tagged: bool,
}

impl TapOptions {
    /// The address of our station; unless said, one made of that of the kernel's end, always the
    /// same for the same.
    pub fn mac(mut self, mac: MacAddr6) -> Self {
        self.mac = Some(mac);
        self
    }

    /// Whether every frame that is sent has an 802.1Q tag, which the MTU does not count; no unless
    /// said. The link's own MTU, which knows of no tags, is then 4 octets more.
    pub fn tagged(mut self, tagged: bool) -> Self {
        self.tagged = tagged;
        self
    }

    /// Opens the tap called `name`: makes it, or attaches to one that was made before
    /// (`ip tuntap add dev NAME mode tap user USER`), which may be on a bridge already.
    ///
    /// To make one takes CAP_NET_ADMIN, to attach to one that is ours takes nothing. It is set up
    /// where that is permitted; elsewhere nothing can leave until somebody sets it up. One that is
    /// made here is gone when the [`Tap`] is dropped.
    ///
    /// # Errors
    /// [`TapError`], with a message for the user.
    pub fn open(self, name: &str) -> Result<Tap, TapError> {
        let tap = || name.to_owned();
        if !is_name(name) {
            return Err(TapError::Name { tap: tap() });
        }
        let tun = device::open().map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => TapError::NotPermitted { tap: tap() },
            _ => TapError::NoTun { tap: tap(), source },
        })?;
        device::attach(&tun, name).map_err(|error| match error {
            Errno::EPERM | Errno::EACCES => TapError::NotPermitted { tap: tap() },
            Errno::EINVAL => TapError::NotTap { tap: tap() },
            Errno::EBUSY => TapError::Busy { tap: tap() },
            error => TapError::Io { tap: tap(), source: error.into() },
        })?;
        let line = self.line(name).map_err(|source| TapError::Io { tap: tap(), source })?;
        let line = line.ok_or_else(|| TapError::SameMac { tap: tap() })?;
        Ok(Tap {
            tun,
            outlet: Outlet::new(&line),
            line,
            clock: Clock::new(Reading::now()),
            room: vec![0; ROOM],
        })
    }

    /// Sets the device up, and knows it from now on; `None` if its address is to be ours too.
    fn line(&self, name: &str) -> io::Result<Option<Line>> {
        let mut netlink = Netlink::open()?;
        let link = netlink.link_named(name)?;
        let mut monitor = Monitor::open(link.index)?;
        match netlink.set_up(link.index) {
            // The carrier comes with us, and a moment later.
            Ok(()) => monitor.wait_up()?,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                if link.state != State::Down {
                    monitor.wait_up()?;
                }
            }
            Err(error) => return Err(error),
        }
        let Change::Is(condition) = monitor.now()? else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let theirs = condition.mac.unwrap_or_default();
        let ours = self.mac.unwrap_or_else(|| beside(theirs));
        if ours == theirs {
            return Ok(None);
        }
        Ok(Some(Line::new(monitor, name.into(), condition, Some(ours), self.tagged, clock::now())))
    }
}

/// Why a tap could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapError {
    /// The process lacks CAP_NET_ADMIN, and the tap is not its user's.
    #[error(
        "{tap}: no permission to make a tap, or to attach to this one; run as root, or have it \
         made for you with `ip tuntap add dev {tap} mode tap user USER`"
    )]
    NotPermitted {
        /// What was to be opened.
        tap: String,
    },
    /// The kernel makes no taps, or this process cannot see where.
    #[error(
        "{tap}: there are no taps without /dev/net/tun: load it with `modprobe tun`, or give the \
         container that device"
    )]
    NoTun {
        /// What was to be opened.
        tap: String,
        /// What the operating system said of it.
        source: io::Error,
    },
    /// There is an interface of that name, of another kind.
    #[error("{tap}: this interface is there, and is no tap")]
    NotTap {
        /// What was to be opened.
        tap: String,
    },
    /// Another program is attached to it.
    #[error("{tap}: another program holds this tap")]
    Busy {
        /// What was to be opened.
        tap: String,
    },
    /// No interface can be called so.
    #[error(
        "{tap:?} is no name for an interface: 1 to 15 octets, without space, slash, colon or %"
    )]
    Name {
        /// What was to be opened.
        tap: String,
    },
    /// The address to be ours is that of the kernel's end.
    #[error("{tap}: the kernel's end has this MAC address, and ours must be another")]
    SameMac {
        /// What was to be opened.
        tap: String,
    },
    /// The operating system refuses for another reason.
    #[error("{tap}: cannot be opened")]
    Io {
        /// What was to be opened.
        tap: String,
        /// Its reason.
        source: io::Error,
    },
}

/// What the kernel takes as it is: it would make a number of a `%d`.
fn is_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || matches!(c, '/' | ':' | '%' | '\0');
    (1..=15).contains(&name.len()) && !matches!(name, "." | "..") && !name.contains(forbidden)
}

/// A locally administered address (IEEE 802) that differs from `theirs`, and from those that are
/// counted on from it.
fn beside(theirs: MacAddr6) -> MacAddr6 {
    let mut octets = theirs.into_array();
    octets[0] = octets[0] & !0x01 | 0x02;
    octets[1] ^= 0x80;
    octets.into()
}

/// Octets of the longest frame that a tap can have, tags included.
const ROOM: usize = 65_535 + 22;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_address_is_local_single_and_not_the_kernels() {
        for theirs in [[0; 6], [2, 0, 0, 0, 0, 1], [0xff; 6], [0x52, 0x80, 1, 2, 3, 4]] {
            let ours = beside(theirs.into());
            assert_ne!(ours.into_array(), theirs);
            assert!(ours.is_local() && ours.is_unicast(), "{ours}");
        }
    }

    #[test]
    fn a_name_that_the_kernel_would_change_or_refuse_is_none() {
        for name in ["", "tap%d", "a/b", "a b", "a:1", "..", "sixteen-octets-x", "nul\0"] {
            assert!(!is_name(name), "{name:?}");
            assert!(matches!(TapOptions::default().open(name), Err(TapError::Name { .. })));
        }
        assert!(is_name("fifteen-octetsx"));
    }
}
