//! Several gateways, and dead ones among them (RFC 1122 §3.3.1.4).

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use ipv4::{Hop, Ipv4, NextHop, Why};
use sidestack_ipv4 as ipv4;

use crate::host::{Host, addr};

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 253);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);

fn host() -> Host {
    let mut ipv4 = Ipv4::new("10.0.0.1/24".parse().unwrap());
    ipv4.add_gateway("0.0.0.0/0".parse().unwrap(), SECOND, 20);
    ipv4.add_gateway("0.0.0.0/0".parse().unwrap(), FIRST, 10);
    Host::with(ipv4)
}

fn used(host: &Host) -> Ipv4Addr {
    match host.ipv4.route(addr("192.0.2.1")).unwrap().next_hop {
        NextHop::Unicast(gateway) => gateway,
        other => panic!("{other:?}"),
    }
}

fn why(host: &Host) -> Why {
    host.ipv4.route(addr("192.0.2.1")).unwrap().why
}

fn fail(host: &mut Host, now: Instant, gateway: Ipv4Addr, times: usize) {
    (0..times).for_each(|_| host.ipv4.advise(now, gateway, false));
}

// RTE-2
#[test]
fn of_several_gateways_that_of_the_lowest_metric_is_used() {
    let mut host = host();
    assert_eq!(used(&host), FIRST);
    host.ipv4.add_gateway("0.0.0.0/0".parse().unwrap(), addr("10.0.0.252"), 5);
    assert_eq!(used(&host), addr("10.0.0.252"));
    host.ipv4.add_gateway("0.0.0.0/0".parse().unwrap(), addr("10.0.0.252"), 30);
    assert_eq!(used(&host), FIRST, "a gateway has one metric");
    host.ipv4.add_route("0.0.0.0/0".parse().unwrap(), Hop::Gateway(SECOND));
    assert_eq!(used(&host), SECOND, "one in the place of all");
    assert!(host.ipv4.remove_route("0.0.0.0/0".parse().unwrap()));
    assert_eq!(host.ipv4.route(addr("192.0.2.1")), None);
}

// RTE-3
#[test]
fn a_gateway_that_does_not_answer_arp_is_left_for_the_next_and_tried_again_after_a_minute() {
    let mut host = host();
    let start = host.network.now();
    host.ipv4.unresolved(start, FIRST);
    assert_eq!(used(&host), SECOND);
    let Why::Instead { prefix, gateway, dead } = why(&host) else { panic!("it says why") };
    assert_eq!((prefix.prefix(), gateway, dead), (0, SECOND, FIRST));
    assert_eq!(host.ipv4.deadline(), Some(start + Duration::from_secs(60)));
    host.pass(60);
    assert_eq!(host.poll(), []);
    assert_eq!((used(&host), host.ipv4.deadline()), (FIRST, None));
    assert_eq!(host.network.sent(), 0, "nothing is sent to find out");
}

// RTE-3
#[test]
fn four_failures_in_a_row_make_a_gateway_dead_and_an_answer_makes_it_alive() {
    let mut host = host();
    let now = host.network.now();
    fail(&mut host, now, FIRST, 3);
    host.ipv4.advise(now, FIRST, true);
    fail(&mut host, now, FIRST, 3);
    assert_eq!(used(&host), FIRST, "not in a row");
    fail(&mut host, now, FIRST, 1);
    assert_eq!(used(&host), SECOND);
    host.ipv4.advise(now, FIRST, true);
    assert_eq!((used(&host), host.ipv4.deadline()), (FIRST, None), "it was heard of");
}

// RTE-3
#[test]
fn what_left_before_the_switch_says_nothing_of_the_new_gateway() {
    let mut host = host();
    let now = host.network.now();
    fail(&mut host, now, FIRST, 4);
    fail(&mut host, now + Duration::from_secs(4), SECOND, 100);
    assert_eq!(used(&host), SECOND);
    fail(&mut host, now + Duration::from_secs(5), SECOND, 4);
    assert_eq!(used(&host), FIRST, "all dead: the best of them");
    assert!(matches!(why(&host), Why::Prefix(_, Hop::Gateway(FIRST))));
}

// RTE-3
#[test]
fn a_gateway_on_trial_needs_only_one_failure_to_be_dead_again() {
    let mut host = host();
    host.ipv4.unresolved(host.network.now(), FIRST);
    host.pass(60);
    host.poll();
    assert_eq!(used(&host), FIRST);
    let now = host.network.now();
    fail(&mut host, now, FIRST, 1);
    assert_eq!(used(&host), SECOND);
}

// RTE-3
#[test]
fn an_only_gateway_is_used_whatever_is_said_of_it() {
    let mut ipv4 = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(FIRST);
    let now = Host::new().network.now();
    ipv4.unresolved(now, FIRST);
    ipv4.unresolved(now, addr("10.0.0.9"));
    let route = ipv4.route(addr("192.0.2.1")).unwrap();
    assert_eq!((route.next_hop, ipv4.deadline()), (NextHop::Unicast(FIRST), None));
}

// RTE-3
#[test]
fn what_is_known_of_a_gateway_goes_with_the_last_route_through_it() {
    let [all, some] = ["0.0.0.0/0", "192.0.2.0/24"].map(|prefix| prefix.parse().unwrap());
    let mut host = host();
    host.ipv4.add_gateway(some, FIRST, 10);
    host.ipv4.add_gateway(some, SECOND, 20);
    host.ipv4.unresolved(host.network.now(), FIRST);
    assert_eq!(used(&host), SECOND);
    assert!(host.ipv4.remove_route(all));
    assert_eq!(used(&host), SECOND, "it is dead for the rest too");
    host.ipv4.add_gateway(some, FIRST, 30);
    host.ipv4.add_gateway(some, FIRST, 10);
    assert_eq!(used(&host), SECOND, "whatever its metric");
    host.ipv4.add_route(some, Hop::Gateway(FIRST));
    assert_eq!(host.ipv4.deadline(), None, "nobody waits to try it again");
    host.ipv4.add_gateway(some, SECOND, 20);
    assert_eq!(used(&host), FIRST);
}
