use std::{
    collections::VecDeque,
    io,
    os::fd::BorrowedFd,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;

use super::{
    Line, Network,
    pool::{Octets, Pool},
    station::{Arrived, Terms},
};
use crate::{
    Cast, Checksum, Direction, Event, Facts, Frame, FrameIo, FrameTx, SendError, Source, Stamp,
    Wait,
};

/// A station's place on a [`Network`]; dropping it unplugs the station.
#[derive(Debug)]
pub struct Port {
    tx: PortTx,
    returns_sent: bool,
    /// The frames last received, to be given back.
    batch: VecDeque<Arrived>,
}

impl Port {
    pub(super) fn new(network: Network, id: PortId, terms: Terms) -> Self {
        let tx = PortTx { network, id, terms, outbox: None };
        Self { tx, returns_sent: true, batch: VecDeque::new() }
    }

    /// With an MTU of that many octets.
    pub fn with_mtu(mut self, mtu: usize) -> Self {
        self.tx.agree(|terms| terms.set_mtu(mtu));
        self
    }

    /// Whose frames each carry an 802.1Q tag: its MTU, which knows of no tags, is 4 octets more.
    pub fn with_tag(mut self) -> Self {
        self.tx.agree(|terms| terms.tagged = true);
        self
    }

    /// Whose own frames do not come back once sent; those that could not leave still do.
    pub fn without_sent(mut self) -> Self {
        self.returns_sent = false;
        self
    }

    /// Which place it is.
    pub fn id(&self) -> PortId {
        self.tx.id
    }

    /// Its line, for whoever wants to meddle with that while the port is in use.
    pub fn line(&self) -> Line {
        Line::new(self.tx.network.clone(), self.tx.id)
    }

    /// Whether something has arrived that was not received yet, or has happened to the link.
    pub fn has_arrived(&self) -> bool {
        let outbox = self.tx.outbox.as_ref();
        outbox.is_some_and(|outbox| outbox.own.iter().any(Own::is_unsent))
            || self.tx.network.switch().station(self.tx.id).is_some_and(|it| it.has_news())
    }

    /// The network it is plugged into.
    pub fn network(&self) -> &Network {
        &self.tx.network
    }

    /// Takes at most [`BATCH`] frames off the network, and gives back those of the last batch.
    fn collect(&mut self) -> io::Result<()> {
        let PortTx { network, id, terms, .. } = &mut self.tx;
        let mut switch = network.switch();
        if let Some(station) = switch.station(*id) {
            *terms = station.terms;
            station.check_receive()?;
        }
        switch.exchange(*id, &mut self.batch, BATCH);
        Ok(())
    }

    /// Hands up at most [`BATCH`] of its own frames.
    fn hand_back(&mut self, each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx)) -> usize {
        let mut count = 0;
        while count < BATCH
            && let Some(outbox) = &mut self.tx.outbox
            && let Some(Own { arrived, len, direction }) = outbox.own.pop_front()
        {
            let Arrived { at, since_epoch, octets } = arrived;
            self.tx.hand_up(direction, (at, since_epoch), &octets[..len], each);
            self.tx.outbox.get_or_insert_default().spare.give_back(octets);
            count += 1;
        }
        count
    }
}

impl FrameTx for Port {
    fn mac(&self) -> MacAddr6 {
        self.tx.mac()
    }

    fn mtu(&self) -> usize {
        self.tx.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.tx.transmit(len, write)
    }
}

