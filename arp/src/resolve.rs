use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::ArpOperation;
use link::{FrameTx, SendError};
use macaddr::MacAddr6;

use crate::{
    clock::{Tick, fraction},
    config::Config,
    entry::{Entry, REQUEST_INTERVAL, State},
    event::Event,
    packet::View,
    table::Arp,
};

impl Arp {
    /// Asks for `addr` by broadcast in the name of `from`, although nothing is to be sent to it,
    /// and even if its MAC is known, or it was given up on; at once, or as soon as a second has
    /// passed since the last request. Ends in [`Event::Resolved`], [`Event::Unresolved`] or
    /// [`Event::Unsent`]; in nothing for a neighbour that is pinned.
    ///
    /// # Errors
    /// [`SendError::Full`] when neither a transmit slot nor a table entry is free.
    pub fn resolve(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        addr: Ipv4Addr,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let tick = self.clock.tick(now);
        let Some(slot) = self.table.find(addr) else {
            if self.table.len() >= self.config.capacity && !self.evict(now, tick) {
                return Err(SendError::Full);
            }
            self.request(from, addr, MacAddr6::broadcast(), below)?;
            let mut entry = Entry::new(State::Incomplete, MacAddr6::nil(), from, tick);
            entry.note_request(tick);
            self.table.insert(addr, tick + REQUEST_INTERVAL, entry);
            return Ok(());
        };
        let entry = &self.table.item(slot).value;
        if matches!(entry.state, State::Incomplete | State::Static) {
            return Ok(());
        }
        let at = entry.may_ask(tick);
        if at == tick {
            self.request(from, addr, MacAddr6::broadcast(), below)?;
        }
        let entry = self.table.value_mut(slot);
        (entry.state, entry.from, entry.requests) = (State::Incomplete, from, 0);
        if at == tick {
            entry.note_request(tick);
        }
        self.table.set_due(slot, if at == tick { tick + REQUEST_INTERVAL } else { at });
        Ok(())
    }

    /// Believes what the neighbour in `slot` says of itself, in a reply that arrived at
    /// `answered` or otherwise: whoever waited for that can be sent to.
    pub(crate) fn learn(
        &mut self,
        now: Instant,
        answered: Option<Tick>,
        slot: usize,
        mac: MacAddr6,
    ) {
        let (tick, addr) = (self.clock.tick(now), self.table.item(slot).addr);
        let entry = self.table.value_mut(slot);
        let (old, asked, requests) = (entry.mac, entry.asked, entry.requests.into());
        entry.mac = mac;
        entry.take_rival();
        let (from, kept) = (entry.from, entry.take_kept());
        self.confirm(tick, slot);
        if !old.is_nil() && old != mac {
            self.events.note(now, Event::Moved { addr, old, new: mac });
        }
        let round_trip =
            answered.filter(|_| asked != Tick::NEVER).map(|answered| answered.since(asked));
        self.events.push(now, Event::Resolved { addr, mac, round_trip, requests });
        self.ready(addr, from, mac, kept);
    }

    /// Takes note that the neighbour in `slot` is where we think it is.
    pub(crate) fn confirm(&mut self, tick: Tick, slot: usize) {
        let Config { seed, reachable, lifetime, .. } = *self.config;
        let jitter = 0.5 + fraction(seed, self.table.item(slot).addr, tick.0);
        let entry = self.table.value_mut(slot);
        (entry.state, entry.heard, entry.confirmed) = (State::Reachable, tick, true);
        (entry.unanswered, entry.failures, entry.requests) = (0, 0, 0);
        let reachable = Duration::try_from_secs_f64(reachable.as_secs_f64() * jitter);
        self.table.set_due(slot, tick + reachable.unwrap_or(lifetime).min(lifetime));
    }

    /// Sends a request for `addr` to `dst`.
    pub(crate) fn request(
        &self,
        from: Ipv4Addr,
        addr: Ipv4Addr,
        dst: MacAddr6,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let packet = View {
            operation: ArpOperation::REQUEST,
            sender_mac: self.mac(from).unwrap_or_else(|| below.mac()),
            sender: from,
            target_mac: MacAddr6::nil(),
            target: addr,
        };
        packet.send(dst, below)
    }

    /// Makes room by forgetting a neighbour, the least worth keeping of some.
    fn evict(&mut self, now: Instant, tick: Tick) -> bool {
        let (len, begin) = (self.table.len(), self.hand);
        let slots = (0..len.min(LOOKED_AT)).map(|nth| (begin + nth) % len);
        self.hand = (begin + LOOKED_AT) % len.max(1);
        let least = slots.filter_map(|slot| {
            let worth = worth(tick, &self.table.item(slot).value)?;
            Some((worth, slot))
        });
        let Some((_, slot)) = least.min() else { return false };
        let item = self.table.remove(slot);
        let mac = (item.value.state != State::Failed).then_some(item.value.mac);
        self.events.note(now, Event::Evicted { addr: item.addr, mac });
        true
    }
}

/// How much an entry is worth keeping; `None` if it must be.
fn worth(tick: Tick, entry: &Entry) -> Option<(bool, bool, Tick)> {
    let stays = matches!(entry.state, State::Incomplete | State::Static) || entry.was_asked(tick);
    let known = entry.state != State::Failed;
    (!stays).then_some((entry.confirmed && known, known, entry.heard))
}

/// Entries among which one is chosen to be forgotten.
const LOOKED_AT: usize = 64;
