use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::Ipv4Addr,
    time::Duration,
};

use ipv4::Source;

use crate::{
    deadlines::Deadlines,
    spread::Spread,
    ticks::{NEVER, ticks},
};

/// Whom an echo asks, and its sequence number.
pub(crate) type Key = (Ipv4Addr, u16);

/// The echo requests that have not ended, and those that ended last: 32 octets each. Every moment
/// is in ticks.
pub(crate) struct Flights {
    slots: HashMap<Key, Slot, Spread>,
    /// At least one item for each echo under way, no later than its own deadline.
    deadlines: Deadlines,
    /// In which order echoes ended, and which use of its key each was.
    past: VecDeque<(Key, u8)>,
    /// When the latest request left that each host has answered, as long as it is remembered.
    answered: HashMap<Ipv4Addr, u64, Spread>,
    in_flight: usize,
    under_way: usize,
    remembered: usize,
}

/// What is known of one echo request.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    /// When it left, in ticks; 0 before.
    pub(crate) left: u64,
    /// In ticks.
    pub(crate) timeout: u64,
    /// What only its sender knows of its data, beyond the cookie.
    pub(crate) proof: u32,
    /// Octets of its data.
    pub(crate) len: u16,
    pub(crate) state: State,
    /// Counts the echoes of the same key that are remembered, so that none is taken for another.
    turn: u8,
}

/// An echo request that has not ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Awaited {
    /// Whom it asks.
    pub dst: Ipv4Addr,
    /// Its sequence number.
    pub sequence: u16,
    /// Whether it has left, or still waits for its next hop to answer ARP.
    pub has_left: bool,
}

/// What has become of an echo request.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum State {
    /// It waits for its next hop to answer ARP.
    Kept,
    /// It has left, as this one says.
    Left(Source),
    /// It left, and its reply came.
    Answered,
    /// It left, and ended otherwise.
    Unanswered,
}

impl Slot {
    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::Kept | State::Left(_))
    }

    /// In ticks; [`NEVER`] before it has left, too.
    pub(crate) fn deadline(&self) -> u64 {
        match self.state {
            State::Kept => NEVER,
            _ => self.left.saturating_add(self.timeout),
        }
    }

    /// How long it waits for its reply.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.timeout)
    }

    /// From its leaving until `at`.
    pub(crate) fn elapsed(&self, at: u64) -> Duration {
        Duration::from_nanos(at.saturating_sub(self.left))
    }
}

impl Flights {
    /// None; of those that will have ended, `remembered` are kept.
    pub(crate) fn new(remembered: usize) -> Self {
        Self {
            slots: HashMap::default(),
            deadlines: Deadlines::default(),
            past: VecDeque::new(),
            answered: HashMap::default(),
            in_flight: 0,
            under_way: 0,
            remembered,
        }
    }

    /// Makes room for so many in flight at once.
    pub(crate) fn reserve(&mut self, in_flight: usize) {
        let more = in_flight.saturating_sub(self.in_flight);
        self.slots.reserve(more);
        self.deadlines.reserve(more);
        self.past.reserve(more.min(self.remembered.saturating_sub(self.past.len())));
    }

    /// One more that waits to leave; it is not in flight yet.
    pub(crate) fn begin(&mut self, key: Key, timeout: Duration, len: usize, proof: u32) {
        let len = len.try_into().unwrap_or(u16::MAX);
        let turn = self.slots.get(&key).map_or(0, |before| before.turn.wrapping_add(1));
        let (left, timeout, state) = (0, ticks(timeout), State::Kept);
        self.slots.insert(key, Slot { left, timeout, proof, len, state, turn });
        self.in_flight += 1;
    }

    /// Takes note that one left. A better stamp of the same replaces another; the user's own is
    /// none of those.
    pub(crate) fn start(&mut self, key: Key, left: u64, source: Source) {
        let Some(slot) = self.slots.get_mut(&key).filter(|slot| slot.is_in_flight()) else {
            return;
        };
        let (first, before) = (slot.state == State::Kept, slot.deadline());
        if !first && source == Source::User {
            return;
        }
        (slot.left, slot.state) = (left, State::Left(source));
        let deadline = slot.deadline();
        self.under_way += usize::from(first);
        if first || deadline < before {
            self.deadlines.push((deadline, key));
            self.prune();
        }
    }

    /// Ends one; `None` if it is not in flight.
    pub(crate) fn end(&mut self, key: Key, answered: bool) -> Option<()> {
        let slot = self.slots.get_mut(&key).filter(|slot| slot.is_in_flight())?;
        self.in_flight -= 1;
        if slot.state == State::Kept {
            self.slots.remove(&key);
            return Some(());
        }
        self.under_way -= 1;
        slot.state = if answered { State::Answered } else { State::Unanswered };
        let (left, turn) = (slot.left, slot.turn);
        if answered && (self.answered.len() < HOSTS || self.answered.contains_key(&key.0)) {
            let latest = self.answered.entry(key.0).or_insert(left);
            *latest = left.max(*latest);
        }
        self.past.push_back((key, turn));
        while self.past.len() > self.remembered {
            self.forget_oldest();
        }
        Some(())
    }

    /// One whose wait is over; each once, if the caller then ends it.
    pub(crate) fn due(&mut self, now: u64) -> Option<(Key, Duration)> {
        while let Some((_, key)) = self.deadlines.pop(now) {
            let Some(slot) = self.in_flight(key) else { continue };
            match slot.deadline() {
                deadline if deadline > now => self.deadlines.push((deadline, key)),
                _ => return Some((key, slot.waited())),
            }
        }
        None
    }

