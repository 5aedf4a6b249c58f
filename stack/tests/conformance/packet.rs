//! Frames made by hand.

use std::net::Ipv4Addr;

use sidestack_stack as stack;
use stack::link::{EtherType, MacAddr6};

/// A frame of that type.
pub(crate) fn frame(dst: MacAddr6, src: MacAddr6, kind: EtherType, payload: &[u8]) -> Vec<u8> {
    [dst.as_bytes(), src.as_bytes(), &kind.0.to_be_bytes(), payload].concat()
}

/// An ARP packet: operation, sender, target address; nobody's hardware address as target.
pub(crate) fn arp(operation: u8, (sha, spa): (MacAddr6, Ipv4Addr), tpa: Ipv4Addr) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, operation];
    [&head[..], sha.as_bytes(), &spa.octets(), &[0; 6], &tpa.octets()].concat()
}

/// An IPv4 packet.
#[derive(Clone, Debug)]
pub(crate) struct Ip {
    pub(crate) src: Ipv4Addr,
    pub(crate) dst: Ipv4Addr,
    pub(crate) id: u16,
    /// Flags and offset as they stand in the header.
    pub(crate) fragment: u16,
    pub(crate) protocol: u8,
    pub(crate) payload: Vec<u8>,
}

impl Ip {
    pub(crate) fn icmp(src: Ipv4Addr, dst: Ipv4Addr, message: &[u8]) -> Self {
        Self { src, dst, id: 0, fragment: 0, protocol: 1, payload: message.to_vec() }
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let len = (20 + self.payload.len() as u16).to_be_bytes();
        let ([id, en], [frag, ment]) = (self.id.to_be_bytes(), self.fragment.to_be_bytes());
        let mut header = vec![0x45, 0, len[0], len[1], id, en, frag, ment, 64, self.protocol, 0, 0];
        header.extend([self.src.octets(), self.dst.octets()].concat());
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum);
        [&header[..], &self.payload].concat()
    }

    /// In fragments of at most `len` octets of payload, a multiple of 8.
    pub(crate) fn cut(&self, len: usize) -> Vec<Self> {
        let chunks = self.payload.chunks(len).enumerate();
        let cut = chunks.map(|(n, chunk)| {
            let more = (n + 1) * len < self.payload.len();
            let fragment = (n * len / 8) as u16 | u16::from(more) << 13;
            Self { fragment, payload: chunk.to_vec(), ..self.clone() }
        });
        cut.collect()
    }
}

/// An echo request.
pub(crate) fn echo(sequence: u16, len: usize) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let mut message = vec![8, 0, 0, 0, 0x12, 0x34, high, low];
    message.extend((0..len).map(|n| (n % 251) as u8));
    set_checksum(&mut message);
    message
}

/// The reply to an echo request.
pub(crate) fn reply(request: &[u8]) -> Vec<u8> {
    let mut message = request.to_vec();
    message[0] = 0;
    set_checksum(&mut message);
    message
}

/// An error with `rest` in its second word, about a packet of which it quotes `quote`.
pub(crate) fn error(icmp_type: u8, code: u8, rest: [u8; 4], quote: &[u8]) -> Vec<u8> {
    let mut message = [&[icmp_type, code, 0, 0], &rest[..], quote].concat();
    set_checksum(&mut message);
    message
}

pub(crate) fn set_checksum(message: &mut [u8]) {
    message[2..4].fill(0);
    let sum = checksum(message);
    message[2..4].copy_from_slice(&sum);
}

/// RFC 1071.
pub(crate) fn checksum(octets: &[u8]) -> [u8; 2] {
    let words = octets.chunks(2).map(|w| u32::from(w[0]) << 8 | w.get(1).map_or(0, |&w| w.into()));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!sum as u16).to_be_bytes()
}

/// A UDP message to port 33435, with its checksum.
pub(crate) fn udp(src: Ipv4Addr, dst: Ipv4Addr, data: &[u8]) -> Vec<u8> {
    let len = (8 + data.len() as u16).to_be_bytes();
    let mut message = [&[0x30, 0x39, 0x82, 0x9b], &len[..], &[0, 0], data].concat();
    let pseudo = [&src.octets()[..], &dst.octets(), &[0, 17], &len, &message].concat();
    message[6..8].copy_from_slice(&checksum(&pseudo));
    message
}
