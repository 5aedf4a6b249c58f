use std::{net::Ipv4Addr, time::Instant};

use etherparse::ArpOperation;
use link::{Frame, FrameTx, Unsent};
use macaddr::MacAddr6;

use crate::{
    clock::{Clock, Tick},
    config::{Config, Knobs},
    conflicts::Conflicts,
    entry::{Entry, State},
    event::Event,
    keep::Waiting,
    owner::Owner,
    packet::View,
    queue::Events,
    timed::{Item, Timed},
    tx::Over,
};

/// The address resolution table of one interface (RFC 826 "translation table").
///
/// Place it [`over`](Arp::over) a link to send; give it every ARP frame by
/// [`input`](Arp::input), and every ARP frame of ours that left or could not by
/// [`sent`](Arp::sent) and [`unsent`](Arp::unsent); then [`poll`](Arp::poll) until `None`, again
/// at [`deadline`](Arp::deadline).
pub struct Arp {
    pub(crate) owner: Box<dyn Owner>,
    pub(crate) config: Knobs,
    pub(crate) clock: Clock,
    pub(crate) table: Timed<Entry>,
    /// Where in the table the next search for somebody to forget begins.
    pub(crate) hand: usize,
    /// None until a packet waits for its neighbour.
    pub(crate) waiting: Option<Box<Waiting>>,
    /// None until an address is probed for, announced, defended or given up.
    pub(crate) conflicts: Option<Box<Conflicts>>,
    pub(crate) events: Events,
    /// When to try again, the link having been full.
    pub(crate) blocked: Option<Instant>,
}

impl Arp {
    /// An empty table for a station that owns what `owner` says.
    pub fn new(owner: impl Owner + 'static, config: Config) -> Self {
        Self {
            owner: Box::new(owner),
            config: config.into(),
            clock: Clock::default(),
            table: Timed::new(),
            hand: 0,
            waiting: None,
            conflicts: None,
            events: Events::default(),
            blocked: None,
        }
    }

    /// The link layer as IPv4 wants it: this table over `below`.
    pub fn over<'a>(&'a mut self, now: Instant, below: &'a mut dyn FrameTx) -> Over<'a> {
        Over { arp: self, below, now }
    }

    /// Does what is due; call until it returns `None`.
    pub fn poll(&mut self, now: Instant, below: &mut dyn FrameTx) -> Option<Event> {
        let done = self.release(now, below).and_then(|()| self.work(now, below));
        self.blocked = done.err().map(|_| now + RETRY);
        self.events.pop()
    }

    /// What has happened so far, without doing what is due.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// Owns what `owner` says from now on.
    pub fn own(&mut self, owner: impl Owner + 'static) {
        self.owner = Box::new(owner);
    }

    /// Believes for ever that `addr` is at `mac`; a packet that was kept for it can leave.
    pub fn pin(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        let tick = self.clock.tick(now);
        let pinned = Entry::new(State::Static, mac, Ipv4Addr::UNSPECIFIED, tick);
        let Some(slot) = self.table.find(addr) else {
            self.table.insert(addr, Tick::END, pinned);
            return;
        };
        let mut old = std::mem::replace(self.table.value_mut(slot), pinned);
        self.table.set_due(slot, Tick::END);
        self.ready(addr, old.from, mac, old.take_kept());
        self.blocked.get_or_insert(now); // the next poll sends it
    }

    /// Takes note that an ARP frame of ours left: a round trip begins with the request's stamp.
    pub fn sent(&mut self, frame: &Frame<'_>) {
        let Ok(packet) = View::parse(frame.payload()) else { return };
        if packet.operation != ArpOperation::REQUEST {
            return;
        }
        let tick = self.clock.tick(frame.at());
        if let Some(slot) = self.table.find(packet.target) {
            let entry = self.table.value_mut(slot);
            if entry.asked != Tick::NEVER {
                entry.asked = tick;
            }
        }
    }

    /// Takes note that an ARP frame of ours could not leave: gives up on whom it asked for, or
    /// begins again to probe.
    pub fn unsent(&mut self, frame: &Frame<'_>, reason: Unsent) {
        let Ok(packet) = View::parse(frame.payload()) else { return };
        if packet.operation != ArpOperation::REQUEST {
            return;
        }
        let addr = packet.target;
        if packet.sender.is_unspecified() {
            let tick = self.clock.tick(frame.at());
            if let Some(conflicts) = &mut self.conflicts {
                conflicts.claims.begin_again(tick, addr);
            }
            return;
        }
        let Some(slot) = self.table.find(addr) else { return };
        if self.table.item(slot).value.state == State::Incomplete {
            let mut entry = self.table.remove(slot).value;
            let packet = self.hand_back(entry.take_kept());
            self.events.push(frame.at(), Event::Unsent { addr, reason, packet });
        }
    }

    /// When [`Arp::poll`] next has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        if self.blocked.is_some() || self.events.since().is_some() {
            return [self.blocked, self.events.since()].into_iter().flatten().min();
        }
        let table = self.table.first().map(|(due, _)| due);
        let conflicts = self.conflicts.as_ref().and_then(|conflicts| conflicts.due());
        let due = table.into_iter().chain(conflicts).min();
        due.and_then(|due| self.clock.instant(due))
    }

    /// The neighbours, in no order.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> + '_ {
        self.table.iter().map(Neighbour::of)
    }

    /// What is known of one neighbour.
    pub fn neighbour(&self, addr: Ipv4Addr) -> Option<Neighbour> {
        self.table.find(addr).map(|slot| Neighbour::of(self.table.item(slot)))
    }

    /// The hardware address of `addr`, if it is ours, neither being probed for nor taken.
    pub fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        let conflicts = self.conflicts.as_ref();
        self.owner.mac(addr).filter(|_| !conflicts.is_some_and(|all| all.forbid(addr)))
    }

    /// Does all that is due.
    fn work(&mut self, now: Instant, below: &mut dyn FrameTx) -> Result<(), link::SendError> {
        let tick = self.clock.tick(now);
        while let Some((due, slot)) = self.table.first()
            && due <= tick
        {
            self.due(now, slot, below)?;
        }
        if let Some(conflicts) = &mut self.conflicts {
            conflicts.forget(tick);
        }
        self.work_on_claims(now, below)
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// Who.
    pub addr: Ipv4Addr,
    /// Where packets to it are sent; `None` while it is being asked for, or given up on.
    pub mac: Option<MacAddr6>,
    /// How far that is to be believed.
    pub state: State,
}

impl Neighbour {
    fn of(item: &Item<Entry>) -> Self {
        let Entry { state, mac, .. } = item.value;
        let known = !matches!(state, State::Incomplete | State::Failed);
        Self { addr: item.addr, mac: known.then_some(mac), state }
    }
}

/// Until the next try on a link whose queue was full.
const RETRY: std::time::Duration = std::time::Duration::from_millis(10);
