use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    net::Ipv4Addr,
    time::Instant,
};

use etherparse::ArpOperation;
use link::{Frame, FrameTx, Unsent};
use macaddr::MacAddr6;

use crate::{
    claim::{Claim, RETRY},
    config::Config,
    entry::{Entry, State},
    event::Event,
    owner::Owner,
    packet::View,
    resolve::Ready,
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
    pub(crate) config: Config,
    pub(crate) table: HashMap<Ipv4Addr, Entry>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) events: VecDeque<Event>,
    /// One item per entry of `table`, no later than the entry's own deadline; and some of entries
    /// that are gone, told by their serial.
    pub(crate) deadlines: BinaryHeap<Reverse<(Instant, Ipv4Addr, u32)>>,
    /// Kept packets whose neighbour has since answered, oldest first.
    pub(crate) ready: VecDeque<Ready>,
    serial: u32,
    /// When to try again to send what is ready, the link having been full.
    retry: Option<Instant>,
}

impl Arp {
    /// An empty table for a station that owns what `owner` says.
    pub fn new(owner: impl Owner + 'static, config: Config) -> Self {
        Self {
            owner: Box::new(owner),
            config,
            table: HashMap::new(),
            claims: Vec::new(),
            events: VecDeque::new(),
            deadlines: BinaryHeap::new(),
            ready: VecDeque::new(),
            serial: 0,
            retry: None,
        }
    }

    /// The link layer as IPv4 wants it: this table over `below`.
    pub fn over<'a>(&'a mut self, now: Instant, below: &'a mut dyn FrameTx) -> Over<'a> {
        Over { arp: self, below, now }
    }

    /// Does what is due; call until it returns `None`.
    pub fn poll(&mut self, now: Instant, below: &mut dyn FrameTx) -> Option<Event> {
        self.retry = self.release(below).err().map(|_| now + RETRY);
        while let Some(&Reverse((at, addr, serial))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            match self.table.get(&addr) {
                Some(entry) if entry.serial != serial => {}
                Some(entry) if entry.deadline > now => {
                    self.deadlines.push(Reverse((entry.deadline, addr, serial))); // refreshed since
                }
                Some(_) => self.due(now, addr, below),
                None => {}
            }
        }
        for claim in &mut self.claims {
            self.events.extend(claim.poll(now, below));
        }
        self.claims.retain(|claim| !claim.is_over());
        self.events.pop_front()
    }

    /// Probes whether anybody uses `addr`, in the name of `mac` (RFC 5227 §2.1.1): 4 to 7
    /// seconds, then [`Event::Free`]; [`Event::Taken`] as soon as somebody does. Until it is free
    /// the address is not answered for, even if it is ours.
    pub fn probe(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        self.claims.retain(|claim| claim.addr != addr);
        self.claims.push(Claim::probe(now, addr, mac, self.config.seed));
    }

    /// Owns what `owner` says from now on.
    pub fn own(&mut self, owner: impl Owner + 'static) {
        self.owner = Box::new(owner);
    }

    /// Announces `addr`, which is ours, twice, two seconds apart (RFC 5227 §2.3).
    pub fn announce(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        self.claims.retain(|claim| claim.addr != addr);
        self.claims.push(Claim::announce(now, addr, mac));
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
        self.own(owner);
        for claim in &mut self.claims {
            claim.renew(now, mac);
        }
        for addr in ours {
            if self.config.answers && self.mac(addr).is_some() && !addr.is_unspecified() {
                self.announce(now, addr, mac);
            }
        }
    }

    /// Believes for ever that `addr` is at `mac`; a packet that was kept for it can leave.
    pub fn pin(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        if let Some(Entry { state: State::Incomplete { from, packet, .. }, .. }) =
            self.table.remove(&addr)
        {
            self.ready(addr, from, mac, packet);
        }
        self.insert(now, addr, State::Static(mac), None);
    }

