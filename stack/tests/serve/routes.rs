//! What lies behind routers of ours, and what cannot be reached.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::{IpNumber, Ipv4Header, checksum::Sum16BitWords};
use sidestack_stack as stack;
use stack::{
    Beyond, Config, Discard, Hosts, Refused, Served, Stack, What,
    arp::Macs,
    icmp::{self, Echo, Event, Outcome},
    ipv4::{self, Options, Recorded},
    link::{EtherType, FrameIo, FrameTx, memory::Network},
};

use crate::pair::{CLIENT, Pair, SERVER, host, hosts};

const FAR: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 5);

/// Three routers, the first at 10.0.0.254, and 10.99.0.0/24 behind them.
fn routed() -> Served {
    let far = Hosts::new(
        Macs::One(SERVER),
        [Ipv4Addr::new(10, 99, 0, 0)..=Ipv4Addr::new(10, 99, 0, 255)],
    );
    let routers = vec![host(254), Ipv4Addr::new(172, 31, 255, 2), Ipv4Addr::new(172, 31, 255, 3)];
    let beyond = Some(Beyond { routers, hosts: far });
    Served { beyond, ..hosts(Macs::One(SERVER), 254, 254) }
}

/// Who tells of which type and code.
fn error(outcome: Outcome) -> (Ipv4Addr, u8, u8) {
    let Outcome::Error(error) = outcome else { panic!("{outcome:?}") };
    (error.from, error.icmp_type, error.code)
}

fn with_ttl(dst: Ipv4Addr, ttl: u8) -> Echo<'static> {
    Echo { ttl, ..Echo::new(dst, ttl.into(), &[0; 56]) }
}

#[test]
fn each_router_tells_of_the_time_that_ran_out_and_the_host_behind_them_answers() {
    let mut pair = Pair::new(routed(), false, &[]);
    let routers = [host(254), Ipv4Addr::new(172, 31, 255, 2), Ipv4Addr::new(172, 31, 255, 3)];
    for (router, ttl) in routers.into_iter().zip(1..) {
        assert_eq!(error(pair.ask(&with_ttl(FAR, ttl))), (router, 11, 0));
    }
    assert!(matches!(pair.ask(&with_ttl(FAR, 4)), Outcome::Reply { .. }));
    assert_eq!(pair.server.counters().discarded(Discard::Expired), 3);
}

// RFC 1812 §5.3.13.5
#[test]
fn every_router_on_the_way_there_and_back_is_recorded() {
    let mut pair = Pair::new(routed(), false, &[]);
    let [second, third] = [2, 3].map(|n| Ipv4Addr::new(172, 31, 255, n));
    let there = [host(254), second, third, FAR, third, second, host(254)];
    assert_eq!(recorded(&mut pair, FAR, 9), there);
    assert_eq!(recorded(&mut pair, FAR, 5), there[..5], "there is no room for more");
    assert_eq!(recorded(&mut pair, third, 9), [host(254), second, third, second, host(254)]);
    assert_eq!(recorded(&mut pair, host(254), 9), [host(254)]);
}

/// Whom an echo with room for so many addresses has passed.
fn recorded(pair: &mut Pair, dst: Ipv4Addr, slots: usize) -> Vec<Ipv4Addr> {
    let now = pair.network.now();
    let echo = Echo { options: Options::record_route(slots), ..Echo::new(dst, 1, &[0; 56]) };
    pair.client.echo(now, &echo).unwrap();
    let way = pair.live(now + Duration::from_secs(1), |event| match &event.what {
        What::Icmp(Event::Recorded(recorded)) => Some(recorded.options.recorded().collect()),
        _ => None,
    });
    let way: Vec<_> = way.expect("an answer with options");
    way.iter()
        .map(|at| if let Recorded::Route(addr) = at { *addr } else { panic!("{at:?}") })
        .collect()
}

