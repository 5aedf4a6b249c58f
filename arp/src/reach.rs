use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use link::{FrameTx, SendError};
use macaddr::MacAddr6;

use crate::{
    clock::Tick,
    entry::{Entry, REQUEST_INTERVAL, State},
    event::Event,
    table::Arp,
};

impl Arp {
    /// Takes advice from above (RFC 1122 §2.3.2.1): `next_hop` was just reached, or a packet to
    /// it went unanswered; after two of those it is polled for once, and then asked for again.
    pub fn advise(&mut self, now: Instant, next_hop: Ipv4Addr, reached: bool) {
        let tick = self.clock.tick(now);
        let Some(slot) = self.table.find(next_hop) else { return };
        let polls = self.polls();
        let entry = self.table.value_mut(slot);
        let doubted = entry.state == State::Probe;
        if !doubted && !matches!(entry.state, State::Reachable | State::Stale | State::Delay) {
            return;
        }
        if reached {
            if entry.rival().is_none() {
                self.confirm(tick, slot);
            }
            return;
        }
        entry.unanswered = entry.unanswered.saturating_add(1);
        if entry.unanswered >= UNANSWERED && !doubted {
            (entry.state, entry.requests) = (State::Probe, polls.saturating_sub(1));
            let at = entry.may_ask(tick);
            self.table.set_due(slot, at);
        }
    }

    /// Where to send a packet from `from` to `addr`, which makes a stale neighbour be polled for
    /// soon.
    pub(crate) fn lookup(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        addr: Ipv4Addr,
    ) -> Option<MacAddr6> {
        let slot = self.table.find(addr)?;
        let tick = self.clock.tick(now);
        let item = self.table.item(slot);
        let (state, mac, due) = (item.value.state, item.value.mac, item.due());
        match state {
            State::Reachable if tick < due => return Some(mac),
            State::Static | State::Delay | State::Probe => return Some(mac),
            State::Incomplete | State::Failed => return None,
            State::Reachable | State::Stale => {}
        }
        if item.value.heard + self.config.lifetime <= tick {
            self.table.remove(slot);
            return None;
        }
        let entry = self.table.value_mut(slot);
        (entry.state, entry.from) = (State::Delay, from);
        self.table.set_due(slot, tick + self.config.delay);
        Some(mac)
    }

    /// Does what the neighbour in `slot` is due for: its state ends, or the next request leaves.
    ///
    /// # Errors
    /// When the link does not take the request; it is still due.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        slot: usize,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let (tick, lifetime, polls) = (self.clock.tick(now), self.config.lifetime, self.polls());
        let Entry { state, requests, heard, from, .. } = self.table.item(slot).value;
        // RFC 5227 §2.1.1: what may turn out to be somebody else's address asks for nobody.
        let mute = self.conflicts.as_ref().is_some_and(|conflicts| conflicts.forbid(from));
        match state {
            State::Delay | State::Probe if mute => {
                let entry = self.table.value_mut(slot);
                entry.take_rival();
                entry.state = State::Stale;
                self.table.set_due(slot, heard + lifetime);
            }
            State::Incomplete if mute => self.give_up_on(now, slot),
            State::Reachable if tick < heard + lifetime => {
                self.table.value_mut(slot).state = State::Stale;
                self.table.set_due(slot, heard + lifetime);
            }
            State::Reachable | State::Stale | State::Failed => drop(self.table.remove(slot)),
            State::Delay => self.doubt(tick, slot),
            State::Probe if requests < polls => return self.solicit(now, slot, below),
            State::Probe => {
                if let Some(rival) = self.table.value_mut(slot).take_rival() {
                    self.follow(now, slot, rival);
                    return Ok(());
                }
                let entry = self.table.value_mut(slot);
                (entry.state, entry.requests) = (State::Incomplete, 0);
                let at = entry.may_ask(tick);
                self.table.set_due(slot, at);
            }
            State::Incomplete if requests == 0 || u32::from(requests) < self.config.requests => {
                return self.solicit(now, slot, below);
            }
            State::Incomplete => self.give_up_on(now, slot),
            State::Static => self.table.set_due(slot, Tick::END),
        }
        Ok(())
    }

    /// Polls for the neighbour in `slot` from now on, at the MAC that we know.
    pub(crate) fn doubt(&mut self, tick: Tick, slot: usize) {
        let entry = self.table.value_mut(slot);
        (entry.state, entry.requests) = (State::Probe, 0);
        let at = entry.may_ask(tick);
        self.table.set_due(slot, at);
    }

    /// Believes that the neighbour in `slot` is now at `new`, until it is used and polled for.
    pub(crate) fn follow(&mut self, now: Instant, slot: usize, new: MacAddr6) {
        let (tick, addr) = (self.clock.tick(now), self.table.item(slot).addr);
        let entry = self.table.value_mut(slot);
        let old = std::mem::replace(&mut entry.mac, new);
        entry.take_rival();
        (entry.state, entry.heard, entry.unanswered) = (State::Stale, tick, 0);
        self.table.set_due(slot, tick + self.config.lifetime);
        self.events.note(now, Event::Moved { addr, old, new });
    }

    /// Sends the next request, by broadcast or to the MAC that we know.
    fn solicit(
        &mut self,
        now: Instant,
        slot: usize,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let (tick, addr) = (self.clock.tick(now), self.table.item(slot).addr);
        let Entry { state, from, mac, .. } = self.table.item(slot).value;
        let dst = if state == State::Probe { mac } else { MacAddr6::broadcast() };
        let sent = self.request(from, addr, dst, below);
        if sent == Err(SendError::Full) {
            return sent;
        }
        self.table.value_mut(slot).note_request(tick); // a link that never takes it ends in vain
        self.table.set_due(slot, tick + REQUEST_INTERVAL);
        Ok(())
    }

    /// Hands back what waits for a neighbour that does not answer, and asks no more for a while.
    fn give_up_on(&mut self, now: Instant, slot: usize) {
        let (tick, addr) = (self.clock.tick(now), self.table.item(slot).addr);
        let entry = self.table.value_mut(slot);
        let wait = self.config.backoff.saturating_mul(3_u32.saturating_pow(entry.failures.into()));
        let requests = entry.requests.into();
        (entry.state, entry.mac) = (State::Failed, MacAddr6::nil());
        entry.failures = entry.failures.saturating_add(1);
        entry.heard = tick + wait.min(BACKOFF_MAX);
        let (again, kept) = (entry.heard, entry.take_kept());
        self.table.set_due(slot, again + self.config.lifetime);
        let packet = self.hand_back(kept);
        self.events.push(now, Event::Unresolved { addr, requests, packet });
    }

    fn polls(&self) -> u16 {
        self.config.polls.try_into().unwrap_or(u16::MAX)
    }
}

/// Packets that may go unanswered before a neighbour is doubted.
const UNANSWERED: u8 = 2;

/// The longest that a neighbour which does not answer is left alone (as RFC 7048 §4 has it).
const BACKOFF_MAX: Duration = Duration::from_secs(60);
