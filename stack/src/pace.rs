use std::time::{Duration, Instant};

/// An absolute schedule: one thing to do each interval, without drift, and without a burst after
/// whoever keeps it was held up.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    next: Instant,
    interval: Duration,
}

impl Pace {
    /// The first is due at `start`, each other `interval` after the one before.
    pub fn new(start: Instant, interval: Duration) -> Self {
        Self { next: start, interval }
    }

    /// When the next is due.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// Takes note that what was due is done; slots that have gone by entirely are skipped.
    pub fn done(&mut self, now: Instant) {
        self.next += self.interval;
        let behind = now.saturating_duration_since(self.next).as_nanos();
        let missed = behind.checked_div(self.interval.as_nanos()).unwrap_or_default();
        self.next += self.interval.saturating_mul(missed.try_into().unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::memory::Network;

    #[test]
    fn a_late_keeper_stays_on_the_schedule() {
        let start = Network::new().now();
        let mut pace = Pace::new(start, SECOND);
        pace.done(start + SECOND / 3);
        assert_eq!(pace.next(), start + SECOND);
        pace.done(start + SECOND * 3 / 2);
        assert_eq!(pace.next(), start + SECOND * 2);
    }

    #[test]
    fn slots_that_went_by_while_stopped_are_skipped_and_make_no_burst() {
        let start = Network::new().now();
        let mut pace = Pace::new(start, SECOND);
        pace.done(start + SECOND * 7 / 2);
        assert_eq!(pace.next(), start + SECOND * 3, "the one that is due now");
        pace.done(start + SECOND * 7 / 2);
        assert_eq!(pace.next(), start + SECOND * 4);
    }

    const SECOND: Duration = Duration::from_secs(1);
}