    /// When one may next be due.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// One in flight, or remembered.
    pub(crate) fn slot(&self, key: Key) -> Option<&Slot> {
        self.slots.get(&key)
    }

    /// One in flight.
    pub(crate) fn in_flight(&self, key: Key) -> Option<&Slot> {
        self.slot(key).filter(|slot| slot.is_in_flight())
    }

    /// How many are in flight, and how many of those have left.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.in_flight, self.under_way)
    }

    /// Those under way among the first `most` that are looked at.
    pub(crate) fn some_under_way(&self, most: usize) -> impl Iterator<Item = Key> + '_ {
        let keys = self.deadlines.iter().map(|(_, key)| key).take(most);
        keys.filter(|key| self.in_flight(*key).is_some())
    }

    /// Those in flight, in no order.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = Awaited> + '_ {
        let flights = self.slots.iter().filter(|(_, slot)| slot.is_in_flight());
        flights.map(|(&(dst, sequence), slot)| {
            let has_left = matches!(slot.state, State::Left(_));
            Awaited { dst, sequence, has_left }
        })
    }

    /// Whether `dst` has answered a request that left after `left`.
    pub(crate) fn is_overtaken(&self, dst: Ipv4Addr, left: u64) -> bool {
        self.answered.get(&dst).is_some_and(|latest| left < *latest)
    }

    fn forget_oldest(&mut self) {
        let Some((key, turn)) = self.past.pop_front() else { return };
        let ended = |slot: &&Slot| slot.turn == turn && !slot.is_in_flight(); // turns come round
        let Some(slot) = self.slots.get(&key).filter(ended) else { return };
        if self.answered.get(&key.0) == Some(&slot.left) {
            self.answered.remove(&key.0);
        }
        self.slots.remove(&key);
    }

    /// Drops the items of what has ended once they are more than half.
    fn prune(&mut self) {
        if self.deadlines.len() <= 2 * self.under_way + SPARE {
            return;
        }
        let slots = &self.slots;
        let mut kept = HashSet::with_capacity_and_hasher(self.under_way, Spread::default());
        self.deadlines.retain(|(at, key)| {
            let slot = slots.get(&key).filter(|slot| slot.is_in_flight());
            slot.is_some_and(|slot| at <= slot.deadline()) && kept.insert(key)
        });
    }
}

/// Hosts for which it is known which of their replies came out of order.
const HOSTS: usize = 4096;

/// Items of ended echoes that are not worth looking for.
const SPARE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_takes_32_octets_and_16_for_its_deadline() {
        assert_eq!(size_of::<(Key, Slot)>(), 32);
        assert_eq!(size_of::<(u64, Key)>(), 16);
    }

    #[test]
    fn one_sequence_used_over_and_over_leaves_no_heap_of_deadlines_behind() {
        let mut flights = Flights::new(10);
        let key = (Ipv4Addr::new(10, 0, 0, 2), 7);
        for n in 0..1000 {
            flights.begin(key, Duration::from_secs(3600 - n), 56, 0);
            flights.start(key, 1, Source::User);
            assert!(flights.deadlines.len() <= 2 + SPARE);
            flights.end(key, true).unwrap();
        }
        assert_eq!((flights.slots.len(), flights.past.len()), (1, 10));
        assert_eq!(flights.count(), (0, 0));
    }

    #[test]
    fn what_ended_long_ago_is_forgotten_and_what_is_in_flight_anew_is_not() {
        let mut flights = Flights::new(2);
        let key = |sequence| (Ipv4Addr::new(10, 0, 0, 2), sequence);
        let send = |flights: &mut Flights, sequence| {
            flights.begin(key(sequence), Duration::from_secs(1), 56, 0);
            flights.start(key(sequence), 1, Source::User);
        };
        send(&mut flights, 0);
        flights.end(key(0), true).unwrap();
        send(&mut flights, 0);
        for sequence in 1..9 {
            send(&mut flights, sequence);
            flights.end(key(sequence), true).unwrap();
        }
        let known = (0..9).filter(|sequence| flights.slot(key(*sequence)).is_some());
        assert_eq!(known.collect::<Vec<_>>(), [0, 7, 8]);
        assert_eq!(flights.count(), (1, 1));
    }

    #[test]
    fn what_is_in_flight_is_not_forgotten_however_often_its_sequence_was_used_before() {
        for used in [255, 256, 257, 512] {
            let mut flights = Flights::new(used);
            let key = |sequence| (Ipv4Addr::new(10, 0, 0, 2), sequence);
            let send = |flights: &mut Flights, sequence| {
                flights.begin(key(sequence), Duration::from_secs(1), 56, 0);
                flights.start(key(sequence), 1, Source::User);
            };
            for _ in 0..used {
                send(&mut flights, 7);
                flights.end(key(7), true).unwrap();
            }
            send(&mut flights, 7);
            send(&mut flights, 8);
            flights.end(key(8), true).unwrap();
            assert!(flights.in_flight(key(7)).is_some(), "used {used} times before");
            assert_eq!((flights.past.len(), flights.count()), (used, (1, 1)));
            assert_eq!(flights.end(key(7), true), Some(()));
        }
    }
}
