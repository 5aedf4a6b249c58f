use std::net::Ipv4Addr;

use etherparse::checksum::Sum16BitWords;
use link::Flaw;

use crate::{
    fields::{fields, types, whole},
    packet::HEADER_LEN,
};

/// An IPv4 header as it stands (RFC 791 §3.1), for people: nothing is refused that can be shown.
///
/// [`Packet`](crate::Packet) is what a host takes in.
#[derive(Clone, Copy, Debug)]
pub struct View<'p> {
    /// Octets of the header, options included.
    pub header_len: usize,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Octets of the datagram, as it says itself.
    pub total_len: u16,
    /// Identification.
    pub identification: u16,
    /// The reserved bit.
    pub reserved: bool,
    /// Whether it must not be fragmented.
    pub dont_fragment: bool,
    /// Whether it is not the last fragment.
    pub more_fragments: bool,
    /// Where its payload belongs in that of the datagram, in octets.
    pub fragment_offset: u16,
    /// Hops left.
    pub ttl: u8,
    /// What the payload is.
    pub protocol: u8,
    /// Of the header.
    pub checksum: u16,
    /// Whether it is right.
    pub checksum_status: ChecksumStatus,
    /// Who sent it.
    pub src: Ipv4Addr,
    /// Whom they sent it to.
    pub dst: Ipv4Addr,
    /// The options that were captured, padding included.
    pub options: &'p [u8],
    /// What was captured of the payload: to the total length; nothing if that is less than the
    /// header's, and all there is if it is 0.
    pub payload: &'p [u8],
    /// Octets of the payload on the wire.
    pub payload_len: usize,
    /// What is wrong with it, the first thing only.
    pub flaw: Option<Flaw>,
}

impl<'p> View<'p> {
    /// Reads a packet that had `len` octets on the wire, of which `octets` were captured.
    ///
    /// # Errors
    /// Without 20 octets, another version than 4, or a header length of less than 20.
    pub fn read(octets: &'p [u8], len: usize) -> Result<Self, Flaw> {
        let view = Self::quoted(octets, len)?;
        let exceeds = usize::from(view.total_len) > len.max(octets.len());
        let flaw =
            exceeds.then_some(Flaw { octet: 2, reason: "the total length exceeds the frame" });
        Ok(Self { flaw: view.flaw.or(flaw), ..view })
    }

    /// Reads what an ICMP error quotes, which may be cut anywhere.
    ///
    /// # Errors
    /// As [`View::read`].
    pub fn quoted(octets: &'p [u8], len: usize) -> Result<Self, Flaw> {
        let len = len.max(octets.len());
        let header_len = match octets.first() {
            None => return Err(Flaw { octet: 0, reason: "no IP header" }),
            Some(first) if first >> 4 != 4 => {
                return Err(Flaw { octet: 0, reason: "the version is not 4" });
            }
            Some(first) => usize::from(first & 0x0f) * 4,
        };
        if header_len < HEADER_LEN {
            return Err(Flaw { octet: 0, reason: "a header length of less than 20 octets" });
        }
        let Some(fixed) = octets.first_chunk::<HEADER_LEN>() else {
            return Err(Flaw { octet: octets.len(), reason: "no whole IP header" });
        };
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let addr =
            |at: usize| Ipv4Addr::new(fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]);
        let (total_len, fragment) = (word(2), word(6));
        let header = octets.get(..header_len);
        let options = &octets[HEADER_LEN..header_len.min(octets.len())];
        let end = match usize::from(total_len) {
            0 => len, // what a card left for itself to segment is so captured
            said if said < header_len => header_len,
            said => said.min(len),
        };
        let flaw = if header.is_none() {
            Some(Flaw { octet: octets.len(), reason: "no whole IP header" })
        } else if usize::from(total_len) < header_len {
            Some(Flaw { octet: 2, reason: "a total length less than the header's" })
        } else {
            bad_option(options)
        };
        Ok(Self {
            header_len,
            tos: fixed[1],
            total_len,
            identification: word(4),
            reserved: fragment & 0x8000 != 0,
            dont_fragment: fragment & 0x4000 != 0,
            more_fragments: fragment & 0x2000 != 0,
            fragment_offset: (fragment & 0x1fff) * 8,
            ttl: fixed[8],
            protocol: fixed[9],
            checksum: word(10),
            checksum_status: header.map_or(ChecksumStatus::Unknown, ChecksumStatus::of),
            src: addr(12),
            dst: addr(16),
            options,
            payload: octets.get(header_len..end.min(octets.len())).unwrap_or_default(),
            payload_len: end.saturating_sub(header_len),
            flaw,
        })
    }

    /// The types of its options, in order, an end of the list included; one of impossible length
    /// is not among them, nor what follows it.
    pub fn option_types(&self) -> impl Iterator<Item = u8> + 'p {
        types(self.options)
    }

    /// Whether it is only a part of a datagram.
    pub fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }
}

/// Whether a checksum is right (RFC 1071).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ChecksumStatus {
    /// It is.
    Good,
    /// It is not.
    Bad,
    /// Not all that it covers is there.
    Unknown,
}

impl ChecksumStatus {
    /// That of octets which include their own checksum, at an even place.
    pub fn of(octets: &[u8]) -> Self {
        match Sum16BitWords::new().add_slice(octets).ones_complement() {
            0 => Self::Good,
            _ => Self::Bad,
        }
    }
}

fn bad_option(options: &[u8]) -> Option<Flaw> {
    fields(options).find_map(Result::err)?;
    let octet = HEADER_LEN + whole(options);
    Some(Flaw { octet, reason: "an option of impossible length" })
}
