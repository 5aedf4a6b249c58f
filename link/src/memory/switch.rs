use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    LATENCY,
    fate::{Fate, Transit},
    pool::{Octets, Pool, Queues},
    port::PortId,
    station::{Arrived, Station, Terms},
    wires::{InFlight, To, Wires},
};
use crate::frame::Unsent;

/// A learning switch (IEEE 802.1D §7), or a hub, and the wires to its stations.
pub(super) struct Switch {
    pub(super) now: Instant,
    pub(super) latency: Duration,
    pub(super) fate: Option<Verdict>,
    pub(super) sent: u64,
    pub(super) spare: Pool,
    queues: Queues,
    /// By port number; `None` once unplugged. Numbers are never given twice.
    stations: Vec<Option<Station>>,
    /// Behind which port an address was last seen; none on a hub.
    learned: Option<HashMap<u64, PortId, BuildHasherDefault<Mix>>>,
    wires: Wires,
    /// Ports that something came in for since they were last taken off, each once; it may have
    /// been unplugged meanwhile.
    woken: VecDeque<PortId>,
    /// What the clock on the wall was set to, and when.
    wall: Vec<(Instant, Duration)>,
}

impl Switch {
    pub(super) fn new(now: Instant, learns: bool) -> Self {
        Self {
            now,
            latency: LATENCY,
            fate: None,
            sent: 0,
            spare: Pool::default(),
            queues: Queues::default(),
            stations: Vec::new(),
            learned: learns.then(HashMap::default),
            wires: Wires::default(),
            woken: VecDeque::new(),
            wall: vec![(now, EPOCH)],
        }
    }

    pub(super) fn plug(&mut self, terms: Terms) -> PortId {
        self.stations.push(Some(Station::new(terms)));
        PortId(self.count() - 1)
    }

    /// Forgets a station, and what was on its way to it: time need not pass for that.
    pub(super) fn unplug(&mut self, port: PortId) {
        let Some(station) = self.stations[port.number()].take() else { return };
        if let Some(learned) = &mut self.learned {
            let mut left = station.learned;
            if learned.get(&station.last_src) == Some(&port) {
                learned.remove(&station.last_src);
                left -= 1;
            }
            if left > 0 {
                learned.retain(|_, behind| *behind != port);
            }
        }
        let Self { wires, stations, .. } = self;
        wires.retain(|to| is_there(stations, to));
    }

    pub(super) fn station(&mut self, port: PortId) -> Option<&mut Station> {
        self.stations.get_mut(port.number())?.as_mut()
    }

    pub(super) fn advance_to(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let mut moment = (self.now, self.since_epoch(self.now));
        while let Some(InFlight { at, to, octets }) = self.wires.arrived(self.now) {
            if at != moment.0 {
                moment = (at, self.since_epoch(at));
            }
            let Some(among) = to.among else {
                self.arrive(to.port, moment, octets);
                continue;
            };
            for port in (0..among.get()).map(PortId).filter(|port| *port != to.port) {
                self.arrive(port, moment, octets.clone());
            }
            octets.into_iter().for_each(|octets| self.spare.give_back(octets));
        }
    }

    /// Takes back the frames of `batch`, and puts there at most `most` that have arrived at `port`.
    pub(super) fn exchange(&mut self, port: PortId, batch: &mut VecDeque<Arrived>, most: usize) {
        for Arrived { octets, .. } in batch.drain(..) {
            self.spare.give_back(octets);
        }
        let Some(station) = &mut self.stations[port.number()] else { return };
        if station.inbox.len() > most {
            if batch.capacity() == 0 {
                *batch = self.queues.take();
            }
            batch.extend(station.inbox.drain(..most));
            return;
        }
        let emptied = mem::replace(batch, mem::take(&mut station.inbox));
        self.queues.give_back(emptied);
    }

    pub(super) fn next_arrival(&self) -> Option<Instant> {
        self.wires.next()
    }

    pub(super) fn woken(&mut self) -> Option<PortId> {
        while let Some(port) = self.woken.pop_front() {
            if let Some(station) = &mut self.stations[port.number()] {
                station.woken = false;
                return Some(port);
            }
        }
        None
    }

    /// Has a port named as woken at `at`, without anything arriving there.
    pub(super) fn wake_at(&mut self, at: Instant, to: PortId) {
        if self.station(to).is_some() {
            self.wires.depart(at.max(self.now), To::one(to), None);
        }
    }

    pub(super) fn set_wall(&mut self, since_epoch: Duration) {
        self.wall.retain(|(at, _)| *at < self.now);
        self.wall.push((self.now, since_epoch));
    }

    /// The time of day at `at`.
    pub(super) fn since_epoch(&self, at: Instant) -> Duration {
        let set = self.wall.iter().rev().find(|(set, _)| *set <= at);
        let (set, since_epoch) = set.unwrap_or(&self.wall[0]);
        *since_epoch + at.saturating_duration_since(*set)
    }

