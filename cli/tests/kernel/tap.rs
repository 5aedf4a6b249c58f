//! What passes a place on a wire.

use std::net::Ipv4Addr;

use libtest_mimic::Failed;
use link::{EtherType, Facts, Frame, FrameIo, MacAddr6, PacketSocket, Wait, namespace::Namespace};

/// Whatever arrives at an interface, in the order of its arrival.
pub(crate) struct Tap {
    socket: PacketSocket,
}

impl Tap {
    pub(crate) fn open(namespace: &Namespace, interface: &str) -> Result<Self, Failed> {
        let socket = PacketSocket::options().promiscuous(true).stamps(false);
        Ok(Self { socket: namespace.run(|| socket.open(interface))? })
    }

    /// What has arrived so far; without IPv6, which only the kernel speaks.
    pub(crate) fn seen(&mut self) -> Result<Vec<Seen>, Failed> {
        let mut seen = Vec::new();
        let now = self.socket.now();
        let mut each = |frame: Frame<'_>| {
            if frame.ether_type() != EtherType::IPV6 {
                seen.push(Seen { facts: frame.facts(), octets: frame.octets().to_vec() });
            }
        };
        while self.socket.recv(now, &mut |frame, _| each(frame))? > 0 {}
        assert_eq!(self.socket.stats().dropped, 0);
        Ok(seen)
    }
}

/// A frame that has passed.
#[derive(Debug)]
pub(crate) struct Seen {
    facts: Facts,
    pub(crate) octets: Vec<u8>,
}

impl Seen {
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame::new(&self.octets, self.facts).expect("it was a frame before")
    }

    pub(crate) fn src(&self) -> MacAddr6 {
        self.frame().src()
    }

    pub(crate) fn is_ipv4(&self) -> bool {
        self.frame().ether_type() == EtherType::IPV4
    }

    /// What it says, if it is ARP's.
    pub(crate) fn arp(&self) -> Option<Arp> {
        let frame = self.frame();
        if frame.ether_type() != EtherType::ARP {
            return None;
        }
        let packet = frame.payload();
        let addr = |at: usize| Ipv4Addr::from([0, 1, 2, 3].map(|n| packet[at + n]));
        Some(Arp { operation: packet[7], sender: addr(14), target: addr(24) })
    }
}

/// The fields of an ARP packet that tell what it is for (RFC 826, RFC 5227).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Arp {
    pub(crate) operation: u8,
    pub(crate) sender: Ipv4Addr,
    pub(crate) target: Ipv4Addr,
}

impl Arp {
    pub(crate) const fn request(sender: Ipv4Addr, target: Ipv4Addr) -> Self {
        Self { operation: 1, sender, target }
    }

    pub(crate) const fn probe(target: Ipv4Addr) -> Self {
        Self::request(Ipv4Addr::UNSPECIFIED, target)
    }

    pub(crate) const fn announcement(addr: Ipv4Addr) -> Self {
        Self::request(addr, addr)
    }
}
