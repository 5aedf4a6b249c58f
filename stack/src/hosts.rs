use std::{net::Ipv4Addr, ops::RangeInclusive};

use arp::{Block, Macs, Owner};
use link::MacAddr6;

/// Many hosts by a rule: which addresses there are, which MAC address each has, and which of them
/// are left alone or silent.
#[derive(Clone, Debug)]
pub struct Hosts {
    macs: Macs,
    /// In order, apart from each other and from what is left alone.
    blocks: Vec<Block>,
    left_alone: Vec<Block>,
    silent: Vec<Block>,
}

impl Hosts {
    /// Those of `ranges`, which may overlap.
    pub fn new(macs: Macs, ranges: impl IntoIterator<Item = RangeInclusive<Ipv4Addr>>) -> Self {
        let mut blocks: Vec<Block> = ranges
            .into_iter()
            .map(|range| Block { first: *range.start(), last: *range.end(), macs })
            .filter(|block| !block.is_empty())
            .collect();
        blocks.sort_unstable_by_key(|block| block.first);
        blocks.dedup_by(|next, block| {
            let overlap = next.first <= block.last;
            if overlap {
                block.last = block.last.max(next.last);
            }
            overlap
        });
        Self { macs, blocks, left_alone: Vec::new(), silent: Vec::new() }
    }

    /// Leaves alone those in `range`, as somebody else's: they are hosts no more.
    pub fn leave(&mut self, range: &RangeInclusive<Ipv4Addr>) {
        let left = self.take_out(range);
        self.left_alone.extend(left);
    }

    /// Silences those in `range`: they answer nothing, as if they were not there.
    pub fn silence(&mut self, range: &RangeInclusive<Ipv4Addr>) {
        let silent = self.take_out(range);
        self.silent.extend(silent);
    }

    /// The same hosts, those with one MAC address for all having `mac` from now on.
    pub fn renewed(&self, mac: MacAddr6) -> Self {
        let Macs::One(_) = self.macs else { return self.clone() };
        let macs = Macs::One(mac);
        let renewed =
            |blocks: &[Block]| blocks.iter().map(|block| Block { macs, ..*block }).collect();
        let [blocks, left_alone, silent] =
            [&self.blocks, &self.left_alone, &self.silent].map(|blocks| renewed(blocks));
        Self { macs, blocks, left_alone, silent }
    }

    /// Whether `addr` is a host.
    pub fn contains(&self, addr: Ipv4Addr) -> bool {
        self.mac(addr).is_some()
    }

    /// Whether `addr` was to be one, and is left alone.
    pub fn is_left_alone(&self, addr: Ipv4Addr) -> bool {
        self.left_alone.iter().any(|block| block.mac(addr).is_some())
    }

    /// Whether `addr` was to be one, and is silent.
    pub fn is_silent(&self, addr: Ipv4Addr) -> bool {
        self.silent.iter().any(|block| block.mac(addr).is_some())
    }

    /// Whose MAC address `mac` is, if each has its own.
    pub fn addr(&self, mac: MacAddr6) -> Option<Ipv4Addr> {
        self.macs.addr(mac).filter(|addr| self.contains(*addr))
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        len(&self.blocks)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many are left alone.
    pub fn left_alone(&self) -> usize {
        len(&self.left_alone)
    }

    /// How many are silent.
    pub fn silent(&self) -> usize {
        len(&self.silent)
    }

    /// Each host and the MAC address it has, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, MacAddr6)> + '_ {
        self.blocks.iter().flat_map(Block::iter)
    }

    /// All hosts, in order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = RangeInclusive<Ipv4Addr>> + '_ {
        self.blocks.iter().map(|block| block.first..=block.last)
    }

    /// Takes those in `range` out of the hosts.
    fn take_out(&mut self, range: &RangeInclusive<Ipv4Addr>) -> Vec<Block> {
        let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
        if first > last {
            return Vec::new();
        }
        let (mut blocks, mut taken) = (Vec::with_capacity(self.blocks.len() + 1), Vec::new());
        for block in self.blocks.drain(..) {
            let below = first.checked_sub(1).map(|end| block.last.min(end.into()));
            let above = last.checked_add(1).map(|begin| block.first.max(begin.into()));
            blocks.extend(below.map(|last| Block { last, ..block }));
            blocks.extend(above.map(|first| Block { first, ..block }));
            let within = Block {
                first: block.first.max(first.into()),
                last: block.last.min(last.into()),
                ..block
            };
            taken.extend(Some(within).filter(|within| !within.is_empty()));
        }
        blocks.retain(|block| !block.is_empty());
        self.blocks = blocks;
        taken
    }
}

