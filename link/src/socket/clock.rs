use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::frame::Span;

/// Translates the kernel's stamps, which are times of day, to [`Instant`]s.
///
/// Both clocks run at the same rate, so their offset is constant but for steps of the time of day.
/// Each reading confines it to an interval; the offset in use moves only if it turns out to be
/// wrong by more than [`TOLERANCE`], so that two translated stamps subtract exactly. A reading that
/// contradicts all before it tells of a step; stamps from before the step are not translated.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// The instant at which time of day and offset are the same.
    origin: Instant,
    /// Time of day at `origin`, in nanoseconds since the epoch.
    offset: i128,
    low: i128,
    high: i128,
    /// Since the present offset began to hold, up to the latest reading: no stamp seen before that
    /// can be later.
    span: Span,
}

impl Clock {
    pub(crate) fn new(reading: Reading) -> Self {
        let Reading { before, after, .. } = reading;
        let (low, high) = reading.offset(before);
        let offset = i128::midpoint(low, high);
        let dawn = time_of_day(offset);
        let span = Span { since: before, dawn, until: after };
        Self { origin: before, offset, low, high, span }
    }

    /// Learns from a reading.
    pub(crate) fn read(&mut self, reading: Reading) {
        let (low, high) = reading.offset(self.origin);
        self.span.until = reading.after;
        if low > self.high || high < self.low {
            *self = Self::new(reading);
            return;
        }
        self.low = self.low.max(low);
        self.high = self.high.min(high);
        let right = self.offset.clamp(self.low, self.high);
        if right.abs_diff(self.offset) > TOLERANCE {
            self.offset = right;
            self.span.dawn = self.wall(self.span.since);
        }
    }

    /// The instant of `stamp`, since the epoch; read the clock after taking the stamp.
    ///
    /// `None` if it is from before the time of day was last set, or not from this clock at all.
    #[cfg(test)]
    fn instant(&self, stamp: Duration) -> Option<Instant> {
        self.span.instant(stamp)
    }

    /// What stamps are translated by, if they were taken before the latest reading.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// The time of day at `at`, since the epoch.
    pub(crate) fn wall(&self, at: Instant) -> Duration {
        time_of_day(self.offset + between(self.origin, at))
    }
}

/// A reading of the time of day, between two of the clock that never steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) before: Instant,
    pub(crate) wall: Duration,
    pub(crate) after: Instant,
}

impl Reading {
    #[expect(clippy::disallowed_methods, reason = "a link tells the layers their time")]
    pub(crate) fn now() -> Self {
        let before = now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { before, wall, after: now() }
    }

    /// The bounds of the time of day at `origin`.
    fn offset(self, origin: Instant) -> (i128, i128) {
        let wall = self.wall.as_nanos().cast_signed();
        (wall - between(origin, self.after), wall - between(origin, self.before))
    }
}

#[expect(clippy::disallowed_methods, reason = "a link tells the layers their time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds from `start` to `end`, negative if `end` is earlier.
fn between(start: Instant, end: Instant) -> i128 {
    let ahead = end.saturating_duration_since(start).as_nanos().cast_signed();
    ahead - start.saturating_duration_since(end).as_nanos().cast_signed()
}

/// What is so many nanoseconds after the epoch; the epoch itself if that cannot be.
fn time_of_day(nanoseconds: i128) -> Duration {
    u64::try_from(nanoseconds).map(Duration::from_nanos).unwrap_or_default()
}

/// Nanoseconds by which the offset in use may be wrong: what a single good reading leaves open.
const TOLERANCE: u128 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Duration = Duration::from_secs(1_700_000_000);

    /// Nanoseconds after `start`, the time of day was `wall` nanoseconds after [`EPOCH`].
    fn reading(start: Instant, before: u64, wall: u64, after: u64) -> Reading {
        let at = |nanoseconds| start + Duration::from_nanos(nanoseconds);
        Reading { before: at(before), wall: stamp(wall), after: at(after) }
    }

    fn stamp(nanoseconds: u64) -> Duration {
        EPOCH + Duration::from_nanos(nanoseconds)
    }

    #[test]
    fn two_stamps_subtract_exactly_though_many_readings_lie_between() {
        let start = Reading::now().before;
        let mut clock = Clock::new(reading(start, 0, 90, 100));
        clock.read(reading(start, 1_000, 1_040, 1_090));
        let first = clock.instant(stamp(1_005)).unwrap();
        for n in 2..1_000 {
            clock.read(reading(start, n * 1_000, n * 1_000 + 45, n * 1_000 + 95));
        }
        let second = clock.instant(stamp(900_000)).unwrap();
        assert_eq!(second - first, Duration::from_nanos(898_995));
    }

    #[test]
    fn a_narrow_reading_corrects_a_wide_one() {
        let start = Reading::now().before;
        let mut clock = Clock::new(reading(start, 0, 9_000, 10_000));
        clock.read(reading(start, 20_000, 20_001, 20_002));
        let at = clock.instant(stamp(15_000)).unwrap();
        assert!(at.duration_since(start).abs_diff(Duration::from_nanos(15_000)).as_nanos() <= 1);
    }

    #[test]
    fn a_wide_reading_changes_nothing() {
        let start = Reading::now().before;
        let mut clock = Clock::new(reading(start, 0, 10, 20));
        clock.read(reading(start, 1_000, 1_010, 9_000));
        assert_eq!(clock.instant(stamp(500)), Some(start + Duration::from_nanos(500)));
    }

    #[test]
    fn after_a_step_forward_older_stamps_are_not_translated_and_newer_ones_are() {
        let start = Reading::now().before;
        let mut clock = Clock::new(reading(start, 0, 10, 20));
        clock.read(reading(start, 10_000, 3_000_010_010, 10_020));
        assert_eq!(clock.instant(stamp(9_000)), None);
        clock.read(reading(start, 20_000, 3_000_020_010, 20_020));
        let at = clock.instant(stamp(3_000_015_000)).unwrap();
        assert_eq!(at - start, Duration::from_nanos(15_000));
    }

    #[test]
    fn after_a_step_back_older_stamps_are_not_translated() {
        let start = Reading::now().before;
        let mut clock = Clock::new(reading(start, 9_000_000_000, 9_000_000_010, 9_000_000_020));
        clock.read(reading(start, 9_000_010_000, 10_010, 9_000_010_020));
        assert_eq!(clock.instant(stamp(9_000_009_000)), None);
    }

    #[test]
    fn a_stamp_from_the_future_is_no_stamp_of_this_clock() {
        let start = Reading::now().before;
        let clock = Clock::new(reading(start, 0, 10, 20));
        assert_eq!(clock.instant(stamp(1_000)), None);
        assert_eq!(clock.instant(Duration::MAX), None);
        assert_eq!(clock.instant(Duration::ZERO), None);
    }

    #[test]
    fn wall_is_the_inverse_of_instant() {
        let start = Reading::now().before;
        let mut clock = Clock::new(reading(start, 0, 10, 20));
        clock.read(reading(start, 1_000, 1_010, 1_020));
        assert_eq!(clock.wall(clock.instant(stamp(700)).unwrap()), stamp(700));
    }
}
