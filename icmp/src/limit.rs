use std::{collections::HashMap, net::Ipv4Addr};

/// How many may be sent: so many a second in the long run, and so many at once after a pause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// In the long run; 0 is none at all.
    pub per_second: u32,
    /// At once; 0 is none at all.
    pub burst: u32,
}

impl Limit {
    /// Ticks from one to the next; `None` where there is never one.
    fn interval(self) -> Option<u64> {
        (self.burst > 0).then_some(())?;
        SECOND.checked_div(self.per_second.into())
    }
}

/// A token bucket (RFC 1812 §4.3.2.8), kept as the moment when it will be full again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bucket {
    full: u64,
}

impl Bucket {
    /// The bucket without one token more; `None` if there is none.
    pub(crate) fn taken(self, limit: Limit, now: u64) -> Option<Self> {
        let interval = limit.interval()?;
        let full = self.full.max(now);
        let room = interval.saturating_mul(u64::from(limit.burst) - 1);
        (full - now <= room).then(|| Self { full: full.saturating_add(interval) })
    }
}

/// Who tells whom: one of ours may have said its share to a host, and another not a word.
pub(crate) type Pair = (Option<Ipv4Addr>, Ipv4Addr);

/// A bucket for each pair and one for all, in bounded memory.
pub(crate) struct Buckets {
    all: Limit,
    each: Limit,
    common: Bucket,
    own: HashMap<Pair, Bucket>,
    /// For those for whom there is no room among `own`.
    rest: Bucket,
}

impl Buckets {
    pub(crate) fn new(all: Limit, each: Limit) -> Self {
        let (common, rest) = (Bucket::default(), Bucket::default());
        Self { all, each, common, own: HashMap::new(), rest }
    }

    /// Takes a token for `pair`; `false` if either bucket has none, and then neither loses one.
    pub(crate) fn take(&mut self, pair: Pair, now: u64) -> bool {
        if self.own.len() >= PAIRS && !self.own.contains_key(&pair) {
            self.own.retain(|_, bucket| bucket.full > now);
        }
        let own = self.own.get(&pair).copied();
        let room = own.is_some() || self.own.len() < PAIRS;
        let bucket = if room { own.unwrap_or_default() } else { self.rest };
        let taken = bucket.taken(self.each, now).zip(self.common.taken(self.all, now));
        let Some((bucket, common)) = taken else { return false };
        self.common = common;
        if room {
            self.own.insert(pair, bucket);
        } else {
            self.rest = bucket;
        }
        true
    }
}

const SECOND: u64 = 1_000_000_000;

/// Pairs with a bucket of their own: of those that are not full again, the default limits
/// let there be 250.
const PAIRS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_at_once_and_then_one_each_interval() {
        let limit = Limit { per_second: 10, burst: 3 };
        let mut bucket = Bucket::default();
        let mut taken = |now| match bucket.taken(limit, now) {
            Some(less) => {
                bucket = less;
                true
            }
            None => false,
        };
        assert_eq!([0, 0, 0, 0].map(&mut taken), [true, true, true, false]);
        let ms = SECOND / 1000;
        assert_eq!(
            [99, 100, 100, 199, 200].map(|at| taken(at * ms)),
            [false, true, false, false, true]
        );
        assert_eq!([9000; 5].map(|at| taken(at * ms)), [true, true, true, false, false]);
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_out() {
        for limit in [Limit { per_second: 0, burst: 9 }, Limit { per_second: 9, burst: 0 }] {
            assert!(Bucket::default().taken(limit, 7).is_none());
        }
    }

    #[test]
    fn ever_more_destinations_take_no_more_memory_and_are_limited_together() {
        let all = Limit { per_second: 1_000_000, burst: 1_000_000 };
        let each = Limit { per_second: 1, burst: 2 };
        let mut buckets = Buckets::new(all, each);
        let told = (0..10_000).filter(|n| buckets.take((None, Ipv4Addr::from_bits(*n)), 5));
        assert_eq!(told.count(), PAIRS + 2);
        assert_eq!(buckets.own.len(), PAIRS);
        assert!(
            buckets.take((None, Ipv4Addr::from_bits(20_000)), 5 + 2 * SECOND),
            "old ones make room"
        );
        assert_eq!(buckets.own.len(), 1);
    }
}
