//! Who is believed to have moved, by policy, and who may speak at all.

use arp::{Arp, Config, Discard, Event, Owner, State, Trust};
use link::memory::LATENCY;
use macaddr::MacAddr6;
use sidestack_arp as arp;
use std::net::Ipv4Addr;

use crate::lan::{BROADCAST, Lan, THEM, US, addr, mac, ms, reply, request};

// ARP-12
#[test]
fn a_claim_within_a_second_is_polled_for_at_the_old_mac_and_followed_when_that_is_mute() {
    let mut lan = trusting(Trust::Update);
    let mut stranger = lan.stranger(9);
    stranger.says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(500));
    stranger.says(BROADCAST, &request(mac(8), addr(9), addr(9)));
    lan.run(ms(60_000));
    let polls: Vec<_> = asks(&lan).collect();
    assert_eq!(polls, [500, 1500, 2500].map(|at| (ms(at) + LATENCY, mac(9))));
    let moved = Event::Moved { addr: addr(9), old: mac(9), new: mac(8) };
    assert_eq!(lan.us.events, [(ms(3500) + LATENCY, moved)]);
    assert_eq!(lan.us.discards, [Discard::Distrusted]);
}

// ARP-12, SEC-1
#[test]
fn a_claim_is_a_conflict_when_the_old_mac_still_answers() {
    for (trust, at) in [(Trust::Update, 900), (Trust::Confirm, 900), (Trust::Confirm, 5000)] {
        let mut lan = trusting(trust);
        lan.resolve(THEM);
        lan.run(ms(at));
        if trust == Trust::Update {
            lan.us.arp.advise(lan.network.now(), THEM, true);
        }
        lan.stranger(8).says(BROADCAST, &request(mac(8), THEM, THEM));
        lan.run(ms(30_000));
        let conflict = Event::Conflict { addr: THEM, kept: mac(2), other: mac(8) };
        let [_, (told, event)] = &lan.us.events[..] else { panic!("{:?}", lan.us.events) };
        assert_eq!((event, lan.us.arp.neighbour(THEM).unwrap().mac), (&conflict, Some(mac(2))));
        let polled = ms(at).max(ms(1000)) + if at < 1000 { ms(0) } else { LATENCY };
        assert_eq!(*told, polled + LATENCY * 2, "one poll");
    }
}

// SEC-1
#[test]
fn a_claim_while_a_known_neighbour_is_asked_for_anew_is_no_answer() {
    for (trust, at) in [(Trust::Update, 500), (Trust::Confirm, 10_000)] {
        let mut lan = trusting(trust);
        let mut stranger = lan.stranger(9);
        stranger.says(BROADCAST, &request(mac(9), addr(9), US));
        lan.run(ms(at));
        lan.resolve(addr(9));
        stranger.says(BROADCAST, &request(mac(8), addr(9), addr(9)));
        lan.run(ms(at + 100));
        assert_eq!(lan.us.discards, [Discard::Distrusted], "{trust:?}");
        stranger.says(mac(1), &reply(mac(9), addr(9)));
        lan.run(ms(at + 200));
        assert_eq!(lan.us.arp.neighbour(addr(9)).unwrap().mac, Some(mac(9)));
        let conflict = Event::Conflict { addr: addr(9), kept: mac(9), other: mac(8) };
        let told: Vec<_> = lan.us.events.iter().map(|(_, event)| event).collect();
        assert!(told.contains(&&conflict) && told.len() == 2, "and its answer: {told:?}");
    }
}

// SEC-1
#[test]
fn who_confirms_first_follows_only_when_the_old_mac_stays_mute() {
    let mut lan = trusting(Trust::Confirm);
    let mut stranger = lan.stranger(9);
    stranger.says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(10_000));
    stranger.says(BROADCAST, &request(mac(8), addr(9), addr(9)));
    lan.run(ms(13_000));
    assert_eq!(lan.us.arp.neighbour(addr(9)).unwrap().mac, Some(mac(9)));
    lan.run(ms(14_000));
    let moved = Event::Moved { addr: addr(9), old: mac(9), new: mac(8) };
    assert_eq!(lan.us.events, [(ms(13_000) + LATENCY, moved)]);
    assert_eq!(lan.us.arp.neighbour(addr(9)).unwrap().state, State::Stale);
}

// SEC-1
#[test]
fn who_believes_only_answers_never_moves_on_a_claim() {
    let mut lan = trusting(Trust::Solicited);
    let mut stranger = lan.stranger(8);
    lan.resolve(THEM);
    lan.run(ms(10_000));
    stranger.says(BROADCAST, &request(mac(8), THEM, THEM));
    stranger.says(mac(1), &reply(mac(8), THEM));
    lan.run(ms(30_000));
    let conflict = Event::Conflict { addr: THEM, kept: mac(2), other: mac(8) };
    assert_eq!(lan.us.events[1..], [conflict.clone(), conflict].map(|e| (ms(10_000) + LATENCY, e)));
    assert_eq!(asks(&lan).count(), 1, "nobody is polled for");
    stranger.says(BROADCAST, &request(mac(8), addr(9), addr(9)));
    lan.resolve(addr(9));
    stranger.says(BROADCAST, &request(mac(8), addr(9), addr(9)));
    lan.run(ms(30_500));
    assert_eq!(lan.us.arp.neighbour(addr(9)).unwrap().mac, None, "a claim is no answer");
}

