use std::net::Ipv4Addr;

use ipv4::{ChecksumStatus, Flaw};

use crate::{
    extension::{Extensions, VERSION},
    message::{
        ECHO_REPLY, ECHO_REQUEST, EXTENDED_ECHO_REPLY, EXTENDED_ECHO_REQUEST, HEADER_LEN,
        PARAMETER_PROBLEM, REDIRECT, SOURCE_QUENCH, TIME_EXCEEDED, TIMESTAMP, TIMESTAMP_REPLY,
        UNREACHABLE,
    },
};

/// An ICMP message as it stands (RFC 792 and what came after it), for people: nothing is refused
/// that can be shown, and what its type does not carry, or was not captured, is `None`.
#[derive(Clone, Copy, Debug)]
pub struct View<'m> {
    /// Type.
    pub icmp_type: u8,
    /// Code.
    pub code: u8,
    /// Of the message.
    pub checksum: u16,
    /// Whether it is right.
    pub checksum_status: ChecksumStatus,
    /// Of a query.
    pub identifier: Option<u16>,
    /// Of a query; 8 bits in an extended echo (RFC 8335 §2).
    pub sequence: Option<u16>,
    /// Of "fragmentation needed" (RFC 1191 §4).
    pub next_hop_mtu: Option<u16>,
    /// Of a redirect.
    pub gateway: Option<Ipv4Addr>,
    /// Of a parameter problem: the octet of the quoted datagram that was not understood.
    pub pointer: Option<u8>,
    /// When a timestamp request was sent, in milliseconds since midnight UTC (RFC 792).
    pub originate: Option<u32>,
    /// When it was received.
    pub receive: Option<u32>,
    /// When it was answered.
    pub transmit: Option<u32>,
    /// Of an address mask request or reply (RFC 950).
    pub address_mask: Option<Ipv4Addr>,
    /// Of an error that says it: the quoted datagram's length in words of 32 bits (RFC 4884 §4).
    pub length_words: Option<u8>,
    /// Of an error: what was captured of the datagram that caused it, and where it begins.
    pub quoted: Option<Quoted<'m>>,
    /// Of an error, or an extended echo request (RFC 8335 §2).
    pub extensions: Option<Extensions<'m>>,
    /// What is wrong with it, the first thing only.
    pub flaw: Option<Flaw>,
}

/// The datagram that an error quotes, or the beginning of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quoted<'m> {
    /// What was captured of it.
    pub octets: &'m [u8],
    /// Octets of it on the wire.
    pub len: usize,
    /// Where it begins in the message.
    pub at: usize,
}

impl<'m> View<'m> {
    /// Reads a message that had `len` octets on the wire, of which `octets` were captured;
    /// `fragment` says that more of it is in other packets.
    ///
    /// # Errors
    /// Without type, code and checksum.
    pub fn read(octets: &'m [u8], len: usize, fragment: bool) -> Result<Self, Flaw> {
        let Some((&[icmp_type, code, high, low], _)) = octets.split_first_chunk::<4>() else {
            return Err(Flaw { octet: octets.len(), reason: "no whole ICMP header" });
        };
        let len = len.max(octets.len());
        let whole = octets.len() == len && !fragment;
        let checksum_status =
            if whole { ChecksumStatus::of(octets) } else { ChecksumStatus::Unknown };
        let view = Self {
            icmp_type,
            code,
            checksum: u16::from_be_bytes([high, low]),
            checksum_status,
            identifier: None,
            sequence: None,
            next_hop_mtu: None,
            gateway: None,
            pointer: None,
            originate: None,
            receive: None,
            transmit: None,
            address_mask: None,
            length_words: None,
            quoted: None,
            extensions: None,
            flaw: None,
        };
        let view = match icmp_type {
            ECHO_REPLY | ECHO_REQUEST | INFORMATION_REQUEST | INFORMATION_REPLY => {
                view.with_query(octets)
            }
            TIMESTAMP | TIMESTAMP_REPLY => view.with_query(octets).with_times(octets),
            ADDRESS_MASK_REQUEST | ADDRESS_MASK_REPLY => Self {
                address_mask: long(octets, 8).map(Ipv4Addr::from_bits),
                ..view.with_query(octets)
            },
            EXTENDED_ECHO_REQUEST | EXTENDED_ECHO_REPLY => view.with_extended_echo(octets, len),
            UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM => {
                view.with_error(octets, len)
            }
            _ => view,
        };
        let short = octets.len() < least(icmp_type);
        let flaw = Flaw { octet: octets.len(), reason: "a message too short for its type" };
        Ok(Self { flaw: short.then_some(flaw).or(view.flaw), ..view })
    }

