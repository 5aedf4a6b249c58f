use std::{
    collections::{HashMap, VecDeque},
    mem,
    time::{Duration, Instant},
};

use super::{
    LATENCY,
    fate::{Fate, Transit},
    port::PortId,
};

/// A learning switch and the wires to its stations (IEEE 802.1D §7).
pub(super) struct Switch {
    pub(super) now: Instant,
    pub(super) origin: Instant,
    pub(super) latency: Duration,
    pub(super) fate: Box<dyn FnMut(&Transit<'_>) -> Fate + Send>,
    pub(super) sent: u64,
    /// By port number; `None` once unplugged. Numbers are never given twice.
    stations: Vec<Option<Station>>,
    /// Behind which port an address was last seen.
    learned: HashMap<[u8; 6], PortId>,
    /// What is on its way, soonest first.
    in_flight: VecDeque<InFlight>,
    /// Ports that something came in for since they were last taken off, each once.
    woken: VecDeque<PortId>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
}

impl Switch {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            now,
            origin: now,
            latency: LATENCY,
            fate: Box::new(|_| Fate::arrives()),
            sent: 0,
            stations: Vec::new(),
            learned: HashMap::new(),
            in_flight: VecDeque::new(),
            woken: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn plug(&mut self) -> PortId {
        self.stations.push(Some(Station::default()));
        PortId(self.stations.len() - 1)
    }

    /// Forgets a station, and what was on its way to it: time need not pass for that.
    pub(super) fn unplug(&mut self, port: PortId) {
        self.stations[port.0] = None;
        self.learned.retain(|_, behind| *behind != port);
        self.in_flight.retain(|frame| frame.to != port);
        self.woken.retain(|woken| *woken != port);
    }

    pub(super) fn advance_to(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while self.in_flight.front().is_some_and(|frame| frame.at <= self.now) {
            let Some(InFlight { at, to, octets }) = self.in_flight.pop_front() else { break };
            let Some(station) = &mut self.stations[to.0] else { continue };
            if !station.woken {
                station.woken = true;
                self.woken.push_back(to);
            }
            station.inbox.push_back((at, octets));
        }
    }

    pub(super) fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.front().map(|frame| frame.at)
    }

    pub(super) fn woken(&mut self) -> Option<PortId> {
        let port = self.woken.pop_front()?;
        if let Some(station) = &mut self.stations[port.0] {
            station.woken = false;
        }
        Some(port)
    }

    pub(super) fn has_arrived(&self, port: PortId) -> bool {
        self.stations[port.0].as_ref().is_some_and(|station| !station.inbox.is_empty())
    }

    /// A zeroed buffer of `len` octets.
    pub(super) fn buffer(&mut self, len: usize) -> Vec<u8> {
        let mut octets = self.spare.pop().unwrap_or_default();
        octets.clear();
        octets.resize(len, 0);
        octets
    }

    /// Takes a buffer back.
    pub(super) fn reuse(&mut self, buffer: Option<Vec<u8>>) {
        self.spare.extend(buffer);
    }

    /// Takes back the buffer of a frame that was received, and gives the next due at `port`.
    pub(super) fn receive(
        &mut self,
        port: PortId,
        used: Option<Vec<u8>>,
    ) -> Option<(Instant, Vec<u8>)> {
        self.reuse(used);
        self.stations[port.0].as_mut()?.inbox.pop_front()
    }

    /// Lets a frame of `from` go: to the port that its destination was seen behind, or to all.
    pub(super) fn forward(&mut self, from: PortId, octets: Vec<u8>) {
        self.sent += 1;
        self.learn(from, address(&octets, 6));
        let dst = address(&octets, 0);
        let known = if dst[0] & 1 == 0 { self.learned.get(&dst).copied() } else { None };
        match known {
            Some(to) if to == from => self.spare.push(octets),
            Some(to) => self.carry(from, to, octets),
            None => {
                for to in (0..self.stations.len()).map(PortId) {
                    if to != from && self.stations[to.0].is_some() {
                        let mut copy = self.buffer(0);
                        copy.extend_from_slice(&octets);
                        self.carry(from, to, copy);
                    }
                }
                self.spare.push(octets);
            }
        }
    }

