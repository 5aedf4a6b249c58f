//! Whose addresses are ours, and whose not.

use std::time::Duration;

use sidestack_stack as stack;
use stack::{
    Census, Config, Discard, Served, Stack, What,
    arp::{self, Macs, Owner},
    icmp::{Echo, Outcome},
    link::{EtherType, FrameIo, FrameTx, MacAddr6, State, memory::Network},
};

use crate::pair::{CLIENT, EACH, Pair, SERVER, host, hosts};

fn is_reply(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Reply { len: 64, ttl: 64, .. })
}

#[test]
fn every_address_of_a_range_answers_the_first_and_the_last_too() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 0, 255), false, &[]);
    // 10.0.0.1 is the client's.
    for (sequence, n) in [2, 77, 255].into_iter().enumerate() {
        assert!(is_reply(pair.ask(&Echo::new(host(n), sequence as u16, &[0; 56]))), "{n}");
    }
}

#[test]
fn each_of_us_answers_from_its_own_mac_address() {
    let mut pair = Pair::new(hosts(EACH, 2, 3), false, &[]);
    for n in [2, 3] {
        assert!(is_reply(pair.ask(&Echo::new(host(n), n.into(), &[0; 56]))));
    }
    let mut known: Vec<_> =
        pair.client.neighbours().map(|neighbour| (neighbour.addr, neighbour.mac)).collect();
    known.sort();
    let mac = |n| Some(MacAddr6::new(2, 0, 10, 0, 0, n));
    assert_eq!(known, [(host(2), mac(2)), (host(3), mac(3))]);
}

// RTE-5
#[test]
fn a_datagram_for_one_of_us_that_comes_to_another_is_silently_discarded() {
    let mut pair = Pair::new(hosts(EACH, 2, 3), false, &[]);
    pair.client.pin(pair.network.now(), host(2), MacAddr6::new(2, 0, 10, 0, 0, 3));
    let outcome = pair.ask(&Echo::new(host(2), 1, &[0; 56]));
    assert!(matches!(outcome, Outcome::TimedOut { .. }), "{outcome:?}");
    assert_eq!(pair.server.counters().discarded(Discard::Identity), 1);
}

// RTE-5
#[test]
fn a_request_for_one_of_us_in_a_frame_to_another_is_not_answered() {
    let network = Network::new();
    let [port, mut station] = [SERVER, CLIENT].map(|mac| network.attach(mac).without_sent());
    let mut server = Stack::new(port, Config::new("0.0.0.0/32".parse().unwrap()));
    server.serve(network.now(), hosts(EACH, 2, 3), false);
    let [x, y] = [2, 3].map(|n| MacAddr6::new(2, 0, 10, 0, 0, n));
    for (to, answers) in [(x, 1), (MacAddr6::broadcast(), 1), (y, 0)] {
        let before = network.sent();
        let head = [0, 1, 8, 0, 6, 4, 0, 1];
        let sender = [CLIENT.as_bytes(), &host(1).octets()].concat();
        let packet = [&head[..], &sender, &[0; 6], &host(2).octets()].concat();
        let mut write = |out: &mut [u8]| out.copy_from_slice(&packet);
        station.send(to, EtherType::ARP, packet.len(), &mut write).unwrap();
        station.flush().unwrap();
        network.advance_to(network.now() + Duration::from_secs(1));
        while server.poll(network.now()).unwrap() {}
        assert_eq!(network.sent() - before, 1 + answers, "{to}");
    }
}

