use link::Unsent;
use smallvec::SmallVec;

/// What went by a host.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    received: u64,
    discarded: Counts<Discard>,
    /// None where all has left.
    undelivered: Option<Box<Counts<Undelivered>>>,
}

impl Counters {
    pub(crate) fn count(&mut self, taken: Result<(), Discard>) {
        self.received += 1;
        if let Err(discard) = taken {
            self.discarded.count(discard);
        }
    }

    pub(crate) fn lose(&mut self, reason: Undelivered) {
        self.undelivered.get_or_insert_default().count(reason);
    }

    /// Frames taken in, discarded or not; our own that came back are not among them.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Frames discarded for that reason.
    pub fn discarded(&self, reason: Discard) -> u64 {
        self.discarded.of(reason)
    }

    /// Every reason for which a frame was discarded, in no order, and how many were.
    pub fn reasons(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        self.discarded.0.iter().copied()
    }

    /// Datagrams of ours that never left for that reason: answers, and what a guest sends. Echo
    /// requests are not among them: their ends are events.
    pub fn undelivered(&self, reason: Undelivered) -> u64 {
        self.undelivered.as_ref().map_or(0, |counts| counts.of(reason))
    }

    /// Every reason for which a datagram never left, in no order, and how many did not.
    pub fn losses(&self) -> impl Iterator<Item = (Undelivered, u64)> + '_ {
        self.undelivered.iter().flat_map(|counts| counts.0.iter().copied())
    }
}

/// How often each of a few things has happened. Many hosts hear nothing but what is for others: one
/// count is kept in place.
#[derive(Clone, Debug)]
struct Counts<T>(SmallVec<[(T, u64); 1]>);

impl<T: Copy + PartialEq> Counts<T> {
    fn count(&mut self, what: T) {
        match self.0.iter_mut().find(|(other, _)| *other == what) {
            Some((_, count)) => *count += 1,
            None => self.0.push((what, 1)),
        }
    }

    fn of(&self, what: T) -> u64 {
        self.0.iter().find(|(other, _)| *other == what).map_or(0, |(_, count)| *count)
    }
}

impl<T> Default for Counts<T> {
    fn default() -> Self {
        Self(SmallVec::new())
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

/// Why a frame was discarded, and by which layer; silently, unless said otherwise.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// It belongs to a VLAN, and we do not.
    Vlan,
    /// Its source is no station: a group, or zero (IEEE 802.3 §3.2.3).
    Station,
    /// Its EtherType is neither IPv4's nor ARP's.
    EtherType,
    /// Its datagram carries a protocol that nobody here speaks; its sender was told so if it may.
    Protocol,
    /// Its datagram is for a UDP port, and nobody here listens on any; its sender was told so if it
    /// may.
    Port,
    /// Its UDP message is shorter than a header, or not as long as it says (RFC 768).
    UdpLength,
    /// Its UDP checksum is wrong (RFC 1122 §4.1.3.4).
    UdpChecksum,
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
