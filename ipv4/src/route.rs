use std::net::Ipv4Addr;

use arp::NextHop;
use ipnetwork::Ipv4Network;

/// How the destinations of a prefix are reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hop {
    /// They are on the link.
    Connected,
    /// Through this gateway, which is on the link.
    Gateway(Ipv4Addr),
}

/// A routing decision (RFC 1122 §3.3.1), and why it was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Route {
    /// Whom the frame goes to.
    pub next_hop: NextHop,
    /// The address that the datagram leaves from.
    pub src: Ipv4Addr,
    /// What decided.
    pub why: Why,
}

/// What decided over a [`Route`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// The destination is the limited broadcast address, or that of a network of ours.
    Broadcast,
    /// The destination is a group.
    Multicast,
    /// The longest prefix that covers the destination, and what is said of it.
    Prefix(Ipv4Network, Hop),
    /// The longest prefix has several gateways, and the best of them is dead (RFC 1122 §3.3.1.4).
    Instead {
        /// The longest prefix that covers the destination.
        prefix: Ipv4Network,
        /// The gateway that is used, the best of those alive.
        gateway: Ipv4Addr,
        /// The gateway that would be used.
        dead: Ipv4Addr,
    },
}