#[test]
fn many_are_probed_for_three_times_each_announced_twice_and_ours_in_good_time() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 101, 200), true, &[]);
    let start = pair.network.now();
    // Two probes a second after the first at least, and two of silence (RFC 5227 §1.1).
    pair.live(start + Duration::from_millis(3_999), |_| None::<()>);
    assert_eq!(pair.server.census(), Census { ours: 0, claimed: 100, left_alone: 0, silent: 0 });
    pair.live(start + arp::Config::default().time_to_claim(100), |_| None::<()>);
    let (mut ours, taken) = pair.claimed();
    ours.sort();
    assert_eq!((ours, taken), ((101..=200).map(host).collect(), vec![]));
    assert_eq!(pair.server.census(), Census { ours: 100, claimed: 0, left_alone: 0, silent: 0 });
    pair.live(start + Duration::from_secs(60), |_| None::<()>);
    assert_eq!(pair.network.sent(), 100 * (3 + 2));
    assert_eq!(pair.server.deadline(), None);
}

#[test]
fn nobody_is_answered_by_who_is_not_ours_yet() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 2, 3), true, &[]);
    pair.client.pin(pair.network.now(), host(2), SERVER);
    let outcome = pair.ask(&Echo::new(host(2), 1, &[0; 56]));
    assert!(matches!(outcome, Outcome::TimedOut { .. }), "{outcome:?}");
    let outcome = pair.ask(&Echo::new(host(3), 1, &[0; 56]));
    assert!(matches!(outcome, Outcome::Unresolved { .. }), "{outcome:?}");
    pair.live(pair.network.now() + Duration::from_secs(7), |_| None::<()>);
    for n in [2, 3] {
        assert!(is_reply(pair.ask(&Echo::new(host(n), 2, &[0; 56]))), "{n}");
    }
}

#[test]
fn who_has_an_address_that_is_probed_for_keeps_it() {
    for macs in [Macs::One(SERVER), EACH] {
        let mut pair = Pair::new(hosts(macs, 0, 3), true, &[]);
        pair.live(pair.network.now() + Duration::from_secs(8), |_| None::<()>);
        let (mut ours, taken) = pair.claimed();
        ours.sort();
        assert_eq!((ours, taken), (vec![host(0), host(2), host(3)], vec![host(1)]));
        assert_eq!(pair.server.census(), Census { ours: 3, claimed: 0, left_alone: 1, silent: 0 });
        assert!(is_reply(pair.ask(&Echo::new(host(2), 1, &[0; 56]))));
    }
}

#[test]
fn on_a_link_that_is_down_nothing_becomes_ours_and_when_it_is_up_it_all_begins_again() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 101, 102), true, &[]);
    let line = pair.network.line(pair.server.link().below().id());
    line.set_state(State::Down);
    let start = pair.network.now();
    pair.live(start + Duration::from_secs(30), |_| None::<()>);
    assert_eq!(pair.claimed(), (vec![], vec![]));
    line.set_state(State::Up);
    pair.live(start + Duration::from_secs(40), |_| None::<()>);
    let (mut ours, taken) = pair.claimed();
    ours.sort();
    assert_eq!((ours, taken), (vec![host(101), host(102)], vec![]));
}

#[test]
fn what_is_ours_is_probed_for_again_when_the_link_is_up_again_and_then_served_again() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 2, 3), true, &[]);
    let start = pair.network.now();
    pair.live(start + Duration::from_secs(10), |_| None::<()>);
    assert!(is_reply(pair.ask(&Echo::new(host(2), 1, &[0; 56]))));
    let line = pair.network.line(pair.server.link().below().id());
    line.set_state(State::Down);
    pair.live(start + Duration::from_secs(20), |_| None::<()>);
    line.set_state(State::Up);
    let before = pair.network.sent();
    pair.live(start + Duration::from_secs(21), |_| None::<()>);
    assert_eq!(pair.server.census(), Census { ours: 0, claimed: 2, left_alone: 0, silent: 0 });
    pair.live(start + Duration::from_secs(40), |_| None::<()>);
    assert_eq!(pair.network.sent() - before, 2 * (3 + 2));
    assert_eq!(pair.server.census(), Census { ours: 2, claimed: 0, left_alone: 0, silent: 0 });
    assert!(is_reply(pair.ask(&Echo::new(host(2), 2, &[0; 56]))));
}

