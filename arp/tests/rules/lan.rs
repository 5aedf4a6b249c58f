//! Two hosts, and strangers that say anything.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::{Arp, Config, Discard, Event, NextHop, Operation, Owned, PacketTx, Sent, View};
use etherparse::EtherType;
use link::{
    Direction, FrameIo, FrameTx, MacAddr6, SendError,
    memory::{Network, Port},
};
use sidestack_arp as arp;

pub(crate) const US: Ipv4Addr = addr(1);
pub(crate) const THEM: Ipv4Addr = addr(2);
/// Nobody has this address.
pub(crate) const NOBODY: Ipv4Addr = addr(77);
pub(crate) const BROADCAST: MacAddr6 = MacAddr6::new(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

pub(crate) const fn addr(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, n)
}

pub(crate) const fn mac(n: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, n)
}

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) fn request(sender_mac: MacAddr6, sender: Ipv4Addr, target: Ipv4Addr) -> View {
    let target_mac = MacAddr6::nil();
    View { operation: Operation::REQUEST, sender_mac, sender, target_mac, target }
}

pub(crate) fn reply(sender_mac: MacAddr6, sender: Ipv4Addr) -> View {
    let (target_mac, target) = (mac(1), US);
    View { operation: Operation::REPLY, sender_mac, sender, target_mac, target }
}

/// The 28 octets of RFC 826.
pub(crate) fn octets(view: &View) -> Vec<u8> {
    [
        &b"\x00\x01\x08\x00\x06\x04"[..],
        &view.operation.0.to_be_bytes(),
        view.sender_mac.as_bytes(),
        &view.sender.octets(),
        view.target_mac.as_bytes(),
        &view.target.octets(),
    ]
    .concat()
}

/// `us` is host 1, `them` host 2, which answers.
pub(crate) struct Lan {
    pub(crate) network: Network,
    pub(crate) start: Instant,
    pub(crate) us: Host,
    pub(crate) them: Host,
}

impl Lan {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    /// With a configuration for us.
    pub(crate) fn with(config: Config) -> Self {
        let network = Network::new();
        let (us, them) =
            (Host::new(&network, 1, config), Host::new(&network, 2, Config::default()));
        Self { start: network.now(), network, us, them }
    }

    pub(crate) fn stranger(&self, n: u8) -> Stranger {
        Stranger(self.network.attach(mac(n)).without_sent())
    }

    /// Lets `until` pass since the start.
    pub(crate) fn run(&mut self, until: Duration) {
        let until = self.start + until;
        loop {
            self.us.step(self.start);
            self.them.step(self.start);
            let deadlines = [self.us.arp.deadline(), self.them.arp.deadline()];
            let next = deadlines.into_iter().chain([self.network.next_arrival()]).flatten().min();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.network.advance_to(at);
        }
        self.network.advance_to(until);
    }

    /// Sends `packet` from us to `to`, now.
    pub(crate) fn send(&mut self, to: Ipv4Addr, packet: &[u8]) -> Result<Sent, SendError> {
        self.send_as(US, NextHop::Unicast(to), packet)
    }

    pub(crate) fn send_as(
        &mut self,
        from: Ipv4Addr,
        to: NextHop,
        packet: &[u8],
    ) -> Result<Sent, SendError> {
        let mut below = self.us.arp.over(self.network.now(), &mut self.us.port);
        below.send(from, to, packet.len(), &mut |out| out.copy_from_slice(packet))
    }

    pub(crate) fn resolve(&mut self, addr: Ipv4Addr) {
        self.us.arp.resolve(self.network.now(), US, addr, &mut self.us.port).unwrap();
    }
}

pub(crate) struct Host {
    pub(crate) arp: Arp,
    pub(crate) port: Port,
    /// All since the start.
    pub(crate) events: Vec<(Duration, Event)>,
    pub(crate) discards: Vec<Discard>,
    left: Vec<Left>,
}

impl Host {
    fn new(network: &Network, n: u8, config: Config) -> Self {
        let arp = Arp::new(Owned::from([(addr(n), mac(n))]), config);
        let port = network.attach(mac(n));
        Self { arp, port, events: Vec::new(), discards: Vec::new(), left: Vec::new() }
    }

    /// The ARP packets that left, when, and to whom.
    pub(crate) fn arps(&self) -> Vec<(Duration, MacAddr6, View)> {
        let arps = self.left.iter().filter(|left| left.ether_type == EtherType::ARP);
        arps.map(|left| (left.at, left.dst, View::parse(&left.payload).unwrap())).collect()
    }

    /// When requests for `addr` left.
    pub(crate) fn asked(&self, addr: Ipv4Addr) -> Vec<Duration> {
        let asks = |arp: &View| arp.operation == Operation::REQUEST && arp.target == addr;
        self.arps().into_iter().filter(|(.., arp)| asks(arp)).map(|(at, ..)| at).collect()
    }

    /// The other packets that left: when, from whom to whom, and the packet.
    pub(crate) fn packets(&self) -> Vec<(Duration, MacAddr6, MacAddr6, &[u8])> {
        let packets = self.left.iter().filter(|left| left.ether_type == EtherType::IPV4);
        packets.map(|left| (left.at, left.src, left.dst, &left.payload[..])).collect()
    }

    /// Takes in, does what is due, lets go, until nothing is left to do at this instant.
    pub(crate) fn step(&mut self, start: Instant) {
        let Self { arp, port, events, discards, left } = self;
        let now = port.network().now();
        loop {
            while let Some(event) = arp.poll(now, port) {
                events.push((now - start, event));
            }
            port.flush().unwrap();
            let handed = port.recv(now, &mut |frame, tx| {
                let (at, ether_type) = (frame.at() - start, frame.ether_type());
                if frame.direction() == Direction::Sent {
                    let (dst, src, payload) = (frame.dst(), frame.src(), frame.payload().to_vec());
                    left.push(Left { at, dst, src, ether_type, payload });
                    arp.sent(&frame);
                } else if ether_type == EtherType::ARP {
                    discards.extend(arp.input(now, &frame, tx).err());
                }
            });
            if handed.unwrap() == 0 {
                break;
            }
        }
        assert!(arp.deadline().is_none_or(|at| at > now), "a deadline in the past");
    }
}

/// A frame that left.
struct Left {
    at: Duration,
    dst: MacAddr6,
    src: MacAddr6,
    ether_type: EtherType,
    payload: Vec<u8>,
}

/// Somebody whose packets are written by hand.
pub(crate) struct Stranger(pub(crate) Port);

impl Stranger {
    pub(crate) fn says(&mut self, dst: MacAddr6, arp: &View) {
        self.says_octets(dst, &octets(arp));
    }

    pub(crate) fn says_octets(&mut self, dst: MacAddr6, payload: &[u8]) {
        self.0
            .send(dst, EtherType::ARP, payload.len(), &mut |out| out.copy_from_slice(payload))
            .unwrap();
        self.0.flush().unwrap();
    }
}
