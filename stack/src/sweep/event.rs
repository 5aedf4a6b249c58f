use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use icmp::SendError;
use link::{MacAddr6, Unsent};

/// What a [`Sweep`](super::Sweep) has to say.
#[derive(Clone, Debug)]
pub enum Event {
    /// A probe has ended; exactly once for each.
    Ended(Ended),
    /// What ended no probe: duplicates, late answers, conflicts, the gateway's, the link's.
    Other(crate::Event),
}

/// How one probe ended: one target asked for one thing in one round, with all its retries.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When: for an answer, when its frame arrived.
    pub at: Instant,
    /// The target.
    pub addr: Ipv4Addr,
    /// Counted from 0.
    pub round: u64,
    /// How many requests were made of it; not those that were lost to a link going down.
    pub tries: u32,
    /// The sender of the frame that ended it.
    pub from_mac: Option<MacAddr6>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// How the last of its echo requests ended.
    Echo(icmp::Outcome),
    /// It said where it is.
    At {
        /// Where.
        mac: MacAddr6,
        /// From the last request's leaving to the answer's arrival; `None` if it was known, or
        /// heard to ask us instead.
        round_trip: Option<Duration>,
    },
    /// It did not answer ARP.
    Silent,
    /// The ARP request never left.
    Unsent(Unsent),
    /// It cannot be asked: no route leads to it, or no single host has that address.
    Refused(SendError),
}
