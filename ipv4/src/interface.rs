use std::{net::Ipv4Addr, ops::RangeInclusive, time::Instant};

use arp::{NextHop, PacketTx};
use ipnetwork::Ipv4Network;
use link::SendError;

use crate::{
    addresses::Addresses,
    event::Event,
    fragment::Rest,
    identification::Identifications,
    path::Paths,
    reassembly::Reassembly,
    route::{Hop, Route, Why},
    routes::Routes,
    send::{Over, may_leave},
};

/// A host's addresses on one interface, and its routes.
///
/// [`Ipv4::over`] sends, [`Ipv4::input`] receives, [`Ipv4::poll`] does what is due at
/// [`Ipv4::deadline`]. One that never saw a fragment holds nothing for them.
pub struct Ipv4 {
    pub(crate) addresses: Addresses,
    routes: Routes,
    pub(crate) identifications: Identifications,
    /// None until something is known of one.
    pub(crate) paths: Option<Box<Paths>>,
    pub(crate) reassembly: Option<Box<Reassembly>>,
    /// Of the datagram in whose middle the link was full.
    pub(crate) rest: Option<Box<Rest>>,
}

impl Ipv4 {
    /// A host at `network.ip()` on the connected network `network`.
    pub fn new(network: Ipv4Network) -> Self {
        let mut ipv4 = Self {
            addresses: Addresses::default(),
            routes: Routes::new(),
            identifications: Identifications::new([0; 16]),
            paths: None,
            reassembly: None,
            rest: None,
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
        self.addresses.add(network);
        self.routes.insert(network, Hop::Connected);
    }

    /// Makes every address of `addrs` ours, at the cost of one; which network is connected is
    /// said apart, by [`Ipv4::add_address`] or [`Ipv4::add_network`].
    ///
    /// Those that would be broadcast addresses of a connected network are hosts then, too.
    pub fn add_hosts(&mut self, addrs: RangeInclusive<Ipv4Addr>) {
        self.addresses.add_hosts(addrs);
    }

    /// Makes `addr` somebody else's, whatever made it ours; `false` if it was not. Of an address
    /// with a network, that stays connected, until [`Ipv4::add_hosts`] brings it back.
    pub fn remove_host(&mut self, addr: Ipv4Addr) -> bool {
        self.addresses.remove_host(addr)
    }

    /// Adds a network that is on the link, where we need not have an address, or have those of
    /// [`Ipv4::add_hosts`]; its broadcast addresses are everybody's.
    pub fn add_network(&mut self, network: Ipv4Network) {
        self.addresses.connect(network);
        self.routes.insert(network, Hop::Connected);
    }

    /// Adds a route, in the place of all those for the same prefix.
    pub fn add_route(&mut self, prefix: Ipv4Network, hop: Hop) {
        self.routes.insert(prefix, hop);
    }

    /// Adds a gateway beside those for the same prefix; that of the lowest `metric` is used as
    /// long as it is alive (RFC 1122 §3.3.1.4). Those of [`Ipv4::add_route`] have 0.
    pub fn add_gateway(&mut self, prefix: Ipv4Network, gateway: Ipv4Addr, metric: u32) {
        self.routes.add_gateway(prefix, gateway, metric);
    }

    /// Removes all routes for `prefix`, as when the lease is over that brought them; `false` if
    /// there was none. What is sent there takes the next shorter prefix, or is refused.
    pub fn remove_route(&mut self, prefix: Ipv4Network) -> bool {
        self.routes.remove(prefix)
    }

    /// The internet layer as transports want it: this host over `below`.
    pub fn over<'a>(&'a mut self, now: Instant, below: &'a mut dyn PacketTx) -> Over<'a> {
        Over { ipv4: self, below, now }
    }

    /// Takes note of what is known of a next hop: whether something that went through it was
    /// answered (RFC 1122 §3.3.1.4).
    ///
    /// Four times in a row without an answer, and a gateway that has a substitute counts as dead
    /// for 60 seconds, or until it is heard of; nothing is sent to find out.
    pub fn advise(&mut self, now: Instant, gateway: Ipv4Addr, reached: bool) {
        self.routes.advise(now, gateway, reached);
    }

    /// Takes note that a next hop does not answer ARP: a gateway is dead then, as in
    /// [`Ipv4::advise`].
    pub fn unresolved(&mut self, now: Instant, gateway: Ipv4Addr) {
        self.routes.unresolved(now, gateway);
    }

    /// Takes note of a "fragmentation needed" about a packet of ours to `dst`, of `total_len`
    /// octets, which a next hop takes only `mtu` of, or 0 if it did not say (RFC 1191).
    ///
    /// It is believed: whoever calls has seen that the quoted packet is one that we sent (RFC 5927
    /// §7). `dst` and `total_len` are the quote's. Returns the new estimate, if that is less than
    /// the old; it holds for ten minutes.
    pub fn too_big(
        &mut self,
        now: Instant,
        dst: Ipv4Addr,
        mtu: u16,
        total_len: u16,
    ) -> Option<u16> {
        self.paths.get_or_insert_default().too_big(now, dst, mtu, total_len)
    }

    /// Takes note that packets of `mtu` octets were seen to reach `dst`, and longer ones were seen
    /// not to (RFC 8899 §3, item 9).
    ///
    /// It replaces the estimate, lower or higher: nobody was believed for it. It holds for ten
    /// minutes, unless an error lowers it before.
    pub fn measured(&mut self, now: Instant, dst: Ipv4Addr, mtu: u16) {
        self.paths.get_or_insert_default().measured(now, dst, mtu);
    }

    /// The longest packet that the path to `dst` takes, as far as errors told, or probes.
    pub fn path_mtu(&self, now: Instant, dst: Ipv4Addr) -> Option<u16> {
        self.paths.as_ref()?.mtu(now, dst)
    }

    /// Does what is due, and returns what happened; call until it returns `None`.
    ///
    /// Fragments that wait for room in the link leave.
    pub fn poll(&mut self, now: Instant, below: &mut dyn PacketTx) -> Option<Event> {
        let _ = self.push_rest(now, below); // while the link is full, the rest stays
        self.routes.poll(now);
        if let Some(paths) = &mut self.paths {
            paths.poll(now);
        }
        self.reassembly.as_mut()?.poll(now)
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Instant> {
        let rest = self.rest.as_ref().map(|rest| rest.again);
        let reassembly = self.reassembly.as_ref().and_then(|reassembly| reassembly.deadline());
        let paths = self.paths.as_ref().and_then(|paths| paths.deadline());
        let deadlines = [rest, reassembly, self.routes.deadline(), paths];
        deadlines.into_iter().flatten().min()
    }

    /// Our addresses, with the networks that they connect, but for those of
    /// [`Ipv4::add_hosts`]; never none.
    pub fn addresses(&self) -> &[Ipv4Network] {
        self.addresses.own()
    }

    /// Whether `addr` is ours.
    pub fn is_ours(&self, addr: Ipv4Addr) -> bool {
        self.addresses.is_ours(addr)
    }

    /// Whether `addr` is everybody's, here or on a network of ours: the limited broadcast
    /// address, or a network's, in its old form too (RFC 1122 §3.2.1.3). Where a prefix has 31 or
    /// 32 bits there is none (RFC 3021).
    pub fn is_broadcast(&self, addr: Ipv4Addr) -> bool {
        self.addresses.is_broadcast(addr)
    }

    /// Picks the next hop and the source (RFC 1122 §3.3.1); `None` without a route.
    pub fn route(&self, dst: Ipv4Addr) -> Option<Route> {
        let (next_hop, why) = self.next_hop(dst)?;
        let src = self.src_of(next_hop, dst);
        may_leave(src, dst, next_hop).then_some(Route { next_hop, src, why })
    }

    /// Our address on the network of `next_hop`, or else the first (RFC 1122 §3.3.4.3).
    pub fn src_towards(&self, next_hop: Ipv4Addr) -> Ipv4Addr {
        self.addresses.towards(next_hop)
    }

    pub(crate) fn next_hop(&self, dst: Ipv4Addr) -> Option<(NextHop, Why)> {
        if self.is_broadcast(dst) {
            return Some((NextHop::Broadcast, Why::Broadcast));
        }
        if dst.is_multicast() {
            return Some((NextHop::Multicast(dst), Why::Multicast));
        }
        let (next_hop, why) = self.routes.next_hop(dst)?;
        Some((NextHop::Unicast(next_hop), why))
    }

    pub(crate) fn src_of(&self, next_hop: NextHop, dst: Ipv4Addr) -> Ipv4Addr {
        match next_hop {
            NextHop::Unicast(next_hop) => self.src_towards(next_hop),
            NextHop::Broadcast | NextHop::Multicast(_) => self.src_towards(dst),
        }
    }

    /// Hands down what waits of the datagram that the link became full of.
    ///
    /// # Errors
    /// [`SendError::Full`] while there is more.
    pub(crate) fn push_rest(
        &mut self,
        now: Instant,
        below: &mut dyn PacketTx,
    ) -> Result<(), SendError> {
        let Some(rest) = &mut self.rest else { return Ok(()) };
        if let Err(full @ SendError::Full) = rest.push(now, below) {
            return Err(full);
        }
        self.rest = None;
        Ok(())
    }
}

const EVERYWHERE: Ipv4Network = match Ipv4Network::new_checked(Ipv4Addr::UNSPECIFIED, 0) {
    Some(network) => network,
    None => unreachable!(),
};
