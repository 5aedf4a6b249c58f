use std::net::Ipv4Addr;

use arp::{Owned, Owner};
use ipv4::Ipv4;
use link::MacAddr6;

/// Who we are, as ARP asks for it, and who can be our neighbour: anybody, also from outside our
/// networks, but nobody at an address that is everybody's there (RFC 1122 §3.2.1.3).
pub(crate) struct Identity {
    owner: Box<dyn Owner>,
    everybodys: Vec<Ipv4Addr>,
}

impl Identity {
    /// The addresses of `ipv4`, all at `mac`.
    pub(crate) fn of_host(mac: MacAddr6, ipv4: &Ipv4) -> Self {
        let addresses = ipv4.addresses().iter();
        Self::new(addresses.map(|network| (network.ip(), mac)).collect::<Owned>(), ipv4)
    }

    /// What `owner` says, on the networks of `ipv4`.
    pub(crate) fn new(owner: impl Owner + 'static, ipv4: &Ipv4) -> Self {
        let networks = ipv4.addresses().iter();
        let forms = networks.flat_map(|network| [network.network(), network.broadcast()]);
        let everybodys = forms.filter(|addr| ipv4.is_broadcast(*addr)).collect();
        Self { owner: Box::new(owner), everybodys }
    }
}

impl Owner for Identity {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.owner.mac(addr)
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        self.owner.owns(mac)
    }

    fn is_neighbour(&self, addr: Ipv4Addr) -> bool {
        !self.everybodys.contains(&addr)
    }
}
