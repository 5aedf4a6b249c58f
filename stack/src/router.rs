use std::{
    io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::{Arp, NextHop, Owned, PacketTx};
use etherparse::{EtherType, IpNumber};
use icmp::{Icmp, Problem};
use ipnetwork::Ipv4Network;
use ipv4::{Cast, Hop, Ipv4, Packet, Why};
use link::{Direction, Frame, FrameIo, FrameTx};

use crate::{beyond::check_options, served::may_not_be_forwarded, tower::is_no_station};

/// A router between two links (RFC 1812): it forwards with one hop less, records itself in options
/// that ask for it, and tells the sender what it cannot forward; it answers ARP and echo requests
/// for its own addresses.
///
/// It does not fragment: what does not fit, and may be fragmented, is dropped.
pub struct Router<L> {
    sides: [Side<L>; 2],
}

impl<L: FrameIo> Router<L> {
    /// Between two links, with an address on each.
    pub fn new(sides: [(L, Ipv4Network); 2]) -> Self {
        let others = [sides[1].1.ip(), sides[0].1.ip()];
        let mut sides = sides.map(|(link, network)| Side::new(link, network));
        for (side, other) in sides.iter_mut().zip(others) {
            // Either address is ours on both sides.
            side.ipv4.add_address(Ipv4Network::from(other));
        }
        Self { sides }
    }

    /// Forwards what is for `prefix` to `gateway`, on the link that it is on.
    pub fn add_route(&mut self, prefix: Ipv4Network, gateway: Ipv4Addr) {
        let side = self.sides.iter_mut().find(|side| side.network.contains(gateway));
        if let Some(side) = side {
            side.ipv4.add_route(prefix, Hop::Gateway(gateway));
        }
    }

    /// Takes in what has arrived, forwards it, does what is due; never blocks.
    ///
    /// Returns whether more may be waiting.
    ///
    /// # Errors
    /// When a link is gone.
    pub fn poll(&mut self, now: Instant) -> io::Result<bool> {
        let [left, right] = &mut self.sides;
        let handed = left.poll(now, right)? + right.poll(now, left)?;
        left.link.flush()?;
        right.link.flush()?;
        Ok(handed > 0)
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Instant> {
        let deadlines = self.sides.iter().map(|side| [side.arp.deadline(), side.ipv4.deadline()]);
        deadlines.flatten().flatten().min()
    }

    /// What is on either link.
    pub fn sides(&self) -> &[Side<L>; 2] {
        &self.sides
    }
}

/// A router's place on one link.
pub struct Side<L> {
    link: L,
    network: Ipv4Network,
    arp: Arp,
    ipv4: Ipv4,
    icmp: Icmp,
}

impl<L: FrameIo> Side<L> {
    fn new(link: L, network: Ipv4Network) -> Self {
        let owned = Owned::from([(network.ip(), link.mac())]);
        Self {
            arp: Arp::new(owned, arp::Config::default()),
            ipv4: Ipv4::new(network),
            icmp: Icmp::new(icmp::Config::default()),
            link,
            network,
        }
    }

    /// The link.
    pub fn link(&self) -> &L {
        &self.link
    }

    /// Our address on it, and the network that it connects.
    pub fn network(&self) -> Ipv4Network {
        self.network
    }

    fn poll(&mut self, now: Instant, far: &mut Self) -> io::Result<usize> {
        let Self { link, arp, ipv4, icmp, network } = self;
        let mut near = Near { network: *network, arp, ipv4, icmp };
        let handed = link.recv(now, &mut |frame, tx| {
            let came = frame.direction() == Direction::Received;
            if came && !frame.is_in_vlan() && !is_no_station(frame.src()) {
                near.take_in(now, &frame, tx, far);
            }
        })?;
        while let Some(event) = self.ipv4.poll(now, &mut self.arp.over(now, &mut self.link)) {
            if let ipv4::Event::Expired { dst, cast, first: Some(first), .. } = event
                && let Ok(packet) = Packet::parse(&first)
            {
                let came = (cast, Some(dst));
                self.report(now, Problem::ReassemblyTimeExceeded, &packet, came);
            }
        }
        while let Some(event) = self.arp.poll(now, &mut self.link) {
            if let arp::Event::Unresolved { packet: Some(packet), .. } = event
                && let Ok(packet) = Packet::parse(&packet)
                && !far.ipv4.is_ours(packet.src())
            {
                far.report(now, Problem::HostUnreachable, &packet, (Cast::Host, None));
            }
        }
        Ok(handed)
    }

    /// Tells a sender on this side what became of its packet, as [`Icmp::report_packet`] does.
    fn report(
        &mut self,
        now: Instant,
        problem: Problem,
        packet: &Packet<'_>,
        came: (Cast, Option<Ipv4Addr>),
    ) {
        let below = &mut self.arp.over(now, &mut self.link);
        let below = &mut self.ipv4.over(now, below);
        let _ = self.icmp.report_packet(now, problem, packet, came, below);
    }

    /// The length of the prefix by which `dst` would leave on this side, and the next hop.
    fn route(&self, dst: Ipv4Addr) -> Option<(u8, NextHop)> {
        route(&self.ipv4, dst)
    }
}

/// The side that a frame came in on, without its link: that is lent out.
struct Near<'a> {
    network: Ipv4Network,
    arp: &'a mut Arp,
    ipv4: &'a mut Ipv4,
    icmp: &'a mut Icmp,
}

impl Near<'_> {
    fn take_in<L: FrameIo>(
        &mut self,
        now: Instant,
        frame: &Frame<'_>,
        tx: &mut dyn FrameTx,
        far: &mut Side<L>,
    ) {
        match frame.ether_type() {
            EtherType::ARP => {
                let _ = self.arp.input(now, frame, tx); // nobody counts a router's discards
            }
            EtherType::IPV4 if frame.cast() != Cast::Other => {
                let Ok(packet) = Packet::parse(frame.payload()) else { return };
                if self.ipv4.is_ours(packet.dst()) || self.ipv4.is_broadcast(packet.dst()) {
                    self.deliver(now, frame, tx);
                } else if frame.cast() == Cast::Host && !may_not_be_forwarded(packet.dst()) {
                    let arrived = frame.stamp().since_epoch;
                    let forwarded = self.forward(now, (&packet, arrived), tx, far);
                    let src = packet.src();
                    let nobody = self.ipv4.is_broadcast(src) || self.ipv4.is_ours(src);
                    if let Err(problem) = forwarded
                        && !nobody
                    {
                        let came = (frame.cast(), None);
                        let below = &mut self.arp.over(now, tx);
                        let below = &mut self.ipv4.over(now, below);
                        let _ = self.icmp.report_packet(now, problem, &packet, came, below);
                    }
                }
            }
            _ => {}
        }
    }

    fn deliver(&mut self, now: Instant, frame: &Frame<'_>, tx: &mut dyn FrameTx) {
        if let Ok(datagram) = self.ipv4.input(now, frame)
            && datagram.protocol == IpNumber::ICMP
        {
            let below = &mut self.arp.over(now, tx);
            let _ = self.icmp.input(&datagram, &mut self.ipv4.over(now, below));
        }
    }

    /// RFC 1812 §5.3.1: the time to live is looked at before the route.
    fn forward<L: FrameIo>(
        &mut self,
        now: Instant,
        (packet, arrived): (&Packet<'_>, Duration),
        tx: &mut dyn FrameTx,
        far: &mut Side<L>,
    ) -> Result<(), Problem> {
        if packet.ttl() <= 1 {
            return Err(Problem::TimeExceeded);
        }
        let (here, there) = (route(self.ipv4, packet.dst()), far.route(packet.dst()));
        let back = here.map(|(len, _)| len) > there.map(|(len, _)| len);
        let (_, next_hop) = if back { here } else { there }.ok_or(Problem::NetUnreachable)?;
        let (from, mut over) = if back {
            (self.network.ip(), self.arp.over(now, tx))
        } else {
            (far.network.ip(), far.arp.over(now, &mut far.link))
        };
        let (len, mtu) = (packet.octets().len(), over.mtu());
        if len > mtu {
            let mtu = mtu.try_into().unwrap_or(u16::MAX);
            let tell = packet.dont_fragment();
            return if tell { Err(Problem::FragmentationNeeded { mtu }) } else { Ok(()) };
        }
        if let Err(ipv4::Discard::BadOption { pointer }) = check_options(packet) {
            return Err(Problem::Parameter { pointer });
        }
        // A full queue loses the packet, as routers may (RFC 1812 §5.3.6).
        let _ = over.send(from, next_hop, len, &mut |out| packet.forward(from, arrived, out));
        Ok(())
    }
}

/// The length of the prefix by which `dst` would leave, and the next hop.
fn route(ipv4: &Ipv4, dst: Ipv4Addr) -> Option<(u8, NextHop)> {
    let route = ipv4.route(dst)?;
    match route.why {
        Why::Prefix(prefix, _) | Why::Instead { prefix, .. } => {
            Some((prefix.prefix(), route.next_hop))
        }
        Why::Broadcast | Why::Multicast => None,
    }
}
