use std::{net::Ipv4Addr, time::Instant};

use etherparse::ArpOperation;
use link::{Cast, Frame, FrameTx};
use macaddr::MacAddr6;

use crate::{
    entry::{REQUEST_INTERVAL, State},
    event::Event,
    packet::{Discard, View},
    table::Arp,
};

impl Arp {
    /// Takes in an ARP packet, answering it if it asks for us (RFC 826 "Packet Reception").
    ///
    /// # Errors
    /// The reason it was discarded.
    pub fn input(
        &mut self,
        now: Instant,
        frame: &Frame<'_>,
        below: &mut dyn FrameTx,
    ) -> Result<(), Discard> {
        let packet = View::parse(frame.payload())?;
        if frame.cast() == Cast::Other {
            return Err(Discard::NotForUs);
        }
        if !matches!(packet.operation, ArpOperation::REQUEST | ArpOperation::REPLY) {
            return Err(Discard::Operation);
        }
        self.check_sender(&packet, below.mac())?;
        if self.is_contested(&packet) {
            return Ok(());
        }
        if let Some(kept) = self.mac(packet.sender) {
            let (addr, other) = (packet.sender, packet.sender_mac);
            self.events.push_back(Event::Conflict { addr, kept, other });
            return Ok(());
        }
        let target = self.mac(packet.target);
        let outcome = self.merge(now, frame.at(), &packet, target.is_some());
        if let (Some(mac), ArpOperation::REQUEST) = (target, packet.operation)
            && self.config.answers
        {
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
        let _ = self.release(below); // what does not fit now goes with the next poll
        outcome
    }

    /// Refuses senders that no station or host can be.
    fn check_sender(&self, packet: &View, below: MacAddr6) -> Result<(), Discard> {
        let View { sender_mac: mac, sender, .. } = *packet;
        if mac.is_nil() || mac.is_multicast() {
            return Err(Discard::SenderMac);
        }
        if mac == below || self.owner.mac(sender) == Some(mac) {
            return Err(Discard::Echoed);
        }
        if sender.is_broadcast() || sender.is_multicast() || sender.is_loopback() {
            return Err(Discard::Sender);
        }
        Ok(())
    }

    /// Ends the probing for an address that somebody else turns out to have or want.
    fn is_contested(&mut self, packet: &View) -> bool {
        let contested = self.claims.iter_mut().find(|claim| claim.is_contested_by(packet));
        let Some(claim) = contested else { return false };
        claim.give_up();
        self.events.push_back(Event::Taken { addr: claim.addr, mac: packet.sender_mac });
        true
    }

    /// Updates what is known of the sender; creates an entry only if it speaks to us.
    fn merge(
        &mut self,
        now: Instant,
        at: Instant,
        packet: &View,
        for_us: bool,
    ) -> Result<(), Discard> {
        let View { sender: addr, sender_mac: mac, .. } = *packet;
        let answered = (packet.operation == ArpOperation::REPLY).then_some(at);
        if addr.is_unspecified() {
            return if for_us { Ok(()) } else { Err(Discard::NotForUs) }; // a probe (RFC 5227)
        }
        match self.table.get(&addr).map(|entry| &entry.state) {
            Some(State::Incomplete { .. }) => self.learn(now, answered, addr, mac),
            Some(State::Static(kept)) if *kept == mac => {}
            Some(&State::Static(kept)) => self.conflict(addr, kept, mac),
            Some(&State::Reachable { mac: old, confirmed, .. }) => {
                if old != mac && now.saturating_duration_since(confirmed) < REQUEST_INTERVAL {
                    self.conflict(addr, old, mac);
                } else {
                    if old != mac {
                        self.events.push_back(Event::Moved { addr, old, new: mac });
                    }
                    self.learn(now, answered, addr, mac);
                }
            }
            None if for_us && packet.operation == ArpOperation::REQUEST => {
                self.learn(now, answered, addr, mac);
            }
            None if for_us => return Err(Discard::Unasked),
            None => return Err(Discard::NotForUs),
        }
        Ok(())
    }

    fn conflict(&mut self, addr: Ipv4Addr, kept: MacAddr6, other: MacAddr6) {
        self.events.push_back(Event::Conflict { addr, kept, other });
    }
}
