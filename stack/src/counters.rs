use std::collections::HashMap;

use link::Unsent;

/// What went by a host.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    received: u64,
    discarded: HashMap<Discard, u64>,
    undelivered: HashMap<Undelivered, u64>,
}

impl Counters {
    pub(crate) fn count(&mut self, taken: Result<(), Discard>) {
        self.received += 1;
        if let Err(discard) = taken {
            *self.discarded.entry(discard).or_default() += 1;
        }
    }

    pub(crate) fn lose(&mut self, reason: Undelivered) {
        *self.undelivered.entry(reason).or_default() += 1;
    }

    /// Frames taken in, discarded or not; our own that came back are not among them.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Frames silently discarded for that reason.
    pub fn discarded(&self, reason: Discard) -> u64 {
        self.discarded.get(&reason).copied().unwrap_or_default()
    }

    /// Every reason for which a frame was silently discarded, in no order, and how many were.
    pub fn reasons(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        self.discarded.iter().map(|(&reason, &count)| (reason, count))
    }

    /// Datagrams of ours that never left for that reason: answers, and what a guest sends. Echo
    /// requests are not among them: their ends are events.
    pub fn undelivered(&self, reason: Undelivered) -> u64 {
        self.undelivered.get(&reason).copied().unwrap_or_default()
    }

    /// Every reason for which a datagram never left, in no order, and how many did not.
    pub fn losses(&self) -> impl Iterator<Item = (Undelivered, u64)> + '_ {
        self.undelivered.iter().map(|(&reason, &count)| (reason, count))
    }
}

/// Why a datagram of ours never left though it had been taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Undelivered {
    /// A later one to the same neighbour took its place while ARP asked for that
    /// (RFC 1122 §2.3.2.2: the latest is kept).
    Replaced,
    /// The neighbour did not answer ARP.
    Unresolved,
    /// The link could not take it.
    Unsent(Unsent),
}

/// Why a frame was silently discarded, and by which layer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// It belongs to a VLAN, and we do not.
    Vlan,
    /// Its EtherType is neither IPv4's nor ARP's.
    EtherType,
    /// Its datagram carries a protocol that nobody here speaks.
    Protocol,
    /// Its datagram is for a UDP port, and nobody here listens on any.
    Port,
    /// It is for one of the hosts that we are, in a frame to another of them (RFC 1122 §3.3.4.2).
    Identity,
    /// Its time to live ran out at one of our routers, which told its sender so if it may.
    Expired,
    /// Its destination is to be unreachable, and its sender was told so if it may.
    Refused,
    /// ARP discarded it.
    Arp(arp::Discard),
    /// IPv4 discarded it.
    Ipv4(ipv4::Discard),
    /// ICMP discarded it.
    Icmp(icmp::Discard),
}