    fn with_query(self, octets: &[u8]) -> Self {
        Self { identifier: word(octets, 4), sequence: word(octets, 6), ..self }
    }

    fn with_times(self, octets: &[u8]) -> Self {
        let [originate, receive, transmit] = [8, 12, 16].map(|at| long(octets, at));
        Self { originate, receive, transmit, ..self }
    }

    fn with_extended_echo(mut self, octets: &'m [u8], len: usize) -> Self {
        self.identifier = word(octets, 4);
        self.sequence = octets.get(6).map(|sequence| (*sequence).into());
        if self.icmp_type == EXTENDED_ECHO_REQUEST {
            self.extend(octets, len, HEADER_LEN);
        }
        self
    }

    fn with_error(mut self, octets: &'m [u8], len: usize) -> Self {
        match self.icmp_type {
            UNREACHABLE if self.code == FRAGMENTATION_NEEDED => {
                self.next_hop_mtu = word(octets, 6);
            }
            REDIRECT => self.gateway = long(octets, 4).map(Ipv4Addr::from_bits),
            PARAMETER_PROBLEM => self.pointer = octets.get(4).copied(),
            _ => {}
        }
        let Some(original) = octets.get(HEADER_LEN..) else { return self };
        let extensible = matches!(self.icmp_type, UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM);
        self.length_words = octets.get(5).copied().filter(|words| extensible && *words != 0);
        let original_len = len - HEADER_LEN;
        let words = self.length_words.unwrap_or_default();
        let said = match usize::from(words) * 4 {
            0 if extensible && is_compatible(octets, len) => COMPATIBLE,
            0 => original_len,
            said => said,
        };
        if said > original_len {
            self.flaw = Some(Flaw { octet: 5, reason: "the length exceeds the message" });
        } else if said < original_len {
            self.extend(octets, len, HEADER_LEN + said);
        }
        let octets = &original[..said.min(original.len())];
        self.quoted = Some(Quoted { octets, len: said.min(original_len), at: HEADER_LEN });
        self
    }

    fn extend(&mut self, octets: &'m [u8], len: usize, at: usize) {
        let Some(structure) = octets.get(at..).filter(|structure| !structure.is_empty()) else {
            return;
        };
        self.extensions = Extensions::read(structure, len - at, at);
        self.flaw = match &self.extensions {
            Some(extensions) => extensions.flaw(),
            None => Some(Flaw { octet: octets.len(), reason: "no whole extension header" }),
        };
    }
}

/// Whether extensions follow 128 octets of the quoted datagram, though no length says so: they did
/// before RFC 4884, whose §5.5 tells how they are known.
fn is_compatible(octets: &[u8], len: usize) -> bool {
    let at = HEADER_LEN + COMPATIBLE;
    let extensions = octets.get(at..).and_then(|rest| Extensions::read(rest, len - at, at));
    extensions.is_some_and(|extensions| {
        extensions.version == VERSION && extensions.checksum_status == ChecksumStatus::Good
    })
}

/// Octets that a message of that type has at least.
fn least(icmp_type: u8) -> usize {
    match icmp_type {
        TIMESTAMP | TIMESTAMP_REPLY => 20,
        ADDRESS_MASK_REQUEST | ADDRESS_MASK_REPLY => 12,
        _ => HEADER_LEN,
    }
}

fn word(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}

fn long(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|long| u32::from_be_bytes(*long))
}

const INFORMATION_REQUEST: u8 = 15;
const INFORMATION_REPLY: u8 = 16;
const ADDRESS_MASK_REQUEST: u8 = 17;
const ADDRESS_MASK_REPLY: u8 = 18;

/// The code of "unreachable" that carries an MTU.
const FRAGMENTATION_NEEDED: u8 = 4;

/// Octets of the quoted datagram before extensions that no length announces (RFC 4884 §5.5).
const COMPATIBLE: usize = 128;