    /// Lets a frame of `from` go: to the port that its destination was seen behind, or to all.
    ///
    /// Says why, if a fate refused it.
    pub(super) fn forward(&mut self, from: PortId, octets: Octets) -> Option<Unsent> {
        self.sent += 1;
        self.learn(from, address(&octets, 6));
        let dst = address(&octets, 0);
        let known = match &self.learned {
            Some(learned) if !is_group(dst) => learned.get(&dst).copied(),
            _ => None,
        };
        match known {
            Some(to) if to == from => {
                self.spare.give_back(octets);
                None
            }
            Some(to) => self.carry(from, to, octets),
            None => self.carry_to_all(from, octets),
        }
    }

    fn learn(&mut self, port: PortId, src: u64) {
        let Some(learned) = &mut self.learned else { return };
        let Some(station) = &mut self.stations[port.number()] else { return };
        if station.last_src == src || is_group(src) {
            return;
        }
        station.last_src = src;
        let old = learned.insert(src, port);
        if old == Some(port) {
            return;
        }
        station.learned += 1;
        if let Some(old) = old
            && let Some(station) = &mut self.stations[old.number()]
        {
            station.learned -= 1;
            station.last_src = 0; // it may speak there again
        }
    }

    fn carry_to_all(&mut self, but: PortId, octets: Octets) -> Option<Unsent> {
        let to = To::all_but(but, self.count());
        if self.fate.is_none() && is_there(&self.stations, to) {
            let at = self.now + self.latency;
            self.wires.depart(at, to, Some(octets));
            return None;
        }
        let mut refused = None;
        for to in (0..self.count()).map(PortId) {
            if to != but && self.stations[to.number()].is_some() {
                refused = self.carry(but, to, Arc::clone(&octets)).or(refused);
            }
        }
        self.spare.give_back(octets);
        refused
    }

    fn carry(&mut self, from: PortId, to: PortId, octets: Octets) -> Option<Unsent> {
        let at = self.now + self.latency;
        let Some(fate) = &mut self.fate else {
            self.wires.depart(at, To::one(to), Some(octets));
            return None;
        };
        let fate = fate(&Transit { octets: &octets, from, to, at: self.now });
        if fate.lost || fate.refused.is_some() {
            self.spare.give_back(octets);
            return fate.refused;
        }
        let octets = if fate.spares_octets() {
            octets
        } else {
            let mut altered = self.spare.take();
            octets.as_slice().clone_into(Arc::make_mut(&mut altered));
            fate.alter(Arc::make_mut(&mut altered));
            self.spare.give_back(octets);
            altered
        };
        let (at, to) = (at + fate.late, To::one(to));
        if let Some(after) = fate.again {
            let octets = Some(Arc::clone(&octets));
            self.wires.depart(at + after, to, octets);
        }
        self.wires.depart(at, to, Some(octets));
        None
    }

    /// Has `octets` taken in at `port`, or merely wakes it.
    #[inline]
    fn arrive(
        &mut self,
        port: PortId,
        (at, since_epoch): (Instant, Duration),
        octets: Option<Octets>,
    ) {
        let Some(station) = &mut self.stations[port.number()] else { return };
        if !station.woken {
            station.woken = true;
            self.woken.push_back(port);
        }
        if let Some(octets) = octets {
            station.take_in(Arrived { at, since_epoch, octets }, &mut self.queues);
        }
    }

    /// How many ports there were so far.
    fn count(&self) -> u32 {
        self.stations.len() as u32
    }
}

/// What decides over the passages.
type Verdict = Box<dyn FnMut(&Transit<'_>) -> Fate + Send>;

/// Whether somebody is there, of those whom a frame is on its way to.
fn is_there(stations: &[Option<Station>], to: To) -> bool {
    let is_there = |port: PortId| stations[port.number()].is_some();
    let Some(among) = to.among else { return is_there(to.port) };
    (0..among.get()).rev().map(PortId).any(|port| port != to.port && is_there(port))
}

/// Hashes an address by one multiplication: a station that floods the table slows down its own
/// test only.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, octets: &[u8]) {
        octets.iter().for_each(|octet| self.write_u64(self.0 << 8 | u64::from(*octet)));
    }

    fn write_u64(&mut self, n: u64) {
        let product = u128::from(n) * 0x9e37_79b9_7f4a_7c15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The address at octet `at`, its first octet highest.
fn address(octets: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight[2..].copy_from_slice(&octets[at..at + 6]);
    u64::from_be_bytes(eight)
}

/// Whether the address is a group's (IEEE 802.3 §3.2.3).
fn is_group(address: u64) -> bool {
    address >> 40 & 1 == 1
}

/// Where the time of day of every network begins: 2026-01-01 00:00:00 UTC.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);