// ICMP-9, RFC 791 §3.1: "if the overflow count itself overflows"
#[test]
fn one_more_router_that_found_no_room_than_can_be_counted_discards_the_datagram() {
    // On the way are three routers, the host, and the three again; then we.
    let full = |count: u8| Options::from_octets(&[68, 8, 9, count << 4, 0, 0, 0, 1]).unwrap();
    for (count, comes_back, there, here) in [
        (7, Some(14), 0, 0),
        (8, None, 0, 0),
        (9, None, 0, 1),
        (11, None, 0, 1),
        (12, None, 1, 0),
        (13, None, 1, 0),
        (15, None, 1, 0),
    ] {
        let mut pair = Pair::new(routed(), false, &[]);
        let echo = Echo { options: full(count), ..Echo::new(FAR, 1, &[0; 56]) };
        let now = pair.network.now();
        pair.client.echo(now, &echo).unwrap();
        let back = pair.live(now + Duration::from_secs(1), |event| match &event.what {
            What::Icmp(Event::Recorded(recorded)) => Some(recorded.options),
            _ => None,
        });
        assert_eq!(back, comes_back.map(full), "{count}");
        let counters = pair.server.counters();
        let bad = Discard::Ipv4(ipv4::Discard::BadOption { pointer: 23 });
        let late = Discard::Icmp(icmp::Discard::Unanswerable);
        let lost = [counters.discarded(bad), counters.discarded(late)];
        assert_eq!(lost, [there, here], "{count}");
    }
}

// TRC-1
#[test]
fn what_is_quoted_has_passed_the_routers_before_who_quotes_it() {
    let (second, third) = (Ipv4Addr::new(172, 31, 255, 2), Ipv4Addr::new(172, 31, 255, 3));
    let refused = vec![Refused { prefix: "10.99.0.8/32".parse().unwrap(), code: 1 }];
    let served = Served { refused, ..routed() };
    let asked = [
        (FAR, 1, (host(254), 11, 1)),
        (FAR, 2, (second, 11, 1)),
        (FAR, 3, (third, 11, 1)),
        (FAR, 40, (FAR, 3, 37)),
        (Ipv4Addr::new(10, 99, 0, 8), 40, (third, 3, 38)),
        (Ipv4Addr::new(10, 98, 0, 1), 40, (host(254), 3, 40)),
    ];
    for (dst, ttl, (from, kind, quoted_ttl)) in asked {
        let packet = told(served.clone(), dst, ttl);
        let message = &packet[20..];
        assert_eq!((&packet[12..16], message[0]), (&from.octets()[..], kind), "{dst} {ttl}");
        assert_eq!(message[8 + 8], quoted_ttl, "{dst} {ttl}");
        let sum = Sum16BitWords::new().add_slice(&message[8..28]).ones_complement();
        assert_eq!((sum, &message[24..28]), (0, &dst.octets()[..]));
    }
}

/// The error that is told to who sends a UDP datagram.
fn told(served: Served, dst: Ipv4Addr, ttl: u8) -> Vec<u8> {
    let network = Network::new();
    let [port, mut station] = [SERVER, CLIENT].map(|mac| network.attach(mac).without_sent());
    let mut server = Stack::new(port, Config::new("10.0.0.254/24".parse().unwrap()));
    server.serve(network.now(), served, false);
    server.pin(network.now(), host(1), CLIENT);
    let protocol = IpNumber::UDP;
    let mut header = Ipv4Header::new(8, ttl, protocol, host(1).octets(), dst.octets()).unwrap();
    header.header_checksum = header.calc_header_checksum();
    let packet = [&header.to_bytes()[..], &[0, 9, 0, 9, 0, 8, 0, 0]].concat();
    let mut write = |out: &mut [u8]| out.copy_from_slice(&packet);
    station.send(SERVER, EtherType::IPV4, packet.len(), &mut write).unwrap();
    station.flush().unwrap();
    let mut heard = Vec::new();
    for _ in 0..2 {
        network.advance_to(network.now() + Duration::from_millis(500));
        while server.poll(network.now()).unwrap() {}
        station.recv(network.now(), &mut |frame, _| heard = frame.payload().to_vec()).unwrap();
    }
    heard
}

