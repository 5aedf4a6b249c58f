use std::{net::Ipv4Addr, time::Instant};

use etherparse::ArpOperation;
use link::{Cast, Frame, FrameTx};
use macaddr::MacAddr6;

use crate::{
    clock::Tick,
    config::Trust,
    entry::{Entry, REQUEST_INTERVAL, State},
    event::Event,
    packet::{Discard, View},
    table::Arp,
};

impl Arp {
    /// Takes in an ARP packet, answering it if it asks for us (RFC 826 "Packet Reception").
    ///
    /// # Errors
    /// Why nothing, or nothing more, was done; to be counted. What can be told of it besides is an
    /// [`Event`].
    pub fn input(
        &mut self,
        now: Instant,
        frame: &Frame<'_>,
        below: &mut dyn FrameTx,
    ) -> Result<(), Discard> {
        let packet = View::parse(frame.payload())?;
        if frame.cast() == Cast::Other {
            return Err(Discard::OtherHost);
        }
        if !matches!(packet.operation, ArpOperation::REQUEST | ArpOperation::REPLY) {
            return Err(Discard::Operation);
        }
        if frame.src().is_multicast() {
            return Err(Discard::SenderMac);
        }
        self.check_sender(&packet, below.mac())?;
        if self.contest(now, &packet) {
            return Err(Discard::Contested);
        }
        if let Some(kept) = self.mac(packet.sender) {
            self.defend(now, packet.sender, kept, packet.sender_mac, below);
            if self.mac(packet.sender).is_some() {
                return Err(Discard::Conflict);
            }
        }
        // RFC 1122 §3.3.4.2: what is said to one of us is not for another.
        let elsewhere = |mac: &MacAddr6| frame.cast() == Cast::Host && *mac != frame.dst();
        let target = self.mac(packet.target).filter(|mac| !elsewhere(mac));
        let outcome = self.merge(now, frame.at(), &packet, target.is_some());
        if self.release(now, below).is_err() {
            self.blocked.get_or_insert(now); // what does not fit now goes with the next poll
        }
        match target {
            Some(mac) if packet.operation == ArpOperation::REQUEST => {
                if self.config.answers {
                    answer(&packet, mac, below);
                }
                Ok(())
            }
            _ => outcome,
        }
    }

    /// Refuses senders that no station or host can be.
    fn check_sender(&self, packet: &View, below: MacAddr6) -> Result<(), Discard> {
        let View { sender_mac: mac, sender, .. } = *packet;
        if mac.is_nil() || mac.is_multicast() {
            return Err(Discard::SenderMac);
        }
        let conflicts = self.conflicts.as_ref();
        let claimed = conflicts.is_some_and(|conflicts| conflicts.claims.are_by(packet));
        if mac == below || self.owner.owns(mac) || claimed {
            return Err(Discard::Echoed);
        }
        if sender.is_unspecified() {
            return Ok(()); // a probe (RFC 5227 §1.1)
        }
        if matches!(sender.octets()[0], 0 | 127 | 224..) {
            return Err(Discard::Sender); // RFC 1122 §3.2.1.3
        }
        if !self.owner.is_neighbour(sender) {
            return Err(Discard::OffLink);
        }
        Ok(())
    }

