use std::time::{Duration, Instant};

/// What a flood draws, as ping(8) does: a dot for each request, which its answer takes away again.
///
/// Nobody sees a hundred thousand of them a second, so they wait to be drawn together; a dot that
/// is answered meanwhile never is.
pub(super) struct Dots {
    waiting: String,
    /// Not before this.
    next: Option<Instant>,
    wanted: bool,
}

impl Dots {
    /// None yet, and none ever unless they are `wanted`.
    pub(super) fn new(wanted: bool) -> Self {
        Self { waiting: String::new(), next: None, wanted }
    }

    /// A request left.
    pub(super) fn asked(&mut self) {
        if self.wanted {
            self.waiting.push('.');
        }
    }

    /// It was answered.
    pub(super) fn answered(&mut self) {
        self.replace("\x08 \x08", "");
    }

    /// An error came in the place of an answer.
    pub(super) fn failed(&mut self) {
        self.replace("\x08E", "E");
    }

    /// What is to be drawn by now.
    pub(super) fn due(&mut self, now: Instant) -> Option<String> {
        let early = self.next.is_some_and(|next| now < next) && self.waiting.len() < MOST;
        if early || self.waiting.is_empty() {
            return None;
        }
        self.next = Some(now + INTERVAL);
        Some(self.rest())
    }

    /// All that waits.
    pub(super) fn rest(&mut self) -> String {
        std::mem::take(&mut self.waiting)
    }

    /// When there will be something to draw.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next.filter(|_| !self.waiting.is_empty())
    }

    /// Puts something in the place of the last dot: `drawn` if there is one on the screen already.
    fn replace(&mut self, drawn: &str, waiting: &str) {
        if !self.wanted {
            return;
        }
        let dot = self.waiting.strip_suffix('.').map(str::len);
        dot.into_iter().for_each(|len| self.waiting.truncate(len));
        self.waiting.push_str(if dot.is_some() { waiting } else { drawn });
    }
}

/// Between two drawings: twenty a second.
const INTERVAL: Duration = Duration::from_millis(50);

/// Octets that wait, at most.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use stack::Lab;

    use super::*;

    #[test]
    fn twenty_times_a_second_what_has_changed_since_is_drawn() {
        let start = Lab::new().now();
        let mut dots = Dots::new(true);
        dots.asked();
        assert_eq!(dots.due(start).as_deref(), Some("."));
        for _ in 0..1000 {
            dots.answered();
            dots.asked();
        }
        dots.asked();
        assert_eq!(dots.due(start + INTERVAL - NANOSECOND), None);
        assert_eq!(dots.deadline(), Some(start + INTERVAL));
        assert_eq!(dots.due(start + INTERVAL).as_deref(), Some("\x08 \x08.."));
        assert_eq!((dots.deadline(), dots.due(start + 2 * INTERVAL)), (None, None));
    }

    #[test]
    fn an_error_stands_in_the_place_of_its_dot() {
        let start = Lab::new().now();
        let mut dots = Dots::new(true);
        dots.asked();
        dots.asked();
        dots.failed();
        assert_eq!(dots.due(start).as_deref(), Some(".E"));
        dots.failed();
        assert_eq!(dots.rest(), "\x08E");
    }

    #[test]
    fn where_nobody_watches_nothing_waits() {
        let start = Lab::new().now();
        let mut dots = Dots::new(false);
        dots.asked();
        dots.failed();
        dots.answered();
        assert_eq!((dots.due(start), dots.deadline()), (None, None));
    }

    const NANOSECOND: Duration = Duration::from_nanos(1);
}
