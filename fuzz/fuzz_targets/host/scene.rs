//! A whole host, in virtual time, on a network where one neighbour sends whatever it likes and the
//! link itself is meddled with.

#![no_main]

use std::time::Duration;

use etherparse::checksum::Sum16BitWords;
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use link::{
    Direction, EtherType, FrameIo, FrameTx, MacAddr6, State,
    memory::{Network, Port},
};
use stack::{
    Config, Stack, What,
    icmp::{self, Echo},
};

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut scene = Scene::new();
    for step in &steps {
        scene.take(step);
        scene.poll();
    }
    scene.settle();
});

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// Time passes.
    Wait {
        milliseconds: u16,
    },
    /// The neighbour sends these octets, with checksums that are right if `mended`.
    Frame {
        octets: &'a [u8],
        mended: bool,
    },
    /// The neighbour sends a frame to the host, or to all.
    Payload {
        to_all: bool,
        arp: bool,
        octets: &'a [u8],
        mended: bool,
    },
    /// The neighbour answers the last ARP request that it heard.
    Answer {
        mac: u8,
    },
    /// The neighbour sends the last datagram that it heard back to where it came from, one octet
    /// changed.
    Reflect {
        at: u8,
        value: u8,
    },
    /// The neighbour quotes that datagram in an ICMP error.
    Quote {
        icmp_type: u8,
        code: u8,
        rest: [u8; 4],
        len: u8,
    },
    /// The host does something of its own.
    Echo {
        dst: u8,
        sequence: u8,
        ttl: u8,
        len: u16,
        timeout: u16,
    },
    Resolve {
        addr: u8,
    },
    Pin {
        addr: u8,
        mac: u8,
    },
    Probe {
        addr: u8,
    },
    Adopt,
    /// Something happens to its link.
    State {
        up: bool,
        carrier: bool,
    },
    Mtu {
        octets: u16,
    },
    Mac {
        last: u8,
    },
    Slots {
        frames: u8,
    },
    Inbox {
        frames: u8,
    },
    Jam {
        milliseconds: u8,
    },
}

struct Scene {
    network: Network,
    host: Stack<Port>,
    neighbour: Port,
    /// The last ARP packet and the last datagram that the neighbour heard.
    heard: [Vec<u8>; 2],
    accepted: usize,
    ended: usize,
}

impl Scene {
    fn new() -> Self {
        let network = Network::hub();
        let [port, neighbour] = [1, 2].map(|last| network.attach(mac(last)));
        let gateway = Some([10, 0, 0, 2].into());
        let config = Config::new("10.0.0.1/29".parse().expect("a network"));
        let host = Stack::new(port, Config { gateway, ..config });
        let heard = [Vec::new(), Vec::new()];
        Self { network, host, neighbour, heard, accepted: 0, ended: 0 }
    }

    fn take(&mut self, step: &Step<'_>) {
        let Self { network, host, .. } = self;
        let (now, line, ours) = (network.now(), host.link().line(), host.link().mac());
        match *step {
            Step::Wait { milliseconds } => {
                network.advance_to(now + Duration::from_millis(milliseconds.into()));
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
            Step::Echo { dst, sequence, ttl, len, timeout } => {
                let data = vec![0x55; len.into()];
                let echo = Echo::new([10, 0, 0, dst].into(), sequence.into(), &data);
                let timeout = Duration::from_millis(timeout.into());
                self.accepted +=
                    usize::from(host.echo(now, &Echo { ttl, timeout, ..echo }).is_ok());
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
    fn poll(&mut self) {
        let now = self.network.now();
        while self.host.poll(now).expect("the link is there") {}
        while let Some(event) = self.host.event() {
            assert!(event.at <= now);
            self.ended += usize::from(matches!(event.what, What::Icmp(icmp::Event::Ended(_))));
        }
        assert!(self.host.deadline().is_none_or(|at| at > now), "due, and not done");
        assert_eq!(self.accepted - self.ended, self.host.in_flight());
        assert!(self.host.under_way() <= self.host.in_flight());
        self.listen();
    }

    /// Leaves the host alone on a sound link until it wants nothing more.
    fn settle(&mut self) {
        let line = self.host.link().line();
        line.set_state(State::Up);
        line.set_mtu(1500);
        line.set_slots(1024);
        line.jam(self.network.now());
        for _ in 0..100_000 {
            self.poll();
            let next = self.network.next_arrival().into_iter().chain(self.host.deadline()).min();
            let Some(next) = next else {
                return assert_eq!(self.accepted, self.ended, "an echo that never ends");
            };
            self.network.advance_to(next);
        }
        panic!("the host never comes to rest");
    }

    fn say(&mut self, mut octets: Vec<u8>, mended: bool) {
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

fn mac(last: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, last)
}

fn frame(dst: MacAddr6, src: MacAddr6, kind: EtherType, payload: &[u8]) -> Vec<u8> {
    [dst.as_bytes(), src.as_bytes(), &kind.0.to_be_bytes(), payload].concat()
}

/// Writes the checksums that a frame should have, if it is a datagram, and an ICMP message.
fn mend(frame: &mut [u8]) {
    let Some(packet) = frame.get_mut(14..) else { return };
    let [first, _, high, low, ..] = *packet else { return };
    let header_len = usize::from(first & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([high, low]));
    let Some(packet) = packet.get_mut(..total_len) else { return };
    let Some((header, message)) = packet.split_at_mut_checked(header_len) else { return };
    if header.len() < 20 {
        return;
    }
    sum(header, 10);
    if header[9] == 1 && message.len() >= 4 {
        sum(message, 2);
    }
}

/// Writes to `at` the checksum of octets that include it.
fn sum(octets: &mut [u8], at: usize) {
    octets[at..at + 2].fill(0);
    let sum = Sum16BitWords::new().add_slice(octets).ones_complement();
    octets[at..at + 2].copy_from_slice(&sum.to_ne_bytes());
}
