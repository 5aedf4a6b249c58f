//! Many targets in virtual time: exact moments, exact counts, and one end for each probe.

mod far;
#[path = "sweep/world.rs"]
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use link::{As, EtherType, FrameIo, MacAddr6, memory::Fate};
use sidestack_stack as stack;
use stack::{
    Permutation, Shard, Targets, What, arp,
    icmp::{self, Straying},
    link,
    sweep::{Config, Ended, Method, Outcome, Rate},
};
use world::{FAR, GATEWAY, HOP, World, first, ms, target};

#[test]
fn each_probe_leaves_at_its_own_moment_of_an_absolute_schedule() {
    let mut world = World::known();
    world.run(&first(100), Config { rate: Rate::per_second(3000), ..Config::default() });
    let expected = (0..100).map(|k| Duration::from_nanos(k * 1_000_000_000 / 3000));
    assert_eq!(world.times(), expected.collect::<Vec<_>>());
    assert_eq!(world.ended.len(), 100);
}

#[test]
fn whoever_was_held_up_catches_up_and_does_not_drift() {
    let mut world = World::known();
    let rate = Rate::every(ms(1));
    let mut sweep = world.sweep(&first(100), Config { rate, ..Config::default() });
    while world.times().len() < 10 {
        world.step(&mut sweep);
    }
    let resumed = ms(50) + HOP * 3;
    world.network.advance_to(world.start + resumed); // nobody looks for 40 probes' time
    while !sweep.is_over() {
        world.step(&mut sweep);
    }
    let expected = (0..100).map(|k| if (10..=50).contains(&k) { resumed } else { ms(k) });
    assert_eq!(world.times(), expected.collect::<Vec<_>>());
}

#[test]
fn no_more_probes_than_the_window_are_under_way() {
    let mut world = World::known();
    world.is_silent = |_, _| true;
    world.run(&first(7), Config { window: 3, timeout: ms(100), ..Config::default() });
    assert_eq!(world.times(), [0, 0, 0, 100, 100, 100, 200].map(ms));
    assert_eq!(world.most, 3);
    assert_eq!(world.ended.len(), 7);
}

#[test]
fn what_the_link_has_no_room_for_leaves_when_it_has_and_nothing_spins_meanwhile() {
    let mut world = World::known();
    let free = ms(30);
    world.stack.link().line().jam(world.start + free);
    let targets = first(1000);
    let mut sweep = world.sweep(&targets, Config::default());
    let mut steps = 0;
    while !sweep.is_over() {
        world.step(&mut sweep);
        steps += 1;
    }
    assert_eq!(world.times(), [free; 1000]);
    let asked: BTreeSet<Ipv4Addr> = world.requests().iter().map(|request| request.2).collect();
    assert_eq!((asked.len(), world.requests().len(), world.ended.len()), (1000, 1000, 1000));
    assert!(steps < 50, "{steps} turns of the loop");
}

#[test]
fn each_retry_leaves_the_moment_the_try_before_it_has_timed_out() {
    let mut world = World::known();
    world.is_silent = |_, _| true;
    let config = Config { retries: 3, timeout: ms(100), backoff: 1.5, ..Config::default() };
    world.run(&first(1), config);
    let us = |n| Duration::from_micros(n);
    assert_eq!(world.times(), [us(0), us(100_000), us(250_000), us(475_000)]);
    let [ended] = world.ended[..] else { panic!("{:?}", world.ended) };
    assert_eq!((ended.at - world.start, ended.tries), (us(812_500), 4));
    let waited = us(337_500);
    assert_eq!(ended.outcome, Outcome::Echo(icmp::Outcome::TimedOut { waited }));
}

#[test]
fn a_retry_is_answered_and_the_probe_ends_once() {
    let mut world = World::known();
    let mut lost = 0;
    world.set_fate(move |_| {
        lost += 1;
        if lost <= 2 { Fate::lost() } else { Fate::arrives() }
    });
    world.run(&first(1), Config { retries: 3, timeout: ms(100), ..Config::default() });
    let [ended] = world.ended[..] else { panic!("{:?}", world.ended) };
    assert_eq!((ended.at - world.start, ended.tries), (ms(250) + HOP * 2, 3));
    assert_eq!(ended.from_mac, Some(FAR));
    assert!(matches!(
        ended.outcome,
        Outcome::Echo(icmp::Outcome::Reply { round_trip, .. }) if round_trip == HOP * 2
    ));
}

