use std::{
    net::Ipv4Addr,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arp::Owner;
use link::MacAddr6;

/// Many hosts on one link: a rule and two bits for each address, whether it is ours and whether it
/// is to be left alone.
///
/// Clones are the same hosts: what is claimed or barred by one is so for all.
#[derive(Clone, Debug)]
pub struct Hosts {
    macs: Macs,
    /// First and last address of each, and where its bits begin; in order, apart from each other.
    blocks: Arc<[Block]>,
    ours: Bits,
    barred: Bits,
    len: usize,
}

/// Which MAC addresses hosts have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Macs {
    /// All this one.
    One(MacAddr6),
    /// Each its own, 02:00 and the four octets of its address: locally administered.
    Each,
}

impl Hosts {
    /// Those of `ranges`, which may overlap; none of them is ours yet.
    pub fn new(macs: Macs, ranges: impl IntoIterator<Item = RangeInclusive<Ipv4Addr>>) -> Self {
        let mut ranges: Vec<(u32, u32)> = ranges
            .into_iter()
            .map(|range| ((*range.start()).into(), (*range.end()).into()))
            .collect();
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut blocks: Vec<Block> = Vec::new();
        for (first, last) in ranges {
            match blocks.last_mut() {
                Some(block) if first <= block.last => block.last = block.last.max(last),
                _ => blocks.push(Block { first, last, at: 0 }),
            }
        }
        let mut len = 0;
        for block in &mut blocks {
            block.at = len;
            len += (block.last - block.first) as usize + 1;
        }
        Self { macs, blocks: blocks.into(), ours: bits(len), barred: bits(len), len }
    }

    /// The same hosts, those with one MAC address for all having `mac` from now on.
    pub fn renewed(&self, mac: MacAddr6) -> Self {
        let macs = match self.macs {
            Macs::One(_) => Macs::One(mac),
            Macs::Each => Macs::Each,
        };
        Self { macs, ..self.clone() }
    }

    /// Makes `addr` ours, unless it is to be left alone; whether it is ours now.
    pub fn claim(&self, addr: Ipv4Addr) -> bool {
        let Some(n) = self.position(addr) else { return false };
        let barred = is_set(&self.barred, n);
        if !barred {
            self.ours[n / 64].fetch_or(1 << (n % 64), Ordering::Relaxed);
        }
        !barred
    }

    /// Makes all ours that are not to be left alone.
    pub fn claim_all(&self) {
        for addr in self.iter() {
            self.claim(addr);
        }
    }

    /// Leaves `addr` alone from now on; `false` if it is none of these or was left alone before.
    pub fn bar(&self, addr: Ipv4Addr) -> bool {
        let Some(n) = self.position(addr) else { return false };
        self.ours[n / 64].fetch_and(!(1 << (n % 64)), Ordering::Relaxed);
        let before = self.barred[n / 64].fetch_or(1 << (n % 64), Ordering::Relaxed);
        before & 1 << (n % 64) == 0
    }

    /// Whether `addr` is ours.
    pub fn is_ours(&self, addr: Ipv4Addr) -> bool {
        self.position(addr).is_some_and(|n| is_set(&self.ours, n))
    }

    /// Whether `addr` is one of these, ours or not.
    pub fn is_listed(&self, addr: Ipv4Addr) -> bool {
        self.position(addr).is_some()
    }

    /// Whether `addr` is one of these and not left alone, ours already or not.
    pub fn is_wanted(&self, addr: Ipv4Addr) -> bool {
        self.position(addr).is_some_and(|n| !is_set(&self.barred, n))
    }

    /// Whether a frame to `mac` is for one of us, or is the answer to one who wants to be.
    pub fn owns(&self, mac: MacAddr6) -> bool {
        match self.macs {
            Macs::One(ours) => ours == mac,
            Macs::Each => {
                let [two, zero, a, b, c, d] = mac.into_array();
                (two, zero) == (2, 0) && self.is_wanted(Ipv4Addr::new(a, b, c, d))
            }
        }
    }

    /// The MAC address that `addr` has when it is ours.
    pub fn mac_of(&self, addr: Ipv4Addr) -> MacAddr6 {
        match self.macs {
            Macs::One(mac) => mac,
            Macs::Each => {
                let [a, b, c, d] = addr.octets();
                MacAddr6::new(2, 0, a, b, c, d)
            }
        }
    }

