use std::time::{Duration, Instant};

/// A grid of moments that never drifts: so many each span of time, from a start on.
///
/// Whoever was held up makes up for what he missed, but for no more than [`MADE_UP`] of it; he
/// then is on the grid again, which stands where it stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    start: Instant,
    rate: Rate,
    taken: u64,
}

impl Schedule {
    pub(super) fn new(start: Instant, rate: Rate) -> Self {
        Self { start, rate, taken: 0 }
    }

    /// The next moment; `None` when it is beyond all time.
    pub(super) fn due(&self) -> Option<Instant> {
        self.start.checked_add(self.rate.span_of(self.taken)?)
    }

    /// Takes the next moment, it being `now`.
    pub(super) fn take(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.start).saturating_sub(MADE_UP);
        self.taken = self.taken.max(self.rate.moments_before(late)) + 1;
    }

    /// Begins anew at `start`, unless the next moment is later.
    pub(super) fn not_before(&mut self, start: Instant) {
        if self.due().is_some_and(|due| due < start) {
            *self = Self::new(start, self.rate);
        }
    }
}

/// How many probes in which time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    count: u32,
    span: Duration,
}

impl Rate {
    /// As fast as the link takes them.
    pub const UNLIMITED: Self = Self { count: 1, span: Duration::ZERO };

    /// So many a second, evenly spaced; 0 is [`Rate::UNLIMITED`].
    pub fn per_second(count: u32) -> Self {
        match count {
            0 => Self::UNLIMITED,
            count => Self { count, span: Duration::from_secs(1) },
        }
    }

    /// One each `interval`.
    pub fn every(interval: Duration) -> Self {
        Self { count: 1, span: interval }
    }

    /// How long `moments` of them take.
    pub(super) fn span_of(&self, moments: u64) -> Option<Duration> {
        let nanos = self.span.as_nanos().checked_mul(moments.into())? / u128::from(self.count);
        let seconds = u64::try_from(nanos / NANOS).ok()?;
        Some(Duration::new(seconds, (nanos % NANOS) as u32))
    }

    /// How many of them are over when `elapsed` has gone by; none if they take no time.
    fn moments_before(&self, elapsed: Duration) -> u64 {
        let passed = elapsed.as_nanos().saturating_mul(self.count.into());
        let moments = passed.checked_div(self.span.as_nanos()).unwrap_or_default();
        u64::try_from(moments).unwrap_or(u64::MAX - 1)
    }
}

/// How much of what was missed is made up for.
pub(super) const MADE_UP: Duration = Duration::from_millis(100);

/// Nanoseconds of a second.
const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use link::memory::Network;

    #[test]
    fn the_thousandth_moment_of_three_a_second_is_where_it_should_be() {
        let start = Network::new().now();
        let mut schedule = Schedule::new(start, Rate::per_second(3));
        for moment in 0..1000 {
            let due = schedule.due().unwrap();
            assert_eq!(due - start, Duration::from_nanos(moment * 1_000_000_000 / 3));
            schedule.take(due + Duration::from_millis(moment % 7)); // never quite in time
        }
    }

    #[test]
    fn whoever_was_held_up_for_long_makes_up_for_little_and_keeps_the_grid() {
        let start = Network::new().now();
        let ms = Duration::from_millis;
        let mut schedule = Schedule::new(start, Rate::every(ms(10)));
        schedule.take(start);
        schedule.take(start + ms(5005));
        assert_eq!(schedule.due(), Some(start + ms(4910)));
        schedule.take(start + ms(5005));
        assert_eq!(schedule.due(), Some(start + ms(4920)));
    }

    #[test]
    fn what_is_unlimited_is_always_due() {
        let start = Network::new().now();
        let mut schedule = Schedule::new(start, Rate::per_second(0));
        (0..100).for_each(|_| schedule.take(start + MADE_UP * 20));
        assert_eq!(schedule.due(), Some(start));
        schedule.not_before(start + MADE_UP);
        assert_eq!(schedule.due(), Some(start + MADE_UP));
    }

    #[test]
    fn the_longest_times_overflow_nothing() {
        let start = Network::new().now();
        let mut schedule = Schedule::new(start, Rate::every(Duration::MAX));
        assert_eq!(schedule.due(), Some(start));
        schedule.take(start);
        schedule.take(start);
        let _ = schedule.due();
        assert_eq!(
            Rate::every(Duration::from_nanos(1)).moments_before(Duration::MAX),
            u64::MAX - 1
        );
    }
}
