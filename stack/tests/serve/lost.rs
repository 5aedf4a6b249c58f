//! Answers that never leave, because nobody knows where to.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::{IpNumber, Ipv4Header};
use sidestack_stack as stack;
use stack::{
    Config, Stack, Undelivered,
    arp::Macs,
    ipv4::Hop,
    link::{
        EtherType, FrameIo, FrameTx, State, Unsent,
        memory::{Network, Port},
    },
};

use crate::pair::{CLIENT, SERVER, host, hosts};

/// Ten hosts, and a station that asks them and is mute to ARP.
struct Bench {
    network: Network,
    server: Stack<Port>,
    station: Port,
}

impl Bench {
    fn new() -> Self {
        let network = Network::new();
        let port = network.attach(SERVER).without_sent();
        let station = network.attach(CLIENT).without_sent().with_mtu(9_000);
        let mut server = Stack::new(port, Config::new("0.0.0.0/32".parse().unwrap()));
        server.add_route("10.0.0.0/16".parse().unwrap(), Hop::Connected);
        server.serve(network.now(), hosts(Macs::One(SERVER), 10, 19), false);
        Self { network, server, station }
    }

    /// An echo request from `src`, of so many octets.
    fn asked(&mut self, src: Ipv4Addr, len: u16) {
        let dst = host(10);
        let mut header =
            Ipv4Header::new(len, 64, IpNumber::ICMP, src.octets(), dst.octets()).unwrap();
        header.header_checksum = header.calc_header_checksum();
        let mut packet = header.to_bytes().to_vec();
        packet.extend([8, 0, 0xf7, 0xff]);
        packet.resize(20 + usize::from(len), 0);
        let mut write = |out: &mut [u8]| out.copy_from_slice(&packet);
        self.station.send(SERVER, EtherType::IPV4, packet.len(), &mut write).unwrap();
        self.station.flush().unwrap();
        self.live(Duration::from_millis(1));
    }

    fn live(&mut self, time: Duration) {
        let end = self.network.now() + time;
        loop {
            let now = self.network.now();
            while self.server.poll(now).unwrap() {}
            while self.server.event().is_some() {}
            if now >= end {
                return;
            }
            let due = [self.network.next_arrival(), self.server.deadline()];
            self.network.advance_to(due.into_iter().flatten().fold(end, Ord::min));
        }
    }

    /// How many never left, by reason: replaced, unresolved, unsent.
    fn lost(&self) -> [u64; 3] {
        let unsent = Undelivered::Unsent(Unsent::Down);
        [Undelivered::Replaced, Undelivered::Unresolved, unsent]
            .map(|reason| self.server.counters().undelivered(reason))
    }
}

// LNK-4
#[test]
fn an_answer_that_a_later_one_replaces_while_arp_asks_is_counted_and_so_is_the_last() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.asked(host(1), 8);
    }
    bench.asked(host(2), 8);
    assert_eq!(bench.lost(), [4, 0, 0], "the fifth waits");
    bench.live(Duration::from_secs(4));
    assert_eq!(bench.lost(), [4, 2, 0], "nobody answered three requests");
    assert_eq!(bench.server.counters().losses().count(), 2);
}

#[test]
fn a_datagram_in_fragments_is_lost_once() {
    let mut bench = Bench::new();
    bench.asked(host(1), 4_008);
    bench.asked(host(1), 4_008);
    assert_eq!(bench.lost(), [1, 0, 0]);
    bench.live(Duration::from_secs(4));
    assert_eq!(bench.lost(), [1, 1, 0]);
}

#[test]
fn what_waits_when_the_link_goes_down_is_counted_as_not_sent() {
    let mut bench = Bench::new();
    bench.asked(host(1), 8);
    bench.network.line(bench.server.link().id()).set_state(State::Down);
    bench.live(Duration::from_secs(4));
    assert_eq!(bench.lost(), [0, 0, 1]);
}
