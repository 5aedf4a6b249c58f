use std::{
    net::Ipv4Addr,
    ops::Add,
    time::{Duration, Instant},
};

/// A moment in 8 octets: nanoseconds, from long before the first that [`Clock`] was told.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Tick(pub(crate) u64);

impl Tick {
    /// Earlier than any that a clock tells.
    pub(crate) const NEVER: Self = Self(0);
    /// Later than any.
    pub(crate) const END: Self = Self(u64::MAX);

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Translates the caller's time; the first moment that it is told is its origin.
#[derive(Default)]
pub(crate) struct Clock(Option<Instant>);

impl Clock {
    pub(crate) fn tick(&mut self, now: Instant) -> Tick {
        let origin = *self.0.get_or_insert(now);
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Tick(match now.checked_duration_since(origin) {
            Some(since) => BASE.saturating_add(nanos(since)),
            None => BASE.saturating_sub(nanos(origin.saturating_duration_since(now))).max(1),
        })
    }

    /// `None` for a moment that never comes.
    pub(crate) fn instant(&self, tick: Tick) -> Option<Instant> {
        if tick == Tick::END {
            return None;
        }
        self.0?.checked_add(Duration::from_nanos(tick.0.saturating_sub(BASE)))
    }
}

/// Evenly distributed over [0, 1), and the same for the same arguments (SplitMix64).
pub(crate) fn fraction(seed: u64, addr: Ipv4Addr, nth: u64) -> f64 {
    let mut mixed = seed;
    for part in [u64::from(u32::from(addr)), nth] {
        mixed = (mixed ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
    }
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// The origin's tick: an hour, for what is stamped before it.
const BASE: u64 = 3_600_000_000_000;
