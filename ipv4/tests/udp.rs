//! Another protocol needs nothing but `ipv4`: a small UDP (RFC 768) between two hosts made by hand.

use std::net::Ipv4Addr;

use arp::{Arp, Config, Owned};
use etherparse::{EtherType, IpNumber, Ipv4Header, UdpHeader, UdpSlice};
use ipv4::{Datagram, DatagramTx, Header, Ipv4, SendError, Sent};
use link::{
    Direction, FrameIo, FrameTx, MacAddr6,
    memory::{LATENCY, Network, Port},
};
use sidestack_ipv4 as ipv4;

/// Over any internet layer: all it knows is [`DatagramTx`] and [`Datagram`].
struct Udp {
    port: u16,
}

impl Udp {
    fn send(
        &self,
        (dst, port): (Ipv4Addr, u16),
        data: &[u8],
        below: &mut dyn DatagramTx,
    ) -> Result<Sent, SendError> {
        let src = below.src(dst).ok_or(SendError::NoRoute(dst))?; // for the pseudo-header
        let pseudo =
            Ipv4Header { source: src.octets(), destination: dst.octets(), ..Default::default() };
        let udp = UdpHeader::with_ipv4_checksum(self.port, port, &pseudo, data).unwrap();
        below.send(&Header::new(dst, IpNumber::UDP), udp.length.into(), &mut |message| {
            message[..8].copy_from_slice(&udp.to_bytes());
            message[8..].copy_from_slice(data);
        })
    }

    fn input(&self, datagram: &Datagram<'_>) -> Option<((Ipv4Addr, u16), Vec<u8>)> {
        let udp = UdpSlice::from_slice(&datagram.payload).ok()?;
        let header = udp.to_header();
        let (src, dst) = (datagram.src.octets(), datagram.dst.octets());
        let good = header.calc_checksum_ipv4_raw(src, dst, udp.payload()).ok()? == header.checksum;
        (good && datagram.protocol == IpNumber::UDP && header.destination_port == self.port)
            .then(|| ((datagram.src, header.source_port), udp.payload().to_vec()))
    }
}

struct Host {
    port: Port,
    arp: Arp,
    ipv4: Ipv4,
    udp: Udp,
}

impl Host {
    fn new(network: &Network, n: u8, udp_port: u16) -> Self {
        let port = network.attach(MacAddr6::new(2, 0, 0, 0, 0, n));
        let addr = Ipv4Addr::new(10, 0, 0, n);
        let arp = Arp::new(Owned::from([(addr, port.mac())]), Config::default());
        let ipv4 = Ipv4::new(ipnetwork::Ipv4Network::new(addr, 24).unwrap());
        Self { port, arp, ipv4, udp: Udp { port: udp_port } }
    }

    /// What arrived; `answer` may answer it at once.
    fn step(&mut self, answer: fn(&[u8]) -> Option<Vec<u8>>) -> Vec<((Ipv4Addr, u16), Vec<u8>)> {
        let Self { port, arp, ipv4, udp } = self;
        let (now, mut heard) = (port.network().now(), Vec::new());
        let mut each = |frame: link::Frame<'_>, tx: &mut dyn FrameTx| {
            if frame.direction() != Direction::Received {
                return;
            }
            if frame.ether_type() == EtherType::ARP {
                return arp.input(now, &frame, tx).unwrap();
            }
            let (from, data) = udp.input(&ipv4.input(now, &frame).unwrap()).unwrap();
            if let Some(data) = answer(&data) {
                udp.send(from, &data, &mut ipv4.over(now, &mut arp.over(now, tx))).unwrap();
            }
            heard.push((from, data));
        };
        port.recv(now, &mut each).unwrap();
        port.flush().unwrap();
        heard
    }
}

#[test]
fn two_hosts_talk_udp_and_no_lower_layer_knows() {
    let network = Network::new();
    let (mut alice, mut bob) = (Host::new(&network, 1, 1000), Host::new(&network, 2, 7));
    let start = network.now();
    let Host { port, arp, ipv4, udp } = &mut alice;
    let to = (Ipv4Addr::new(10, 0, 0, 2), 7);
    let sent = udp.send(to, b"Hello, world!", &mut ipv4.over(start, &mut arp.over(start, port)));
    assert_eq!(sent, Ok(Sent::Kept), "until bob answers ARP");
    port.flush().unwrap();

    let mut said = Vec::new();
    while let Some(at) = network.next_arrival() {
        network.advance_to(at);
        let heard = bob.step(|data| Some(data.to_ascii_uppercase()));
        said.extend(heard.into_iter().chain(alice.step(|_| None)).map(|heard| (at - start, heard)));
    }
    let (from_alice, from_bob) = (([10, 0, 0, 1].into(), 1000), ([10, 0, 0, 2].into(), 7));
    let expected = [
        (LATENCY * 3, (from_alice, b"Hello, world!".to_vec())),
        (LATENCY * 4, (from_bob, b"HELLO, WORLD!".to_vec())),
    ];
    assert_eq!(said, expected);
    assert_eq!(network.sent(), 4, "a request, its answer, a datagram, its answer");
}
