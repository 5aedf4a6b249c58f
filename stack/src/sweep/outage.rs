use std::time::{Duration, Instant};

use link::Unsent;

/// A link that was up and goes down: whoever has nothing to send through waits, for some time.
pub(super) struct Outage {
    /// What is left of it.
    patience: Duration,
    /// When the link went down, unless it is up.
    began: Option<Instant>,
    /// When it last did, be it up again or not.
    latest: Option<Instant>,
    /// Until when nothing is sent.
    until: Option<Instant>,
    /// Whether something has come through the link since it last refused a frame.
    is_passable: bool,
}

impl Outage {
    /// Of none yet; one is waited out for `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, began: None, latest: None, until: None, is_passable: false }
    }

    /// The link has gone down.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.began, self.latest, self.is_passable) = (Some(now), Some(now), false);
        self.until = now.checked_add(self.patience);
    }

    /// The link is up; returns for how long it was waited for.
    pub(super) fn end(&mut self, now: Instant) -> Duration {
        (self.until, self.is_passable) = (None, true);
        let began = self.began.take().unwrap_or(now);
        let waited = now.saturating_duration_since(began).min(self.patience);
        self.patience -= waited; // a link that goes up and down may not hold us for ever
        waited
    }

    /// Something has come through the link.
    pub(super) fn passed(&mut self) {
        self.is_passable = true;
    }

    /// Whether what the link has refused at `at` is to be sent again once it is up.
    pub(super) fn keeps(&mut self, at: Instant, reason: Unsent) -> bool {
        if self.patience.is_zero() || !matches!(reason, Unsent::Down | Unsent::NoCarrier) {
            return false;
        }
        if self.until.is_some_and(|until| at < until) {
            return true;
        }
        // A frame may be refused just before the word of it comes, but only then.
        let is_first = std::mem::replace(&mut self.is_passable, false);
        if is_first {
            self.until = at.checked_add(WORD);
        }
        is_first
    }

    /// Whether the link went down under what had left by `at` so long before, and is unanswered.
    pub(super) fn spoilt(&self, at: Instant, before: Duration) -> bool {
        let left = at.checked_sub(before);
        !self.patience.is_zero()
            && self.latest.is_some_and(|down| left.is_none_or(|left| left <= down) && down <= at)
    }

    /// Until when nothing is sent; it may be over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }
}

/// How much later than the first refusal the word that the link is down may come.
const WORD: Duration = Duration::from_millis(100);