    /// Takes note that an ARP frame of ours left: a round trip begins with the request's stamp.
    pub fn sent(&mut self, frame: &Frame<'_>) {
        let Ok(packet) = View::parse(frame.payload()) else { return };
        if let (ArpOperation::REQUEST, Some(entry)) =
            (packet.operation, self.table.get_mut(&packet.target))
        {
            entry.asked = entry.asked.map(|_| frame.at());
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
            let mut claims = self.claims.iter_mut();
            if let Some(claim) = claims.find(|claim| claim.addr == addr) {
                claim.begin_again(frame.at());
            }
            return;
        }
        if let Some(Entry { state: State::Incomplete { packet, .. }, .. }) =
            self.table.get_mut(&addr)
        {
            let packet = packet.take();
            self.table.remove(&addr);
            self.events.push_back(Event::Unsent { addr, reason, packet });
        }
    }

    /// Takes advice from above (RFC 1122 §2.3.2.1): `next_hop` was just reached, or a packet to
    /// it went unanswered; after two of those it is asked for again.
    pub fn advise(&mut self, now: Instant, next_hop: Ipv4Addr, reached: bool) {
        let Some(entry) = self.table.get_mut(&next_hop) else { return };
        let State::Reachable { unanswered, .. } = &mut entry.state else { return };
        if reached {
            *unanswered = 0;
            entry.deadline = now + self.config.lifetime;
        } else {
            *unanswered += 1;
        }
    }

    /// When [`Arp::poll`] next has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let table = self.deadlines.peek().map(|Reverse((at, ..))| *at);
        self.claims.iter().filter_map(Claim::due).chain(table).chain(self.retry).min()
    }

    /// The neighbours, in no order.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> + '_ {
        self.table.iter().map(|(&addr, entry)| match entry.state {
            State::Incomplete { .. } => Neighbour { addr, mac: None, pinned: false },
            State::Reachable { mac, .. } => Neighbour { addr, mac: Some(mac), pinned: false },
            State::Static(mac) => Neighbour { addr, mac: Some(mac), pinned: true },
        })
    }

    /// The hardware address of `addr`, if it is ours, neither being probed for nor taken.
    pub(crate) fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        let forbidden = self.claims.iter().any(|claim| claim.addr == addr && claim.forbids_use());
        self.owner.mac(addr).filter(|_| !forbidden)
    }

    pub(crate) fn lookup(&self, now: Instant, addr: Ipv4Addr) -> Option<MacAddr6> {
        let entry = self.table.get(&addr)?;
        match entry.state {
            State::Static(mac) => Some(mac),
            State::Reachable { mac, unanswered, .. } => {
                (entry.deadline > now && unanswered < UNANSWERED).then_some(mac)
            }
            State::Incomplete { .. } => None,
        }
    }

    /// Puts an entry in the place of whatever stood there, to be looked at when `deadline` comes.
    pub(crate) fn insert(
        &mut self,
        deadline: Instant,
        addr: Ipv4Addr,
        state: State,
        asked: Option<Instant>,
    ) -> &mut Entry {
        if self.deadlines.len() > 2 * self.table.len() + 64 {
            let table = &self.table;
            let stands =
                |addr: &Ipv4Addr, serial| table.get(addr).is_some_and(|e| e.serial == serial);
            self.deadlines.retain(|Reverse((_, addr, serial))| stands(addr, *serial));
        }
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        self.deadlines.push(Reverse((deadline, addr, serial)));
        let entry = self.table.entry(addr).insert_entry(Entry { state, deadline, asked, serial });
        entry.into_mut()
    }

    /// Makes room by forgetting the neighbour that was confirmed longest ago.
    pub(crate) fn evict(&mut self) -> bool {
        let oldest = self
            .table
            .iter()
            .filter(|(_, entry)| matches!(entry.state, State::Reachable { .. }))
            .min_by_key(|(_, entry)| entry.deadline)
            .map(|(&addr, _)| addr);
        oldest.is_some_and(|addr| self.table.remove(&addr).is_some())
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// Who.
    pub addr: Ipv4Addr,
    /// Where it is; `None` while it is being asked for.
    pub mac: Option<MacAddr6>,
    /// Whether it was pinned, and so never changes or ages.
    pub pinned: bool,
}

/// Packets that may go unanswered before a neighbour is asked for again.
const UNANSWERED: u32 = 2;
