use std::time::{Duration, Instant};

use link::{
    Direction, EtherType, FrameIo, FrameTx, MacAddr6, State,
    memory::{Network, Port},
};
use stack::{
    Impaired, Stack, What,
    arp::Owner,
    icmp::{self, Echo},
};

use crate::{
    frames::{frame, mac, mend, packet},
    setting::Setting,
    step::Step,
};

pub(crate) struct Scene {
    network: Network,
    host: Stack<Impaired<Port>>,
    neighbour: Port,
    /// The last ARP packet and the last datagram that the neighbour heard.
    heard: [Vec<u8>; 2],
    accepted: usize,
    ended: usize,
}

impl Scene {
    pub(crate) fn new(setting: &Setting) -> Self {
        let network = Network::hub();
        let [port, neighbour] = [1, 2].map(|last| network.attach(mac(last)));
        let host = setting.host(&network, port);
        let heard = [Vec::new(), Vec::new()];
        Self { network, host, neighbour, heard, accepted: 0, ended: 0 }
    }

    pub(crate) fn take(&mut self, step: &Step<'_>) {
        let Self { network, host, .. } = self;
        let (now, line, ours) = (network.now(), host.link().below().line(), host.link().mac());
        match *step {
            Step::Wait { milliseconds } => {
                network.advance_to(now + Duration::from_millis(milliseconds.into()));
            }
            Step::WaitLong { seconds } => {
                network.advance_to(now + Duration::from_secs(seconds.into()));
            }
            Step::Fragment { dst, identification, at, more, octets } => {
                let fragment = at & 0x1fff | u16::from(more) << 13;
                let ip = packet([10, 0, 0, dst], (identification.into(), fragment), 64, octets);
                self.say(frame(self.mac_of(dst), mac(2), EtherType::IPV4, &ip), true);
            }
            Step::Arp { to_all, operation, sender_mac, sender, target } => {
                let dst = if to_all { MacAddr6::broadcast() } else { self.mac_of(target) };
                let mut arp = vec![0, 1, 8, 0, 6, 4, 0, operation];
                arp.extend(mac(sender_mac).as_bytes());
                arp.extend([10, 0, 0, sender, 0, 0, 0, 0, 0, 0, 10, 0, 0, target]);
                if sender == 0 {
                    arp[14..18].fill(0);
                }
                self.say(frame(dst, mac(sender_mac), EtherType::ARP, &arp), false);
            }
            Step::Ask { dst, ttl, beyond, len } => {
                let to = if beyond { [10, 1, 0, dst] } else { [10, 0, 0, dst] };
                let message = [&[8, 0, 0, 0, 0, 7, 0, dst][..], &vec![0x55; (len % 1400).into()]];
                let ip = packet(to, (7, 0), ttl, &message.concat());
                let mac_dst = self.mac_of(if beyond { 9 } else { dst });
                self.say(frame(mac_dst, mac(2), EtherType::IPV4, &ip), true);
            }
            Step::Frame { octets, mended } => self.say(octets.to_vec(), mended),
            Step::Payload { to_all, arp, octets, mended } => {
                let dst = if to_all { MacAddr6::broadcast() } else { ours };
                let kind = if arp { EtherType::ARP } else { EtherType::IPV4 };
                self.say(frame(dst, mac(2), kind, octets), mended);
            }
            Step::Answer { mac: last } => {
                let [ref arp, _] = self.heard;
                let Some(asked) = arp.first_chunk::<28>() else { return };
                let mut answer = asked.to_vec();
                answer[7] = 2;
                answer[8..14].copy_from_slice(mac(last).as_bytes());
                answer[14..18].copy_from_slice(&asked[24..]);
                answer[18..].copy_from_slice(&asked[8..18]);
                self.say(frame(ours, mac(last), EtherType::ARP, &answer), false);
            }
            Step::Reflect { at, value } => {
                let [_, ref ip] = self.heard;
                let mut packet = ip.clone();
                if packet.len() < 20 {
                    return;
                }
                packet[12..20].rotate_left(4);
                if let Some(octet) = packet.get_mut(usize::from(at)) {
                    *octet = value;
                }
                self.say(frame(ours, mac(2), EtherType::IPV4, &packet), true);
            }
            Step::Quote { icmp_type, code, rest: [a, b, c, d], len } => {
                let [_, ref ip] = self.heard;
                let quoted = &ip[..ip.len().min(len.into())];
                let total = 28 + quoted.len() as u8 as u16;
                let [high, low] = total.to_be_bytes();
                let mut packet = vec![0x45, 0, high, low, 0, 0, 0, 0, 64, 1, 0, 0];
                packet.extend([10, 0, 0, 2, 10, 0, 0, 1, icmp_type, code, 0, 0, a, b, c, d]);
                packet.extend(quoted);
                self.say(frame(ours, mac(2), EtherType::IPV4, &packet), true);
            }
            Step::Echo { dst, sequence, ttl, len, timeout, dont_fragment } => {
                let data = vec![0x55; len.into()];
                let echo = Echo::new([10, 0, 0, dst].into(), sequence.into(), &data);
                let timeout = Duration::from_millis(timeout.into());
                self.accepted += usize::from(
                    host.echo(now, &Echo { ttl, timeout, dont_fragment, ..echo }).is_ok(),
                );
            }
            Step::Resolve { addr } => {
                let _ = host.resolve(now, [10, 0, 0, addr].into()); // full: so be it
            }
            Step::Pin { addr, mac: last } => host.pin(now, [10, 0, 0, addr].into(), mac(last)),
            Step::Probe { addr } => host.probe(now, [10, 0, 0, addr].into()),
            Step::Adopt => host.adopt(now),
            Step::State { up, carrier } => line.set_state(match (up, carrier) {
                (true, true) => State::Up,
                (true, false) => State::NoCarrier,
                (false, _) => State::Down,
            }),
            Step::Mtu { octets } => line.set_mtu(octets.into()),
            Step::Mac { last } => line.set_mac(mac(last)),
            Step::Slots { frames } => line.set_slots(frames.into()),
            Step::Inbox { frames } => line.set_inbox(frames.into()),
            Step::Jam { milliseconds } => {
                line.jam(now + Duration::from_millis(milliseconds.into()));
            }
        }
    }

