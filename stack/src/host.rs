use std::{
    collections::VecDeque,
    io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::{Arp, Neighbour, Owned};
use etherparse::{EtherType, IpNumber};
use icmp::{Echo, Icmp, Outcome, SendError};
use ipnetwork::Ipv4Network;
use ipv4::{DatagramTx, Hop, Ipv4, NextHop, Route};
use link::{Direction, Frame, FrameIo, MacAddr6};

use crate::{
    config::Config,
    counters::{Counters, Discard},
    event::{Event, What},
    served::{self, Served, Verdict},
    survey::Survey,
};

/// A host: the only place that knows which layer sits on which.
///
/// [`poll`](Stack::poll) it, take its [`event`](Stack::event)s until `None`, send; then wait on
/// the link until [`deadline`](Stack::deadline), and begin again.
pub struct Stack<L> {
    pub(crate) link: L,
    pub(crate) arp: Arp,
    pub(crate) ipv4: Ipv4,
    icmp: Icmp,
    counters: Counters,
    pub(crate) events: VecDeque<Event>,
    /// Our address is announced once it has turned out to be free.
    adopting: bool,
    /// Whom we are besides.
    pub(crate) served: Option<Served>,
    /// How we claim their addresses.
    pub(crate) survey: Option<Survey>,
}

impl<L: FrameIo> Stack<L> {
    /// A host on `link`, whose MAC address it has.
    pub fn new(link: L, config: Config) -> Self {
        let Config { network, gateway, identifier, secret, answers, arp } = config;
        let [cookies, identifications] = secret;
        let mut ipv4 = Ipv4::new(network).with_secret(identifications);
        if let Some(gateway) = gateway {
            ipv4 = ipv4.with_gateway(gateway);
        }
        let owned = Owned::from([(network.ip(), link.mac())]);
        Self {
            arp: Arp::new(owned, arp::Config { answers, ..arp }),
            ipv4,
            icmp: Icmp::new(icmp::Config { identifier, secret: cookies, answers }),
            link,
            counters: Counters::default(),
            events: VecDeque::new(),
            adopting: false,
            served: None,
            survey: None,
        }
    }

    /// Reaches `prefix` by `hop` from now on.
    pub fn add_route(&mut self, prefix: Ipv4Network, hop: Hop) {
        self.ipv4.add_route(prefix, hop);
    }

    /// Has one more address, on a network that is connected too.
    pub fn add_address(&mut self, network: Ipv4Network) {
        self.ipv4.add_address(network);
    }

    /// Believes for ever that the neighbour `addr` is at `mac`, and asks nobody.
    pub fn pin(&mut self, now: Instant, addr: Ipv4Addr, mac: MacAddr6) {
        self.arp.pin(now, addr, mac);
    }

    /// Largest data of an echo to `dst` that needs no fragmentation, in octets.
    pub fn max_data(&mut self, now: Instant, dst: Ipv4Addr) -> usize {
        let below = &mut self.arp.over(now, &mut self.link);
        self.ipv4.over(now, below).max_len(dst).saturating_sub(icmp::HEADER_LEN)
    }

    /// Sends an echo request; its one [`icmp::Ended`] comes out of [`Stack::event`].
    ///
    /// # Errors
    /// [`SendError::is_full`]: poll, then try again. Otherwise the request cannot be sent.
    pub fn echo(&mut self, now: Instant, echo: &Echo<'_>) -> Result<(), SendError> {
        let Self { link, arp, ipv4, icmp, .. } = self;
        icmp.echo(now, echo, &mut ipv4.over(now, &mut arp.over(now, link)))
    }

    /// Asks the link for `addr`, even if it is known where that is.
    ///
    /// # Errors
    /// [`link::SendError::Full`]: poll, then try again.
    pub fn resolve(&mut self, now: Instant, addr: Ipv4Addr) -> Result<(), link::SendError> {
        let from = self.ipv4.src_towards(addr);
        self.arp.resolve(now, from, addr, &mut self.link)
    }

    /// Probes whether anybody uses `addr`: 4 to 7 seconds, then [`arp::Event::Free`], or
    /// [`arp::Event::Taken`] as soon as somebody does (RFC 5227 §2.1).
    pub fn probe(&mut self, now: Instant, addr: Ipv4Addr) {
        self.arp.probe(now, addr, self.link.mac());
    }

    /// Probes for our own address, and announces it when it turns out to be free (RFC 5227 §2.3);
    /// until then it is not answered for, and nothing should be sent from it.
    pub fn adopt(&mut self, now: Instant) {
        self.adopting = true;
        self.probe(now, self.ipv4.addresses()[0].ip());
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
            if self.served.is_some() {
                self.link.flush()?; // the answers to one batch fit the queue, those to all may not
            }
            budget = budget.saturating_sub(handed);
        }
        self.go_on_claiming(now);
        while let Some(event) = self.arp.poll(now, &mut self.link) {
            self.arp_event(now, event);
        }
        // While more is waiting, so may the reply to what seems to have timed out; not for ever.
        let taken_in = if budget > 0 { now } else { now.checked_sub(PATIENCE).unwrap_or(now) };
        while let Some(event) = self.icmp.poll(taken_in) {
            advise(now, &event, &self.ipv4, &mut self.arp);
            self.events.push_back(Event { at: now, from_mac: None, what: What::Icmp(event) });
        }
        self.link.flush()?;
        Ok(budget == 0)
    }

    /// Returns what has happened until the last poll; call until it returns `None`.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Instant> {
        let claiming = self.survey.as_ref().and_then(Survey::deadline);
        [self.arp.deadline(), self.icmp.deadline(), claiming].into_iter().flatten().min()
    }

    /// Echo requests that have not ended.
    pub fn in_flight(&self) -> usize {
        self.icmp.in_flight()
    }

    /// Of those, echo requests that have left.
    pub fn under_way(&self) -> usize {
        self.icmp.under_way()
    }

    /// How a datagram to `dst` would leave, and why.
    pub fn route(&self, dst: Ipv4Addr) -> Option<Route> {
        self.ipv4.route(dst)
    }

    /// The neighbours, in no order.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> + '_ {
        self.arp.neighbours()
    }

    /// What went by so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
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
        let Self { link, arp, ipv4, icmp, counters, events, served, survey, .. } = self;
        link.recv(now, &mut |frame, tx| {
            if frame.direction() != Direction::Received {
                if let (Direction::Unsent(_), Some(survey)) = (frame.direction(), &mut *survey) {
                    survey.begin_again(now);
                }
                own(&frame, arp, icmp);
                return told(now, None, frame.at(), ipv4, arp, icmp, events);
            }
            let frame = served.as_ref().map_or(frame, |served| served.recast(frame));
            counters.count(match frame.ether_type() {
                _ if frame.is_in_vlan() => Err(Discard::Vlan),
                EtherType::ARP => {
                    let yielded = served.as_ref().and_then(|served| served.give_way(&frame));
                    events.extend(yielded.map(|event| Event::of_arp(frame.at(), event)));
                    arp.input(now, &frame, tx).map_err(Discard::Arp)
                }
                EtherType::IPV4 => {
                    match served.as_ref().map_or(Verdict::Deliver, |is| is.judge(&frame)) {
                        Verdict::Deliver => match ipv4.input(now, &frame) {
                            Ok(datagram) if datagram.protocol == IpNumber::ICMP => icmp
                                .input(&datagram, &mut ipv4.over(now, &mut arp.over(now, tx)))
                                .map_err(Discard::Icmp),
                            Ok(_) => Err(Discard::Protocol),
                            Err(discard) => Err(Discard::Ipv4(discard)),
                        },
                        Verdict::Discard(discard) => Err(discard),
                        Verdict::Tell(problem, from) => Err(served::tell(
                            problem,
                            from,
                            &frame,
                            &mut ipv4.over(now, &mut arp.over(now, tx)),
                        )),
                    }
                }
                _ => Err(Discard::EtherType),
            });
            told(now, Some(frame.src()), frame.at(), ipv4, arp, icmp, events);
        })
    }

    fn link_event(&mut self, now: Instant, event: link::Event) {
        if let (link::Event::Mac(mac), Some(served)) = (&event, &mut self.served) {
            served.hosts = served.hosts.renewed(*mac);
            let hosts = served.hosts.clone();
            self.arp.renew(now, *mac, hosts, served.kept.iter().copied());
        } else if let link::Event::Mac(mac) = event {
            let ours = self.ipv4.addresses().iter().map(|network| (network.ip(), mac));
            let owned: Owned = ours.collect();
            let ours: Vec<Ipv4Addr> = owned.keys().copied().collect();
            self.arp.renew(now, mac, owned, ours);
        }
        self.events.push_back(Event { at: now, from_mac: None, what: What::Link(event) });
    }

    /// Tells icmp what became of the packets that arp kept, and the owner of the rest.
    fn arp_event(&mut self, now: Instant, mut event: arp::Event) {
        let fate = match &mut event {
            arp::Event::Released { packet } => {
                return self.icmp.sent(packet, now, link::Source::User);
            }
            arp::Event::Replaced { packet } => Some((std::mem::take(packet), Outcome::Replaced)),
            arp::Event::Unresolved { packet, requests, .. } => {
                packet.take().map(|packet| (packet, Outcome::Unresolved { requests: *requests }))
            }
            arp::Event::Unsent { packet, reason, .. } => {
                packet.take().map(|packet| (packet, Outcome::Unsent(*reason)))
            }
            arp::Event::Free { addr } if self.adopting && self.ipv4.is_ours(*addr) => {
                self.arp.announce(now, *addr, self.link.mac());
                None
            }
            _ => None,
        };
        if !matches!(event, arp::Event::Replaced { .. }) {
            self.events.push_back(Event::of_arp(now, event));
        }
        if let Some((packet, outcome)) = fate {
            let _ = self.icmp.failed(&packet, outcome); // not every packet is an echo
        }
    }
}