// IP-7, RFC 1812 §5.3.7
#[test]
fn nobody_is_told_of_a_destination_that_no_router_may_forward_to() {
    let refused = vec![Refused { prefix: "0.0.0.0/0".parse().unwrap(), code: 13 }];
    for served in [routed(), Served { refused, ..routed() }] {
        for dst in
            ["0.0.0.1", "127.0.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "239.1.2.3"]
        {
            for ttl in [1, 40] {
                assert_eq!(told(served.clone(), dst.parse().unwrap(), ttl), [], "{dst}");
            }
        }
    }
    assert_ne!(told(routed(), Ipv4Addr::new(10, 98, 0, 1), 40), []);
}

#[test]
fn a_router_answers_as_a_host_behind_those_before_it() {
    let mut pair = Pair::new(routed(), false, &[]);
    let third = Ipv4Addr::new(172, 31, 255, 3);
    assert_eq!(error(pair.ask(&with_ttl(third, 2))), (Ipv4Addr::new(172, 31, 255, 2), 11, 0));
    assert!(matches!(pair.ask(&with_ttl(third, 3)), Outcome::Reply { .. }));
    assert!(matches!(pair.ask(&with_ttl(host(254), 1)), Outcome::Reply { .. }));
}

#[test]
fn where_no_host_is_the_first_router_knows_no_way_and_a_silent_host_says_nothing() {
    let mut served = routed();
    served.beyond.as_mut().unwrap().hosts.silence(&(FAR..=FAR));
    let mut pair = Pair::new(served, false, &[]);
    let nowhere = Ipv4Addr::new(10, 98, 0, 1);
    assert_eq!(error(pair.ask(&with_ttl(nowhere, 64))), (host(254), 3, 0));
    assert!(matches!(pair.ask(&with_ttl(FAR, 64)), Outcome::TimedOut { .. }));
    assert_eq!(error(pair.ask(&with_ttl(FAR, 3))), (Ipv4Addr::new(172, 31, 255, 3), 11, 0));
}

#[test]
fn what_is_refused_behind_routers_is_told_by_the_last_of_them() {
    let refused = vec![Refused { prefix: "10.99.0.4/30".parse().unwrap(), code: 13 }];
    let mut pair = Pair::new(Served { refused, ..routed() }, false, &[]);
    assert_eq!(error(pair.ask(&with_ttl(FAR, 64))), (Ipv4Addr::new(172, 31, 255, 3), 3, 13));
}

#[test]
fn a_host_that_is_refused_tells_so_itself() {
    let refused = vec![Refused { prefix: "10.0.0.2/32".parse().unwrap(), code: 10 }];
    let served = Served { refused, ..hosts(Macs::One(SERVER), 2, 3) };
    let mut pair = Pair::new(served, false, &[]);
    assert_eq!(error(pair.ask(&with_ttl(host(2), 64))), (host(2), 3, 10));
    assert!(matches!(pair.ask(&with_ttl(host(3), 64)), Outcome::Reply { .. }));
    assert_eq!(pair.server.counters().discarded(Discard::Refused), 1);
}

// ICMP-1
#[test]
fn nobody_is_told_of_what_claims_to_come_from_all_or_from_one_of_us() {
    let all = host(255);
    for (src, asked) in [(all, 0), (host(254), 0), (FAR, 0), (host(1), 1)] {
        let network = Network::new();
        let [port, mut station] = [SERVER, CLIENT].map(|mac| network.attach(mac).without_sent());
        let mut server = Stack::new(port, Config::new("10.0.0.254/24".parse().unwrap()));
        server.serve(network.now(), routed(), false);
        let mut header = Ipv4Header::new(0, 1, IpNumber::UDP, src.octets(), FAR.octets()).unwrap();
        header.header_checksum = header.calc_header_checksum();
        let packet = header.to_bytes();
        station
            .send(SERVER, EtherType::IPV4, packet.len(), &mut |out| out.copy_from_slice(&packet))
            .unwrap();
        station.flush().unwrap();
        network.advance_to(network.now() + Duration::from_millis(500));
        while server.poll(network.now()).unwrap() {}
        assert_eq!(server.counters().discarded(Discard::Expired), 1, "{src}");
        assert_eq!(network.sent(), 1 + asked, "{src}");
    }
}
