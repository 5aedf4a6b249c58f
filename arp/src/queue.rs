use std::{collections::VecDeque, time::Instant};

use crate::event::Event;

/// Events to be told by the next polls.
#[derive(Default)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    /// When the oldest came up.
    since: Option<Instant>,
}

impl Events {
    /// Tells what somebody waits for.
    pub(crate) fn push(&mut self, now: Instant, event: Event) {
        self.since.get_or_insert(now);
        self.queue.push_back(event);
    }

    /// Tells what can be done without, unless very much is waiting to be told.
    pub(crate) fn note(&mut self, now: Instant, event: Event) {
        if !self.is_full() {
            self.push(now, event);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front();
        if self.queue.is_empty() {
            self.since = None;
        }
        event
    }

    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Whether nothing should be accepted that may be handed back.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= BOUND
    }
}

/// Events beyond which what can wait does, and news are dropped.
const BOUND: usize = 4096;
