use arp::AnyView;
use icmp::Quoted;
use link::{EtherType, Flaw};

/// A frame, decoded for people as far as it can be: a layer that is broken leaves those around it
/// as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dissected<'f> {
    /// The Ethernet header, tags included.
    pub eth: Option<link::View<'f>>,
    /// Of an ARP or RARP frame.
    pub arp: Option<AnyView<'f>>,
    /// Of an IPv4 frame.
    pub ip: Option<ipv4::View<'f>>,
    /// Of an ICMP message that begins in this frame.
    pub icmp: Option<icmp::View<'f>>,
    /// The header that an ICMP error quotes.
    pub quoted: Option<ipv4::View<'f>>,
    /// What is wrong, in the outermost layer where anything is.
    pub malformed: Option<Malformed>,
}

impl Dissected<'_> {
    /// Whether it asks for an address (RFC 826), and does not announce one (RFC 5227 §2.3), or for an
    /// echo (RFC 792).
    pub fn is_request(&self) -> bool {
        self.arp.is_some_and(|arp| {
            arp.operation == ARP_REQUEST && arp.sender_protocol != arp.target_protocol
        }) || self.icmp.is_some_and(|icmp| icmp.icmp_type == ECHO_REQUEST)
    }
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed {
    /// In which layer.
    pub layer: Layer,
    /// Where, in octets from the frame's first.
    pub octet: usize,
    /// Why.
    pub reason: &'static str,
}

/// A layer of a frame.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Layer {
    /// Ethernet, or a VLAN tag.
    Eth,
    /// ARP.
    Arp,
    /// IPv4.
    Ip,
    /// ICMP.
    Icmp,
    /// The datagram that an ICMP error quotes.
    Quoted,
}

impl Layer {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eth => "eth",
            Self::Arp => "arp",
            Self::Ip => "ip",
            Self::Icmp => "icmp",
            Self::Quoted => "quoted",
        }
    }
}

/// Decodes a frame that had `len` octets on the wire, of which `octets` were captured.
///
/// What a capture has cut off is not malformed: it is not there, and no more is said.
///
/// ```
/// use sidestack_stack::{Layer, dissect};
///
/// let mut frame = [0; 60];
/// frame[12..24].copy_from_slice(b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00");
/// assert_eq!(dissect(&frame, 60).arp.map(|arp| arp.operation), Some(1));
///
/// let malformed = dissect(&frame[..30], 30).malformed.expect("it is cut");
/// assert_eq!((malformed.layer, malformed.octet), (Layer::Arp, 30));
/// ```
pub fn dissect(octets: &[u8], len: usize) -> Dissected<'_> {
    let captured = if octets.len() < len { octets.len() } else { usize::MAX };
    let mut reading = Reading { captured, malformed: None };
    let eth = reading.take(Layer::Eth, 0, link::View::read(octets, len), |eth| eth.flaw);
    let mut frame = Dissected { eth, ..Dissected::default() };
    if let Some(eth) = &frame.eth {
        let at = eth.payload_at;
        match eth.ether_type {
            Some(EtherType::ARP | RARP) => {
                let read = AnyView::read(eth.payload);
                frame.arp = reading.take(Layer::Arp, at, read, |arp| arp.flaw);
            }
            Some(EtherType::IPV4) => {
                let read = ipv4::View::read(eth.payload, eth.payload_len);
                frame.ip = reading.take(Layer::Ip, at, read, |ip| ip.flaw);
            }
            _ => {}
        }
        if let Some(ip) = &frame.ip
            && ip.protocol == ICMP
            && ip.fragment_offset == 0
        {
            let at = at + ip.header_len;
            let read = icmp::View::read(ip.payload, ip.payload_len, ip.more_fragments);
            frame.icmp = reading.take(Layer::Icmp, at, read, |icmp| icmp.flaw);
            if let Some(Quoted { octets, len, at: begins }) =
                frame.icmp.as_ref().and_then(|icmp| icmp.quoted)
            {
                let read = ipv4::View::quoted(octets, len);
                frame.quoted = reading.take(Layer::Quoted, at + begins, read, |ip| ip.flaw);
            }
        }
    }
    Dissected { malformed: reading.malformed, ..frame }
}

/// What was found wrong so far, in a frame of which so many octets were captured.
struct Reading {
    captured: usize,
    malformed: Option<Malformed>,
}

impl Reading {
    /// The view that was read of a layer which begins at `at`, its flaw noted.
    fn take<V>(
        &mut self,
        layer: Layer,
        at: usize,
        read: Result<V, Flaw>,
        flaw: impl FnOnce(&V) -> Option<Flaw>,
    ) -> Option<V> {
        let (view, flaw) = match read {
            Ok(view) => {
                let flaw = flaw(&view);
                (Some(view), flaw)
            }
            Err(flaw) => (None, Some(flaw)),
        };
        if let Some(Flaw { octet, reason }) = flaw
            && self.malformed.is_none()
            && at + octet < self.captured
        {
            self.malformed = Some(Malformed { layer, octet: at + octet, reason });
        }
        view
    }
}

/// Reverse ARP (RFC 903), whose packets look the same.
const RARP: EtherType = EtherType(0x8035);

/// The protocol number of ICMP (RFC 792).
const ICMP: u8 = 1;

/// ar$op of a request (RFC 826).
const ARP_REQUEST: u16 = 1;

/// The type of an echo request (RFC 792).
const ECHO_REQUEST: u8 = 8;
