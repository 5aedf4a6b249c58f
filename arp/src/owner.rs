use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
};

use macaddr::MacAddr6;

use crate::config::Defend;

/// Which protocol addresses are ours, and which hardware address each has.
pub trait Owner: Send {
    /// The hardware address of `addr`, if it is ours.
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6>;

    /// Whether one of ours has the hardware address `mac`.
    fn owns(&self, mac: MacAddr6) -> bool;

    /// Whether `addr` can be on this link at all; ARP knows no networks, and believes so of any.
    /// Who cannot is neither learned nor answered.
    fn is_neighbour(&self, addr: Ipv4Addr) -> bool {
        let _ = addr; // every address will do
        true
    }

    /// What is done about others that use `addr`, which is ours; `None` for what
    /// [`Config::defend`](crate::Config::defend) says.
    fn defend(&self, addr: Ipv4Addr) -> Option<Defend> {
        let _ = addr; // each is like the others
        None
    }
}

/// A set of addresses of ours.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    macs: HashMap<Ipv4Addr, MacAddr6>,
    all: HashSet<MacAddr6>,
}

impl Owner for Owned {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.macs.get(&addr).copied()
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        self.all.contains(&mac)
    }
}

impl FromIterator<(Ipv4Addr, MacAddr6)> for Owned {
    fn from_iter<I: IntoIterator<Item = (Ipv4Addr, MacAddr6)>>(addresses: I) -> Self {
        let macs: HashMap<_, _> = addresses.into_iter().collect();
        Self { all: macs.values().copied().collect(), macs }
    }
}

impl<const N: usize> From<[(Ipv4Addr, MacAddr6); N]> for Owned {
    fn from(addresses: [(Ipv4Addr, MacAddr6); N]) -> Self {
        addresses.into_iter().collect()
    }
}

/// What either owns; the first is asked first.
impl<A: Owner, B: Owner> Owner for (A, B) {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.0.mac(addr).or_else(|| self.1.mac(addr))
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        self.0.owns(mac) || self.1.owns(mac)
    }

    fn is_neighbour(&self, addr: Ipv4Addr) -> bool {
        self.0.is_neighbour(addr) && self.1.is_neighbour(addr)
    }

    fn defend(&self, addr: Ipv4Addr) -> Option<Defend> {
        if self.0.mac(addr).is_some() { self.0.defend(addr) } else { self.1.defend(addr) }
    }
}