/// Passes on what icmp has to tell of a frame.
fn told(
    now: Instant,
    from_mac: Option<MacAddr6>,
    at: Instant,
    ipv4: &Ipv4,
    arp: &mut Arp,
    icmp: &mut Icmp,
    events: &mut VecDeque<Event>,
) {
    while let Some(event) = icmp.event() {
        advise(now, &event, ipv4, arp);
        events.push_back(Event { at, from_mac, what: What::Icmp(event) });
    }
}

/// Takes note of what became of a frame of ours.
fn own(frame: &Frame<'_>, arp: &mut Arp, icmp: &mut Icmp) {
    match (frame.direction(), frame.ether_type()) {
        (Direction::Sent, EtherType::ARP) => arp.sent(frame),
        (Direction::Sent, EtherType::IPV4) => {
            icmp.sent(frame.payload(), frame.at(), frame.stamp().source);
        }
        (Direction::Unsent(reason), EtherType::ARP) => arp.unsent(frame, reason),
        (Direction::Unsent(reason), EtherType::IPV4) => {
            let _ = icmp.failed(frame.payload(), Outcome::Unsent(reason)); // a reply, perhaps
        }
        _ => {}
    }
}

/// Tells arp what an echo's end says of its next hop (RFC 1122 §2.3.2.1).
fn advise(now: Instant, event: &icmp::Event, ipv4: &Ipv4, arp: &mut Arp) {
    let icmp::Event::Ended(ended) = event else { return };
    let reached = match ended.outcome {
        Outcome::Reply { .. } => true,
        Outcome::TimedOut { .. } => false,
        _ => return,
    };
    if let Some(Route { next_hop: NextHop::Unicast(next_hop), .. }) = ipv4.route(ended.dst) {
        arp.advise(now, next_hop, reached);
    }
}

/// How old a reply may be that still waits to be taken in.
const PATIENCE: Duration = Duration::from_secs(1);

/// Frames taken in by one poll.
const BUDGET: usize = 4096;
