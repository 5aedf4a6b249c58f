use std::{net::Ipv4Addr, time::Duration};

use link::Unsent;
use macaddr::MacAddr6;

/// What came of something that [`Arp`](crate::Arp) was asked to do, or what it noticed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A neighbour answered.
    Resolved {
        /// Who.
        addr: Ipv4Addr,
        /// Where it is.
        mac: MacAddr6,
        /// From the last request's leaving to the reply's arrival; `None` if the neighbour was
        /// heard to ask us instead.
        round_trip: Option<Duration>,
        /// Requests that it took.
        requests: u32,
    },
    /// A neighbour was given up on, after that many requests; the packet kept for it comes back.
    /// So does each packet to it at once until it may be asked for again. Of a datagram in
    /// fragments the first comes back, for all; so also below.
    Unresolved {
        /// Who did not answer.
        addr: Ipv4Addr,
        /// Requests that were sent, a second apart, before it was given up on.
        requests: u32,
        /// The packet, IP header first; `None` if nobody had anything to send.
        packet: Option<Vec<u8>>,
    },
    /// A kept packet left, or the first fragment of a kept datagram, now that its neighbour has
    /// answered.
    Released {
        /// The packet, IP header first.
        packet: Vec<u8>,
    },
    /// A kept packet gave way to a newer one to the same neighbour (RFC 1122 §2.3.2.2).
    Replaced {
        /// The packet, IP header first.
        packet: Vec<u8>,
    },
    /// A request, or the kept packet itself, could not leave; the packet comes back at once.
    Unsent {
        /// The neighbour.
        addr: Ipv4Addr,
        /// Why the link did not send it.
        reason: Unsent,
        /// The packet, IP header first.
        packet: Option<Vec<u8>>,
    },
    /// Two stations claim one address: a neighbour's, or ours.
    Conflict {
        /// The address.
        addr: Ipv4Addr,
        /// Who is believed.
        kept: MacAddr6,
        /// Who else claims it.
        other: MacAddr6,
    },
    /// A neighbour has another MAC address than before, and is followed.
    Moved {
        /// Who.
        addr: Ipv4Addr,
        /// Where it was.
        old: MacAddr6,
        /// Where it is now.
        new: MacAddr6,
    },
    /// Nobody uses the address that was probed for (RFC 5227 §2.1.1).
    Free {
        /// The address.
        addr: Ipv4Addr,
    },
    /// Somebody uses the address that was probed for, or wants to (RFC 5227 §2.1.1).
    Taken {
        /// The address.
        addr: Ipv4Addr,
        /// Who.
        mac: MacAddr6,
    },
    /// An address of ours was given up, because somebody else uses it (RFC 5227 §2.4); where that
    /// is done without a fight, no [`Conflict`](Self::Conflict) is told besides.
    Lost {
        /// The address.
        addr: Ipv4Addr,
        /// Who.
        mac: MacAddr6,
    },
    /// A neighbour was forgotten to make room for another.
    Evicted {
        /// Who.
        addr: Ipv4Addr,
        /// Where it was; `None` for one that had been given up on.
        mac: Option<MacAddr6>,
    },
}
