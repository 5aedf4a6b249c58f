use std::time::{Duration, Instant};

use stack::{
    icmp::{self, Straying},
    sweep::{Ended, Outcome},
};

/// Until when the last answers to a series may still be late or doubled, where others were.
#[derive(Default)]
pub(super) struct Linger {
    timed_out: u64,
    late: u64,
    /// Some have come more than once; how often the last ones will, nobody knows.
    doubled: bool,
    last_end: Option<Instant>,
}

impl Linger {
    pub(super) fn ended(&mut self, ended: &Ended) {
        self.last_end = Some(ended.at);
        if let Outcome::Echo(icmp::Outcome::TimedOut { .. }) = ended.outcome {
            self.timed_out += 1;
        }
    }

    /// An answer ended no probe.
    pub(super) fn stray(&mut self, straying: Straying) {
        match straying {
            Straying::Duplicate { .. } => self.doubled = true,
            Straying::Late { .. } => self.late += 1,
            _ => {}
        }
    }

    /// `None` where nothing is to be expected; each request was waited for so long.
    pub(super) fn until(&self, wait: Duration) -> Option<Instant> {
        let for_late = (0 < self.late && self.late < self.timed_out).then_some(wait);
        let for_doubles = self.doubled.then_some(DOUBLES);
        self.last_end?.checked_add(for_late.max(for_doubles)?)
    }
}

/// How far behind its first a second answer may come.
const DOUBLES: Duration = Duration::from_millis(200);
