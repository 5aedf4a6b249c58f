//! How far a neighbour is believed, when it is doubted, and when it is left alone.

use arp::{Config, Event, Sent, State};
use link::memory::LATENCY;
use macaddr::MacAddr6;
use sidestack_arp as arp;
use std::{net::Ipv4Addr, time::Duration};

use crate::lan::{BROADCAST, Lan, NOBODY, THEM, US, addr, mac, ms, request};

// LNK-1
#[test]
fn a_packet_to_a_stale_neighbour_leaves_at_once_and_a_unicast_poll_follows_five_seconds_later() {
    let mut lan = heard_of(9);
    lan.run(ms(1000));
    assert_eq!(state(&lan, addr(9)), Some(State::Stale));
    assert_eq!(lan.send(addr(9), b"packet"), Ok(Sent::Out));
    lan.run(ms(5999));
    assert_eq!((asks(&lan, addr(9)), state(&lan, addr(9))), (vec![], Some(State::Delay)));
    lan.run(ms(6000));
    assert_eq!(asks(&lan, addr(9)), [(ms(6000), mac(9))]);
    assert_eq!(state(&lan, addr(9)), Some(State::Probe));
}

#[test]
fn a_stale_neighbour_that_turns_out_to_be_reached_is_not_polled_for() {
    let mut lan = heard_of(9);
    lan.run(ms(1000));
    lan.send(addr(9), b"packet").unwrap();
    lan.run(ms(5000));
    lan.us.arp.advise(lan.network.now(), addr(9), true);
    lan.run(ms(19_000));
    assert_eq!(state(&lan, addr(9)), Some(State::Reachable));
    lan.run(ms(600_000));
    assert_eq!(asks(&lan, addr(9)), []);
}

#[test]
fn an_answered_poll_makes_a_neighbour_reachable_again() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(46_000));
    assert_eq!(state(&lan, THEM), Some(State::Stale));
    lan.send(THEM, b"packet").unwrap();
    lan.run(ms(52_000));
    assert_eq!(asks(&lan, THEM), [(ms(0), BROADCAST), (ms(51_000), mac(2))]);
    assert_eq!(state(&lan, THEM), Some(State::Reachable));
    assert_eq!(lan.us.events.len(), 1, "only the first answer is told");
}

#[test]
fn a_neighbour_that_is_believed_for_ever_is_until_its_lifetime_is_over() {
    for (lifetime, deadline) in [(ms(60_000), Some(ms(60_000))), (Duration::MAX, None)] {
        let config = Config { reachable: Duration::MAX, lifetime, ..Config::default() };
        let mut lan = Lan::with(config);
        lan.resolve(THEM);
        lan.run(ms(1000));
        assert_eq!(state(&lan, THEM), Some(State::Reachable));
        let until = lan.us.arp.deadline().map(|at| at - lan.start - LATENCY * 2);
        assert_eq!(until, deadline);
    }
}

#[test]
fn a_neighbour_is_reachable_for_half_to_one_and_a_half_of_thirty_seconds_by_seed() {
    let ends: Vec<_> = (0..50)
        .map(|seed| {
            let mut lan = Lan::with(Config { seed, ..Config::default() });
            lan.resolve(THEM);
            lan.run(ms(1000));
            lan.us.arp.deadline().unwrap() - lan.start - LATENCY * 2
        })
        .collect();
    assert!(ends.iter().all(|end| (ms(15_000)..ms(45_000)).contains(end)), "{ends:?}");
    assert!(ends.iter().min().unwrap() < &ms(18_000) && ends.iter().max().unwrap() > &ms(42_000));
}

#[test]
fn a_mute_neighbour_is_polled_three_times_asked_for_three_times_and_given_up_on() {
    let mut lan = heard_of(9);
    lan.run(ms(1));
    lan.send(addr(9), b"packet").unwrap();
    lan.run(ms(60_000));
    let polls = [5001, 6001, 7001].map(|at| (ms(at), mac(9)));
    let requests = [8001, 9001, 10_001].map(|at| (ms(at), BROADCAST));
    assert_eq!(asks(&lan, addr(9)), [polls, requests].concat());
    let unresolved = Event::Unresolved { addr: addr(9), requests: 3, packet: None };
    assert_eq!(lan.us.events, [(ms(11_001), unresolved)]);
}

// LNK-1, "ARP under fault"
#[test]
fn a_neighbour_that_changes_its_mac_without_a_word_is_found_again_after_two_losses() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(2000));
    change_their_mac(&mut lan);
    for n in 2..5 {
        assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Out));
        lan.run(ms(1000 * (n + 1)));
        if n < 4 {
            lan.us.arp.advise(lan.network.now(), THEM, false); // nobody answered within a second
        }
    }
    lan.run(ms(5001));
    let expected = [(ms(0), BROADCAST), (ms(4000), mac(2)), (ms(5000), BROADCAST)];
    assert_eq!(asks(&lan, THEM), expected);
    let moved = Event::Moved { addr: THEM, old: mac(2), new: mac(7) };
    assert!(lan.us.events.contains(&(ms(5000) + LATENCY * 2, moved)), "{:?}", lan.us.events);
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Out));
    lan.run(ms(6000));
    assert_eq!(lan.us.packets().last().unwrap().2, mac(7));
}

