use std::{io, os::fd::OwnedFd, time::Duration};

use macaddr::MacAddr6;
use nix::{libc, poll::ppoll};

use super::{
    PacketSocket,
    clock::{self, Clock, Reading},
    closing::Closing,
    fanout::Fanout,
    inlet::Inlet,
    line::Line,
    receive::Receive,
    ring::Ring,
    sys,
    transmit::Transmit,
};
use crate::{
    filter::Filter,
    interface::Kind,
    monitor::{Change, Monitor},
    netlink::{Link, Netlink},
};

/// How to open a [`PacketSocket`].
#[derive(Clone, Debug)]
pub struct Options {
    mac: Option<MacAddr6>,
    stamps: bool,
    filter: Option<Filter>,
    promiscuous: bool,
    outgoing: bool,
    tagged: bool,
    ring: Option<Ring>,
    fanout: Option<(u16, Fanout)>,
    lingering: bool,
}

impl Options {
    pub(super) fn new() -> Self {
        Self {
            mac: None,
            stamps: true,
            filter: None,
            promiscuous: false,
            outgoing: false,
            tagged: false,
            ring: None,
            fanout: None,
            lingering: false,
        }
    }

    /// Is another station than the interface: speaks as `mac`, and receives what is sent there.
    pub fn mac(mut self, mac: MacAddr6) -> Self {
        self.mac = Some(mac);
        self
    }

    /// Whether each frame that leaves comes back with the kernel's stamp; yes unless said.
    ///
    /// The kernel then copies each frame back to us. Frames that cannot leave come back in either
    /// case.
    pub fn stamps(mut self, stamps: bool) -> Self {
        self.stamps = stamps;
        self
    }

    /// Receives only what `filter` accepts; everything unless said.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Whether to receive what is meant for other stations too; no unless said.
    pub fn promiscuous(mut self, promiscuous: bool) -> Self {
        self.promiscuous = promiscuous;
        self
    }

    /// Whether to hand up, as [`Direction::Sent`](crate::Direction::Sent), what others on this host
    /// send through the interface; no unless said.
    pub fn outgoing(mut self, outgoing: bool) -> Self {
        self.outgoing = outgoing;
        self
    }

    /// Whether every frame that is sent has an 802.1Q tag, which the MTU does not count; no unless
    /// said. The link's own MTU, which knows of no tags, is then 4 octets more.
    pub fn tagged(mut self, tagged: bool) -> Self {
        self.tagged = tagged;
        self
    }

    /// Receives by memory that is shared with the kernel; by system calls unless said.
    pub fn ring(mut self, ring: Ring) -> Self {
        self.ring = Some(ring);
        self
    }

    /// Shares what comes in with the other sockets of `group`: each frame goes to one of them, as
    /// `fanout` says. All of a group are in one network namespace, on one interface, and say the
    /// same; the interface must be up.
    ///
    /// Frames that left do not come back, as another of the group might get them.
    pub fn fanout(mut self, group: u16, fanout: Fanout) -> Self {
        self.fanout = Some((group, fanout));
        self
    }

    /// Whether the kernel is left to close the sockets after they are dropped, in its own time; no
    /// unless said.
    ///
    /// To close them takes it 10 to 30 ms, for most of which it merely waits; a program that is
    /// done need not. What was asked of the interface ([`Options::mac`], [`Options::promiscuous`],
    /// [`Options::fanout`]) lasts as much longer, the end of the process included, and so does the
    /// work of filling buffers that nobody reads. Seen on Linux 6.18; a kernel that looks for what
    /// it was left while it closes something else takes as long as ever.
    pub fn lingering(mut self, lingering: bool) -> Self {
        self.lingering = lingering;
        self
    }

