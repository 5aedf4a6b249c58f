//! A host over an internet layer that takes notes, and messages written by hand.

use std::{
    borrow::Cow,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::IpNumber;
use icmp::{Config, Discard, Echo, Ended, Event, Icmp, Outcome, Straying};
use ipv4::{Cast, Datagram, DatagramTx, Header, SendError, Sent, Source, Stamp};
use sidestack_icmp as icmp;

pub(crate) const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const THEM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
pub(crate) const IDENTIFIER: u16 = 0x1d1d;
pub(crate) const DATA: [u8; 56] = [0x5a; 56];

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What was handed down, and what becomes of the next message.
pub(crate) struct Below {
    pub(crate) sent: Vec<(Header, Vec<u8>)>,
    pub(crate) next: Result<Sent, SendError>,
}

impl Below {
    pub(crate) fn new() -> Self {
        Self { sent: Vec::new(), next: Ok(Sent::Out) }
    }
}

impl DatagramTx for Below {
    fn src(&self, _: Ipv4Addr) -> Option<Ipv4Addr> {
        Some(US)
    }

    fn max_len(&self, _: Ipv4Addr) -> usize {
        1480
    }

    fn send(
        &mut self,
        header: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        if self.next.is_ok() {
            let mut message = vec![0; len];
            write(&mut message);
            self.sent.push((*header, message));
        }
        self.next
    }
}

pub(crate) fn config() -> Config {
    Config { identifier: IDENTIFIER, secret: [7; 16], ..Config::default() }
}

pub(crate) struct Host {
    pub(crate) icmp: Icmp,
    pub(crate) below: Below,
    pub(crate) start: Instant,
    pub(crate) now: Instant,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        let start = link::memory::Network::new().now();
        Self { icmp: Icmp::new(config), below: Below::new(), start, now: start }
    }

    /// Sends them an echo request, and returns the message.
    pub(crate) fn ping(&mut self, sequence: u16) -> Vec<u8> {
        self.echo(&Echo::new(THEM, sequence, &DATA)).unwrap();
        self.below.sent.last().unwrap().1.clone()
    }

    pub(crate) fn echo(&mut self, echo: &Echo<'_>) -> Result<(), icmp::SendError> {
        self.icmp.echo(self.now, echo, &mut self.below)
    }

    /// Takes in a message from `src` to us, now.
    pub(crate) fn take(&mut self, src: Ipv4Addr, message: &[u8]) -> Result<(), Discard> {
        let datagram = datagram(src, message, self.now);
        self.icmp.input(&datagram, &mut self.below)
    }

    /// Everything there is to say after `pause`.
    pub(crate) fn after(&mut self, pause: Duration) -> Vec<Event> {
        self.now += pause;
        let events = std::iter::from_fn(|| self.icmp.poll(self.now)).collect();
        assert!(self.icmp.deadline().is_none_or(|at| at > self.now), "a deadline in the past");
        events
    }
}

/// A datagram to us that arrives at `at`.
pub(crate) fn datagram(src: Ipv4Addr, message: &[u8], at: Instant) -> Datagram<'static> {
    Datagram {
        src,
        dst: US,
        protocol: IpNumber::ICMP,
        ttl: 60,
        tos: 0,
        cast: Cast::Host,
        link_cast: Cast::Host,
        reassembled: false,
        at,
        stamp: Stamp { since_epoch: ms(0), source: Source::Virtual },
        header: Cow::Owned(packet(src, US, b"")),
        payload: Cow::Owned(message.to_vec()),
    }
}

/// An ICMP packet.
pub(crate) fn packet(src: Ipv4Addr, dst: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let len = (20 + message.len() as u16).to_be_bytes();
    let header = [0x45, 0, len[0], len[1], 0, 0, 0x40, 0, 64, 1, 0, 0];
    let mut packet = [&header[..], &src.octets(), &dst.octets(), message].concat();
    let sum = sum(&packet[..20]);
    packet[10..12].copy_from_slice(&(!sum).to_be_bytes());
    packet
}

/// A message with a good checksum.
pub(crate) fn message(kind: (u8, u8), rest_of_header: [u8; 4], data: &[u8]) -> Vec<u8> {
    with_checksum([&[kind.0, kind.1, 0, 0][..], &rest_of_header, data].concat())
}

/// The right answer to an echo request.
pub(crate) fn reply(request: &[u8]) -> Vec<u8> {
    changed(request, 0, 0)
}

/// That message with another octet at `at`, and a good checksum.
pub(crate) fn changed(message: &[u8], at: usize, octet: u8) -> Vec<u8> {
    let mut message = message.to_vec();
    message[at] = octet;
    with_checksum(message)
}

pub(crate) fn with_checksum(mut message: Vec<u8>) -> Vec<u8> {
    message[2..4].fill(0);
    let sum = sum(&message);
    message[2..4].copy_from_slice(&(!sum).to_be_bytes());
    message
}

/// The one's complement sum (RFC 1071); 0xffff over a message with a good checksum.
pub(crate) fn sum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|w| u64::from(w[0]) << 8 | w.get(1).map_or(0, |&w| w.into()));
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

pub(crate) fn ended(sequence: u16, outcome: Outcome) -> Event {
    Event::Ended(Ended { dst: THEM, sequence, outcome })
}

/// The reply to a ping of 56 octets, `round_trip` after it left.
pub(crate) fn replied(sequence: u16, round_trip: Duration) -> Event {
    let (tx, rx) = (Source::User, Source::Virtual);
    ended(sequence, Outcome::Reply { len: 64, ttl: 60, round_trip, reordered: false, tx, rx })
}

pub(crate) fn timed_out(sequence: u16) -> Event {
    ended(sequence, Outcome::TimedOut { waited: ms(1000) })
}

pub(crate) fn stray(from: Ipv4Addr, sequence: u16, len: usize, straying: Straying) -> Event {
    Event::Stray(icmp::Stray { from, sequence, len, ttl: 60, straying })
}