impl FrameIo for Port {
    fn recv(
        &mut self,
        _now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        self.collect()?;
        let sent = self.hand_back(each);
        for Arrived { at, since_epoch, octets } in &self.batch {
            self.tx.hand_up(Direction::Received, (*at, *since_epoch), octets, each);
        }
        Ok(sent + self.batch.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let PortTx { network, id, terms, outbox } = &mut self.tx;
        let mut switch = network.switch();
        let (at, since_epoch) = (switch.now, switch.since_epoch(switch.now));
        let Some(station) = switch.station(*id) else { return Ok(()) };
        *terms = station.terms;
        station.check()?;
        let Some(Outbox { queue, spare, own }) = outbox.as_deref_mut() else { return Ok(()) };
        if queue.is_empty() || station.is_jammed(at) {
            return Ok(());
        }
        let state = station.state();
        let (count, mut has_unsent) = (queue.len(), false);
        for Queued { len, octets } in queue.drain(..) {
            let wanted = self.returns_sent || switch.fate.is_some();
            let (copy, unsent) = match terms.bar(state, len) {
                Some(reason) => (Some(octets), Some(reason)),
                None => (wanted.then(|| Arc::clone(&octets)), switch.forward(*id, octets)),
            };
            has_unsent |= unsent.is_some();
            if let Some(octets) = copy.filter(|_| self.returns_sent || unsent.is_some()) {
                let direction = unsent.map_or(Direction::Sent, Direction::Unsent);
                let arrived = Arrived { at, since_epoch, octets };
                own.push_back(Own { arrived, len, direction });
            }
        }
        switch.spare.lend(spare, count);
        if has_unsent {
            switch.wake_at(at, *id);
        }
        Ok(())
    }

    fn event(&mut self) -> Option<Event> {
        let mut switch = self.tx.network.switch();
        let station = switch.station(self.tx.id)?;
        self.tx.terms = station.terms;
        station.event()
    }

    fn returns_sent(&self) -> bool {
        self.returns_sent
    }

    fn dropped(&mut self) -> u64 {
        self.line().overflowed()
    }
}

impl Wait for Port {
    fn now(&self) -> Instant {
        self.tx.network.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.tx.network.switch().since_epoch(at)
    }

    /// Jumps to the next arrival anywhere on the network, or to `until` if that is sooner. It
    /// stays where it is if something has arrived here, or if nothing will ever happen.
    fn wait(&mut self, until: Option<Instant>, _wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if self.has_arrived() {
            return Ok(());
        }
        let mut switch = self.tx.network.switch();
        let next = switch.next_arrival();
        if let Some(at) = next.into_iter().chain(until).min() {
            switch.advance_to(at);
        }
        Ok(())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.tx.network.switch().unplug(self.tx.id);
    }
}

/// Which place on a network a station has.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PortId(pub(super) u32);

impl PortId {
    /// How many places its network had before this one.
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
struct PortTx {
    network: Network,
    id: PortId,
    terms: Terms,
    /// None of a station that never spoke.
    outbox: Option<Box<Outbox>>,
}

impl PortTx {
    /// Agrees on other terms with the network.
    fn agree(&mut self, change: impl FnOnce(&mut Terms)) {
        change(&mut self.terms);
        if let Some(station) = self.network.switch().station(self.id) {
            station.terms = self.terms;
        }
    }

    fn hand_up(
        &mut self,
        direction: Direction,
        (at, since_epoch): (Instant, Duration),
        octets: &[u8],
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) {
        let stamp = Stamp { since_epoch, source: Source::Virtual };
        let checksum = Checksum::Complete;
        let facts = Facts { direction, cast: Cast::Other, at, stamp, checksum };
        if let Ok(frame) = Frame::new(octets, facts) {
            let cast = Cast::of(frame.dst(), self.terms.mac);
            each(frame.with_facts(Facts { cast, ..facts }), self);
        }
    }
}

impl FrameTx for PortTx {
    fn mac(&self) -> MacAddr6 {
        self.terms.mac
    }

    fn mtu(&self) -> usize {
        self.terms.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        SendError::check(len, self.terms.mtu())?;
        let Outbox { queue, spare, .. } = &mut **self.outbox.get_or_insert_default();
        if self.terms.is_full(queue.len()) {
            return Err(SendError::Full);
        }
        let mut octets = spare.take();
        let buffer = Arc::make_mut(&mut octets);
        buffer.clear();
        buffer.resize(len.max(MIN_LEN), 0);
        write(&mut buffer[..len]);
        queue.push(Queued { len, octets });
        Ok(())
    }
}

/// The frames of a station's own.
#[derive(Debug, Default)]
struct Outbox {
    /// To be flushed.
    queue: Vec<Queued>,
    /// That have left, or could not.
    own: VecDeque<Own>,
    spare: Pool,
}

#[derive(Debug)]
struct Queued {
    /// Octets of it, padding excluded.
    len: usize,
    octets: Octets,
}

#[derive(Debug)]
struct Own {
    arrived: Arrived,
    /// Octets of it, padding excluded.
    len: usize,
    direction: Direction,
}

impl Own {
    fn is_unsent(&self) -> bool {
        self.direction != Direction::Sent
    }
}

/// Frames handed up by one `recv`, of each direction.
const BATCH: usize = 64;

/// Ethernet's minimum, frame check sequence excluded (IEEE 802.3 §4.4.2): shorter frames are
/// padded, so that everything above meets padding.
const MIN_LEN: usize = 60;