#[test]
fn of_ten_thousand_targets_exactly_those_are_missing_whose_frames_were_lost() {
    for mut world in [World::new(), World::routed()] {
        let lost = Arc::new(Mutex::new(BTreeSet::new()));
        let (losing, mut n) = (Arc::clone(&lost), 1_u64);
        world.set_fate(move |transit| {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if transit.ether_type() != EtherType::IPV4 || (n >> 33) % 100 != 0 {
                return Fate::arrives();
            }
            let (asks, at) = (transit.octets[34] == 8, 26);
            let from = <[u8; 4]>::try_from(&transit.octets[at..at + 4]).unwrap();
            losing.lock().unwrap().insert(if asks { target(transit) } else { from.into() });
            Fate::lost()
        });
        let targets = first(10_000);
        world.run(&targets, Config { seed: Some(5), ..Config::default() });
        let mut ends = BTreeMap::new();
        for ended in &world.ended {
            assert!(ends.insert(ended.addr, ended.outcome).is_none(), "{ended:?}");
        }
        let silent: BTreeSet<Ipv4Addr> = ends
            .iter()
            .filter(|(_, end)| matches!(end, Outcome::Echo(icmp::Outcome::TimedOut { .. })))
            .map(|(addr, _)| *addr)
            .collect();
        let replied = ends
            .values()
            .filter(|end| matches!(end, Outcome::Echo(icmp::Outcome::Reply { .. })))
            .count();
        let lost = lost.lock().unwrap();
        assert!((100..300).contains(&lost.len()), "{}", lost.len());
        assert_eq!(silent, *lost);
        assert_eq!(replied + silent.len(), 10_000);
    }
}

#[test]
fn rounds_keep_their_period_and_each_target_its_place() {
    let mut world = World::known();
    let (rate, period) = (Rate::every(ms(2)), ms(50));
    let config = Config { rounds: Some(3), rate, period, seed: Some(1), ..Config::default() };
    world.run(&first(10), config);
    let expected = (0..3).flat_map(|round| (0..10).map(move |k| ms(round * 50 + k * 2)));
    assert_eq!(world.times(), expected.collect::<Vec<_>>());
    let order: Vec<Ipv4Addr> = world.requests().iter().map(|request| request.2).collect();
    assert_eq!(order[..10], order[10..20]);
    assert_eq!(order[..10], order[20..]);
    assert!(!order[..10].is_sorted());
    let rounds: BTreeSet<_> = world.ended.iter().map(|ended| (ended.addr, ended.round)).collect();
    assert_eq!((rounds.len(), world.ended.len()), (30, 30));
}

#[test]
fn a_round_that_cannot_end_in_its_period_is_followed_by_the_next_without_a_pause() {
    let mut world = World::known();
    let (rate, period) = (Rate::every(ms(2)), ms(5));
    world.run(&first(10), Config { rounds: Some(2), rate, period, ..Config::default() });
    assert_eq!(world.times(), (0..20).map(|k| ms(k * 2)).collect::<Vec<_>>());
}

#[test]
fn more_requests_than_there_are_sequence_numbers_are_still_told_apart() {
    let mut world = World::known();
    world.is_silent = |_, addr| addr == Ipv4Addr::new(10, 1, 0, 0);
    let (period, timeout) = (ms(1), ms(3));
    let rounds = Some(40_000);
    let config = Config { rounds, period, timeout, retries: 1, backoff: 1.0, ..Config::default() };
    world.run(&first(2), config);
    let rounds: BTreeSet<_> = world.ended.iter().map(|ended| (ended.addr, ended.round)).collect();
    assert_eq!((rounds.len(), world.ended.len()), (80_000, 80_000));
    assert_eq!(rounds.last(), Some(&(Ipv4Addr::new(10, 1, 0, 1), 39_999)));
}

#[test]
fn a_reply_beyond_the_time_out_is_late_and_ends_nothing_again() {
    let mut world = World::known();
    let us = world.stack.link().id();
    world.set_fate(
        move |transit| {
            if transit.from == us { Fate::arrives() } else { Fate::late(ms(150)) }
        },
    );
    let targets = first(1);
    let mut sweep = world.sweep(&targets, Config { timeout: ms(100), ..Config::default() });
    while world.others.is_empty() {
        world.step(&mut sweep);
    }
    let [ended] = world.ended[..] else { panic!("{:?}", world.ended) };
    assert_eq!(ended.outcome, Outcome::Echo(icmp::Outcome::TimedOut { waited: ms(100) }));
    assert_eq!(ended.at - world.start, ms(100));
    let What::Icmp(icmp::Event::Stray(stray)) = &world.others[0].what else { panic!() };
    assert_eq!(stray.straying, Straying::Late { round_trip: ms(150) + HOP * 2 });
    assert!(sweep.is_over());
}