    /// Opens the interface called `name`, which need not be up. Takes CAP_NET_RAW.
    ///
    /// # Errors
    /// [`OpenError`], with a message for the user.
    pub fn open(self, name: &str) -> Result<PacketSocket, OpenError> {
        self.set_up(name).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => OpenError::NotPermitted { interface: name.into() },
            io::ErrorKind::NotFound => OpenError::NoSuchInterface { interface: name.into() },
            _ => OpenError::Io { interface: name.into(), source: error },
        })?
    }

    fn set_up(self, name: &str) -> io::Result<Result<PacketSocket, OpenError>> {
        let Link { index, kind, .. } = Netlink::open()?.link_named(name)?;
        if let Kind::Other(kind) = kind {
            return Ok(Err(OpenError::NotEthernet { interface: name.into(), kind }));
        }
        let (stamping, asked) =
            (if self.is_deaf() { sys::open() } else { stamping() }?, clock::now());
        let mut monitor = Monitor::open(index)?;
        let Change::Is(condition) = monitor.now()? else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let reading = Reading::now();
        let clock = Clock::new(reading);
        let line = Line::new(monitor, name.into(), condition, self.mac, self.tagged, asked);
        let stamps = self.stamps && self.fanout.is_none();
        let transmit = Transmit::open(index, &line, stamps)?;
        let inlet = self.receiver(&stamping, index, transmit.mark(), line.mtu())?;
        let buffer = inlet.octets(&stamping)?;
        let receive = Receive::new(stamping, line.mtu(), inlet);
        let closing = Closing::of([&receive, &transmit], self.lingering)?;
        if !self.is_deaf() {
            let left = (asked + STAMPING).saturating_duration_since(clock::now());
            let _ = ppoll(&mut [], Some(left.into()), None); // a signal only makes it shorter
        }
        let outgoing = self.outgoing;
        Ok(Ok(PacketSocket { receive, transmit, line, clock, reading, buffer, outgoing, closing }))
    }

    /// Whether no frame will ever come up but those that could not leave: then the kernel need not
    /// show us any.
    fn is_deaf(&self) -> bool {
        let hears = self.stamps || self.outgoing || self.fanout.is_some();
        !hears && self.filter.as_ref() == Some(&Filter::none())
    }

    /// Makes a receiver of `fd`, bound last of all, so that no frame comes in that it should not.
    fn receiver(
        &self,
        fd: &OwnedFd,
        index: u32,
        mark: Option<u32>,
        mtu: usize,
    ) -> io::Result<Inlet> {
        sys::set(fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
        let inlet = Inlet::open(fd, self.ring, mtu)?;
        let filter = match (mark, self.filter.as_ref()) {
            (_, filter) if self.outgoing => filter.cloned(),
            (Some(mark), Some(filter)) => Some(filter.and_sent(mark)),
            (Some(mark), None) => Some(Filter::all().and_sent(mark)),
            (None, filter) => {
                sys::set(fd, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
                filter.cloned()
            }
        };
        if let Some(filter) = filter {
            sys::attach(fd, filter.program())?;
        }
        if let Some(mac) = self.mac {
            sys::join(fd, index, Some(mac))?;
        }
        if self.promiscuous {
            sys::join(fd, index, None)?;
        }
        let protocol = if self.is_deaf() { 0 } else { libc::ETH_P_ALL };
        sys::bind(fd, index, protocol)?;
        if let Some((group, fanout)) = self.fanout {
            sys::set(fd, libc::SOL_PACKET, libc::PACKET_FANOUT, fanout.option(group))?;
        }
        Ok(inlet)
    }
}

/// A socket that asks for receive stamps. The kernel begins to stamp a while after the first
/// socket on the machine has asked, and tells nobody: hence asked early, and waited for.
fn stamping() -> io::Result<OwnedFd> {
    let fd = sys::open()?;
    let stamps = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    sys::set(&fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, stamps.cast_signed())?;
    Ok(fd)
}

/// Why an interface could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The process lacks CAP_NET_RAW.
    #[error(
        "{interface}: no permission to open a packet socket; run as root, or give the program \
         CAP_NET_RAW with `setcap cap_net_raw+ep`"
    )]
    NotPermitted {
        /// What was to be opened.
        interface: String,
    },
    /// There is none of that name.
    #[error("{interface}: no such interface; `ip link` lists those there are")]
    NoSuchInterface {
        /// What was to be opened.
        interface: String,
    },
    /// Its frames are not Ethernet's.
    #[error("{interface}: not an Ethernet interface, but of hardware type {kind}")]
    NotEthernet {
        /// What was to be opened.
        interface: String,
        /// The hardware type (Linux ARPHRD).
        kind: u16,
    },
    /// The operating system refuses for another reason.
    #[error("{interface}: cannot be opened")]
    Io {
        /// What was to be opened.
        interface: String,
        /// Its reason.
        source: io::Error,
    },
}

/// How long it takes the kernel to begin to stamp: in 60 of 60 openings enough, where without it 1
/// in 10 first answers had no stamp.
const STAMPING: Duration = Duration::from_millis(1);
