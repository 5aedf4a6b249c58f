use std::{fmt, net::Ipv4Addr, time::Duration};

use ipv4::{Source, Unsent};

/// What [`Icmp`](crate::Icmp) has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// An echo has ended; exactly once for each that was accepted.
    Ended(Ended),
    /// An answer that ended nothing.
    Stray(Stray),
}

/// How one echo ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// Whom we asked.
    pub dst: Ipv4Addr,
    /// Which request.
    pub sequence: u16,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an echo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The reply came, from whom we asked, whole and in time.
    Reply {
        /// Octets of the message, its header included.
        len: usize,
        /// Hops the reply had left.
        ttl: u8,
        /// From the request's leaving to the reply's arrival.
        round_trip: Duration,
        /// Whether the reply to a request that left later had come before.
        reordered: bool,
        /// Who stamped the request's leaving.
        tx: Source,
        /// Who stamped the reply's arrival.
        rx: Source,
    },
    /// Somebody on the way could not deliver it.
    Error(Error),
    /// Nothing came in time.
    TimedOut {
        /// From the request's leaving.
        waited: Duration,
    },
    /// It never left: its next hop did not answer that many ARP requests.
    Unresolved {
        /// ARP requests sent, a second apart.
        requests: u32,
    },
    /// It never left: while its next hop was being asked for, a newer packet took its place.
    Replaced,
    /// It never left: the link did not send it.
    Unsent(Unsent),
}

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
    /// From the request's leaving to the error's arrival.
    pub round_trip: Duration,
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

/// An answer that ended nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stray {
    /// Who sent it.
    pub from: Ipv4Addr,
    /// The sequence number that it bears.
    pub sequence: u16,
    /// Octets of the message, its header included.
    pub len: usize,
    /// Hops it had left.
    pub ttl: u8,
    /// Why it ended nothing.
    pub straying: Straying,
}

/// Why an answer ended nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Straying {
    /// The echo was answered before.
    Duplicate {
        /// From the request's leaving to this answer's arrival.
        round_trip: Duration,
    },
    /// The echo had ended without an answer.
    Late {
        /// From the request's leaving to this answer's arrival.
        round_trip: Duration,
    },
    /// It is not what we asked to be echoed.
    Corrupt(Corrupt),
    /// It answers what we asked another.
    Elsewhere {
        /// Whom we asked.
        asked: Ipv4Addr,
    },
    /// It bears our identifier, and we asked nothing of the kind.
    Unasked,
}

/// What is wrong with an echo reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Corrupt {
    /// The checksum.
    Checksum,
    /// The code, which is not 0.
    Code,
    /// The number of octets.
    Length,
    /// The octets.
    Data,
}