    /// Updates what is known of the sender; creates an entry only if it speaks to us.
    fn merge(
        &mut self,
        now: Instant,
        at: Instant,
        packet: &View,
        for_us: bool,
    ) -> Result<(), Discard> {
        let View { sender: addr, sender_mac: mac, target, .. } = *packet;
        let is_reply = packet.operation == ArpOperation::REPLY;
        if addr.is_unspecified() {
            return if for_us { Ok(()) } else { Err(Discard::NotForUs) }; // a probe (RFC 5227)
        }
        let tick = self.clock.tick(now);
        let Some(slot) = self.table.find(addr) else {
            if !for_us || is_reply {
                return Err(if for_us { Discard::Unasked } else { Discard::NotForUs });
            }
            if self.table.len() < self.config.capacity {
                let entry = Entry::new(State::Stale, mac, target, tick);
                self.table.insert(addr, tick + self.config.lifetime, entry);
            }
            return Ok(());
        };
        let replied = is_reply && for_us;
        match self.table.item(slot).value.state {
            State::Incomplete if !replied && self.contradicts(tick, slot, mac) => {
                let kept = self.table.item(slot).value.mac;
                self.events.note(now, Event::Conflict { addr, kept, other: mac });
                Err(Discard::Distrusted)
            }
            State::Incomplete if replied || self.config.trust != Trust::Solicited => {
                let answered = is_reply.then(|| self.clock.tick(at));
                self.learn(now, answered, slot, mac);
                Ok(())
            }
            State::Failed if replied || self.config.trust != Trust::Solicited => {
                let mut entry = Entry::new(State::Stale, mac, self.from(slot), tick);
                entry.asked = self.table.item(slot).value.asked;
                self.table.insert(addr, tick + self.config.lifetime, entry);
                Ok(())
            }
            State::Incomplete | State::Failed => Err(Discard::Distrusted),
            _ if self.table.item(slot).value.mac == mac => {
                self.hear(now, slot, replied);
                Ok(())
            }
            _ => self.judge(now, slot, mac, replied),
        }
    }

    /// A neighbour says what we knew.
    fn hear(&mut self, now: Instant, slot: usize, replied: bool) {
        let (tick, addr) = (self.clock.tick(now), self.table.item(slot).addr);
        let entry = self.table.value_mut(slot);
        match entry.state {
            State::Static => {}
            State::Probe if replied => {
                let (kept, rival) = (entry.mac, entry.take_rival());
                self.confirm(tick, slot);
                if let Some(other) = rival {
                    self.events.note(now, Event::Conflict { addr, kept, other });
                }
            }
            state => {
                entry.heard = tick;
                if state == State::Stale {
                    self.table.set_due(slot, tick + self.config.lifetime);
                }
            }
        }
    }

    /// Somebody says that a neighbour is at `mac`, where it was not.
    fn judge(
        &mut self,
        now: Instant,
        slot: usize,
        mac: MacAddr6,
        replied: bool,
    ) -> Result<(), Discard> {
        let (tick, addr) = (self.clock.tick(now), self.table.item(slot).addr);
        let entry = &self.table.item(slot).value;
        let (kept, state, rival) = (entry.mac, entry.state, entry.rival());
        let second = replied && state == State::Reachable && entry.was_asked(tick);
        let never = state == State::Static || self.config.trust == Trust::Solicited;
        if second || never || rival.is_some_and(|rival| rival != mac) {
            self.events.note(now, Event::Conflict { addr, kept, other: mac });
            return Err(Discard::Distrusted);
        }
        if self.config.trust == Trust::Update && tick >= entry.heard + REQUEST_INTERVAL {
            self.follow(now, slot, mac);
            return Ok(());
        }
        if rival.is_none() {
            self.table.value_mut(slot).extra().rival = Some(mac);
            self.doubt(tick, slot);
        }
        Err(Discard::Distrusted)
    }

    /// Whether a claim that is no answer to us says other than what we knew when we began to ask
    /// anew, and is to be doubted as if we did not ask.
    fn contradicts(&self, tick: Tick, slot: usize, mac: MacAddr6) -> bool {
        let entry = &self.table.item(slot).value;
        let doubted = match self.config.trust {
            Trust::Solicited => false, // it believes no claim as it is
            Trust::Update => tick < entry.heard + REQUEST_INTERVAL,
            Trust::Confirm => true,
        };
        doubted && !entry.mac.is_nil() && entry.mac != mac
    }

    fn from(&self, slot: usize) -> Ipv4Addr {
        self.table.item(slot).value.from
    }
}

fn answer(packet: &View, mac: MacAddr6, below: &mut dyn FrameTx) {
    let reply = View {
        operation: ArpOperation::REPLY,
        sender_mac: mac,
        sender: packet.target,
        target_mac: packet.sender_mac,
        target: packet.sender,
    };
    // A full link loses the reply; the asker asks again.
    let _ = reply.send(packet.sender_mac, below);
}
