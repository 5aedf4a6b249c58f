use std::{net::Ipv4Addr, time::Instant};

use link::{FrameTx, SendError};
use macaddr::MacAddr6;

use crate::{
    claim::{DEFEND_INTERVAL, Next, Step, say},
    config::Defend,
    conflicts::Conflicts,
    entry::State,
    event::Event,
    owner::Owner,
    packet::View,
    table::Arp,
};

/// Address conflict detection (RFC 5227).
impl Arp {
    /// Probes whether anybody uses `addr`, in the name of `mac` (RFC 5227 §2.1.1): 4 to 7
    /// seconds, then [`Event::Free`]; [`Event::Taken`] as soon as somebody does. Until it is free
    /// the address is not answered for, even if it is ours.
    ///
    /// After ten conflicts of a station its attempts begin a minute apart.
    pub fn probe(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        self.begin_probing(now, &[(addr, mac)], false);
    }

    /// Probes for each of `wanted` as [`probe`](Self::probe) does, the first probes spread evenly
    /// over a second or over as long as [`Config::rate`](crate::Config::rate) demands, and
    /// announces each that turns out to be free.
    pub fn claim(&mut self, now: Instant, wanted: impl IntoIterator<Item = (Ipv4Addr, MacAddr6)>) {
        let wanted: Vec<_> = wanted.into_iter().collect();
        self.begin_probing(now, &wanted, true);
    }

    /// Announces `addr`, which is ours, twice, two seconds apart (RFC 5227 §2.3).
    pub fn announce(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        self.announce_all(now, [(addr, mac)]);
    }

    /// Announces each of `ours`, as many a second as [`Config::rate`](crate::Config::rate) says.
    pub fn announce_all(
        &mut self,
        now: Instant,
        ours: impl IntoIterator<Item = (Ipv4Addr, MacAddr6)>,
    ) {
        let tick = self.clock.tick(now);
        let claims = &mut self.conflicts.get_or_insert_default().claims;
        claims.announce(tick, ours.into_iter(), self.config.rate);
    }

    /// Uses `addr` again, although it was found taken, given up or [left](Self::leave): for whoever
    /// knows that the other station is gone. To have that found out, [`claim`](Self::claim) it.
    pub fn retake(&mut self, addr: Ipv4Addr) {
        if let Some(conflicts) = &mut self.conflicts {
            conflicts.taken.remove(&addr);
        }
    }

    /// Leaves `addr` to somebody else from now on, as if it had been found taken; `false` if it is
    /// none of ours, or was left before.
    pub fn leave(&mut self, addr: Ipv4Addr) -> bool {
        let conflicts = self.conflicts.get_or_insert_default();
        conflicts.claims.remove(addr);
        self.owner.mac(addr).is_some() && conflicts.taken.insert(addr)
    }

    /// How many addresses are being probed for, and not ours to use yet.
    pub fn claiming(&self) -> usize {
        self.conflicts.as_ref().map_or(0, |conflicts| conflicts.claims.pending)
    }

    /// The addresses that are somebody else's, whatever our owner says, in no order.
    pub fn taken(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.conflicts.iter().flat_map(|conflicts| conflicts.taken.iter().copied())
    }

    /// Our station's MAC address is now `mac`, and `owner` says what it owns: whatever is being
    /// probed for is probed for anew, and the rest of `ours` announced, if we answer for it.
    pub fn renew(
        &mut self,
        now: Instant,
        mac: MacAddr6,
        owner: impl Owner + 'static,
        ours: impl IntoIterator<Item = Ipv4Addr>,
    ) {
        let tick = self.clock.tick(now);
        self.own(owner);
        let Self { conflicts, owner, .. } = self;
        if let Some(conflicts) = conflicts {
            conflicts.claims.renew(tick, |addr| owner.mac(addr).unwrap_or(mac));
        }
        let announced: Vec<_> = ours
            .into_iter()
            .filter(|&addr| self.config.answers && !addr.is_unspecified())
            .filter_map(|addr| Some((addr, self.mac(addr)?)))
            .collect();
        self.announce_all(now, announced);
    }

