//! One host, and one station that plays everybody else on its link and hears all that it says.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use sidestack_stack as stack;
use stack::{
    Config, Event, Stack, What, arp,
    icmp::{self, Echo, Ended, Outcome},
    link::{
        Direction, EtherType, Frame, FrameIo, FrameTx, MacAddr6,
        memory::{Network, Port},
    },
};

use crate::packet::{self, Ip};

pub(crate) struct Wire {
    pub(crate) network: Network,
    pub(crate) host: Stack<Port>,
    station: Port,
    start: Instant,
    /// Whom the station answers ARP requests for.
    pub(crate) owners: Vec<(Ipv4Addr, MacAddr6)>,
    /// What it answers the packet of a request with, as packets, and after how long.
    pub(crate) answer: Answer,
    waiting: Vec<(Instant, Vec<u8>)>,
    /// All that the host has sent.
    pub(crate) heard: Vec<Heard>,
    /// All that it has told.
    pub(crate) told: Vec<Event>,
}

pub(crate) type Answer = Box<dyn FnMut(&Heard) -> Vec<(Duration, Vec<u8>)>>;

/// A frame that the host has sent.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Since the beginning.
    pub(crate) at: Duration,
    pub(crate) dst: MacAddr6,
    pub(crate) kind: EtherType,
    /// Padding included.
    pub(crate) payload: Vec<u8>,
}

impl Heard {
    /// The packet without padding.
    pub(crate) fn packet(&self) -> &[u8] {
        &self.payload[..usize::from(u16::from_be_bytes([self.payload[2], self.payload[3]]))]
    }

    /// Type and code of a message, if it is one.
    pub(crate) fn icmp(&self) -> Option<(u8, u8)> {
        let first = self.kind == EtherType::IPV4 && self.payload[9] == 1;
        (first && self.offset() == 0).then(|| (self.payload[20], self.payload[21]))
    }

    /// Of a fragment, in octets.
    pub(crate) fn offset(&self) -> usize {
        usize::from(u16::from_be_bytes([self.payload[6] & 0x1f, self.payload[7]])) * 8
    }

    pub(crate) fn is_arp(&self) -> bool {
        self.kind == EtherType::ARP
    }

    /// Operation and the address asked for.
    pub(crate) fn arp(&self) -> Option<(u8, Ipv4Addr)> {
        self.is_arp().then(|| (self.payload[7], address(&self.payload[24..28])))
    }
}

impl Wire {
    /// A host at 10.0.0.1/24 with its gateway at 10.0.0.254; the station is 10.0.0.2.
    pub(crate) fn new() -> Self {
        let gateway = Some(GATEWAY);
        Self::with(Config { gateway, ..Config::new("10.0.0.1/24".parse().unwrap()) })
    }

    pub(crate) fn with(config: Config) -> Self {
        let network = Network::hub();
        let [port, station] = [OURS, THEIRS].map(|mac| network.attach(mac));
        Self {
            start: network.now(),
            host: Stack::new(port, config),
            station,
            owners: vec![(THEM, THEIRS), (GATEWAY, THEIRS)],
            answer: Box::new(|_| Vec::new()),
            waiting: Vec::new(),
            heard: Vec::new(),
            told: Vec::new(),
            network,
        }
    }

    /// The station answers every echo request.
    pub(crate) fn answering(mut self) -> Self {
        self.answer = Box::new(|heard| match heard.icmp() {
            Some((8, 0)) => vec![(Duration::ZERO, turned(heard.packet()))],
            _ => Vec::new(),
        });
        self
    }

    /// The station sends a frame.
    pub(crate) fn say(&mut self, octets: &[u8]) {
        self.station.transmit(octets.len(), &mut |out| out.copy_from_slice(octets)).unwrap();
        self.station.flush().unwrap();
    }

    /// The station sends an ARP packet to all.
    pub(crate) fn arp(&mut self, operation: u8, sender: (MacAddr6, Ipv4Addr), tpa: Ipv4Addr) {
        let packet = packet::arp(operation, sender, tpa);
        self.say(&packet::frame(MacAddr6::broadcast(), sender.0, EtherType::ARP, &packet));
    }

    /// The station sends packets to the host, which deals with them.
    pub(crate) fn ip(&mut self, packets: &[Ip]) {
        for packet in packets {
            self.say(&packet::frame(OURS, THEIRS, EtherType::IPV4, &packet.octets()));
        }
        self.pass(MS);
    }

