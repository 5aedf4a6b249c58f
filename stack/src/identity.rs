use std::net::Ipv4Addr;

use arp::{Defend, Owner};
use ipnetwork::Ipv4Network;
use ipv4::Ipv4;
use link::MacAddr6;
use smallvec::SmallVec;

use crate::{hosts::Hosts, served::Served};

/// A host as ARP asks for it: all its addresses are at one MAC address.
pub(crate) struct OneHost {
    mac: MacAddr6,
    networks: Networks,
}

impl OneHost {
    /// The addresses of `ipv4`, at `mac`.
    pub(crate) fn new(mac: MacAddr6, ipv4: &Ipv4) -> Self {
        Self { mac, networks: Networks::of(ipv4) }
    }
}

impl Owner for OneHost {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.networks.0.iter().any(|network| network.ip() == addr).then_some(self.mac)
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        self.mac == mac
    }

    fn is_neighbour(&self, addr: Ipv4Addr) -> bool {
        !self.networks.have_for_everybody(addr) || self.mac(addr).is_some()
    }
}

/// The hosts that a stack serves on the link, as ARP asks for them.
pub(crate) struct ManyHosts {
    hosts: Hosts,
    /// Those that stay ours if somebody else claims them, where all others do not.
    kept: Vec<Ipv4Addr>,
    networks: Networks,
}

impl ManyHosts {
    /// Those of `served`, on the networks of `ipv4`.
    pub(crate) fn new(served: &Served, ipv4: &Ipv4) -> Self {
        let Served { hosts, kept, .. } = served;
        Self { hosts: hosts.clone(), kept: kept.clone(), networks: Networks::of(ipv4) }
    }
}

impl Owner for ManyHosts {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.hosts.mac(addr)
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        self.hosts.owns(mac)
    }

    fn is_neighbour(&self, addr: Ipv4Addr) -> bool {
        !self.networks.have_for_everybody(addr) || self.hosts.contains(addr)
    }

    fn defend(&self, addr: Ipv4Addr) -> Option<Defend> {
        Some(if self.kept.contains(&addr) { Defend::Always } else { Defend::Never })
    }
}

/// Our addresses and the networks they connect, which are nearly always one. Anybody can be our
/// neighbour, also from outside them, but nobody at an address that is everybody's there.
struct Networks(SmallVec<[Ipv4Network; 1]>);

impl Networks {
    fn of(ipv4: &Ipv4) -> Self {
        Self(ipv4.addresses().into())
    }

    /// RFC 1122 §3.2.1.3; none where a prefix has 31 or 32 bits (RFC 3021).
    fn have_for_everybody(&self, addr: Ipv4Addr) -> bool {
        self.0.iter().any(|network| {
            network.prefix() < 31 && [network.network(), network.broadcast()].contains(&addr)
        })
    }
}
