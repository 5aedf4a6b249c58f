//! One end for each probe, and which.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use sidestack_stack::{
    Targets, What, arp,
    icmp::{self, Straying},
    link::{As, EtherType, FrameIo, MacAddr6, memory::Fate},
    sweep::{Config, Method, Outcome},
};

use crate::world::{FAR, HOP, World, first, ms, target};
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