#[test]
fn what_nobody_probed_for_is_served_as_soon_as_the_link_is_up_again() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 2, 3), false, &[]);
    let line = pair.network.line(pair.server.link().below().id());
    line.set_state(State::Down);
    pair.live(pair.network.now() + Duration::from_secs(10), |_| None::<()>);
    line.set_state(State::Up);
    assert!(is_reply(pair.ask(&Echo::new(host(2), 1, &[0; 56]))));
}

#[test]
fn who_speaks_up_later_is_given_way_to() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 0, 3), false, &[]);
    assert!(is_reply(pair.ask(&Echo::new(host(2), 1, &[0; 56]))), "though asked by whom we were");
    assert_eq!(pair.claimed(), (vec![], vec![host(1)]));
    assert_eq!(pair.server.census(), Census { ours: 3, claimed: 0, left_alone: 1, silent: 0 });
}

#[test]
fn what_is_kept_is_a_conflict_instead() {
    let served = Served { kept: vec![host(1)], ..hosts(Macs::One(SERVER), 1, 2) };
    let mut pair = Pair::new(served, false, &[]);
    let (now, all) = (pair.network.now(), Duration::from_secs(1));
    pair.client.announce(host(1), arp::Operation::REQUEST).unwrap();
    pair.live(now + all, |_| None::<()>);
    let conflict = pair.told.iter().find_map(|event| match event.what {
        What::Arp(arp::Event::Conflict { addr, kept, other }) => Some((addr, kept, other)),
        _ => None,
    });
    assert_eq!(conflict, Some((host(1), SERVER, CLIENT)));
    assert_eq!(pair.claimed(), (vec![], vec![]));
}

#[test]
fn who_is_left_alone_or_silent_from_the_start_is_never_answered_for() {
    let mut served = hosts(Macs::One(SERVER), 2, 6);
    served.hosts.leave(&(host(3)..=host(3)));
    served.hosts.silence(&(host(5)..=host(6)));
    let mut pair = Pair::new(served, false, &[]);
    assert!(pair.server.leave(host(4)) && !pair.server.leave(host(4)));
    assert_eq!(pair.server.census(), Census { ours: 1, claimed: 0, left_alone: 2, silent: 2 });
    for n in [3, 4, 5] {
        let outcome = pair.ask(&Echo::new(host(n), 1, &[0; 56]));
        assert!(matches!(outcome, Outcome::Unresolved { .. }), "{outcome:?}");
    }
}

#[test]
fn a_new_mac_address_of_the_link_is_that_of_all_who_share_one() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 2, 3), false, &[]);
    let new = MacAddr6::new(2, 0, 0, 0, 0, 9);
    pair.network.line(pair.server.link().below().id()).set_mac(new);
    assert!(is_reply(pair.ask(&Echo::new(host(2), 1, &[0; 56]))));
    assert_eq!(pair.client.neighbours().next().and_then(|neighbour| neighbour.mac), Some(new));
    let hosts = &pair.server.served().unwrap().hosts;
    assert!(hosts.owns(new) && !hosts.owns(SERVER));
}

// ACD-4
#[test]
fn all_who_share_a_mac_address_announce_the_new_one_twice_but_for_who_is_somebody_elses() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 1, 100), false, &[]);
    pair.client.announce(host(1), arp::Operation::REQUEST).unwrap();
    pair.live(pair.network.now() + Duration::from_secs(1), |_| None::<()>);
    assert_eq!(pair.claimed(), (vec![], vec![host(1)]));
    let before = pair.network.sent();
    let new = MacAddr6::new(2, 0, 0, 0, 0, 9);
    pair.network.line(pair.server.link().below().id()).set_mac(new);
    pair.live(pair.network.now() + Duration::from_secs(60), |_| None::<()>);
    assert_eq!(pair.network.sent() - before, 99 * 2);
}
