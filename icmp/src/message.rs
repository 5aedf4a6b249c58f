use std::net::Ipv4Addr;

use etherparse::checksum::Sum16BitWords;

use crate::discard::Discard;

/// An ICMP message, viewed in place.
#[derive(Clone, Copy)]
pub(crate) struct Message<'m>(&'m [u8]);

impl<'m> Message<'m> {
    /// # Errors
    /// [`Discard::Length`] without all of the eight octets that every message begins with.
    pub(crate) fn parse(octets: &'m [u8]) -> Result<Self, Discard> {
        if octets.len() < HEADER_LEN { Err(Discard::Length) } else { Ok(Self(octets)) }
    }

    pub(crate) fn icmp_type(self) -> u8 {
        self.0[0]
    }

    pub(crate) fn checksum(self) -> u16 {
        self.word(2)
    }

    pub(crate) fn code(self) -> u8 {
        self.0[1]
    }

    /// Of a query.
    pub(crate) fn identifier(self) -> u16 {
        self.word(4)
    }

    /// Of a query.
    pub(crate) fn sequence(self) -> u16 {
        self.word(6)
    }

    /// Of "fragmentation needed" (RFC 1191 §4).
    pub(crate) fn next_hop_mtu(self) -> u16 {
        self.word(6)
    }

    /// Of a redirect.
    pub(crate) fn gateway(self) -> Ipv4Addr {
        let [a, b, c, d] = [4, 5, 6, 7].map(|at| self.0[at]);
        Ipv4Addr::new(a, b, c, d)
    }

    /// All that follows the first eight octets.
    pub(crate) fn data(self) -> &'m [u8] {
        &self.0[HEADER_LEN..]
    }

    pub(crate) fn len(self) -> usize {
        self.0.len()
    }

    pub(crate) fn checksum_is_good(self) -> bool {
        Sum16BitWords::new().add_slice(self.0).ones_complement() == 0
    }

    fn word(self, at: usize) -> u16 {
        u16::from_be_bytes([self.0[at], self.0[at + 1]])
    }
}

/// Writes a message: its first eight octets here, `data` by `write`, then the checksum over both,
/// which is returned.
pub(crate) fn write_message(
    out: &mut [u8],
    (icmp_type, code): (u8, u8),
    rest_of_header: [u8; 4],
    write: impl FnOnce(&mut [u8]),
) -> u16 {
    out[..4].copy_from_slice(&[icmp_type, code, 0, 0]);
    out[4..HEADER_LEN].copy_from_slice(&rest_of_header);
    write(&mut out[HEADER_LEN..]);
    let sum = Sum16BitWords::new().add_slice(out).ones_complement().to_be();
    out[2..4].copy_from_slice(&sum.to_be_bytes());
    sum
}

pub(crate) const ECHO_REPLY: u8 = 0;
pub(crate) const UNREACHABLE: u8 = 3;
pub(crate) const SOURCE_QUENCH: u8 = 4;
pub(crate) const REDIRECT: u8 = 5;
pub(crate) const ECHO_REQUEST: u8 = 8;
pub(crate) const ROUTER_ADVERTISEMENT: u8 = 9;
pub(crate) const ROUTER_SOLICITATION: u8 = 10;
pub(crate) const TIME_EXCEEDED: u8 = 11;
pub(crate) const PARAMETER_PROBLEM: u8 = 12;
pub(crate) const TIMESTAMP: u8 = 13;
pub(crate) const TIMESTAMP_REPLY: u8 = 14;
pub(crate) const EXTENDED_ECHO_REQUEST: u8 = 42;
pub(crate) const EXTENDED_ECHO_REPLY: u8 = 43;

/// Octets of an echo before its data.
pub const HEADER_LEN: usize = 8;
