use std::{
    io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::Neighbour;
use icmp::{Awaited, Echo, SendError};
use ipnetwork::Ipv4Network;
use ipv4::{DatagramTx, Hop, Reassembling, Route};
use link::{Direction, FrameIo, MacAddr6};

use crate::{
    config::Config,
    counters::Counters,
    event::{Event, What},
    identity::{ManyHosts, OneHost},
    tower::Tower,
};

/// A host: the only place that knows which layer sits on which.
///
/// [`poll`](Stack::poll) it, take its [`event`](Stack::event)s until `None`, send; then wait on
/// the link until [`deadline`](Stack::deadline), and begin again.
pub struct Stack<L> {
    pub(crate) link: L,
    pub(crate) tower: Tower,
    /// Whether what is ours may be somebody else's, and so is probed for.
    pub(crate) adopted: bool,
}

impl<L: FrameIo> Stack<L> {
    /// A host on `link`, whose MAC address it has.
    pub fn new(link: L, config: Config) -> Self {
        let tower = Tower::new(link.mac(), config);
        Self { link, tower, adopted: false }
    }

    /// Reaches `prefix` by `hop` from now on.
    pub fn add_route(&mut self, prefix: Ipv4Network, hop: Hop) {
        self.tower.ipv4.add_route(prefix, hop);
    }

    /// Reaches `prefix` by `gateway` too; that of the lowest `metric` is used as long as it is alive
    /// (RFC 1122 §3.3.1.4).
    pub fn add_gateway(&mut self, prefix: Ipv4Network, gateway: Ipv4Addr, metric: u32) {
        self.tower.ipv4.add_gateway(prefix, gateway, metric);
    }

    /// Has one more address, on a network that is connected too.
    pub fn add_address(&mut self, network: Ipv4Network) {
        self.tower.ipv4.add_address(network);
        self.tower.arp.own(OneHost::new(self.link.mac(), &self.tower.ipv4));
    }

    /// Believes for ever that the neighbour `addr` is at `mac`, and asks nobody.
    pub fn pin(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        self.tower.arp.pin(now, addr, mac);
    }

    /// Largest data of an echo to `dst` that needs no fragmentation, in octets.
    pub fn max_data(&mut self, now: Instant, dst: Ipv4Addr) -> usize {
        let below = &mut self.tower.arp.over(now, &mut self.link);
        self.tower.ipv4.over(now, below).max_len(dst).saturating_sub(icmp::HEADER_LEN)
    }

    /// The longest packet that the path to `dst` takes, in octets, as far as errors told, or an
    /// [`MtuSearch`](crate::MtuSearch); the link's MTU bounds it besides.
    pub fn path_mtu(&self, now: Instant, dst: Ipv4Addr) -> Option<u16> {
        self.tower.ipv4.path_mtu(now, dst)
    }

    /// Sends an echo request; its one [`icmp::Ended`] comes out of [`Stack::event`].
    ///
    /// # Errors
    /// [`SendError::is_full`]: poll, then try again. Otherwise the request cannot be sent.
    pub fn echo(&mut self, now: Instant, echo: &Echo<'_>) -> Result<(), SendError> {
        let Self { link, tower: Tower { arp, ipv4, icmp, .. }, .. } = self;
        icmp.echo(now, echo, &mut ipv4.over(now, &mut arp.over(now, link)))
    }

    /// Asks the link for `addr`, even if it is known where that is.
    ///
    /// # Errors
    /// [`link::SendError::Full`]: poll, then try again.
    pub fn resolve(&mut self, now: Instant, addr: Ipv4Addr) -> Result<(), link::SendError> {
        let from = self.tower.ipv4.src_towards(addr);
        self.tower.arp.resolve(now, from, addr, &mut self.link)
    }

    /// Probes whether anybody uses `addr`: 4 to 7 seconds, then [`arp::Event::Free`], or
    /// [`arp::Event::Taken`] as soon as somebody does (RFC 5227 §2.1).
    pub fn probe(&mut self, now: Instant, addr: Ipv4Addr) {
        self.tower.arp.probe(now, addr, self.link.mac());
    }

    /// Probes for our own address, and announces it when it turns out to be free (RFC 5227 §2.3);
    /// until then it is not answered for, and nothing should be sent from it.
    pub fn adopt(&mut self, now: Instant) {
        self.adopted = true;
        self.tower.arp.claim(now, [(self.tower.ipv4.addresses()[0].ip(), self.link.mac())]);
    }

    /// How many addresses of ours are being probed for, also anew after an outage: nothing should be
    /// sent from them (RFC 5227 §2.1.1).
    pub fn claiming(&self) -> usize {
        self.tower.arp.claiming()
    }

    /// Announces `addr` once, by a request or by a reply (RFC 5227 §3).
    ///
    /// # Errors
    /// [`link::SendError::Full`]: poll, then try again.
    pub fn announce(
        &mut self,
        addr: Ipv4Addr,
        operation: arp::Operation,
    ) -> Result<(), link::SendError> {
        arp::announce(addr, operation, &mut self.link)
    }

    /// Takes in what has arrived, does what is due, flushes what was queued; never blocks.
    ///
    /// Returns whether more may be waiting: one call takes in a bounded number of frames.
    ///
    /// # Errors
    /// When the link is gone.
    pub fn poll(&mut self, now: Instant) -> io::Result<bool> {
        while let Some(event) = self.link.event() {
            self.link_event(now, event);
        }
        let mut budget = BUDGET;
        while budget > 0 {
            let handed = self.take_in(now)?;
            if handed == 0 {
                break;
            }
            if self.tower.served.is_some() {
                self.link.flush()?; // the answers to one batch fit the queue, those to all may not
            }
            budget = budget.saturating_sub(handed);
        }
        // While more is waiting, so may the reply to what seems to have timed out; not for ever.
        let taken_in = if budget > 0 { now } else { now.checked_sub(PATIENCE).unwrap_or(now) };
        self.tower.poll(now, taken_in, &mut self.link);
        self.link.flush()?;
        Ok(budget == 0)
    }

    /// Returns what has happened until the last poll; call until it returns `None`.
    ///
    /// Strays, redirects, conflicts, moves and evictions, which others can cause at will, are lost
    /// while 8,192 events wait; whatever comes of what we did is not.
    pub fn event(&mut self) -> Option<Event> {
        self.tower.events.pop_front()
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Instant> {
        self.tower.deadline()
    }

    /// Echo requests that have not ended.
    pub fn in_flight(&self) -> usize {
        self.tower.icmp.in_flight()
    }

    /// Of those, echo requests that have left.
    pub fn under_way(&self) -> usize {
        self.tower.icmp.under_way()
    }

    /// The echo requests that have not ended, in no order.
    pub fn awaited(&self) -> impl Iterator<Item = Awaited> + '_ {
        self.tower.icmp.awaited()
    }

    /// How a datagram to `dst` would leave, and why.
    pub fn route(&self, dst: Ipv4Addr) -> Option<Route> {
        self.tower.ipv4.route(dst)
    }

    /// The neighbours, in no order.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> + '_ {
        self.tower.arp.neighbours()
    }

    /// What is known of one neighbour.
    pub fn neighbour(&self, addr: Ipv4Addr) -> Option<Neighbour> {
        self.tower.arp.neighbour(addr)
    }

    /// What went by so far.
    pub fn counters(&self) -> &Counters {
        &self.tower.counters
    }

    /// What is being reassembled, and what was given up.
    pub fn reassembling(&self) -> Reassembling {
        self.tower.ipv4.reassembling()
    }

    /// The link, to read its statistics.
    pub fn link(&self) -> &L {
        &self.link
    }

    /// The link, to wait on.
    pub fn link_mut(&mut self) -> &mut L {
        &mut self.link
    }

    /// The link, the host being gone.
    pub fn into_link(self) -> L {
        self.link
    }

    /// Takes in one batch, and returns how many frames it had.
    fn take_in(&mut self, now: Instant) -> io::Result<usize> {
        let Self { link, tower, .. } = self;
        link.recv(now, &mut |frame, tx| {
            if frame.direction() == Direction::Received {
                let frame = tower.served.as_ref().map_or(frame, |served| served.recast(frame));
                return tower.input(now, &frame, tx);
            }
            tower.own(now, &frame);
        })
    }

    fn link_event(&mut self, now: Instant, event: link::Event) {
        match event {
            link::Event::Mac(mac) => self.renew(now, mac),
            link::Event::Up => {
                let ours = if self.adopted { self.ours() } else { Vec::new() };
                self.tower.arp.link_up(now, ours); // RFC 5227 §2.1
            }
            _ => {}
        }
        self.tower.events.push_back(Event { at: now, from_mac: None, what: What::Link(event) });
    }

    /// Is at `mac` from now on.
    fn renew(&mut self, now: Instant, mac: MacAddr6) {
        let Tower { arp, ipv4, served, .. } = &mut self.tower;
        if let Some(served) = served {
            served.hosts = served.hosts.renewed(mac);
            let ours = served.hosts.iter().map(|(addr, _)| addr);
            arp.renew(now, mac, ManyHosts::new(served, ipv4), ours);
            return;
        }
        let ours: Vec<_> = ipv4.addresses().iter().map(|network| network.ip()).collect();
        arp.renew(now, mac, OneHost::new(mac, ipv4), ours);
    }

    /// What is ours to use on the link, and where it is.
    fn ours(&self) -> Vec<(Ipv4Addr, MacAddr6)> {
        let Tower { arp, ipv4, served, .. } = &self.tower;
        match served {
            Some(served) => {
                served.hosts.iter().filter(|(addr, _)| arp.mac(*addr).is_some()).collect()
            }
            None => vec![(ipv4.addresses()[0].ip(), self.link.mac())],
        }
    }
}

/// How old a reply may be that still waits to be taken in.
const PATIENCE: Duration = Duration::from_secs(1);

/// Frames taken in by one poll.
const BUDGET: usize = 4096;