#[test]
fn a_second_owner_of_an_address_is_told_as_a_conflict() {
    let mut world = World::new();
    let (targets, other) = (first(1), MacAddr6::new(2, 0, 0, 0, 0, 3));
    let config = Config { method: Method::Arp, ..Config::default() };
    let mut sweep = world.sweep(&targets, config);
    world.step(&mut sweep);
    world.step(&mut sweep);
    let claim = world.network.clone();
    let mut claimant = claim.attach(other).without_sent();
    let mut claimed = As { mac: other, below: &mut claimant };
    arp::announce(Ipv4Addr::new(10, 1, 0, 0), arp::Operation::REPLY, &mut claimed).unwrap();
    claimant.flush().unwrap();
    while world.others.is_empty() {
        world.step(&mut sweep);
    }
    assert_eq!(world.ended.len(), 1);
    assert_eq!(world.ended[0].outcome, Outcome::At { mac: FAR, round_trip: Some(HOP * 2) });
    let What::Arp(event) = &world.others[0].what else { panic!("{:?}", world.others) };
    let addr = Ipv4Addr::new(10, 1, 0, 0);
    assert_eq!(*event, arp::Event::Conflict { addr, kept: FAR, other });
}

#[test]
fn a_host_that_does_not_answer_arp_is_silent_after_three_requests() {
    let mut world = World::new();
    world.is_silent = |_, addr| addr.octets()[3] % 2 == 1;
    let config = Config { method: Method::Both, ..Config::default() };
    world.run(&first(4), config);
    let outcomes = |last: u8| -> Vec<_> {
        let of = world.ended.iter().filter(|ended| ended.addr.octets()[3] == last);
        of.map(|ended| (ended.at - world.start, ended.outcome)).collect()
    };
    for silent in [1, 3] {
        assert_eq!(outcomes(silent), [(ms(3000), Outcome::Silent)]);
    }
    for alive in [0, 2] {
        let [arp, echo] = outcomes(alive)[..] else { panic!("{:?}", outcomes(alive)) };
        assert_eq!(arp, (HOP * 2, Outcome::At { mac: FAR, round_trip: Some(HOP * 2) }));
        assert_eq!(echo.0, HOP * 4);
        assert!(matches!(echo.1, Outcome::Echo(icmp::Outcome::Reply { .. })));
    }
    assert_eq!(world.requests().len(), 2 * 3 + 2 * 2);
}

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

#[test]
fn whom_no_route_leads_to_is_refused_once_and_nothing_is_sent() {
    let mut world = World::new();
    let nowhere = Ipv4Addr::new(192, 0, 2, 0);
    let everybody = Ipv4Addr::new(10, 255, 255, 255);
    let targets: Targets =
        [nowhere..=Ipv4Addr::new(192, 0, 2, 99), everybody..=everybody].into_iter().collect();
    for method in [Method::Echo, Method::Arp, Method::Both] {
        world.ended.clear();
        world.run(&targets, Config { method, ..Config::default() });
        assert_eq!(world.ended.len(), 101);
        let refused = |outcome| matches!(outcome, Outcome::Refused(_));
        assert!(world.ended.iter().all(|ended| refused(ended.outcome)));
    }
    assert_eq!(world.network.sent(), 0);
}

#[test]
fn nobody_to_probe_is_over_at_once() {
    let mut world = World::new();
    for (targets, shard) in [(Targets::default(), "1/1"), (first(2), "3/3")] {
        let shard = shard.parse().unwrap();
        let sweep = world.sweep(&targets, Config { rounds: None, shard, ..Config::default() });
        assert!(sweep.is_over());
        assert_eq!(sweep.deadline(&world.stack), None);
    }
}

#[test]
fn however_many_machines_share_them_each_target_is_covered_exactly_once() {
    let mut n = 7_u64;
    let mut random = |below: u64| {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (n >> 33) % below
    };
    for _ in 0..300 {
        let (len, machines, seed) = (random(3000), random(40) + 1, random(u64::MAX));
        let permutation = Permutation::new(len, seed);
        let mut covered = vec![0; len as usize];
        for machine in 0..machines {
            let shard = Shard::new(machine, machines).unwrap();
            for n in 0..shard.len(len) {
                covered[permutation.at(shard.place(n)) as usize] += 1;
            }
        }
        assert!(covered.iter().all(|times| *times == 1), "{len} {machines} {seed}");
    }
}

#[test]
fn three_machines_probe_what_one_would() {
    let targets = first(1000);
    let mut probed = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let mut world = World::known();
        let shard = shard.parse().unwrap();
        world.run(&targets, Config { shard, seed: Some(9), ..Config::default() });
        probed.extend(world.ended.iter().map(|ended| ended.addr));
    }
    probed.sort_unstable();
    assert!(probed.into_iter().eq(targets.iter()));
}