#[test]
fn an_answer_from_elsewhere_to_our_own_request_is_believed_and_told_by_each() {
    for trust in [Trust::Solicited, Trust::Update, Trust::Confirm] {
        let mut lan = trusting(trust);
        lan.resolve(THEM);
        lan.run(ms(2000));
        lan.them.arp.own(arp::Owned::from([(THEM, mac(7))]));
        lan.them.port = lan.network.attach(mac(7));
        lan.resolve(THEM);
        lan.run(ms(3000));
        let moved = Event::Moved { addr: THEM, old: mac(2), new: mac(7) };
        assert_eq!(lan.us.events[1], (ms(2000) + LATENCY * 2, moved));
        assert!(matches!(lan.us.events[2].1, Event::Resolved { .. }));
    }
}

// ARP-10
#[test]
fn who_cannot_be_on_the_link_is_neither_learned_nor_answered_if_our_owner_says_so() {
    struct Ten;
    impl Owner for Ten {
        fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
            (addr == US).then_some(mac(1))
        }
        fn owns(&self, other: MacAddr6) -> bool {
            other == mac(1)
        }
        fn is_neighbour(&self, addr: Ipv4Addr) -> bool {
            addr.octets()[..3] == [10, 0, 0]
        }
    }
    let mut lan = Lan::new();
    lan.us.arp = Arp::new(Ten, Config::default());
    let mut stranger = lan.stranger(9);
    stranger.says(BROADCAST, &request(mac(9), [192, 168, 1, 9].into(), US));
    stranger.says(BROADCAST, &request(mac(9), Ipv4Addr::UNSPECIFIED, US));
    lan.run(ms(1000));
    assert_eq!(lan.us.discards, [Discard::OffLink]);
    assert_eq!((lan.us.arps().len(), lan.us.arp.neighbours().count()), (1, 0), "but a probe is");
}

// SEC-9, ARP-9
#[test]
fn the_hardware_address_of_any_identity_of_ours_is_our_own() {
    let mut lan = Lan::new();
    lan.us.arp = Arp::new(arp::Owned::from([(US, mac(1)), (addr(5), mac(55))]), Config::default());
    lan.stranger(9).says(BROADCAST, &request(mac(55), addr(9), US));
    lan.run(ms(1000));
    assert_eq!((&lan.us.discards[..], lan.us.arps().len()), (&[Discard::Echoed][..], 0));
}

// SEC-10
#[test]
fn a_frame_from_a_group_is_neither_learned_nor_answered() {
    let mut lan = Lan::new();
    let mut port = lan.network.attach(BROADCAST);
    let octets = crate::lan::octets(&request(mac(9), addr(9), US));
    let write = &mut |out: &mut [u8]| out.copy_from_slice(&octets);
    link::FrameTx::send(&mut port, BROADCAST, etherparse::EtherType::ARP, 28, write).unwrap();
    link::FrameIo::flush(&mut port).unwrap();
    lan.run(ms(1000));
    assert_eq!((&lan.us.discards[..], lan.us.arps().len()), (&[Discard::SenderMac][..], 0));
}

// LL-1
#[test]
fn who_speaks_for_a_link_local_address_says_it_to_all() {
    let ours = Ipv4Addr::new(169, 254, 7, 7);
    let mut lan = Lan::new();
    lan.us.arp = Arp::new(arp::Owned::from([(ours, mac(1))]), Config::default());
    lan.stranger(9).says(BROADCAST, &request(mac(9), [169, 254, 9, 9].into(), ours));
    lan.run(ms(1000));
    let [(_, dst, answer)] = lan.us.arps()[..] else { panic!("one reply") };
    assert_eq!((dst, answer.target_mac), (BROADCAST, mac(9)));
}

// SEC-3
#[test]
fn strangers_make_room_before_who_ever_answered_and_that_is_told() {
    let mut lan = Lan::with(Config { capacity: 3, ..Config::default() });
    lan.resolve(THEM);
    lan.run(ms(1000));
    let mut stranger = lan.stranger(9);
    for n in [8, 9] {
        stranger.says(BROADCAST, &request(mac(n), addr(n), US));
        lan.run(ms(1000 + u64::from(n)));
    }
    for n in [77, 78] {
        lan.resolve(addr(n));
    }
    lan.run(ms(1500));
    let evicted = |n| (ms(1009), Event::Evicted { addr: addr(n), mac: Some(mac(n)) });
    assert_eq!(lan.us.events[1..], [evicted(8), evicted(9)]);
    assert_eq!(lan.us.arp.neighbour(THEM).unwrap().mac, Some(mac(2)));
}

fn trusting(trust: Trust) -> Lan {
    Lan::with(Config { trust, ..Config::default() })
}

/// When and where our requests went.
fn asks(lan: &Lan) -> impl Iterator<Item = (std::time::Duration, MacAddr6)> {
    let asks = |arp: &arp::View| arp.operation == arp::Operation::REQUEST;
    lan.us.arps().into_iter().filter(move |(.., arp)| asks(arp)).map(|(at, dst, _)| (at, dst))
}
