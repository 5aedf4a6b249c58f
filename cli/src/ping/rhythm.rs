use std::time::{Duration, Instant};

use stack::Pace;

use crate::args::Ping;

/// When the next request to one target is due: by the clock, or by the answers.
pub(super) struct Rhythm {
    pace: Pace,
    interval: Duration,
    /// Requests that may be unanswered when the next one leaves before its time.
    window: Option<u16>,
    /// Requests that still leave at once.
    preload: u16,
    asked: u16,
    /// The latest request that was answered.
    answered: u16,
}

impl Rhythm {
    pub(super) fn new(now: Instant, args: &Ping) -> Self {
        let letters = &args.letters;
        let by_answers = letters.adaptive || (letters.flood && args.interval.is_none());
        let interval = match args.interval {
            Some(interval) => interval,
            None if letters.flood => FLOOD,
            None => INTERVAL,
        };
        let at_once = letters.preload.unwrap_or(1);
        Self {
            pace: Pace::new(now, interval),
            interval,
            window: by_answers.then_some(at_once),
            preload: if by_answers { 0 } else { at_once - 1 },
            asked: 0,
            answered: 0,
        }
    }

    /// Whether the answers set the pace.
    pub(super) fn is_by_answers(&self) -> bool {
        self.window.is_some()
    }

    /// Whether it is due; before its time only where none before it is `held` up.
    pub(super) fn is_due(&self, now: Instant, held: bool) -> bool {
        let unanswered = self.asked.wrapping_sub(self.answered);
        let early = self.preload > 0 || self.window.is_some_and(|window| unanswered < window);
        self.pace.next() <= now || (early && !held)
    }

    /// When it is due at the latest.
    pub(super) fn next(&self) -> Instant {
        self.pace.next()
    }

    pub(super) fn asked(&mut self, now: Instant, sequence: u16) {
        self.asked = sequence;
        if self.window.is_some() {
            self.pace = Pace::new(now + self.interval, self.interval);
        } else if self.pace.next() <= now {
            self.pace.done(now);
        } else {
            self.preload = self.preload.saturating_sub(1);
        }
    }

    /// Those asked before `sequence` are no longer waited for.
    pub(super) fn answered(&mut self, sequence: u16) {
        let newer = sequence.wrapping_sub(self.answered);
        if newer <= self.asked.wrapping_sub(self.answered) {
            self.answered = sequence;
        }
    }
}

/// Between two requests to one host.
const INTERVAL: Duration = Duration::from_secs(1);

/// Between two requests of a flood that nobody answers.
const FLOOD: Duration = Duration::from_millis(10);