    /// How many there are, those left alone included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many are ours.
    pub fn count_ours(&self) -> usize {
        count(&self.ours)
    }

    /// How many are left alone.
    pub fn count_barred(&self) -> usize {
        count(&self.barred)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.blocks.iter().flat_map(|block| (block.first..=block.last).map(Ipv4Addr::from))
    }

    /// The `n`th of them.
    pub(crate) fn nth(&self, n: usize) -> Option<Ipv4Addr> {
        let block = self.blocks[..self.blocks.partition_point(|block| block.at <= n)].last()?;
        let addr = u32::try_from(n - block.at).ok()?.checked_add(block.first)?;
        (addr <= block.last).then(|| addr.into())
    }

    fn position(&self, addr: Ipv4Addr) -> Option<usize> {
        let addr = u32::from(addr);
        let block = self.blocks[..self.blocks.partition_point(|b| b.first <= addr)].last()?;
        (addr <= block.last).then(|| block.at + (addr - block.first) as usize)
    }
}

impl Owner for Hosts {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        self.is_ours(addr).then(|| self.mac_of(addr))
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        self.owns(mac)
    }
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first: u32,
    last: u32,
    at: usize,
}

type Bits = Arc<[AtomicU64]>;

fn bits(len: usize) -> Bits {
    (0..len.div_ceil(64)).map(|_| AtomicU64::new(0)).collect()
}

fn is_set(bits: &Bits, n: usize) -> bool {
    bits[n / 64].load(Ordering::Relaxed) & 1 << (n % 64) != 0
}

fn count(bits: &Bits) -> usize {
    bits.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(ranges: &[(u32, u32)]) -> Hosts {
        Hosts::new(Macs::Each, ranges.iter().map(|&(first, last)| first.into()..=last.into()))
    }

    #[test]
    fn overlapping_ranges_are_one_and_backward_ones_none() {
        let hosts = hosts(&[(10, 20), (15, 25), (30, 30), (9, 3)]);
        assert_eq!(hosts.len(), 17);
        let all: Vec<u32> = hosts.iter().map(u32::from).collect();
        assert_eq!(all, (10..=25).chain([30]).collect::<Vec<_>>());
        let nth: Vec<u32> = (0..20).map_while(|n| hosts.nth(n)).map(u32::from).collect();
        assert_eq!(nth, all);
    }

    #[test]
    fn the_first_and_the_last_address_there_is_are_hosts_like_others() {
        let hosts = hosts(&[(0, 0), (u32::MAX - 1, u32::MAX)]);
        hosts.claim_all();
        assert_eq!((hosts.len(), hosts.count_ours()), (3, 3));
        assert!(hosts.is_ours(Ipv4Addr::BROADCAST) && hosts.is_ours(Ipv4Addr::UNSPECIFIED));
    }

    #[test]
    fn what_is_left_alone_is_never_claimed_again() {
        let hosts = hosts(&[(10, 12)]);
        let eleven = Ipv4Addr::from(11);
        assert!(hosts.claim(eleven) && hosts.bar(eleven) && !hosts.bar(eleven));
        hosts.clone().claim_all();
        assert_eq!((hosts.count_ours(), hosts.count_barred()), (2, 1));
        assert!(!hosts.claim(eleven) && !hosts.claim(Ipv4Addr::from(13)));
        assert_eq!(hosts.mac(eleven), None);
    }

    #[test]
    fn each_has_a_mac_address_of_its_own_that_tells_whose_it_is() {
        let hosts = hosts(&[(0x0a4d_0001, 0x0a4d_0002)]);
        let mac = MacAddr6::new(2, 0, 10, 77, 0, 1);
        assert!(hosts.owns(mac), "of a probe, the answer comes here before the address is ours");
        hosts.claim_all();
        assert_eq!(hosts.mac(Ipv4Addr::new(10, 77, 0, 1)), Some(mac));
        assert!(hosts.owns(mac) && !hosts.owns(MacAddr6::new(2, 0, 10, 77, 0, 3)));
        assert!(!hosts.owns(MacAddr6::new(2, 1, 10, 77, 0, 1)));
        hosts.bar(Ipv4Addr::new(10, 77, 0, 1));
        assert!(!hosts.owns(mac));
    }
}
