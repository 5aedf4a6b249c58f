use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::Arp;
use etherparse::{EtherType, IpNumber};
use icmp::{Icmp, Outcome, Problem};
use ipv4::{Ipv4, NextHop, Packet, Route};
use link::{Direction, Frame, FrameTx, MacAddr6};

use crate::{
    beyond::Homeward,
    config::Config,
    counters::{Counters, Discard, Undelivered},
    event::{Event, What},
    identity::OneHost,
    served::{Served, Verdict},
    udp,
};

/// The layers, one above the other, without the link, which is lent to them call by call.
pub(crate) struct Tower {
    pub(crate) arp: Arp,
    pub(crate) ipv4: Ipv4,
    pub(crate) icmp: Icmp,
    pub(crate) counters: Counters,
    pub(crate) events: VecDeque<Event>,
    /// Whom we are besides.
    pub(crate) served: Option<Box<Served>>,
    /// Whether senders are told what became of their datagrams.
    answers: bool,
    /// When each gateway last let a reply through.
    passed: BTreeMap<Ipv4Addr, Instant>,
}

impl Tower {
    /// A host's, whose MAC address is `mac`.
    pub(crate) fn new(mac: MacAddr6, config: Config) -> Self {
        let Config { network, gateway, identifier, secret, answers, arp, errors } = config;
        let [cookies, identifications] = secret;
        let mut ipv4 = Ipv4::new(network).with_secret(identifications);
        if let Some(gateway) = gateway {
            ipv4 = ipv4.with_gateway(gateway);
        }
        let owner = OneHost::new(mac, &ipv4);
        let icmp =
            icmp::Config { identifier, secret: cookies, answers, errors, ..Default::default() };
        Self {
            arp: Arp::new(owner, arp::Config { answers, ..arp }),
            ipv4,
            icmp: Icmp::new(icmp),
            counters: Counters::default(),
            events: VecDeque::new(),
            served: None,
            answers,
            passed: BTreeMap::new(),
        }
    }

    /// Takes in a frame that came for one of us.
    pub(crate) fn input(&mut self, now: Instant, frame: &Frame<'_>, tx: &mut dyn FrameTx) {
        let taken = match frame.ether_type() {
            _ if frame.is_in_vlan() => Err(Discard::Vlan),
            _ if is_no_station(frame.src()) => Err(Discard::Station),
            EtherType::ARP => self.arp(now, frame, tx),
            EtherType::IPV4 => match self.judge(frame) {
                Verdict::Deliver => self.packet(now, frame, tx),
                Verdict::Beyond(dst) => {
                    self.behind(dst, frame, false, |us, frame| us.packet(now, frame, tx))
                }
                Verdict::Discard(discard) => Err(discard),
                Verdict::Tell(problem, from) => self.behind(from, frame, true, |us, frame| {
                    us.complain(now, problem, Some(from), frame, tx);
                    let expired = problem == Problem::TimeExceeded;
                    Err(if expired { Discard::Expired } else { Discard::Refused })
                }),
            },
            _ => Err(Discard::EtherType),
        };
        self.counters.count(taken);
        self.told(now, Some(frame.src()), frame.at());
    }

    /// Takes note of what became of a frame of ours.
    pub(crate) fn own(&mut self, now: Instant, frame: &Frame<'_>) {
        match (frame.direction(), frame.ether_type()) {
            (Direction::Sent, EtherType::ARP) => self.arp.sent(frame),
            (Direction::Sent, EtherType::IPV4) => {
                self.icmp.sent(frame.payload(), frame.at(), frame.stamp().source);
            }
            (Direction::Unsent(reason), EtherType::ARP) => self.arp.unsent(frame, reason),
            (Direction::Unsent(reason), EtherType::IPV4) => {
                let first = Packet::parse(frame.payload()).is_ok_and(|it| it.is_first_fragment());
                let lost = first.then_some(Undelivered::Unsent(reason));
                self.failed(frame.payload(), Outcome::Unsent(reason), lost);
            }
            _ => {}
        }
        self.told(now, None, frame.at());
    }

    /// Does what is due in every layer, the lowest first; `taken_in` is up to when all that came
    /// has been looked at.
    pub(crate) fn poll(&mut self, now: Instant, taken_in: Instant, link: &mut dyn FrameTx) {
        let mut told = true;
        while told {
            self.poll_arp(now, link);
            while let Some(event) = self.ipv4.poll(now, &mut self.arp.over(now, link)) {
                self.ipv4_event(now, event, link);
                self.poll_arp(now, link); // what it told of may wait there, in another's place
            }
            told = false;
            while let Some(event) = self.icmp.poll(taken_in) {
                told = true; // and may make arp doubt a neighbour
                self.icmp_event(now, (now, None), event);
            }
        }
    }

