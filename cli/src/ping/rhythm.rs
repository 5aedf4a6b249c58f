use std::time::{Duration, Instant};

use stack::Pace;

use crate::args::Ping;

/// When the next request to one target is due: by the clock, or by the answers.
pub(super) struct Rhythm {
    pace: Pace,
    interval: Duration,
    /// Requests that may be unanswered when the next one leaves before its time.
    window: Option<u16>,
    flood: bool,
    /// Requests that still leave at once.
    preload: u16,
    /// The number of the latest request.
    asked: u64,
    /// That of the latest which was answered.
    answered: u64,
    /// The number of the latest request that bore each sequence number, where answers set the
    /// pace: those that were still in use have been passed over.
    latest: Vec<u64>,
}

impl Rhythm {
    pub(super) fn new(now: Instant, args: &Ping) -> Self {
        let letters = &args.letters;
        let window = window(args);
        let interval = match args.interval {
            Some(interval) => interval,
            None if letters.flood => FLOOD,
            None => INTERVAL,
        };
        Self {
            pace: Pace::new(now, interval),
            interval,
            window,
            flood: letters.flood,
            preload: letters.preload.filter(|_| window.is_none()).map_or(0, |preload| preload - 1),
            asked: 0,
            answered: 0,
            latest: vec![0; window.map_or(0, |_| SEQUENCES)],
        }
    }

    /// Whether the answers set the pace.
    pub(super) fn is_by_answers(&self) -> bool {
        self.window.is_some()
    }

    /// Whether it is a flood.
    pub(super) fn is_flood(&self) -> bool {
        self.flood
    }

    /// So many turns in a row may bring nothing before it is worth to wait: in a flood, to look once
    /// more takes no system call, and to be woken longer than the answer that is on its way.
    pub(super) fn patience(&self) -> u32 {
        match self.window {
            Some(_) if self.flood => SPINS,
            Some(_) => 1,
            None => 0,
        }
    }

    /// Whether the next is due; before its time only where none before it is `held` up. What
    /// answers set the pace of is not asked for while there can be none.
    pub(super) fn is_due(&self, now: Instant, held: bool) -> bool {
        let unanswered = self.asked - self.answered;
        match self.window {
            Some(window) => !held && (unanswered < window.into() || self.pace.next() <= now),
            None => self.pace.next() <= now || (self.preload > 0 && !held),
        }
    }

    /// When it is due at the latest; `None` while nobody can say.
    pub(super) fn next(&self, held: bool) -> Option<Instant> {
        (self.window.is_none() || !held).then(|| self.pace.next())
    }

    /// The request of that number, counted from 1, was made.
    pub(super) fn asked(&mut self, now: Instant, number: u64) {
        self.asked = number;
        if let Some(latest) = self.latest.get_mut(usize::from(number as u16)) {
            *latest = number;
        }
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
        let number = self.latest.get(usize::from(sequence)).copied().unwrap_or_default();
        self.answered = self.answered.max(number);
    }
}

/// How many requests are under way at once, where the answers set the pace.
pub(super) fn window(args: &Ping) -> Option<u16> {
    let letters = &args.letters;
    let flood = letters.flood && args.interval.is_none();
    let usual = if flood { WINDOW } else { 1 };
    (flood || letters.adaptive).then(|| letters.preload.unwrap_or(usual))
}

/// Between two requests to one host.
const INTERVAL: Duration = Duration::from_secs(1);

/// Between two requests of a flood that nobody answers.
const FLOOD: Duration = Duration::from_millis(10);

/// Requests of a flood that are under way at once, unless said: where each answer is there as soon
/// as its request has left, more of them are not answered any sooner.
const WINDOW: u16 = 32;

/// Turns in vain before a flood waits: some microseconds.
const SPINS: u32 = 16;

/// How many sequence numbers there are.
pub(super) const SEQUENCES: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use stack::Lab;

    use super::*;

    fn rhythm(now: Instant, window: u16) -> Rhythm {
        let pace = Pace::new(now, FLOOD);
        let (interval, window, latest) = (FLOOD, Some(window), vec![0; SEQUENCES]);
        Rhythm { pace, interval, window, flood: true, preload: 0, asked: 0, answered: 0, latest }
    }

    /// Makes all requests that are due; returns how many.
    fn ask(rhythm: &mut Rhythm, now: Instant) -> u64 {
        let before = rhythm.asked;
        while rhythm.is_due(now, false) {
            rhythm.asked(now, rhythm.asked + 1);
        }
        rhythm.asked - before
    }

    #[test]
    fn an_answer_makes_room_for_its_request_and_for_all_before_it() {
        let now = Lab::new().now();
        let mut rhythm = rhythm(now, 4);
        assert_eq!(ask(&mut rhythm, now), 4);
        rhythm.answered(1);
        assert_eq!(ask(&mut rhythm, now), 1);
        rhythm.answered(4);
        assert_eq!(ask(&mut rhythm, now), 3);
        rhythm.answered(2); // overtaken
        assert_eq!(ask(&mut rhythm, now), 0);
    }

    #[test]
    fn without_answers_a_hundred_leave_a_second_however_long_it_takes() {
        let start = Lab::new().now();
        let mut rhythm = rhythm(start, 4);
        assert_eq!(ask(&mut rhythm, start), 4);
        for n in 1..70_000 {
            let next = start + n * FLOOD;
            assert_eq!(rhythm.next(false), Some(next));
            assert_eq!(ask(&mut rhythm, next), 1, "after {n} times 10 ms");
        }
        rhythm.answered(rhythm.asked as u16);
        assert_eq!(ask(&mut rhythm, start + 69_999 * FLOOD), 4);
    }

    #[test]
    fn an_answer_to_a_number_since_passed_over_makes_no_room_for_later_ones() {
        let now = Lab::new().now();
        let mut rhythm = rhythm(now, 4);
        let lap = SEQUENCES as u64;
        for number in 1..=lap {
            rhythm.asked(now, number);
        }
        rhythm.answered((lap - 1) as u16);
        // 1, 2 and 3 still are in use.
        assert_eq!(rhythm.asked - rhythm.answered, 1);
        for number in lap + 4..lap + 7 {
            rhythm.asked(now, number);
        }
        assert!(!rhythm.is_due(now, false));
        rhythm.answered(3);
        assert!(!rhythm.is_due(now, false), "the first lap's 3 is answered, no later one");
        rhythm.answered(4);
        assert_eq!(rhythm.asked - rhythm.answered, 2);
    }

    #[test]
    fn nothing_is_due_while_the_first_is_held_up() {
        let start = Lab::new().now();
        let mut rhythm = rhythm(start, 4);
        rhythm.asked(start, 1);
        assert!(!rhythm.is_due(start + 2 * FLOOD, true));
        assert_eq!(rhythm.next(true), None);
        assert_eq!(ask(&mut rhythm, start + 2 * FLOOD), 3);
    }
}