// LNK-1
#[test]
fn nor_does_it_take_advice_to_find_it_again() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(2000));
    change_their_mac(&mut lan);
    for n in 3..60 {
        let _ = lan.send(THEM, b"packet").unwrap();
        lan.run(ms(1000 * n));
    }
    assert_eq!(lan.us.packets().last().unwrap().2, mac(7));
}

#[test]
fn one_loss_is_no_proof_and_what_was_reached_forgives_it() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(2000));
    for reached in [false, true, false] {
        lan.us.arp.advise(lan.network.now(), THEM, reached);
    }
    lan.run(ms(10_000));
    assert_eq!(asks(&lan, THEM).len(), 1);
}

// RTE-3
#[test]
fn a_dead_next_hop_that_is_used_is_told_of_four_seconds_after_two_losses() {
    let mut lan = heard_of(9);
    lan.run(ms(2000));
    for _ in 0..2 {
        lan.us.arp.advise(lan.network.now(), addr(9), false);
    }
    lan.run(ms(60_000));
    assert_eq!(asks(&lan, addr(9)).len(), 4, "one poll, three requests, and silence");
    let unresolved = Event::Unresolved { addr: addr(9), requests: 3, packet: None };
    assert_eq!(lan.us.events, [(ms(6000), unresolved)]);
}

#[test]
fn packets_to_who_was_given_up_on_are_handed_back_at_once() {
    let mut lan = Lan::new();
    lan.send(NOBODY, b"first").unwrap();
    lan.run(ms(3500));
    assert_eq!(lan.send(NOBODY, b"second"), Ok(Sent::Kept));
    assert_eq!(lan.us.arp.deadline(), Some(lan.network.now()), "there is something to tell");
    lan.run(ms(3600));
    let packet = Some(b"second".to_vec());
    let unresolved = Event::Unresolved { addr: NOBODY, requests: 3, packet };
    assert_eq!(lan.us.events[1..], [(ms(3500), unresolved)]);
}

#[test]
fn who_does_not_answer_is_left_alone_three_times_as_long_each_time_up_to_a_minute() {
    let mut lan = Lan::new();
    for n in 0..600 {
        lan.run(ms(500 * n));
        assert_eq!(lan.send(NOBODY, b"packet"), Ok(Sent::Kept));
    }
    lan.run(ms(310_000));
    let begins = [0, 4, 10, 22, 52, 115, 178, 241];
    let expected: Vec<_> =
        begins.into_iter().flat_map(|at| [at, at + 1, at + 2]).map(|at| ms(1000 * at)).collect();
    assert_eq!(lan.us.asked(NOBODY), expected);
    let told = lan.us.events.iter().filter(|(_, event)| {
        matches!(event, Event::Replaced { .. } | Event::Unresolved { packet: Some(_), .. })
    });
    assert_eq!(told.count(), 600, "every packet comes back once");
}

#[test]
fn an_answer_ends_the_waiting_of_who_was_given_up_on() {
    let mut lan = Lan::new();
    lan.resolve(addr(9));
    lan.run(ms(3500));
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), addr(9)));
    lan.run(ms(3600));
    assert_eq!(lan.send(addr(9), b"packet"), Ok(Sent::Out));
}

#[test]
fn who_asks_explicitly_waits_for_no_backoff_but_for_the_second() {
    let mut lan = Lan::with(Config { requests: 1, ..Config::default() });
    lan.resolve(NOBODY);
    lan.run(ms(1000));
    lan.resolve(NOBODY);
    lan.run(ms(60_000));
    assert_eq!(lan.us.asked(NOBODY), [ms(0), ms(1000)]);
}

/// We know of host `n` because it asked for us.
fn heard_of(n: u8) -> Lan {
    let lan = Lan::new();
    lan.stranger(n).says(BROADCAST, &request(mac(n), addr(n), US));
    lan
}

fn change_their_mac(lan: &mut Lan) {
    lan.them.arp.own(arp::Owned::from([(THEM, mac(7))]));
    lan.them.port = lan.network.attach(mac(7));
}

fn state(lan: &Lan, addr: Ipv4Addr) -> Option<State> {
    lan.us.arp.neighbour(addr).map(|neighbour| neighbour.state)
}

/// When and where requests for `addr` went.
fn asks(lan: &Lan, addr: Ipv4Addr) -> Vec<(Duration, MacAddr6)> {
    let asks = |arp: &arp::View| arp.operation == arp::Operation::REQUEST && arp.target == addr;
    lan.us.arps().into_iter().filter(|(.., arp)| asks(arp)).map(|(at, dst, _)| (at, dst)).collect()
}
