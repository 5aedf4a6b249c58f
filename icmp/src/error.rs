use std::{fmt, net::Ipv4Addr, time::Duration};

use crate::object::Objects;

/// An ICMP error about one of our echoes (RFC 792).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Error {
    /// Who reports it.
    pub from: Ipv4Addr,
    /// 3, 11 or 12.
    pub icmp_type: u8,
    /// Which of the type's reasons.
    pub code: u8,
    /// For "fragmentation needed", the next hop's MTU, if it was told (RFC 1191 §4).
    pub mtu: Option<u16>,
    /// For "fragmentation needed" that only somebody on the way can have sent: octets of our
    /// datagram, which are more than `mtu`. See [`Ended::too_big`](crate::Ended::too_big).
    pub too_big: Option<u16>,
    /// From the request's leaving to the error's arrival.
    pub round_trip: Duration,
    /// What else the router tells (RFC 4884).
    pub objects: Objects,
}

impl Error {
    /// The type's name, for programs: `destination-unreachable`, `time-exceeded` or
    /// `parameter-problem`.
    pub fn name(&self) -> &'static str {
        match self.icmp_type {
            3 => "destination-unreachable",
            11 => "time-exceeded",
            _ => "parameter-problem",
        }
    }
}

/// For people, in the words of ping(8).
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.icmp_type, self.code) {
            (3, 0) => "Destination Net Unreachable",
            (3, 1) => "Destination Host Unreachable",
            (3, 2) => "Destination Protocol Unreachable",
            (3, 3) => "Destination Port Unreachable",
            (3, 4) => "Frag needed and DF set",
            (3, 5) => "Source Route Failed",
            (3, 6) => "Destination Net Unknown",
            (3, 7) => "Destination Host Unknown",
            (3, 9) => "Destination Net Prohibited",
            (3, 10) => "Destination Host Prohibited",
            (3, 11) => "Destination Net Unreachable for Type of Service",
            (3, 12) => "Destination Host Unreachable for Type of Service",
            (3, 13) => "Packet filtered",
            (3, 14) => "Precedence Violation",
            (3, 15) => "Precedence Cutoff",
            (11, 0) => "Time to live exceeded",
            (11, 1) => "Frag reassembly time exceeded",
            (12, _) => "Parameter problem",
            (icmp_type, code) => return write!(f, "ICMP type {icmp_type} code {code}"),
        };
        f.write_str(text)?;
        self.mtu.map_or(Ok(()), |mtu| write!(f, " (mtu = {mtu})"))
    }
}

/// A datagram of ours did not fit the path (RFC 1191 §3).
///
/// It quotes an echo in flight, with its identifier, its sequence number and its checksum, which
/// covers the cookie (RFC 5927 §7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooBig {
    /// Whom it was for.
    pub dst: Ipv4Addr,
    /// What the next hop takes, in octets; `None` from a router older than RFC 1191.
    pub mtu: Option<u16>,
    /// Octets that it had, its IP header included, as long as it was quoted; more than `mtu`.
    pub quoted_len: u16,
}
