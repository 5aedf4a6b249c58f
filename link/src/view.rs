use etherparse::EtherType;
use macaddr::MacAddr6;

use crate::frame::{HEADER_LEN, TAG_LEN, Tag, is_tag, mac};

/// An Ethernet header as it stands, for people: nothing is refused that can be shown.
///
/// [`Frame`](crate::Frame) is what layers work with.
#[derive(Clone, Copy, Debug)]
pub struct View<'f> {
    /// Destination address.
    pub dst: MacAddr6,
    /// Source address.
    pub src: MacAddr6,
    /// The length of the payload in octets, if this is an IEEE 802.3 frame.
    pub length: Option<u16>,
    /// What the payload is: by the header, or in an 802.3 frame by its SNAP header (RFC 1042,
    /// IEEE 802.1H), or by IP's service access point (RFC 948). A tag's own type, if it is cut.
    pub ether_type: Option<EtherType>,
    /// What was captured of the payload; without padding, where the frame says its length.
    pub payload: &'f [u8],
    /// Where the payload begins in the frame.
    pub payload_at: usize,
    /// Octets of the payload on the wire.
    pub payload_len: usize,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
    tags: &'f [u8],
}

impl<'f> View<'f> {
    /// Reads a frame that had `len` octets on the wire, of which `octets` were captured.
    ///
    /// # Errors
    /// A frame that ends before its type or length.
    pub fn read(octets: &'f [u8], len: usize) -> Result<Self, Flaw> {
        if octets.len() < HEADER_LEN {
            return Err(Flaw { octet: octets.len(), reason: "no whole Ethernet header" });
        }
        let len = len.max(octets.len());
        let mut at = HEADER_LEN;
        let mut flaw = None;
        while is_tag(&octets[at - 2..at]) {
            if octets.len() < at + TAG_LEN {
                flaw = Some(Flaw { octet: octets.len(), reason: "no whole VLAN tag" });
                break;
            }
            at += TAG_LEN;
        }
        // Of a tag without the type that follows, what it says is there all the same.
        let untold = if flaw.is_some() && octets.len() >= at + 2 { TAG_LEN } else { 0 };
        let (tags, payload) = (&octets[HEADER_LEN - 2..at - 2 + untold], &octets[at..]);
        let kind = u16::from_be_bytes([octets[at - 2], octets[at - 1]]);
        let view = Self {
            dst: mac(octets, 0),
            src: mac(octets, 6),
            length: None,
            ether_type: Some(EtherType(kind)),
            payload,
            payload_at: at,
            payload_len: len - at,
            flaw,
            tags,
        };
        Ok(if kind < LEAST_TYPE { view.with_length(kind) } else { view })
    }

    /// The 802.1Q tags, outermost first.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + 'f {
        self.tags.chunks_exact(TAG_LEN).map(Tag::read)
    }

    fn with_length(mut self, length: u16) -> Self {
        self.length = Some(length);
        self.ether_type = None;
        let said = usize::from(length);
        let octet = self.payload_at - 2;
        if length > GREATEST_LENGTH {
            self.flaw = Some(Flaw { octet, reason: "neither a type nor a length" });
            return self;
        }
        if said > self.payload_len {
            self.flaw = Some(Flaw { octet, reason: "the length exceeds the frame" });
        }
        self.payload_len = self.payload_len.min(said);
        self.payload = &self.payload[..self.payload.len().min(said)];
        let (kind, payload) = match self.payload {
            [0xaa, 0xaa, 0x03, 0, 0, 0 | BRIDGE_TUNNEL, high, low, payload @ ..] => {
                (EtherType(u16::from_be_bytes([*high, *low])), payload)
            }
            [IP_SAP, IP_SAP, 0x03, payload @ ..] => (EtherType::IPV4, payload),
            _ => return self,
        };
        let read = self.payload.len() - payload.len();
        self.ether_type = Some(kind);
        self.payload = payload;
        self.payload_at += read;
        self.payload_len -= read;
        self
    }
}

/// What is wrong with a header, for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flaw {
    /// Where, in octets from the header's first; one past the last if there are too few of them.
    pub octet: usize,
    /// Why.
    pub reason: &'static str,
}

/// The first value that is a type (IEEE 802.3 §3.2.6).
const LEAST_TYPE: u16 = 0x0600;

/// The last value that is a length (IEEE 802.3 §3.2.6).
const GREATEST_LENGTH: u16 = 1500;

/// The last octet of the organisation that stands for an EtherType too, in the SNAP header of a
/// bridge (IEEE 802.1H); RFC 1042's is 0.
const BRIDGE_TUNNEL: u8 = 0xf8;

/// The service access point of IP in 802.2 without SNAP (RFC 948).
const IP_SAP: u8 = 0x06;
