//! What is asked for on the way, and what is not.

use std::{net::Ipv4Addr, time::Duration};

use sidestack_stack::{
    icmp,
    link::EtherType,
    sweep::{Config, Ended, Method, Outcome},
};

use crate::world::{FAR, GATEWAY, HOP, World, first, ms};
#[test]
fn nothing_is_lost_while_the_gateway_is_asked_for() {
    let mut world = World::routed();
    world.run(&first(1000), Config::default());
    assert_eq!(world.requests().len(), 1 + 1000);
    assert_eq!(world.requests()[0], (ms(0), EtherType::ARP, GATEWAY));
    assert!(world.ended.iter().all(|ended| matches!(
        ended.outcome,
        Outcome::Echo(icmp::Outcome::Reply { round_trip, .. }) if round_trip == HOP * 2
    )));
}

#[test]
fn a_silent_gateway_is_asked_three_times_and_not_once_for_each_target() {
    let mut world = World::routed();
    world.is_silent = |_, _| true;
    world.run(&first(1000), Config::default());
    assert_eq!(world.times(), [0, 1000, 2000].map(ms));
    assert_eq!(world.ended.len(), 1000);
    assert!(world.ended.iter().all(|ended| ended.at == world.start + ms(3000)));
    let unresolved = Outcome::Echo(icmp::Outcome::Unresolved { requests: 3 });
    assert!(world.ended.iter().all(|ended| ended.outcome == unresolved));
    assert_eq!(world.ended.iter().map(|ended| ended.tries).sum::<u32>(), 1, "one was kept");
}

#[test]
fn hosts_that_are_silent_behind_a_gateway_cost_no_other_probe_its_turn() {
    let mut world = World::routed();
    world.is_silent = |kind, addr| kind == EtherType::IPV4 && addr.octets()[3] % 2 == 1;
    world.run(&first(1000), Config { window: 100, timeout: ms(100), ..Config::default() });
    let is_silent = |ended: &&Ended| ended.addr.octets()[3] % 2 == 1;
    let (silent, alive): (Vec<&Ended>, Vec<&Ended>) = world.ended.iter().partition(is_silent);
    assert_eq!((silent.len(), alive.len()), (500, 500));
    let timed_out = Outcome::Echo(icmp::Outcome::TimedOut { waited: ms(100) });
    assert!(silent.iter().all(|ended| ended.outcome == timed_out && ended.tries == 1));
    assert!(alive.iter().all(|ended| ended.from_mac == Some(FAR)));
    let by_arp = world.requests().iter().filter(|request| request.1 == EtherType::ARP).count();
    assert_eq!(by_arp, 1, "who lets half of the replies through is not doubted");
}

#[test]
fn a_gateway_through_which_nothing_comes_any_more_is_asked_where_it_is() {
    let mut world = World::routed();
    world.run(&first(3), Config::default());
    world.is_silent = |kind, _| kind == EtherType::IPV4;
    let by_arp = |world: &World| -> Vec<Duration> {
        let requests = world.requests().into_iter();
        requests.filter(|request| request.1 == EtherType::ARP).map(|request| request.0).collect()
    };
    assert_eq!(by_arp(&world), [ms(0)]);
    let resumed = world.network.now() - world.start;
    world.run(&first(3), Config { window: 1, ..Config::default() });
    assert_eq!(by_arp(&world), [ms(0), resumed + ms(2000)], "after two in vain");
}

#[test]
fn whoever_is_pinned_is_asked_for_nothing_but_an_echo() {
    let mut world = World::new();
    let mut targets = first(2);
    targets.pin(Ipv4Addr::new(10, 1, 0, 1), FAR);
    world.run(&targets, Config { method: Method::Both, ..Config::default() });
    let by_arp = world.requests().iter().filter(|request| request.1 == EtherType::ARP).count();
    assert_eq!((by_arp, world.requests().len(), world.ended.len()), (1, 3, 4));
    let pinned = world.ended.iter().filter(|ended| ended.addr.octets()[3] == 1);
    let outcomes: Vec<Outcome> = pinned.map(|ended| ended.outcome).collect();
    assert_eq!(outcomes[0], Outcome::At { mac: FAR, round_trip: None });
}

#[test]
fn whoever_the_stack_has_been_told_of_is_not_asked_either() {
    let mut world = World::new();
    world.stack.pin(world.start, Ipv4Addr::new(10, 1, 0, 0), FAR);
    world.run(&first(1), Config { method: Method::Arp, ..Config::default() });
    assert_eq!(world.network.sent(), 0);
    assert_eq!(world.ended[0].outcome, Outcome::At { mac: FAR, round_trip: None });
}
