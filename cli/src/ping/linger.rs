use std::time::Duration;

/// What came of a series so far, as far as it tells what its last requests may still bring.
#[derive(Clone, Copy, Default)]
pub(super) struct Linger {
    /// Requests that nobody answered in time.
    pub(super) timed_out: u64,
    /// Answers that came too late.
    pub(super) late: u64,
    /// Answers beyond the first; how many of them the last requests will have, nobody knows.
    pub(super) duplicates: u64,
}

impl Linger {
    /// For how long beyond the last request's end an answer may still be late or doubled, where
    /// others were; `None` where nothing is to be expected. Each was waited for so long.
    pub(super) fn after_all(self, wait: Duration) -> Option<Duration> {
        let for_late = (0 < self.late && self.late < self.timed_out).then_some(wait);
        let for_doubles = (self.duplicates > 0).then_some(DOUBLES);
        for_late.max(for_doubles)
    }
}

/// How far behind its first a second answer may come.
const DOUBLES: Duration = Duration::from_millis(200);
