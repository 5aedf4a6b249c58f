use std::{collections::HashMap, net::Ipv4Addr};

use macaddr::MacAddr6;

/// Which protocol addresses are ours, and which hardware address each has.
pub trait Owner: Send {
    /// The hardware address of `addr`, if it is ours.
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6>;
}

/// A set of addresses of ours.
pub type Owned = HashMap<Ipv4Addr, MacAddr6>;

impl Owner for Owned {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.get(&addr).copied()
    }
}