    fn learn(&mut self, port: PortId, src: [u8; 6]) {
        let Some(station) = &mut self.stations[port.0] else { return };
        if station.last_src != src && src[0] & 1 == 0 {
            station.last_src = src;
            if let Some(old) = self.learned.insert(src, port)
                && old != port
                && let Some(station) = &mut self.stations[old.0]
            {
                station.last_src = [0; 6]; // it may speak there again
            }
        }
    }

    fn carry(&mut self, from: PortId, to: PortId, mut octets: Vec<u8>) {
        let transit = Transit { octets: &octets, from, to, at: self.now };
        let Fate { lost, late, again, inverted } = (self.fate)(&transit);
        if lost {
            self.spare.push(octets);
            return;
        }
        if let Some(octet) = inverted.and_then(|bit| octets.get_mut(bit / 8)) {
            *octet ^= 0x80 >> (inverted.unwrap_or_default() % 8);
        }
        let at = self.now + self.latency + late;
        if let Some(after) = again {
            let mut copy = self.buffer(0);
            copy.extend_from_slice(&octets);
            self.depart(InFlight { at: at + after, to, octets: copy });
        }
        self.depart(InFlight { at, to, octets });
    }

    /// Keeps `in_flight` in order; frames due at the same instant keep theirs.
    fn depart(&mut self, frame: InFlight) {
        if self.in_flight.back().is_none_or(|last| last.at <= frame.at) {
            self.in_flight.push_back(frame);
        } else {
            let place = self.in_flight.partition_point(|other| other.at <= frame.at);
            self.in_flight.insert(place, frame);
        }
    }

    /// Puts `octets` where `port` finds its own frames again.
    pub(super) fn hand_back(&mut self, port: PortId, octets: Vec<u8>) {
        match &mut self.stations[port.0] {
            Some(station) => station.sent.push_back((self.now, octets)),
            None => self.spare.push(octets),
        }
    }

    /// As [`Switch::receive`], of the station's own frames.
    pub(super) fn take_back(
        &mut self,
        port: PortId,
        used: Option<Vec<u8>>,
    ) -> Option<(Instant, Vec<u8>)> {
        self.reuse(used);
        self.stations[port.0].as_mut()?.sent.pop_front()
    }

    /// The frames that `port` has queued, to be refilled or emptied.
    pub(super) fn queue(&mut self, port: PortId) -> &mut Vec<Vec<u8>> {
        &mut self.stations[port.0].get_or_insert_default().queue
    }

    pub(super) fn flush(&mut self, port: PortId, hand_back: bool) {
        let mut queue = mem::take(self.queue(port));
        for mut octets in queue.drain(..) {
            if hand_back {
                let mut copy = self.buffer(0);
                copy.extend_from_slice(&octets);
                self.hand_back(port, copy);
            }
            octets.resize(octets.len().max(MIN_LEN), 0);
            self.forward(port, octets);
        }
        *self.queue(port) = queue;
    }
}

#[derive(Default)]
struct Station {
    inbox: VecDeque<(Instant, Vec<u8>)>,
    woken: bool,
    queue: Vec<Vec<u8>>,
    sent: VecDeque<(Instant, Vec<u8>)>,
    last_src: [u8; 6],
}

struct InFlight {
    at: Instant,
    to: PortId,
    octets: Vec<u8>,
}

fn address(octets: &[u8], at: usize) -> [u8; 6] {
    let mut six = [0; 6];
    six.copy_from_slice(&octets[at..at + 6]);
    six
}

/// Ethernet's minimum, frame check sequence excluded (IEEE 802.3 §4.4.2): shorter frames are
/// padded, so that everything above meets padding.
const MIN_LEN: usize = 60;
