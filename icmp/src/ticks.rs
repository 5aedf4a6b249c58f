use std::time::{Duration, Instant};

/// Moments in 8 octets: nanoseconds since an hour before the first that it was asked about.
#[derive(Clone, Copy, Default)]
pub(crate) struct Epoch(Option<Instant>);

impl Epoch {
    /// `at` in ticks; what is older than the epoch is as old as that.
    pub(crate) fn ticks(&mut self, at: Instant) -> u64 {
        let epoch = *self.0.get_or_insert_with(|| at.checked_sub(HOUR).unwrap_or(at));
        ticks(at.saturating_duration_since(epoch))
    }

    /// The moment of `ticks`; `None` where no clock will ever show it.
    pub(crate) fn instant(self, ticks: u64) -> Option<Instant> {
        if ticks == NEVER {
            return None;
        }
        self.0?.checked_add(Duration::from_nanos(ticks))
    }
}

/// A length of time in ticks; [`NEVER`] beyond some 584 years.
pub(crate) fn ticks(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(NEVER)
}

/// What no clock shows.
pub(crate) const NEVER: u64 = u64::MAX;

/// Stamps may be older than the first moment that we hear of.
const HOUR: Duration = Duration::from_secs(3600);
