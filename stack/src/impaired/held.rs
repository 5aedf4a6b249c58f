use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

/// Frames that are held back, no more than [`ROOM`].
#[derive(Default)]
pub(super) struct Held {
    /// By their time, those of one time in the order in which they came.
    frames: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    count: u64,
    /// Not to be tried before.
    postponed: Option<Instant>,
}

impl Held {
    /// Holds `frame` back until `at`; `false` if there is no room.
    pub(super) fn push(&mut self, at: Instant, frame: Vec<u8>) -> bool {
        let room = self.frames.len() < ROOM;
        if room {
            self.count += 1;
            self.frames.push(Reverse((at, self.count, frame)));
        }
        room
    }

    /// The next frame whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<&[u8]> {
        self.postponed = self.postponed.take_if(|postponed| *postponed > now);
        let Reverse((at, _, frame)) = self.frames.peek()?;
        (*at <= now && self.postponed.is_none()).then_some(frame)
    }

    /// Takes the next frame out.
    pub(super) fn pop(&mut self) -> Vec<u8> {
        self.frames.pop().map(|Reverse((_, _, frame))| frame).unwrap_or_default()
    }

    /// Has nothing due before `at`.
    pub(super) fn postpone(&mut self, at: Instant) {
        self.postponed = Some(at);
    }

    /// When there is a frame to send.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let Reverse((at, ..)) = self.frames.peek()?;
        Some(self.postponed.map_or(*at, |postponed| postponed.max(*at)))
    }
}

/// Most frames held back at a time; of full frames, 12 MB.
const ROOM: usize = 8_192;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use link::memory::Network;

    use super::*;

    #[test]
    fn frames_leave_by_their_time_and_then_in_their_order() {
        let (mut held, now) = (Held::default(), Network::new().now());
        let later = now + Duration::from_millis(1);
        for (at, name) in [(later, 1), (now, 2), (later, 3), (now, 4)] {
            assert!(held.push(at, vec![name]));
        }
        assert_eq!(held.deadline(), Some(now));
        let mut order = Vec::new();
        while held.due(now).is_some() {
            order.extend(held.pop());
        }
        assert_eq!((order, held.deadline()), (vec![2, 4], Some(later)));
        held.postpone(later + Duration::from_millis(1));
        assert_eq!(held.due(later), None);
        assert_eq!(held.due(later + Duration::from_millis(1)), Some(&[1][..]));
    }

    #[test]
    fn no_more_are_held_than_there_is_room_for() {
        let (mut held, now) = (Held::default(), Network::new().now());
        let taken = (0..ROOM + 3).filter(|_| held.push(now, Vec::new())).count();
        assert_eq!(taken, ROOM);
    }
}