    fn poll_arp(&mut self, now: Instant, link: &mut dyn FrameTx) {
        while let Some(event) = self.arp.poll(now, link) {
            self.arp_event(now, event);
        }
    }

    /// When to poll again even if nothing arrives.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let deadlines = [self.arp.deadline(), self.ipv4.deadline(), self.icmp.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// What it changes of our addresses holds for the next packet already.
    fn arp(
        &mut self,
        now: Instant,
        frame: &Frame<'_>,
        tx: &mut dyn FrameTx,
    ) -> Result<(), Discard> {
        let taken = self.arp.input(now, frame, tx).map_err(Discard::Arp);
        while let Some(event) = self.arp.event() {
            self.arp_event(now, event);
        }
        taken
    }

    fn judge(&self, frame: &Frame<'_>) -> Verdict {
        self.served.as_ref().map_or(Verdict::Deliver, |served| served.judge(frame, &self.arp))
    }

    fn packet(
        &mut self,
        now: Instant,
        frame: &Frame<'_>,
        tx: &mut dyn FrameTx,
    ) -> Result<(), Discard> {
        let Self { arp, ipv4, icmp, answers, served, .. } = self;
        let datagram = match ipv4.input(now, frame) {
            Ok(datagram) => datagram,
            Err(ipv4::Discard::Incomplete) => return Ok(()),
            Err(discard) => {
                if let (ipv4::Discard::BadOption { pointer }, true) = (discard, *answers) {
                    self.complain(now, Problem::Parameter { pointer }, None, frame, tx);
                }
                return Err(Discard::Ipv4(discard));
            }
        };
        let mut below = arp.over(now, tx);
        let below = &mut ipv4.over(now, &mut below);
        let routers = served.as_ref().map_or(&[][..], |served| served.way_to(datagram.dst));
        let at = datagram.stamp.since_epoch;
        let below = &mut Homeward { routers, at, below };
        let (problem, discard) = match datagram.protocol {
            IpNumber::ICMP => return icmp.input(&datagram, below).map_err(Discard::Icmp),
            IpNumber::UDP => {
                udp::check(&datagram, frame.facts().checksum)?;
                (Problem::PortUnreachable, Discard::Port)
            }
            _ => (Problem::ProtocolUnreachable, Discard::Protocol),
        };
        if *answers {
            let _ = icmp.report(now, problem, &datagram, below); // it is discarded all the same
        }
        Err(discard)
    }

    /// Tells the sender of the packet in `frame` what is wrong with it, in the name of `from`, or
    /// else of whom it was for; but for packets that nobody may be told of: those for everybody,
    /// and those that claim to come from everybody or from us (RFC 1122 §3.2.2).
    fn complain(
        &mut self,
        now: Instant,
        problem: Problem,
        from: Option<Ipv4Addr>,
        frame: &Frame<'_>,
        tx: &mut dyn FrameTx,
    ) {
        let Ok(packet) = Packet::parse(frame.payload()) else { return };
        let Self { arp, ipv4, icmp, .. } = self;
        let src = packet.src();
        if ipv4.is_broadcast(packet.dst()) || ipv4.is_broadcast(src) || ipv4.is_ours(src) {
            return;
        }
        let mut below = arp.over(now, tx);
        let below = &mut ipv4.over(now, &mut below);
        let came = (frame.cast(), from.or_else(|| Some(packet.dst())));
        let _ = icmp.report_packet(now, problem, &packet, came, below); // it is lost all the same
    }

    /// Passes on what icmp has to tell of a frame.
    fn told(&mut self, now: Instant, from_mac: Option<MacAddr6>, at: Instant) {
        while let Some(event) = self.icmp.event() {
            self.icmp_event(now, (at, from_mac), event);
        }
    }

