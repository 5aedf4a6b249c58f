use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

/// Which addresses are ours, and which are everybody's on a network of ours.
#[derive(Default)]
pub(crate) struct Addresses {
    /// Those given one by one, with their networks, in the order they came.
    own: Vec<Ipv4Network>,
    /// Prefixes of which every address is ours.
    hosts: Vec<Ipv4Network>,
    /// All that is ours: first and last of disjoint ranges, in order.
    ranges: Vec<(u32, u32)>,
    /// The broadcast addresses of the connected networks, in order.
    broadcasts: Vec<u32>,
}

impl Addresses {
    /// Adds an address, with the network that it connects.
    pub(crate) fn add(&mut self, network: Ipv4Network) {
        self.own.push(network);
        self.cover(network.ip().into(), network.ip().into());
        self.connect(network);
    }

    /// Adds every address of `prefix`; none of them is a broadcast address any more.
    pub(crate) fn add_hosts(&mut self, prefix: Ipv4Network) {
        self.hosts.push(prefix);
        let (first, last) = bounds(prefix);
        self.cover(first, last);
        self.broadcasts.retain(|broadcast| !(first..=last).contains(broadcast));
    }

    /// Takes note of the broadcast addresses of a connected network: {net, -1} and {net, 0}
    /// (RFC 1122 §3.2.1.3), none where the prefix has 31 or 32 bits (RFC 3021).
    pub(crate) fn connect(&mut self, network: Ipv4Network) {
        if network.prefix() >= 31 {
            return;
        }
        for broadcast in [network.network(), network.broadcast()] {
            if self.hosts.iter().any(|hosts| hosts.contains(broadcast)) {
                continue;
            }
            let broadcast = u32::from(broadcast);
            if let Err(at) = self.broadcasts.binary_search(&broadcast) {
                self.broadcasts.insert(at, broadcast);
            }
        }
    }

    pub(crate) fn own(&self) -> &[Ipv4Network] {
        &self.own
    }

    #[inline]
    pub(crate) fn is_ours(&self, addr: Ipv4Addr) -> bool {
        let addr = u32::from(addr);
        if let [(first, last)] = self.ranges[..] {
            return (first..=last).contains(&addr); // as nearly always
        }
        let at = self.ranges.partition_point(|(_, last)| *last < addr);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= addr)
    }

    #[inline]
    pub(crate) fn is_broadcast(&self, addr: Ipv4Addr) -> bool {
        let number = u32::from(addr);
        match self.broadcasts[..] {
            _ if addr.is_broadcast() => true,
            [low, high] => number == low || number == high, // as nearly always
            _ => self.broadcasts.binary_search(&number).is_ok(),
        }
    }

    /// Our address on the network of `neighbour`, or else the first.
    pub(crate) fn towards(&self, neighbour: Ipv4Addr) -> Ipv4Addr {
        let connected = self.own.iter().find(|network| network.contains(neighbour));
        connected.or_else(|| self.own.first()).map_or(Ipv4Addr::UNSPECIFIED, |network| network.ip())
    }

    /// Makes one range of `first..=last` and of those that it touches.
    fn cover(&mut self, first: u32, last: u32) {
        let from = self.ranges.partition_point(|range| range.1 < first.saturating_sub(1));
        let to = self.ranges.partition_point(|range| range.0 <= last.saturating_add(1));
        let joined = match self.ranges.get(from..to) {
            Some([one]) => (first.min(one.0), last.max(one.1)),
            Some([lowest, .., highest]) => (first.min(lowest.0), last.max(highest.1)),
            _ => (first, last),
        };
        self.ranges.splice(from..to, [joined]);
    }
}

fn bounds(prefix: Ipv4Network) -> (u32, u32) {
    (prefix.network().into(), prefix.broadcast().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_disjoint_in_order_and_hold_what_was_added(
            prefixes in prop::collection::vec((0..64u32, 26..=32u8), 1..20),
        ) {
            let mut addresses = Addresses::default();
            let prefixes: Vec<_> = prefixes
                .into_iter()
                .map(|(low, len)| Ipv4Network::new(low.into(), len).unwrap())
                .collect();
            prefixes.iter().for_each(|prefix| addresses.add_hosts(*prefix));
            for addr in (0..80u32).chain([u32::MAX]).map(Ipv4Addr::from) {
                let ours = prefixes.iter().any(|prefix| prefix.contains(addr));
                prop_assert_eq!(addresses.is_ours(addr), ours, "{}", addr);
            }
            prop_assert!(addresses.ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }

    #[test]
    fn ranges_reach_both_ends_of_the_numbers() {
        let mut addresses = Addresses::default();
        for prefix in ["255.255.255.254/32", "0.0.0.0/32", "255.255.255.255/32", "0.0.0.1/32"] {
            addresses.add_hosts(prefix.parse().unwrap());
        }
        assert_eq!(addresses.ranges, [(0, 1), (u32::MAX - 1, u32::MAX)]);
    }
}
