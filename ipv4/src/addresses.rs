use std::{
    iter,
    net::Ipv4Addr,
    ops::{Range, RangeInclusive},
};

use ipnetwork::Ipv4Network;
use smallvec::SmallVec;

/// Which addresses are ours, and which are everybody's on a network of ours.
///
/// Nearly every host has one address on one network: that much is kept in place.
#[derive(Default)]
pub(crate) struct Addresses {
    /// Those given one by one, with their networks, in the order they came.
    own: SmallVec<[Ipv4Network; 1]>,
    /// All that is ours: first and last of disjoint ranges, in order.
    ranges: SmallVec<[(u32, u32); 1]>,
    /// The broadcast addresses of the connected networks, in order.
    broadcasts: SmallVec<[u32; 2]>,
}

impl Addresses {
    /// Adds an address, with the network that it connects.
    pub(crate) fn add(&mut self, network: Ipv4Network) {
        self.own.push(network);
        self.cover(network.ip().into(), network.ip().into());
        self.connect(network);
    }

    /// Adds all of `addrs`; none of them is a broadcast address as long as it is ours.
    pub(crate) fn add_hosts(&mut self, addrs: RangeInclusive<Ipv4Addr>) {
        let (first, last) = (u32::from(*addrs.start()), u32::from(*addrs.end()));
        if first <= last {
            self.cover(first, last);
        }
    }

    /// Takes `addr` out of what is ours; whether it was.
    pub(crate) fn remove_host(&mut self, addr: Ipv4Addr) -> bool {
        let addr = u32::from(addr);
        let at = self.ranges.partition_point(|(_, last)| *last < addr);
        let Some(&(first, last)) = self.ranges.get(at).filter(|(first, _)| *first <= addr) else {
            return false;
        };
        let below = (first < addr).then(|| (first, addr - 1));
        let above = (addr < last).then(|| (addr + 1, last));
        self.replace(at..at + 1, below.into_iter().chain(above));
        true
    }

    /// Takes note of the broadcast addresses of a connected network: {net, -1} and {net, 0}
    /// (RFC 1122 §3.2.1.3), none where the prefix has 31 or 32 bits (RFC 3021).
    pub(crate) fn connect(&mut self, network: Ipv4Network) {
        if network.prefix() >= 31 {
            return;
        }
        for broadcast in [network.network(), network.broadcast()] {
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
            [low, high] if number != low && number != high => false, // as nearly always
            _ => self.broadcasts.binary_search(&number).is_ok() && !self.is_ours(addr),
        }
    }

    /// Our address on the network of `neighbour`, or else the first.
    pub(crate) fn towards(&self, neighbour: Ipv4Addr) -> Ipv4Addr {
        let connected = self.own.iter().find(|network| network.contains(neighbour));
        connected.or_else(|| self.own.first()).map_or(Ipv4Addr::UNSPECIFIED, |network| network.ip())
    }

    /// In whose name what is from `src` goes to `neighbour`: that of our address there where `src`
    /// is of another network, so that neighbours are only asked by hosts that are on the link.
    pub(crate) fn speaker(&self, src: Ipv4Addr, neighbour: Ipv4Addr) -> Ipv4Addr {
        let mut speaker = None;
        for network in self.own.iter().filter(|network| network.contains(neighbour)) {
            if network.contains(src) {
                return src;
            }
            speaker = speaker.or_else(|| Some(network.ip()).filter(|ours| self.is_ours(*ours)));
        }
        speaker.unwrap_or(src)
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
        self.replace(from..to, iter::once(joined));
    }

    fn replace(&mut self, places: Range<usize>, ranges: impl Iterator<Item = (u32, u32)>) {
        let at = places.start;
        self.ranges.drain(places);
        self.ranges.insert_many(at, ranges);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_disjoint_in_order_and_hold_what_was_added_and_not_removed(
            acts in prop::collection::vec((0..64u32, 0..30u32, any::<bool>()), 1..20),
        ) {
            let (mut addresses, mut ours) = (Addresses::default(), BTreeSet::new());
            for (low, len, stays) in acts {
                if stays {
                    addresses.add_hosts(low.into()..=(low + len).into());
                    ours.extend(low..=low + len);
                } else {
                    prop_assert_eq!(addresses.remove_host(low.into()), ours.remove(&low));
                }
            }
            for addr in (0..100u32).chain([u32::MAX]) {
                let is_ours = addresses.is_ours(addr.into());
                prop_assert_eq!(is_ours, ours.contains(&addr), "{}", addr);
            }
            prop_assert!(addresses.ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }

    #[test]
    fn ranges_reach_both_ends_of_the_numbers() {
        let mut addresses = Addresses::default();
        for addr in [u32::MAX - 1, 0, u32::MAX, 1].map(Ipv4Addr::from) {
            addresses.add_hosts(addr..=addr);
        }
        assert_eq!(addresses.ranges[..], [(0, 1), (u32::MAX - 1, u32::MAX)]);
        assert!(addresses.remove_host(Ipv4Addr::BROADCAST));
        assert!(addresses.remove_host(Ipv4Addr::UNSPECIFIED));
        assert_eq!(addresses.ranges[..], [(1, 1), (u32::MAX - 1, u32::MAX - 1)]);
    }
}
