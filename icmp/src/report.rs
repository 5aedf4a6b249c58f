use etherparse::IpNumber;
use ipv4::{Cast, DatagramTx, Header, Packet};

use crate::message::{ECHO_REQUEST, HEADER_LEN, TIME_EXCEEDED, UNREACHABLE, write_message};

/// Why a packet could not be delivered, to be told to its sender (RFC 792, RFC 1812 §5.2.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// No route to its network.
    NetUnreachable,
    /// Its next hop does not answer ARP.
    HostUnreachable,
    /// It does not fit, and must not be fragmented (RFC 1191 §4).
    FragmentationNeeded {
        /// Octets that the next hop takes.
        mtu: u16,
    },
    /// Its destination is unreachable for the reason of this code (RFC 792, RFC 1812 §5.2.7.1).
    Unreachable {
        /// 0 to 15.
        code: u8,
    },
    /// Its time to live ran out.
    TimeExceeded,
}

impl Problem {
    /// Tells the sender of `packet`, which came in a frame of that `cast`; `false` where nobody
    /// may be told (RFC 1122 §3.2.2), or it could not be sent.
    pub fn report(self, packet: &Packet<'_>, cast: Cast, below: &mut dyn DatagramTx) -> bool {
        if cast != Cast::Host || !may_be_reported(packet) {
            return false;
        }
        let (kind, mtu) = match self {
            Self::NetUnreachable => ((UNREACHABLE, 0), 0),
            Self::HostUnreachable => ((UNREACHABLE, 1), 0),
            Self::FragmentationNeeded { mtu } => ((UNREACHABLE, 4), mtu),
            Self::Unreachable { code } => ((UNREACHABLE, code), 0),
            Self::TimeExceeded => ((TIME_EXCEEDED, 0), 0),
        };
        let [mtu_high, mtu_low] = mtu.to_be_bytes();
        let quote = &packet.octets()[..packet.octets().len().min(QUOTE_LEN)];
        let header = Header {
            tos: INTERNETWORK_CONTROL,
            dont_fragment: false,
            ..Header::new(packet.src(), IpNumber::ICMP)
        };
        let sent = below.send(&header, HEADER_LEN + quote.len(), &mut |out| {
            write_message(out, kind, [0, 0, mtu_high, mtu_low], |data| data.copy_from_slice(quote));
        });
        sent.is_ok()
    }
}

/// RFC 1122 §3.2.2: no error about an ICMP error, about a packet to many hosts, about a later
/// fragment, or to an address that is not one host's.
fn may_be_reported(packet: &Packet<'_>) -> bool {
    let is_query = |octets: &[u8]| {
        octets.first().is_some_and(|icmp_type| {
            matches!(*icmp_type, 0 | ECHO_REQUEST | 9 | 10 | 13..=18 | 42 | 43)
        })
    };
    let (src, dst) = (packet.src(), packet.dst());
    packet.is_first_fragment()
        && !(dst.is_multicast() || dst.is_broadcast())
        && !matches!(src.octets()[0], 0 | 127 | 224..)
        && (packet.protocol() != IpNumber::ICMP || is_query(packet.payload()))
}

/// Octets quoted, so that the error has at most 576 (RFC 1812 §4.3.2.3).
const QUOTE_LEN: usize = 576 - 20 - HEADER_LEN;

/// Precedence 6 (RFC 1812 §4.3.2.5).
const INTERNETWORK_CONTROL: u8 = 0xc0;
