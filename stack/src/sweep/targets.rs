use std::{collections::BTreeMap, net::Ipv4Addr, ops::RangeInclusive};

use link::MacAddr6;

/// A set of addresses, in their order: a range costs no more than an address, so that four
/// billion of them cost nothing. To find one takes a few steps for a million ranges.
///
/// ```
/// use sidestack_stack::Targets;
///
/// let of = |first: [u8; 4], last: [u8; 4]| first.into()..=last.into();
/// let lan: Targets = [of([10, 0, 0, 0], [10, 0, 0, 255])].into_iter().collect();
/// let targets = lan.without(&[of([10, 0, 0, 7], [10, 0, 0, 9])].into_iter().collect());
/// assert_eq!(targets.len(), 253);
/// assert_eq!(targets.nth(7), Some([10, 0, 0, 10].into()));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Targets {
    /// Apart from each other, in order.
    ranges: Vec<Range>,
    pins: BTreeMap<Ipv4Addr, MacAddr6>,
}

impl Targets {
    /// Says where `addr` is, so that nobody has to be asked; whether it is one of the set or not.
    pub fn pin(&mut self, addr: Ipv4Addr, mac: MacAddr6) {
        self.pins.insert(addr, mac);
    }

    /// Those that are not in `excluded`; what is pinned stays so.
    pub fn without(&self, excluded: &Self) -> Self {
        let mut left = Vec::new();
        let mut holes = excluded.ranges.iter().peekable();
        for range in &self.ranges {
            let mut first = u64::from(range.first);
            let last = u64::from(range.last);
            while let Some(hole) = holes.next_if(|hole| hole.last < range.first) {
                let _ = hole; // before everything that is still to come
            }
            while let Some(hole) = holes.peek().filter(|hole| hole.first <= range.last) {
                if first < u64::from(hole.first) {
                    left.push((first as u32, hole.first - 1));
                }
                first = u64::from(hole.last) + 1;
                if last < first {
                    break; // it may reach into the next range too
                }
                holes.next();
            }
            if first <= last {
                left.push((first as u32, range.last));
            }
        }
        Self { ranges: numbered(left), pins: self.pins.clone() }
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.ranges.last().map_or(0, |range| u64::from(range.before) + range.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The address that `n` others stand before.
    pub fn nth(&self, n: u64) -> Option<Ipv4Addr> {
        let after = self.ranges.partition_point(|range| u64::from(range.before) <= n);
        let range = self.ranges[..after].last()?;
        let offset = n - u64::from(range.before);
        (offset < range.len()).then(|| Ipv4Addr::from(range.first + offset as u32))
    }

    /// How many stand before `addr`, if it is one of them.
    pub fn position(&self, addr: Ipv4Addr) -> Option<u64> {
        let addr = u32::from(addr);
        let after = self.ranges.partition_point(|range| range.first <= addr);
        let range = self.ranges[..after].last().filter(|range| addr <= range.last)?;
        Some(u64::from(range.before) + u64::from(addr - range.first))
    }

    /// Whether `addr` is one of them.
    pub fn contains(&self, addr: Ipv4Addr) -> bool {
        self.position(addr).is_some()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.ranges.iter().flat_map(|range| (range.first..=range.last).map(Ipv4Addr::from))
    }

    /// Where some addresses are.
    pub fn pins(&self) -> &BTreeMap<Ipv4Addr, MacAddr6> {
        &self.pins
    }
}

/// In any order, and overlapping as they like; one whose end is before its start is empty.
impl FromIterator<RangeInclusive<Ipv4Addr>> for Targets {
    fn from_iter<I: IntoIterator<Item = RangeInclusive<Ipv4Addr>>>(ranges: I) -> Self {
        let ranges = ranges.into_iter().filter(|range| !range.is_empty());
        let mut bounds: Vec<(u32, u32)> =
            ranges.map(|range| ((*range.start()).into(), (*range.end()).into())).collect();
        bounds.sort_unstable();
        bounds.dedup_by(|(first, last), (_, reached)| {
            let touches = u64::from(*first) <= u64::from(*reached) + 1;
            if touches {
                *reached = (*reached).max(*last);
            }
            touches
        });
        Self { ranges: numbered(bounds), pins: BTreeMap::new() }
    }
}

/// The addresses from `first` to `last`, and how many of the set are before them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Range {
    first: u32,
    last: u32,
    before: u32,
}

impl Range {
    fn len(&self) -> u64 {
        u64::from(self.last - self.first) + 1
    }
}

fn numbered(bounds: Vec<(u32, u32)>) -> Vec<Range> {
    let mut before = 0_u32;
    let number = |(first, last): (u32, u32)| {
        let range = Range { first, last, before };
        before = before.wrapping_add((last - first).wrapping_add(1)); // wraps after the last only
        range
    };
    bounds.into_iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(ranges: &[(u32, u32)]) -> Targets {
        ranges.iter().map(|&(first, last)| first.into()..=last.into()).collect()
    }

    #[test]
    fn overlapping_and_touching_ranges_are_one() {
        let set = targets(&[(20, 30), (5, 9), (10, 12), (25, 40), (7, 7)]);
        assert_eq!(set, targets(&[(5, 12), (20, 40)]));
        assert_eq!(set.len(), 8 + 21);
        assert_eq!(set.ranges.len(), 2);
    }

    #[test]
    fn an_address_and_its_position_are_two_names_of_one_thing() {
        let set = targets(&[(5, 12), (20, 40), (u32::MAX, u32::MAX)]);
        for (n, addr) in set.iter().enumerate() {
            assert_eq!(set.nth(n as u64), Some(addr));
            assert_eq!(set.position(addr), Some(n as u64));
        }
        assert_eq!(set.iter().count() as u64, set.len());
        assert_eq!(set.nth(set.len()), None);
        assert!([0, 4, 13, 19, 41, u32::MAX - 1].iter().all(|&n| !set.contains(n.into())));
    }

    #[test]
    fn the_whole_address_space_is_one_range() {
        let all = targets(&[(0, u32::MAX)]);
        assert_eq!(all.len(), 1 << 32);
        assert_eq!(all.nth(u32::MAX.into()), Some(Ipv4Addr::BROADCAST));
        assert_eq!(all.nth(1 << 32), None);
        let most = all.without(&targets(&[(0, 0), (u32::MAX, u32::MAX)]));
        assert_eq!(most, targets(&[(1, u32::MAX - 1)]));
        assert!(all.without(&all).is_empty());
    }

    #[test]
    fn what_is_excluded_is_gone_however_the_ranges_lie() {
        let numbers = |set: &Targets| set.iter().map(u32::from).collect::<Vec<_>>();
        let mut n = 1_u64;
        let mut random = |below: u64| {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (n >> 33) as u32 % below as u32
        };
        for _ in 0..2000 {
            let [set, excluded] = [5, 5].map(|count| {
                let mut range = || (random(60), random(12));
                let ranges: Vec<_> = (0..count).map(|_| range()).collect();
                targets(&ranges.iter().map(|(at, len)| (*at, at + len)).collect::<Vec<_>>())
            });
            let left = set.without(&excluded);
            let expected: Vec<_> =
                numbers(&set).into_iter().filter(|&n| !excluded.contains(n.into())).collect();
            assert_eq!(numbers(&left), expected, "{set:?} without {excluded:?}");
            assert_eq!(left.len(), expected.len() as u64);
        }
    }
}