    /// Both live for that long.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.until(self.network.now() + time, |_| false);
    }

    /// Sends an echo request and waits for its end.
    pub(crate) fn ping(&mut self, echo: &Echo<'_>) -> Outcome {
        self.told.clear();
        self.host.echo(self.now(), echo).unwrap();
        self.until(self.now() + Duration::from_secs(60), |told| ended(told).next().is_some());
        ended(&self.told).next().expect("every echo ends").outcome
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.now()
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now() - self.start
    }

    /// What the host has sent since this was last asked for.
    pub(crate) fn hear(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    /// What ARP has told.
    pub(crate) fn arp_told(&self) -> Vec<&arp::Event> {
        let told = self.told.iter();
        told.filter_map(|event| if let What::Arp(event) = &event.what { Some(event) } else { None })
            .collect()
    }

    fn until(&mut self, end: Instant, done: impl Fn(&[Event]) -> bool) {
        loop {
            let now = self.network.now();
            while self.host.poll(now).unwrap() {}
            self.told.extend(std::iter::from_fn(|| self.host.event()));
            self.speak();
            if now >= end || done(&self.told) {
                return;
            }
            let due = self.host.deadline();
            self.advance(due.map_or(end, |due| due.min(end)));
        }
    }

    /// The station takes in what has arrived, and says what it has to say by now.
    pub(crate) fn speak(&mut self) {
        let now = self.network.now();
        self.listen();
        for (_, octets) in self.waiting.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.say(&octets);
        }
    }

    /// Jumps to when something arrives or is to be said, or to `end` if that is sooner.
    pub(crate) fn advance(&mut self, end: Instant) {
        let waiting = self.waiting.iter().map(|(at, _)| *at);
        let due = waiting.chain(self.network.next_arrival());
        self.network.advance_to(due.fold(end, Instant::min));
    }

    /// Both links take packets of that many octets.
    pub(crate) fn set_mtu(&mut self, mtu: usize) {
        for line in [self.host.link().line(), self.station.line()] {
            line.set_mtu(mtu);
        }
        self.pass(MS);
    }

    fn listen(&mut self) {
        let (now, start) = (self.network.now(), self.start);
        let mut heard = Vec::new();
        let mut each = |frame: Frame<'_>, _: &mut dyn FrameTx| {
            if frame.direction() == Direction::Received {
                let payload = frame.payload().to_vec();
                let (at, dst, kind) = (frame.at() - start, frame.dst(), frame.ether_type());
                heard.push(Heard { at, dst, kind, payload });
            }
        };
        while self.station.recv(now, &mut each).unwrap() > 0 {}
        for frame in &heard {
            let owner = frame.arp().filter(|(operation, _)| *operation == 1);
            let owner = owner.and_then(|(_, tpa)| self.owners.iter().find(|it| it.0 == tpa));
            let answers = match owner {
                Some(&(addr, mac)) if address(&frame.payload[14..18]) != addr => {
                    let answer = packet::arp(2, (mac, addr), US);
                    vec![(now, packet::frame(OURS, mac, EtherType::ARP, &answer))]
                }
                _ if frame.kind == EtherType::IPV4 => {
                    let to_host =
                        |packet: Vec<u8>| packet::frame(OURS, THEIRS, EtherType::IPV4, &packet);
                    let answers = (self.answer)(frame).into_iter();
                    answers.map(|(after, packet)| (now + after, to_host(packet))).collect()
                }
                _ => Vec::new(),
            };
            self.waiting.extend(answers);
        }
        self.heard.extend(heard);
    }
}

/// The echoes that have ended.
pub(crate) fn ended(told: &[Event]) -> impl Iterator<Item = &Ended> {
    told.iter().filter_map(|event| match &event.what {
        What::Icmp(icmp::Event::Ended(ended)) => Some(ended),
        _ => None,
    })
}

/// The reply to the echo request in a packet, from where it went to.
pub(crate) fn turned(request: &[u8]) -> Vec<u8> {
    let (src, dst) = (address(&request[16..20]), address(&request[12..16]));
    Ip::icmp(src, dst, &packet::reply(&request[20..])).octets()
}

fn address(octets: &[u8]) -> Ipv4Addr {
    Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3])
}

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const THEM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
pub(crate) const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

pub(crate) const OURS: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
pub(crate) const THEIRS: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);
