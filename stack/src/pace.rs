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

    /// Takes note that what was due is done. Whoever was held up for an interval or more begins
    /// the schedule anew.
    pub fn done(&mut self, now: Instant) {
        let next = self.next + self.interval;
        self.next = if next <= now { now + self.interval } else { next };
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
    fn whoever_was_stopped_makes_up_for_nothing() {
        let start = Network::new().now();
        let mut pace = Pace::new(start, SECOND);
        pace.done(start + SECOND * 7 / 2);
        assert_eq!(pace.next(), start + SECOND * 9 / 2);
    }

    const SECOND: Duration = Duration::from_secs(1);
}
