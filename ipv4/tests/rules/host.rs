//! A host, and a stranger whose packets are written by hand.

use std::{borrow::Cow, net::Ipv4Addr, time::Duration};

use arp::{Arp, Config, Owned};
use etherparse::EtherType;
use ipv4::{Datagram, DatagramTx, Discard, Event, Header, Ipv4, SendError, Sent};
use link::{
    Cast, Checksum, Direction, Facts, FrameIo, FrameTx, MacAddr6, Source, Stamp,
    memory::{Network, Port},
};
use sidestack_ipv4 as ipv4;

pub(crate) const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const THEM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
pub(crate) const BROADCAST: MacAddr6 = MacAddr6::new(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

pub(crate) fn mac(n: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, n)
}

pub(crate) fn addr(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// A packet from them to us, of the protocol for experiments (RFC 3692), with a good checksum.
pub(crate) fn packet(payload: &[u8]) -> Vec<u8> {
    let mut octets = b"\x45\0\0\0\0\0\0\0\x40\xfd\0\0\x0a\0\0\x02\x0a\0\0\x01".to_vec();
    octets.extend_from_slice(payload);
    let len = octets.len() as u16;
    octets[2..4].copy_from_slice(&len.to_be_bytes());
    with_checksum(octets)
}

/// That packet with other octets from `at` on, and a good checksum.
pub(crate) fn changed(at: usize, octets: &[u8]) -> Vec<u8> {
    let mut packet = packet(&[0xda; 100]);
    packet[at..at + octets.len()].copy_from_slice(octets);
    with_checksum(packet)
}

/// That packet with options, which fill whole words.
pub(crate) fn with_options(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut octets = packet(&[options, payload].concat());
    octets[0] += (options.len() / 4) as u8;
    with_checksum(octets)
}

/// A fragment of the datagram `identification` from them to us, whose payload begins at `start`.
pub(crate) fn fragment(identification: u16, start: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let mut octets = packet(payload);
    let field = (start / 8) as u16 | if more { 0x2000 } else { 0 };
    octets[4..6].copy_from_slice(&identification.to_be_bytes());
    octets[6..8].copy_from_slice(&field.to_be_bytes());
    with_checksum(octets)
}

/// Octets that tell where they belong.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ at >> 8) as u8).collect()
}

/// RFC 791 §3.1, over as many words as the header says.
pub(crate) fn with_checksum(mut octets: Vec<u8>) -> Vec<u8> {
    octets[10..12].fill(0);
    let sum = sum(&octets);
    octets[10..12].copy_from_slice(&(!sum).to_be_bytes());
    octets
}

/// The one's complement sum of a header: 0xffff if its checksum is good.
pub(crate) fn sum(octets: &[u8]) -> u16 {
    let len = octets.len().min(usize::from(octets[0] & 0x0f) * 4);
    let words = octets[..len].chunks_exact(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1]));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

pub(crate) struct Host {
    pub(crate) network: Network,
    pub(crate) ipv4: Ipv4,
    pub(crate) arp: Arp,
    port: Port,
    stranger: Port,
}

impl Host {
    /// At 10.0.0.1/24, with a gateway; it knows where that and they are.
    pub(crate) fn new() -> Self {
        Self::with(Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(GATEWAY))
    }

    pub(crate) fn with(ipv4: Ipv4) -> Self {
        let network = Network::new();
        let (port, stranger) = (network.attach(mac(1)), network.attach(mac(9)).without_sent());
        let mut arp = Arp::new(Owned::from([(US, mac(1))]), Config::default());
        arp.pin(network.now(), THEM, mac(2));
        arp.pin(network.now(), GATEWAY, mac(254));
        Self { network, ipv4, arp, port, stranger }
    }

    pub(crate) fn with_mtu(self, mtu: usize) -> Self {
        Self { port: self.port.with_mtu(mtu), ..self }
    }

    /// What becomes of `packet` in a frame to us.
    pub(crate) fn take(&mut self, packet: &[u8]) -> Result<Datagram<'static>, Discard> {
        self.take_at(mac(1), packet)
    }

    /// What becomes of a packet, longer than the link takes, that came by another way.
    pub(crate) fn take_long(&mut self, packet: &[u8]) -> Result<Datagram<'static>, Discard> {
        let frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0], packet].concat();
        let facts = Facts {
            direction: Direction::Received,
            cast: Cast::Host,
            at: self.network.now(),
            stamp: Stamp { since_epoch: Duration::ZERO, source: Source::Virtual },
            checksum: Checksum::Complete,
        };
        let frame = link::Frame::new(&frame, facts).unwrap();
        self.ipv4.input(self.network.now(), &frame).map(own)
    }

    /// What becomes of `packet` in a frame to `dst`.
    pub(crate) fn take_at(
        &mut self,
        dst: MacAddr6,
        packet: &[u8],
    ) -> Result<Datagram<'static>, Discard> {
        let write = &mut |out: &mut [u8]| out.copy_from_slice(packet);
        self.stranger.send(dst, EtherType::IPV4, packet.len(), write).unwrap();
        self.stranger.flush().unwrap();
        self.network.advance_to(self.network.next_arrival().unwrap());
        let (ipv4, now) = (&mut self.ipv4, self.network.now());
        let mut taken = None;
        let mut each = |frame: link::Frame<'_>, _: &mut dyn FrameTx| {
            taken = Some(ipv4.input(now, &frame).map(own));
        };
        assert_eq!(self.port.recv(now, &mut each).unwrap(), 1);
        taken.unwrap()
    }

    pub(crate) fn send(&mut self, header: &Header, message: &[u8]) -> Result<Sent, SendError> {
        let mut write = |out: &mut [u8]| out.copy_from_slice(message);
        self.over(|below| below.send(header, message.len(), &mut write))
    }

    /// What happened until now.
    pub(crate) fn poll(&mut self) -> Vec<Event> {
        let (now, mut events) = (self.network.now(), Vec::new());
        while let Some(event) = self.ipv4.poll(now, &mut self.arp.over(now, &mut self.port)) {
            events.push(event);
        }
        assert!(self.ipv4.deadline().is_none_or(|at| at > now), "a deadline in the past");
        events
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.network.advance_to(self.network.now() + Duration::from_secs(seconds));
    }

    pub(crate) fn over<T>(&mut self, act: impl FnOnce(&mut dyn DatagramTx) -> T) -> T {
        let now = self.network.now();
        act(&mut self.ipv4.over(now, &mut self.arp.over(now, &mut self.port)))
    }

    /// What has left since this was last called: to whom, and the packet.
    pub(crate) fn left(&mut self) -> Vec<(MacAddr6, Vec<u8>)> {
        let mut left = Vec::new();
        self.port.flush().unwrap();
        let mut each = |frame: link::Frame<'_>, _: &mut dyn FrameTx| {
            assert_eq!(frame.direction(), Direction::Sent);
            left.push((frame.dst(), frame.payload().to_vec()));
        };
        while self.port.recv(self.network.now(), &mut each).unwrap() > 0 {}
        left
    }
}

fn own(datagram: Datagram<'_>) -> Datagram<'static> {
    let header = Cow::Owned(datagram.header.into_owned());
    let payload = Cow::Owned(datagram.payload.into_owned());
    Datagram { header, payload, ..datagram }
}