    /// The link is up again, perhaps another one: each of `ours` is probed for and announced anew,
    /// every neighbour is polled for when it is next used, and who was given up on may be asked
    /// for at once (RFC 5227 §2.1). Without any of `ours` for a host that does not probe.
    pub fn link_up(&mut self, now: Instant, ours: impl IntoIterator<Item = (Ipv4Addr, MacAddr6)>) {
        let (tick, lifetime) = (self.clock.tick(now), self.config.lifetime);
        for slot in 0..self.table.len() {
            let entry = self.table.value_mut(slot);
            match entry.state {
                State::Reachable => {
                    entry.state = State::Stale;
                    let end = entry.heard + lifetime;
                    self.table.set_due(slot, end);
                }
                State::Failed => (entry.heard, entry.failures) = (tick, 0),
                _ => {}
            }
        }
        if let Some(Conflicts { claims, .. }) = self.conflicts.as_deref_mut() {
            for slot in 0..claims.all.len() {
                let addr = claims.all.item(slot).addr;
                claims.begin_again(tick, addr);
            }
        }
        self.claim(now, ours);
    }

    fn begin_probing(&mut self, now: Instant, wanted: &[(Ipv4Addr, MacAddr6)], adopt: bool) {
        if wanted.is_empty() {
            return;
        }
        let tick = self.clock.tick(now);
        let Conflicts { claims, taken, .. } = &mut **self.conflicts.get_or_insert_default();
        for (addr, _) in wanted {
            taken.remove(addr);
        }
        claims.probe(tick, wanted, adopt, (self.config.rate, self.config.seed));
    }

    /// Sends the probes and announcements that are due, no faster than their pace.
    pub(crate) fn work_on_claims(
        &mut self,
        now: Instant,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let tick = self.clock.tick(now);
        let Some(Conflicts { claims, .. }) = self.conflicts.as_deref_mut() else { return Ok(()) };
        while let Some((_, slot)) = claims.all.first()
            && claims.due().is_some_and(|due| due <= tick)
        {
            let item = claims.all.item(slot);
            let (addr, mac) = (item.addr, item.value.mac);
            let sent = item.value.speak(addr, below);
            if sent == Err(SendError::Full) {
                return sent;
            }
            if item.value.step != Step::Wait {
                claims.note_frame(tick, self.config.rate);
            }
            let item = claims.all.item(slot);
            match item.value.next(tick, addr, self.config.seed) {
                Next::Step(step, due) => claims.go_on(slot, step, due),
                Next::Over => drop(claims.take_out(slot)),
                Next::Free => {
                    self.events.push(now, Event::Free { addr });
                    claims.note_success(mac);
                    if claims.all.item(slot).value.adopt {
                        claims.go_on(slot, Step::Announce(0), tick);
                    } else {
                        claims.take_out(slot);
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the probing for an address that somebody else turns out to have or want.
    pub(crate) fn contest(&mut self, now: Instant, packet: &View) -> bool {
        let Some(Conflicts { claims, taken, .. }) = self.conflicts.as_deref_mut() else {
            return false;
        };
        let Some(addr) = claims.contested_by(packet) else { return false };
        let tick = self.clock.tick(now);
        if let Some(claim) = claims.remove(addr) {
            claims.note_conflict(tick, claim.value.mac);
        }
        taken.insert(addr);
        self.events.push(now, Event::Taken { addr, mac: packet.sender_mac });
        true
    }

    /// Tells that `other` uses `addr`, which is ours at `kept`, and does what our policy is.
    pub(crate) fn defend(
        &mut self,
        now: Instant,
        addr: Ipv4Addr,
        kept: MacAddr6,
        other: MacAddr6,
        below: &mut dyn FrameTx,
    ) {
        let policy = self.owner.defend(addr).unwrap_or(self.config.defend);
        if policy != Defend::Never || !self.config.answers {
            self.events.note(now, Event::Conflict { addr, kept, other });
        }
        if !self.config.answers {
            return; // another stack has the address, and its defence
        }
        let tick = self.clock.tick(now);
        let conflicts = self.conflicts.get_or_insert_default();
        let recent = conflicts.was_defended(addr, tick);
        match policy {
            Defend::Once | Defend::Always if !recent => {
                if say(addr, addr, kept, below).is_ok() {
                    conflicts.defended.insert(addr, tick + DEFEND_INTERVAL, ());
                }
            }
            Defend::Always => {}
            Defend::Once | Defend::Never => {
                conflicts.claims.remove(addr);
                conflicts.taken.insert(addr);
                self.events.push(now, Event::Lost { addr, mac: other });
            }
        }
    }
}
