use std::net::Ipv4Addr;

use arp::{Defend, Owned, Owner};
use ipv4::Ipv4;
use link::MacAddr6;

use crate::served::Served;

/// Who we are, as ARP asks for it, and who can be our neighbour: anybody, also from outside our
/// networks, but nobody at an address that is everybody's there (RFC 1122 §3.2.1.3).
pub(crate) struct Identity {
    owner: Box<dyn Owner>,
    everybodys: Vec<Ipv4Addr>,
    /// What stays ours if somebody else claims it, where all else does not.
    kept: Option<Vec<Ipv4Addr>>,
}

impl Identity {
    /// The addresses of `ipv4`, all at `mac`.
    pub(crate) fn of_host(mac: MacAddr6, ipv4: &Ipv4) -> Self {
        let addresses = ipv4.addresses().iter();
        Self::new(addresses.map(|network| (network.ip(), mac)).collect::<Owned>(), None, ipv4)
    }

    /// The hosts of `served` that are on the link.
    pub(crate) fn of_served(served: &Served, ipv4: &Ipv4) -> Self {
        Self::new(served.hosts.clone(), Some(served.kept.clone()), ipv4)
    }

    fn new(owner: impl Owner + 'static, kept: Option<Vec<Ipv4Addr>>, ipv4: &Ipv4) -> Self {
        let networks = ipv4.addresses().iter();
        let forms = networks.flat_map(|network| [network.network(), network.broadcast()]);
        let everybodys = forms.filter(|addr| ipv4.is_broadcast(*addr)).collect();
        Self { owner: Box::new(owner), everybodys, kept }
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
        !self.everybodys.contains(&addr) || self.owner.mac(addr).is_some()
    }

    fn defend(&self, addr: Ipv4Addr) -> Option<Defend> {
        let kept = self.kept.as_ref()?;
        Some(if kept.contains(&addr) { Defend::Always } else { Defend::Never })
    }
}
