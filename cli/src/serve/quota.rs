use std::time::{Duration, Instant};

/// Lines of which there may be so many in a second: what others send decides how many there would
/// be.
pub(super) struct Quota {
    /// The second that is being counted.
    since: Instant,
    told: u32,
}

impl Quota {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, told: 0 }
    }

    /// Whether there may be one more.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= SECOND {
            *self = Self::new(now);
        }
        self.told += 1;
        self.told <= MOST
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// More than any network has by itself.
const MOST: u32 = 1_000;

#[cfg(test)]
mod tests {
    use link::memory::Network;

    use super::*;

    #[test]
    fn what_is_too_much_for_one_second_is_not_too_much_for_the_next() {
        let began = Network::new().now();
        let mut quota = Quota::new(began);
        let taken = |quota: &mut Quota, after| {
            (0..MOST + 9).filter(|_| quota.take(began + Duration::from_millis(after))).count()
        };
        assert_eq!(
            [0, 999, 1_000, 3_500].map(|ms| taken(&mut quota, ms)),
            [1_000, 0, 1_000, 1_000]
        );
    }
}
