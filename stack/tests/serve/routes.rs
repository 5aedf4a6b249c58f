//! What lies behind routers of ours, and what cannot be reached.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::{IpNumber, Ipv4Header};
use sidestack_stack as stack;
use stack::{
    Beyond, Config, Discard, Hosts, Refused, Served, Stack,
    arp::Macs,
    icmp::{Echo, Outcome},
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
