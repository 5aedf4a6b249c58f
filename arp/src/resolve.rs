use std::{mem, net::Ipv4Addr, time::Instant};

use etherparse::{ArpOperation, EtherType};
use link::{As, FrameTx, SendError, Unsent};
use macaddr::MacAddr6;

use crate::{
    entry::{Entry, REQUEST_INTERVAL, State},
    event::Event,
    packet::View,
    table::Arp,
    tx::Sent,
};

impl Arp {
    /// Asks for `addr` in the name of `from`, although nothing is to be sent to it, and even if
    /// its MAC is known; ends in [`Event::Resolved`], [`Event::Unresolved`] or
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
        let known = self.table.get(&addr);
        if let Some(Entry { state: State::Incomplete { .. } | State::Static(_), .. }) = known {
            return Ok(());
        }
        if known.is_none() && self.table.len() >= self.config.capacity && !self.evict() {
            return Err(SendError::Full);
        }
        let known = self.table.get(&addr);
        let (asked, at) = known.map_or((None, now), |entry| (entry.asked, entry.may_ask(now)));
        let state = State::Incomplete { from, requests: 0, packet: None };
        if at > now {
            self.insert(at, addr, state, asked); // asked less than a second ago: `poll` asks
        } else {
            self.request(from, addr, below)?;
            self.insert(now + REQUEST_INTERVAL, addr, state, asked).note_request(now);
        }
        Ok(())
    }

    /// Keeps the latest packet for `addr`, and asks for its MAC.
    pub(crate) fn keep(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        addr: Ipv4Addr,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
        below: &mut dyn FrameTx,
    ) -> Result<Sent, SendError> {
        if len > below.mtu() {
            return Err(SendError::TooLong { len, mtu: below.mtu() });
        }
        self.resolve(now, from, addr, below)?;
        if let Some(Entry { state: State::Incomplete { packet, .. }, .. }) =
            self.table.get_mut(&addr)
        {
            let mut newer = vec![0; len];
            write(&mut newer);
            if let Some(packet) = packet.replace(newer) {
                self.events.push_back(Event::Replaced { packet });
            }
        }
        Ok(Sent::Kept)
    }

    /// Sends kept packets whose neighbour has answered, until the link is full. One that the link
    /// takes no more, because its MTU was lowered since, is handed back.
    pub(crate) fn release(&mut self, below: &mut dyn FrameTx) -> Result<(), SendError> {
        while let Some(Ready { src, dst, packet, .. }) = self.ready.front() {
            let src = src.unwrap_or_else(|| below.mac());
            let sent = As { mac: src, below: &mut *below }.send(
                *dst,
                EtherType::IPV4,
                packet.len(),
                &mut |out| {
                    out.copy_from_slice(packet);
                },
            );
            if let Err(SendError::Full) = sent {
                return sent;
            }
            if let Some(Ready { addr, packet, .. }) = self.ready.pop_front() {
                self.events.push_back(match sent {
                    Ok(()) => Event::Released { packet },
                    Err(_) => {
                        let (reason, packet) = (Unsent::TooLong, Some(packet));
                        Event::Unsent { addr, reason, packet }
                    }
                });
            }
        }
        Ok(())
    }

    /// Believes that `addr` is at `mac`, as a reply that arrived at `answered` says, or something
    /// else: whoever waited for that can be sent to.
    pub(crate) fn learn(
        &mut self,
        now: Instant,
        answered: Option<Instant>,
        addr: Ipv4Addr,
        mac: MacAddr6,
    ) {
        let state = State::Reachable { mac, confirmed: now, unanswered: 0 };
        let deadline = now + self.config.lifetime;
        let Some(entry) = self.table.get_mut(&addr) else {
            if self.table.len() < self.config.capacity {
                self.insert(deadline, addr, state, None);
            }
            return;
        };
        entry.deadline = deadline;
        let asked = entry.asked;
        if let State::Incomplete { from, requests, packet } = mem::replace(&mut entry.state, state)
        {
            let round_trip =
                answered.zip(asked).map(|(at, asked)| at.saturating_duration_since(asked));
            self.events.push_back(Event::Resolved { addr, mac, round_trip, requests });
            self.ready(addr, from, mac, packet);
        }
    }

    /// Takes note that what was kept, if anything, can be sent to `mac`.
    pub(crate) fn ready(
        &mut self,
        addr: Ipv4Addr,
        from: Ipv4Addr,
        mac: MacAddr6,
        packet: Option<Vec<u8>>,
    ) {
        let src = self.mac(from);
        self.ready.extend(packet.map(|packet| Ready { addr, src, dst: mac, packet }));
    }

    /// Repeats the request for `addr`, gives up on it, or lets it age: its deadline has come.
    pub(crate) fn due(&mut self, now: Instant, addr: Ipv4Addr, below: &mut dyn FrameTx) {
        let Some(entry) = self.table.get_mut(&addr) else { return };
        let (from, requests, packet) = match &mut entry.state {
            State::Incomplete { from, requests, packet } => (*from, *requests, packet.take()),
            State::Reachable { .. } => return drop(self.table.remove(&addr)),
            State::Static(_) => return,
        };
        if requests >= self.config.requests {
            self.table.remove(&addr);
            self.events.push_back(Event::Unresolved { addr, requests, packet });
            return;
        }
        let asked = entry.asked;
        let sent = self.request(from, addr, below);
        let state = State::Incomplete { from, requests, packet };
        let entry = self.insert(now + REQUEST_INTERVAL, addr, state, asked);
        if sent.is_ok() {
            entry.note_request(now);
        }
    }

    fn request(
        &self,
        from: Ipv4Addr,
        addr: Ipv4Addr,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let packet = View {
            operation: ArpOperation::REQUEST,
            sender_mac: self.mac(from).unwrap_or_else(|| below.mac()),
            sender: from,
            target_mac: MacAddr6::nil(),
            target: addr,
        };
        packet.send(MacAddr6::broadcast(), below)
    }
}

/// A kept packet whose neighbour has answered.
pub(crate) struct Ready {
    addr: Ipv4Addr,
    src: Option<MacAddr6>,
    dst: MacAddr6,
    packet: Vec<u8>,
}