    /// Tells icmp what became of the packets that arp kept, ipv4 what became of their next hops,
    /// and the owner of the rest.
    fn arp_event(&mut self, now: Instant, mut event: arp::Event) {
        let fate = match &mut event {
            arp::Event::Released { packet } => {
                return self.icmp.sent(packet, now, link::Source::User);
            }
            arp::Event::Replaced { packet } => {
                Some((std::mem::take(packet), Outcome::Replaced, Undelivered::Replaced))
            }
            arp::Event::Unresolved { addr, packet, requests } => {
                self.ipv4.unresolved(now, *addr);
                let outcome = Outcome::Unresolved { requests: *requests };
                packet.take().map(|packet| (packet, outcome, Undelivered::Unresolved))
            }
            arp::Event::Unsent { packet, reason, .. } => {
                let (outcome, lost) = (Outcome::Unsent(*reason), Undelivered::Unsent(*reason));
                packet.take().map(|packet| (packet, outcome, lost))
            }
            arp::Event::Resolved { addr, .. } => {
                self.ipv4.advise(now, *addr, true);
                None
            }
            arp::Event::Free { addr } => {
                if self.is_ours(*addr) {
                    self.ipv4.add_hosts(*addr..=*addr);
                }
                None
            }
            arp::Event::Taken { addr, .. } | arp::Event::Lost { addr, .. } => {
                self.ipv4.remove_host(*addr);
                None
            }
            _ => None,
        };
        if !matches!(event, arp::Event::Replaced { .. }) {
            self.tell(Event::of_arp(now, event));
        }
        if let Some((packet, outcome, lost)) = fate {
            self.failed(&packet, outcome, Some(lost));
        }
    }

    /// Takes a packet of ours back: the end of an echo, or else an answer that is `lost`.
    fn failed(&mut self, packet: &[u8], outcome: Outcome, lost: Option<Undelivered>) {
        match self.icmp.failed(packet, outcome) {
            Ok(()) | Err(icmp::Discard::StaleError) => {} // an echo, if one that had ended before
            Err(_) => lost.into_iter().for_each(|reason| self.counters.lose(reason)),
        }
    }

    /// Whether `addr` is to be ours once nobody else turns out to have it.
    fn is_ours(&self, addr: Ipv4Addr) -> bool {
        match &self.served {
            Some(served) => served.hosts.contains(addr),
            None => self.ipv4.addresses().iter().any(|network| network.ip() == addr),
        }
    }

    /// RFC 1122 §3.3.2: who sent only a part is told so.
    fn ipv4_event(&mut self, now: Instant, event: ipv4::Event, link: &mut dyn FrameTx) {
        let ipv4::Event::Expired { dst, cast, first: Some(first), .. } = event else { return };
        let Ok(packet) = Packet::parse(&first) else { return };
        let Self { arp, ipv4, icmp, answers, .. } = self;
        if *answers {
            let (problem, mut below) = (Problem::ReassemblyTimeExceeded, arp.over(now, link));
            let below = &mut ipv4.over(now, &mut below);
            let _ = icmp.report_packet(now, problem, &packet, (cast, Some(dst)), below); // it is lost
        }
    }

    /// Tells the layers below what an echo's end says of its path, and the owner of all.
    fn icmp_event(
        &mut self,
        now: Instant,
        (at, from_mac): (Instant, Option<MacAddr6>),
        event: icmp::Event,
    ) {
        if let icmp::Event::Ended(ended) = &event {
            if let Some(big) = ended.too_big() {
                self.ipv4.too_big(now, big.dst, big.mtu.unwrap_or(0), big.quoted_len);
            }
            match ended.outcome {
                Outcome::Reply { .. } => self.advise(now, ended.dst, None),
                Outcome::TimedOut { waited } => self.advise(now, ended.dst, Some(waited)),
                _ => {}
            }
        }
        self.tell(Event { at, from_mac, what: What::Icmp(event) });
    }

    /// Keeps `event` for the owner, unless as much waits as may, and nobody asked for it.
    fn tell(&mut self, event: Event) {
        if self.events.len() < EVENTS || !event.is_unasked() {
            self.events.push_back(event);
        }
    }

    /// RFC 1122 §2.3.2.1, §3.3.1.4: what went to `dst` was answered, or was waited for in vain, for
    /// so long.
    ///
    /// That says nothing against a gateway that has let others' replies through meanwhile: it was
    /// the host beyond that was silent.
    fn advise(&mut self, now: Instant, dst: Ipv4Addr, waited: Option<Duration>) {
        let Some(Route { next_hop: NextHop::Unicast(next_hop), .. }) = self.ipv4.route(dst) else {
            return;
        };
        if next_hop != dst {
            match (waited, self.passed.get(&next_hop)) {
                (None, _) => drop(self.passed.insert(next_hop, now)),
                (Some(waited), Some(&passed)) if now <= passed + waited => return,
                _ => {}
            }
        }
        self.arp.advise(now, next_hop, waited.is_none());
        self.ipv4.advise(now, next_hop, waited.is_none());
    }
}

/// Whether nobody can send from `mac`, and nobody be answered there.
pub(crate) fn is_no_station(mac: MacAddr6) -> bool {
    mac.is_multicast() || mac.is_nil()
}

/// Events that wait, at most, before those that nobody asked for are lost: more than one poll
/// makes of the frames that it takes in.
const EVENTS: usize = 8192;