impl Owner for Hosts {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        let at = self.blocks.partition_point(|block| block.last < addr);
        self.blocks.get(at)?.mac(addr)
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        match self.macs {
            Macs::One(one) => one == mac && !self.is_empty(),
            Macs::Each(_) => self.addr(mac).is_some(),
        }
    }
}

fn len(blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.len() as usize).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EACH: Macs = Macs::Each([2, 0]);

    fn hosts(ranges: &[(u32, u32)]) -> Hosts {
        Hosts::new(EACH, ranges.iter().map(|&(first, last)| first.into()..=last.into()))
    }

    #[test]
    fn overlapping_ranges_are_one_and_backward_ones_none() {
        let hosts = hosts(&[(10, 20), (15, 25), (30, 30), (9, 3)]);
        assert_eq!(hosts.len(), 17);
        let all: Vec<u32> = hosts.iter().map(|(addr, _)| addr.into()).collect();
        assert_eq!(all, (10..=25).chain([30]).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_and_the_last_address_there_is_are_hosts_like_others() {
        let mut hosts = hosts(&[(0, 1), (u32::MAX - 1, u32::MAX)]);
        assert!(hosts.contains(Ipv4Addr::BROADCAST) && hosts.contains(Ipv4Addr::UNSPECIFIED));
        hosts.leave(&(Ipv4Addr::UNSPECIFIED..=Ipv4Addr::UNSPECIFIED));
        hosts.leave(&(Ipv4Addr::BROADCAST..=Ipv4Addr::BROADCAST));
        let all: Vec<u32> = hosts.iter().map(|(addr, _)| addr.into()).collect();
        assert_eq!(all, [1, u32::MAX - 1]);
    }

    #[test]
    fn each_has_a_mac_address_of_its_own_that_tells_whose_it_is() {
        let mut hosts = hosts(&[(0x0a4d_0001, 0x0a4d_0002)]);
        let (addr, mac) = (Ipv4Addr::new(10, 77, 0, 1), MacAddr6::new(2, 0, 10, 77, 0, 1));
        assert_eq!((hosts.mac(addr), hosts.addr(mac)), (Some(mac), Some(addr)));
        assert!(hosts.owns(mac) && !hosts.owns(MacAddr6::new(2, 0, 10, 77, 0, 3)));
        assert!(!hosts.owns(MacAddr6::new(2, 1, 10, 77, 0, 1)));
        hosts.leave(&(addr..=addr));
        assert!(!hosts.owns(mac) && hosts.is_left_alone(addr));
    }

    #[test]
    fn who_is_silent_is_no_host_and_left_to_nobody() {
        let mut hosts = hosts(&[(10, 19)]);
        hosts.silence(&(12.into()..=13.into()));
        hosts.leave(&(13.into()..=14.into()));
        hosts.silence(&(14.into()..=14.into()));
        assert_eq!((hosts.len(), hosts.silent(), hosts.left_alone()), (7, 2, 1));
        for (addr, silent, left) in [(12, true, false), (13, true, false), (14, false, true)] {
            let addr = Ipv4Addr::from(addr);
            assert!(!hosts.contains(addr));
            assert_eq!((hosts.is_silent(addr), hosts.is_left_alone(addr)), (silent, left));
        }
    }

    proptest! {
        #[test]
        fn whoever_is_left_alone_is_no_host_and_all_others_are(
            ranges in prop::collection::vec((0..90_u32, 0..20_u32), 1..6),
            left in prop::collection::vec((0..90_u32, 0..20_u32), 0..6),
        ) {
            let covers = |all: &[(u32, u32)], addr| {
                all.iter().any(|(first, len)| (*first..=first + len).contains(&addr))
            };
            let ends: Vec<_> = ranges.iter().map(|(first, len)| (*first, first + len)).collect();
            let mut hosts = hosts(&ends);
            let all = hosts.len();
            for (first, len) in &left {
                hosts.leave(&((*first).into()..=(first + len).into()));
            }
            for addr in 0..120 {
                let (is, was_left) = (covers(&ranges, addr), covers(&left, addr));
                prop_assert_eq!(hosts.contains(addr.into()), is && !was_left, "{}", addr);
                prop_assert_eq!(hosts.is_left_alone(addr.into()), is && was_left, "{}", addr);
            }
            prop_assert_eq!(hosts.len() + hosts.left_alone(), all);
            prop_assert_eq!(hosts.iter().count(), hosts.len());
        }
    }
}
