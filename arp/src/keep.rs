use std::{collections::VecDeque, net::Ipv4Addr, time::Instant};

use etherparse::EtherType;
use link::{As, FrameTx, SendError, Unsent};
use macaddr::MacAddr6;

use crate::{
    entry::State,
    event::Event,
    table::Arp,
    tx::{Packet, Sent},
};

impl Arp {
    /// Keeps the latest datagram for `addr`, and asks for its MAC; hands it back at once if it
    /// was just given up on.
    pub(crate) fn keep(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        addr: Ipv4Addr,
        packet: Packet<'_>,
        below: &mut dyn FrameTx,
    ) -> Result<Sent, SendError> {
        let Packet { len, write, further } = packet;
        if len > below.mtu() {
            return Err(SendError::TooLong { len, mtu: below.mtu() });
        }
        if self.events.is_full() {
            return Err(SendError::Full);
        }
        if let Some(requests) = self.is_dead(now, addr) {
            let mut octets = vec![0; len];
            write(&mut octets);
            if !further {
                let packet = Some(octets);
                self.events.push(now, Event::Unresolved { addr, requests, packet });
            }
            return Ok(Sent::Kept);
        }
        let waiting: usize = self.table.get(addr).map_or(0, |entry| {
            entry.extra.iter().flat_map(|extra| &extra.kept).map(Vec::len).sum()
        });
        let (gone, stays) = if further { (0, waiting) } else { (waiting, 0) };
        let kept = self.waiting.as_ref().map_or(0, |waiting| waiting.octets);
        if stays + len > DATAGRAM || kept - gone + len > self.config.kept {
            return Err(SendError::Full);
        }
        self.resolve(now, from, addr, below)?;
        let Some(slot) = self.table.find(addr) else { return Err(SendError::Full) };
        let mut octets = vec![0; len];
        write(&mut octets);
        self.waiting.get_or_insert_default().octets += len;
        let extra = self.table.value_mut(slot).extra();
        if further {
            extra.kept.push(octets);
            return Ok(Sent::Kept);
        }
        let replaced = std::mem::replace(&mut extra.kept, vec![octets]);
        if let Some(packet) = self.hand_back(replaced) {
            self.events.push(now, Event::Replaced { packet });
        }
        Ok(Sent::Kept)
    }

    /// Lets go of a datagram that was kept; its first fragment tells whose it was.
    pub(crate) fn hand_back(&mut self, kept: Vec<Vec<u8>>) -> Option<Vec<u8>> {
        if let Some(waiting) = &mut self.waiting {
            waiting.octets -= kept.iter().map(Vec::len).sum::<usize>();
        }
        kept.into_iter().next()
    }

    /// Takes note that what was kept, if anything, can be sent to `mac`.
    pub(crate) fn ready(
        &mut self,
        addr: Ipv4Addr,
        from: Ipv4Addr,
        mac: MacAddr6,
        kept: Vec<Vec<u8>>,
    ) {
        if kept.is_empty() {
            return;
        }
        let src = self.mac(from);
        let mut further = false;
        let waiting = self.waiting.get_or_insert_default();
        waiting.ready.extend(kept.into_iter().map(|packet| {
            let ready = Ready { addr, src, dst: mac, packet, further };
            further = true;
            ready
        }));
    }

    /// Sends kept packets whose neighbour has answered, until the link is full. One that the link
    /// takes no more, because its MTU was lowered since, is handed back.
    pub(crate) fn release(
        &mut self,
        now: Instant,
        below: &mut dyn FrameTx,
    ) -> Result<(), SendError> {
        let Some(waiting) = &mut self.waiting else { return Ok(()) };
        while let Some(Ready { src, dst, packet, .. }) = waiting.ready.front() {
            let src = src.unwrap_or_else(|| below.mac());
            let mut as_src = As { mac: src, below: &mut *below };
            let write = &mut |out: &mut [u8]| out.copy_from_slice(packet);
            let sent = as_src.send(*dst, EtherType::IPV4, packet.len(), write);
            if sent == Err(SendError::Full) {
                return sent;
            }
            let Some(Ready { addr, packet, further, .. }) = waiting.pop() else { break };
            match sent {
                Ok(()) if further => {}
                Ok(()) => self.events.push(now, Event::Released { packet }),
                Err(_) => {
                    waiting.drop_rest();
                    let (reason, packet) = (Unsent::TooLong, Some(packet));
                    self.events.push(now, Event::Unsent { addr, reason, packet });
                }
            }
        }
        Ok(())
    }

    /// How many requests were in vain, if `addr` was given up on and must not be asked for yet.
    fn is_dead(&mut self, now: Instant, addr: Ipv4Addr) -> Option<u32> {
        let tick = self.clock.tick(now);
        let entry = self.table.get(addr)?;
        (entry.state == State::Failed && tick < entry.heard).then_some(entry.requests.into())
    }
}

/// The packets that wait until their neighbours answer, or until the link has room.
#[derive(Default)]
pub(crate) struct Waiting {
    /// Octets kept for neighbours, asked for or just found.
    octets: usize,
    /// Kept packets whose neighbour has since answered, oldest first.
    ready: VecDeque<Ready>,
}

impl Waiting {
    fn pop(&mut self) -> Option<Ready> {
        let ready = self.ready.pop_front()?;
        self.octets -= ready.packet.len();
        Some(ready)
    }

    /// Drops the further fragments of a datagram of which one cannot leave.
    fn drop_rest(&mut self) {
        while self.ready.front().is_some_and(|ready| ready.further) {
            self.pop();
        }
    }
}

/// A kept packet whose neighbour has answered.
struct Ready {
    addr: Ipv4Addr,
    src: Option<MacAddr6>,
    dst: MacAddr6,
    packet: Vec<u8>,
    /// Whether it is another fragment of the datagram before it.
    further: bool,
}

/// Octets kept for one neighbour: a datagram of 65,535 octets in fragments of 68, the smallest
/// MTU that there is (RFC 791 §3.2), and their headers.
const DATAGRAM: usize = 96 << 10;
