use std::{net::Ipv4Addr, time::Duration};

use ipv4::{Options, Source, Unsent};

use crate::error::{Error, TooBig};

/// What [`Icmp`](crate::Icmp) has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An echo has ended; exactly once for each that was accepted.
    Ended(Ended),
    /// An answer that ended nothing.
    Stray(Stray),
    /// What the options of an answer recorded on the way; then its echo ends.
    Recorded(Recorded),
    /// A router knows a shorter way; only where [`Config::redirects`](crate::Config::redirects).
    Redirect(Redirect),
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

impl Ended {
    /// What the error that ended it says of the path, where that may be believed.
    pub fn too_big(&self) -> Option<TooBig> {
        let Outcome::Error(Error { mtu, too_big: Some(len), .. }) = self.outcome else {
            return None;
        };
        Some(TooBig { dst: self.dst, mtu, quoted_len: len })
    }
}

/// What was recorded between our asking and the answer's arrival.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// Whom we asked.
    pub dst: Ipv4Addr,
    /// Which request.
    pub sequence: u16,
    /// The options of the answer.
    pub options: Options,
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

/// A router's advice about the first hop (RFC 792, RFC 1122 §3.2.2.2), about an echo of ours that
/// is in flight.
///
/// Nothing is changed by it yet. Whoever knows the routes follows it only if `from` is the present
/// first hop to `dst` and `gateway` is on a connected network, and then for `dst` alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Redirect {
    /// Who advises.
    pub from: Ipv4Addr,
    /// What for.
    pub dst: Ipv4Addr,
    /// The better first hop; `dst` itself, if that is on our link.
    pub gateway: Ipv4Addr,
}