    /// Polls the host until it has nothing more to do now.
    pub(crate) fn poll(&mut self) {
        let now = self.network.now();
        while self.host.poll(now).expect("the link is there") {}
        while let Some(event) = self.host.event() {
            assert!(event.at <= now);
            self.ended += usize::from(matches!(event.what, What::Icmp(icmp::Event::Ended(_))));
        }
        let link = self.host.link().deadline();
        assert!(link.is_none_or(|at| at > now), "due on the link, and not done");
        let due = self.host.deadline().filter(|at| *at <= now).map(|at| now - at);
        assert_eq!(due, None, "due, and not done");
        assert_eq!(self.accepted - self.ended, self.host.in_flight());
        assert!(self.host.under_way() <= self.host.in_flight());
        self.listen();
    }

    /// Leaves the host alone on a sound link until it wants nothing more.
    pub(crate) fn settle(&mut self) {
        let line = self.host.link().below().line();
        line.set_state(State::Up);
        line.set_mtu(1500);
        line.set_slots(1024);
        line.jam(self.network.now());
        for _ in 0..100_000 {
            self.poll();
            let next = self.network.next_arrival().into_iter().chain(self.deadline()).min();
            let Some(next) = next else {
                return assert_eq!(self.accepted, self.ended, "an echo that never ends");
            };
            self.network.advance_to(next);
        }
        panic!("the host never comes to rest");
    }

    pub(crate) fn wait(&mut self, pause: Duration) {
        self.network.advance_to(self.network.now() + pause);
    }

    fn deadline(&self) -> Option<Instant> {
        self.host.deadline().into_iter().chain(self.host.link().deadline()).min()
    }

    /// Where frames for 10.0.0.`last` are to go.
    fn mac_of(&self, last: u8) -> MacAddr6 {
        let addr = [10, 0, 0, last].into();
        let served = self.host.served().and_then(|served| served.hosts.mac(addr));
        served.unwrap_or_else(|| self.host.link().mac())
    }

    pub(crate) fn say(&mut self, mut octets: Vec<u8>, mended: bool) {
        if mended {
            mend(&mut octets);
        }
        // What is no frame at all is not sent.
        let _ = self.neighbour.transmit(octets.len(), &mut |out| out.copy_from_slice(&octets));
        self.neighbour.flush().expect("the link is there");
        self.network.advance_to(self.network.now() + link::memory::LATENCY);
    }

    fn listen(&mut self) {
        let (now, [arp, ip]) = (self.network.now(), &mut self.heard);
        let mut hear = |frame: link::Frame<'_>, _: &mut dyn FrameTx| match frame.ether_type() {
            _ if frame.direction() != Direction::Received => {}
            EtherType::ARP => *arp = frame.payload().to_vec(),
            EtherType::IPV4 => *ip = frame.payload().to_vec(),
            _ => {}
        };
        while self.neighbour.recv(now, &mut hear).expect("the link is there") > 0 {}
    }
}
