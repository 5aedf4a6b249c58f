use std::{net::Ipv4Addr, time::Instant};

use arp::{NextHop, PacketTx};
use ipnetwork::Ipv4Network;
use link::{Cast, Frame};
use prefix_trie::PrefixMap;

use crate::{
    datagram::Datagram,
    identification::Identifications,
    packet::{Discard, Packet},
    route::{Hop, Route, Why},
    tx::Over,
};

/// A host's addresses on one interface, and its routes.
pub struct Ipv4 {
    /// Never empty.
    addresses: Vec<Ipv4Network>,
    /// What else is ours.
    others: Option<Others>,
    routes: PrefixMap<Ipv4Network, Hop>,
    pub(crate) identifications: Identifications,
}

impl Ipv4 {
    /// A host at `network.ip()` on the connected network `network`.
    pub fn new(network: Ipv4Network) -> Self {
        let mut ipv4 = Self {
            addresses: Vec::new(),
            others: None,
            routes: PrefixMap::new(),
            identifications: Identifications::new([0; 16]),
        };
        ipv4.add_address(network);
        ipv4
    }

    /// Sends everything that no longer prefix covers to `gateway`.
    pub fn with_gateway(mut self, gateway: Ipv4Addr) -> Self {
        self.add_route(EVERYWHERE, Hop::Gateway(gateway));
        self
    }

    /// Draws identifications from `secret`, so that nobody can guess them (RFC 6274 §3.5).
    pub fn with_secret(mut self, secret: [u8; 16]) -> Self {
        self.identifications = Identifications::new(secret);
        self
    }

    /// Adds an address, with the network that it connects.
    pub fn add_address(&mut self, network: Ipv4Network) {
        self.addresses.push(network);
        self.add_route(network, Hop::Connected);
    }

    /// Besides its addresses, all that `others` says is ours from now on; without a network of
    /// theirs, none of them is a broadcast address.
    pub fn own(&mut self, others: impl Fn(Ipv4Addr) -> bool + Send + 'static) {
        self.others = Some(Box::new(others));
    }

    /// Adds a route, in the place of the one for the same prefix.
    pub fn add_route(&mut self, prefix: Ipv4Network, hop: Hop) {
        self.routes.insert(prefix, hop);
    }

    /// The internet layer as transports want it: this host over `below`.
    pub fn over<'a>(&'a mut self, _now: Instant, below: &'a mut dyn PacketTx) -> Over<'a> {
        Over { ipv4: self, below }
    }

    /// Takes in a frame's packet and returns the datagram, if it is for us.
    ///
    /// # Errors
    /// The reason it was discarded.
    pub fn input<'p>(&mut self, _now: Instant, frame: &Frame<'p>) -> Result<Datagram<'p>, Discard> {
        if frame.cast() == Cast::Other {
            return Err(Discard::NotForUs);
        }
        let packet = Packet::parse(frame.payload())?;
        if self.is_martian(packet.src()) {
            return Err(Discard::Source);
        }
        let cast = match packet.dst() {
            dst if self.is_broadcast(dst) => Cast::Broadcast,
            dst if !self.is_ours(dst) => return Err(Discard::NotForUs),
            _ if frame.cast() != Cast::Host => return Err(Discard::LinkBroadcast),
            _ => Cast::Host,
        };
        if packet.is_fragment() {
            return Err(Discard::Fragment);
        }
        Ok(Datagram::new(&packet, frame, cast))
    }

    /// Our addresses, with the networks that they connect.
    pub fn addresses(&self) -> &[Ipv4Network] {
        &self.addresses
    }

    /// Whether `addr` is ours.
    pub fn is_ours(&self, addr: Ipv4Addr) -> bool {
        self.addresses.iter().any(|network| network.ip() == addr)
            || self.others.as_ref().is_some_and(|others| others(addr))
    }

    /// Whether `addr` is everybody's, here or on a network of ours: the limited broadcast
    /// address, or a network's, in its old form too (RFC 1122 §3.2.1.3). Where a prefix has 31 or
    /// 32 bits there is none (RFC 3021).
    pub fn is_broadcast(&self, addr: Ipv4Addr) -> bool {
        addr.is_broadcast()
            || self.addresses.iter().any(|network| {
                network.prefix() < 31 && (addr == network.broadcast() || addr == network.network())
            })
    }

    /// Picks the next hop and the source (RFC 1122 §3.3.1); `None` without a route.
    pub fn route(&self, dst: Ipv4Addr) -> Option<Route> {
        if self.is_broadcast(dst) {
            let (next_hop, src) = (NextHop::Broadcast, self.src_towards(dst));
            return Some(Route { next_hop, src, why: Why::Broadcast });
        }
        if dst.is_multicast() {
            let (next_hop, src) = (NextHop::Multicast(dst), self.src_towards(dst));
            return Some(Route { next_hop, src, why: Why::Multicast });
        }
        let (prefix, &hop) = self.routes.get_lpm(&Ipv4Network::from(dst))?;
        let next_hop = match hop {
            Hop::Connected => dst,
            Hop::Gateway(gateway) => gateway,
        };
        let src = self.src_towards(next_hop);
        Some(Route { next_hop: NextHop::Unicast(next_hop), src, why: Why::Prefix(prefix, hop) })
    }

    /// Our address on the network of `next_hop`, or else the first (RFC 1122 §3.3.4.3).
    pub fn src_towards(&self, next_hop: Ipv4Addr) -> Ipv4Addr {
        let connected = self.addresses.iter().find(|network| network.contains(next_hop));
        connected.unwrap_or(&self.addresses[0]).ip()
    }

    /// Whether no other host can have the address `src` (RFC 1122 §3.2.1.3): "this" network,
    /// loopback, groups, the reserved block, a broadcast, or our own.
    fn is_martian(&self, src: Ipv4Addr) -> bool {
        matches!(src.octets()[0], 0 | 127 | 224..) || self.is_broadcast(src) || self.is_ours(src)
    }
}

/// Which addresses are ours.
type Others = Box<dyn Fn(Ipv4Addr) -> bool + Send>;

const EVERYWHERE: Ipv4Network = match Ipv4Network::new_checked(Ipv4Addr::UNSPECIFIED, 0) {
    Some(network) => network,
    None => unreachable!(),
};
