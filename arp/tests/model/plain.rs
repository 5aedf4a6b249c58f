use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use arp::{Config, Event, State, Trust};
use link::MacAddr6;
use sidestack_arp as arp;

use super::real::{Did, Row, addr, mac};
use crate::Act;

/// The rules as one would tell them: milliseconds, a list of neighbours, nothing clever.
pub(crate) struct Plain {
    config: Config,
    now: u64,
    rows: BTreeMap<Ipv4Addr, Entry>,
    did: Vec<Did>,
    /// Who was forgotten, of those that might be.
    evicted: Option<Ipv4Addr>,
}

#[derive(Clone)]
struct Entry {
    state: State,
    mac: Option<MacAddr6>,
    confirmed: bool,
    heard: u64,
    asked: Option<u64>,
    due: u64,
    requests: u32,
    unanswered: u32,
    failures: u32,
    kept: Vec<Vec<u8>>,
    rival: Option<MacAddr6>,
}

const SECOND: u64 = 1000;
const LIFETIME: u64 = 60 * SECOND;
const DELAY: u64 = 5 * SECOND;

impl Plain {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, now: 0, rows: BTreeMap::new(), did: Vec::new(), evicted: None }
    }

    pub(crate) fn act(&mut self, act: Act, nth: u8, real: &[Did]) -> Vec<Did> {
        self.evicted = real.iter().find_map(|did| match did {
            Did::Told(_, Event::Evicted { addr, .. }) => Some(*addr),
            _ => None,
        });
        match act {
            Act::Wait(time) => self.advance(self.now + time),
            Act::Send(who) => self.send(addr(who), nth, false),
            Act::Further(who) => self.send(addr(who), nth, true),
            Act::Resolve(who) => {
                if !self.ask(addr(who)) {
                    self.did.push(Did::Refused(self.now));
                }
            }
            Act::Advise(who, reached) => self.advise(addr(who), reached),
            Act::Request(who, at) => {
                self.hear(addr(who), mac(at), false, true);
                self.did.push(Did::Said(self.now, mac(at), 2, addr(who)));
            }
            Act::Gratuitous(who, at) => self.hear(addr(who), mac(at), false, false),
            Act::Reply(who, at) => self.hear(addr(who), mac(at), true, true),
        }
        self.advance(self.now);
        let mut did = std::mem::take(&mut self.did);
        did.sort_by_key(|did| format!("{did:?}"));
        did
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let shown =
            |e: &Entry| e.mac.filter(|_| !matches!(e.state, State::Incomplete | State::Failed));
        self.rows.iter().map(|(addr, e)| (*addr, e.state, shown(e))).collect()
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.rows.values().map(|entry| entry.due).min()
    }

    fn advance(&mut self, to: u64) {
        while let Some((&addr, due)) =
            self.rows.iter().map(|(addr, e)| (addr, e.due)).min_by_key(|(_, due)| *due)
            && due <= to
        {
            self.now = self.now.max(due);
            self.fire(addr);
        }
        self.now = to;
    }

    fn fire(&mut self, addr: Ipv4Addr) {
        let (now, config) = (self.now, self.config);
        let entry = self.rows.get_mut(&addr).unwrap();
        match entry.state {
            State::Reachable if now < entry.heard + LIFETIME => {
                (entry.state, entry.due) = (State::Stale, entry.heard + LIFETIME); // heard since
            }
            State::Delay => entry.doubt(now, 0),
            State::Probe if entry.requests < config.polls => {
                entry.asks(now);
                let dst = entry.mac.unwrap();
                self.did.push(Did::Said(now, dst, 1, addr));
            }
            State::Probe => match entry.rival {
                Some(rival) => self.follow(addr, rival),
                None => {
                    (entry.state, entry.requests) = (State::Incomplete, 0);
                    entry.due = entry.may_ask(now);
                }
            },
            State::Incomplete if entry.requests < config.requests => {
                entry.asks(now);
                self.did.push(Did::Said(now, MacAddr6::broadcast(), 1, addr));
            }
            State::Incomplete => {
                let wait = (SECOND * 3_u64.pow(entry.failures.min(9))).min(60 * SECOND);
                (entry.state, entry.mac) = (State::Failed, None);
                (entry.heard, entry.due) = (now + wait, now + wait + LIFETIME);
                entry.failures += 1;
                let packet = entry.kept.drain(..).next();
                let requests = entry.requests;
                self.did.push(Did::Told(now, Event::Unresolved { addr, requests, packet }));
            }
            _ => drop(self.rows.remove(&addr)), // its lifetime is over
        }
    }

    fn send(&mut self, to: Ipv4Addr, nth: u8, further: bool) {
        let (now, packet) = (self.now, vec![nth]);
        if let Some(entry) = self.rows.get_mut(&to) {
            if entry.state == State::Stale {
                (entry.state, entry.due) = (State::Delay, now + DELAY);
            }
            if matches!(entry.state, State::Reachable | State::Delay | State::Probe) {
                return self.did.push(Did::Left(now, entry.mac.unwrap(), packet));
            }
            if entry.state == State::Failed && now < entry.heard {
                let (requests, packet) = (entry.requests, Some(packet));
                if !further {
                    let back = Event::Unresolved { addr: to, requests, packet };
                    self.did.push(Did::Told(now, back));
                }
                return;
            }
        }
        if !self.ask(to) {
            return self.did.push(Did::Refused(now));
        }
        let kept = &mut self.rows.get_mut(&to).unwrap().kept;
        if !further && let Some(packet) = kept.drain(..).next() {
            self.did.push(Did::Told(now, Event::Replaced { packet }));
        }
        kept.push(packet);
    }

    fn ask(&mut self, addr: Ipv4Addr) -> bool {
        let now = self.now;
        if !self.rows.contains_key(&addr) {
            if self.rows.len() >= self.config.capacity && !self.evict() {
                return false;
            }
            self.rows.insert(addr, Entry::new(State::Failed, now));
        }
        let entry = self.rows.get_mut(&addr).unwrap();
        if entry.state == State::Incomplete {
            return true;
        }
        (entry.state, entry.requests) = (State::Incomplete, 0);
        entry.due = entry.may_ask(now);
        if entry.due == now {
            entry.asks(now);
            self.did.push(Did::Said(now, MacAddr6::broadcast(), 1, addr));
        }
        true
    }

    /// Whoever the table forgot must have been one of the least worth keeping.
    fn evict(&mut self) -> bool {
        let now = self.now;
        let worth = |e: &Entry| {
            let known = e.state != State::Failed;
            (e.confirmed && known, known, e.heard)
        };
        let may_go = |e: &Entry| e.state != State::Incomplete && e.may_ask(now) == now;
        let least = self.rows.values().filter(|e| may_go(e)).map(worth).min();
        let Some(least) = least else { return false };
        let Some(addr) = self.evicted else { panic!("nobody was forgotten") };
        let entry = self.rows.remove(&addr).expect("who was forgotten was known");
        assert!(may_go(&entry) && worth(&entry) == least, "{addr} was forgotten");
        let mac = entry.mac.filter(|_| entry.state != State::Failed);
        self.did.push(Did::Told(now, Event::Evicted { addr, mac }));
        true
    }

    fn advise(&mut self, addr: Ipv4Addr, reached: bool) {
        let (now, polls) = (self.now, self.config.polls);
        let Some(entry) = self.rows.get_mut(&addr) else { return };
        match entry.state {
            State::Incomplete | State::Failed => {}
            _ if reached && entry.rival.is_none() => entry.confirm(now),
            _ if reached => {}
            state => {
                entry.unanswered += 1;
                if entry.unanswered >= 2 && state != State::Probe {
                    entry.doubt(now, polls.saturating_sub(1));
                }
            }
        }
    }

    fn hear(&mut self, addr: Ipv4Addr, mac: MacAddr6, reply: bool, for_us: bool) {
        let (now, trust) = (self.now, self.config.trust);
        let believed = reply || trust != Trust::Solicited;
        let Some(entry) = self.rows.get_mut(&addr) else {
            if for_us && !reply && self.rows.len() < self.config.capacity {
                let fresh = Entry { mac: Some(mac), ..Entry::new(State::Stale, now) };
                self.rows.insert(addr, fresh);
            }
            return;
        };
        let other = entry.mac.is_some_and(|known| known != mac);
        let doubted =
            trust == Trust::Confirm || trust == Trust::Update && now < entry.heard + SECOND;
        match entry.state {
            State::Incomplete if !(reply && for_us) && other && doubted => {
                let kept = entry.mac.unwrap();
                self.conflict(addr, kept, mac);
            }
            State::Incomplete if believed => {
                let (old, requests) = (entry.mac.replace(mac), entry.requests);
                let since = |asked| Duration::from_millis(now - asked);
                let round_trip = entry.asked.filter(|_| reply).map(since);
                let kept = std::mem::take(&mut entry.kept);
                entry.confirm(now);
                if let Some(old) = old.filter(|old| *old != mac) {
                    self.did.push(Did::Told(now, Event::Moved { addr, old, new: mac }));
                }
                let resolved = Event::Resolved { addr, mac, round_trip, requests };
                self.did.push(Did::Told(now, resolved));
                if let Some(packet) = kept.first().cloned() {
                    self.did.push(Did::Told(now, Event::Released { packet }));
                }
                self.did.extend(kept.into_iter().map(|packet| Did::Left(now, mac, packet)));
            }
            State::Failed if believed => {
                let asked = entry.asked;
                *entry = Entry { mac: Some(mac), asked, ..Entry::new(State::Stale, now) };
            }
            State::Incomplete | State::Failed => {}
            State::Probe if entry.mac == Some(mac) && reply => {
                let rival = entry.rival.take();
                entry.confirm(now);
                if let Some(other) = rival {
                    self.conflict(addr, mac, other);
                }
            }
            state if entry.mac == Some(mac) => {
                entry.heard = now;
                if state == State::Stale {
                    entry.due = now + LIFETIME;
                }
            }
            state => {
                let kept = entry.mac.unwrap();
                let second = reply && state == State::Reachable && entry.may_ask(now) > now;
                let other_rival = entry.rival.is_some_and(|rival| rival != mac);
                if second || trust == Trust::Solicited || other_rival {
                    self.conflict(addr, kept, mac);
                } else if trust == Trust::Update && now >= entry.heard + SECOND {
                    self.follow(addr, mac);
                } else if entry.rival.is_none() {
                    entry.rival = Some(mac);
                    entry.doubt(now, 0);
                }
            }
        }
    }

    fn follow(&mut self, addr: Ipv4Addr, new: MacAddr6) {
        let now = self.now;
        let entry = self.rows.get_mut(&addr).unwrap();
        let old = entry.mac.replace(new).unwrap();
        (entry.state, entry.heard, entry.due) = (State::Stale, now, now + LIFETIME);
        (entry.rival, entry.unanswered) = (None, 0);
        self.did.push(Did::Told(now, Event::Moved { addr, old, new }));
    }

    fn conflict(&mut self, addr: Ipv4Addr, kept: MacAddr6, other: MacAddr6) {
        self.did.push(Did::Told(self.now, Event::Conflict { addr, kept, other }));
    }
}

impl Entry {
    fn new(state: State, now: u64) -> Self {
        Self {
            state,
            mac: None,
            confirmed: false,
            heard: now,
            asked: None,
            due: now + LIFETIME,
            requests: 0,
            unanswered: 0,
            failures: 0,
            kept: Vec::new(),
            rival: None,
        }
    }

    fn asks(&mut self, now: u64) {
        (self.asked, self.due) = (Some(now), now + SECOND);
        self.requests += 1;
    }

    fn may_ask(&self, now: u64) -> u64 {
        self.asked.map_or(now, |asked| now.max(asked + SECOND))
    }

    fn doubt(&mut self, now: u64, requests: u32) {
        (self.state, self.requests) = (State::Probe, requests);
        self.due = self.may_ask(now);
    }

    fn confirm(&mut self, now: u64) {
        (self.state, self.heard, self.due) = (State::Reachable, now, now + LIFETIME);
        (self.confirmed, self.rival) = (true, None);
        (self.unanswered, self.failures, self.requests) = (0, 0, 0);
    }
}
