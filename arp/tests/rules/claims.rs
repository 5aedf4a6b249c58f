//! Address conflict detection (RFC 5227): probing and announcing.

use std::{net::Ipv4Addr, time::Duration};

use arp::{Arp, Config, Discard, Event, Owned, View};
use link::{FrameIo, FrameTx, Unsent, memory::LATENCY};
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, US, addr, mac, ms, octets, reply, request};

const WANTED: Ipv4Addr = addr(50);

// ACD-1
#[test]
fn three_probes_at_random_moments_and_two_seconds_later_the_address_is_free() {
    for seed in 0..50 {
        let mut lan = probing(WANTED, seed);
        lan.run(ms(60_000));
        let probe = request(mac(1), Ipv4Addr::UNSPECIFIED, WANTED);
        let sent = lan.us.arps();
        assert!(sent.iter().all(|(_, dst, arp)| (*dst, *arp) == (BROADCAST, probe)));
        let [one, two, three] = times(&lan)[..] else { panic!("{sent:?}") };
        assert!(one < ms(1000), "{one:?}");
        assert!((ms(1000)..=ms(2000)).contains(&(two - one)));
        assert!((ms(1000)..=ms(2000)).contains(&(three - two)));
        assert_eq!(lan.us.events, [(three + ms(2000), Event::Free { addr: WANTED })]);
    }
}

#[test]
fn every_seed_and_every_address_has_its_own_moments() {
    let run = |wanted, seed| {
        let mut lan = probing(wanted, seed);
        lan.run(ms(10_000));
        times(&lan)
    };
    assert_eq!(run(WANTED, 1), run(WANTED, 1));
    assert_ne!(run(WANTED, 1), run(WANTED, 2));
    assert_ne!(run(WANTED, 1), run(addr(51), 1));
}

#[test]
fn an_address_is_not_answered_for_until_it_is_known_to_be_free() {
    let mut lan = probing(US, 1);
    let mut stranger = lan.stranger(9);
    let free = free_at(US);
    lan.run(free - LATENCY - Duration::from_micros(1));
    stranger.says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(free - Duration::from_micros(1));
    assert_eq!(replies(&lan), 0);
    lan.run(free + ms(1));
    stranger.says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(free + ms(2));
    assert_eq!(replies(&lan), 1);
}

// ACD-3
#[test]
fn an_address_that_somebody_has_or_wants_is_taken_at_once_and_probed_for_no_more() {
    let claims = [
        request(mac(9), WANTED, addr(1)),
        request(mac(9), WANTED, WANTED),
        View { target: WANTED, ..reply(mac(9), WANTED) },
        request(mac(9), Ipv4Addr::UNSPECIFIED, WANTED),
    ];
    let times = {
        let mut lan = probing(WANTED, 1);
        lan.run(ms(60_000));
        times(&lan)
    };
    let moments =
        [(ms(0), 0), (times[0] + ms(1), 1), (times[1] + ms(1), 2), (times[2] + ms(1999), 3)];
    for (claim, (moment, probes)) in
        claims.iter().flat_map(|claim| moments.map(|moment| (claim, moment)))
    {
        let mut lan = probing(WANTED, 1);
        lan.run(moment);
        lan.stranger(9).says(BROADCAST, claim);
        lan.run(ms(60_000));
        let taken = Event::Taken { addr: WANTED, mac: mac(9) };
        assert_eq!(lan.us.events, [(moment + LATENCY, taken)], "{claim:?}");
        assert_eq!(lan.us.arps().len(), probes);
    }
}

#[test]
fn a_request_for_the_address_by_somebody_with_another_is_no_claim_to_it() {
    let mut lan = probing(WANTED, 1);
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), WANTED));
    lan.run(ms(60_000));
    assert_eq!(lan.us.events, [(free_at(WANTED), Event::Free { addr: WANTED })]);
}

#[test]
fn a_taken_address_is_not_answered_for_even_if_it_was_to_be_ours() {
    let mut lan = probing(US, 1);
    let mut stranger = lan.stranger(9);
    stranger.says(BROADCAST, &request(mac(9), US, US));
    lan.run(ms(100));
    stranger.says(BROADCAST, &request(mac(8), addr(8), US));
    stranger.says(BROADCAST, &request(mac(9), US, addr(8)));
    lan.run(ms(10_000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.events, [(LATENCY, Event::Taken { addr: US, mac: mac(9) })]);
}

#[test]
fn a_taken_address_may_be_probed_for_again() {
    let mut lan = probing(US, 1);
    lan.stranger(9).says(BROADCAST, &request(mac(9), US, US));
    lan.run(ms(10_000));
    lan.us.arp.probe(lan.network.now(), US, mac(1));
    lan.run(ms(20_000));
    assert_eq!(lan.us.events[1], (ms(10_000) + free_at(US), Event::Free { addr: US }));
    lan.stranger(8).says(BROADCAST, &request(mac(8), addr(8), US));
    lan.run(ms(21_000));
    assert_eq!(replies(&lan), 1);
}

// ACD-8
#[test]
fn our_own_probes_and_announcements_that_come_back_are_no_conflict() {
    let mut lan = probing(US, 1);
    let mut bridge = lan.stranger(9);
    lan.us.arp.announce(lan.start, addr(51), mac(1));
    for n in 1..10 {
        lan.run(ms(1000 * n));
        bridge.says_octets(BROADCAST, &octets(&request(mac(1), Ipv4Addr::UNSPECIFIED, US)));
        bridge.says_octets(BROADCAST, &octets(&request(mac(1), US, US)));
    }
    lan.run(ms(60_000));
    assert_eq!(lan.us.events, [(free_at(US), Event::Free { addr: US })]);
    assert_eq!(lan.us.discards, [Discard::Echoed; 18]);
}

// ACD-8
#[test]
fn nor_are_those_of_another_identity_of_ours() {
    let mut lan = Lan::with(Config { seed: 1, ..Config::default() });
    lan.us.arp =
        Arp::new(Owned::from([(WANTED, mac(55))]), Config { seed: 1, ..Config::default() });
    lan.us.arp.probe(lan.start, WANTED, mac(55));
    let mut bridge = lan.stranger(9);
    for at in [ms(100), ms(10_000)] {
        lan.run(at);
        bridge.says(BROADCAST, &request(mac(55), Ipv4Addr::UNSPECIFIED, WANTED));
        bridge.says(BROADCAST, &request(mac(55), WANTED, WANTED));
    }
    lan.run(ms(60_000));
    assert_eq!(lan.us.events, [(free_at(WANTED), Event::Free { addr: WANTED })]);
}

#[test]
fn a_probe_for_another_address_is_no_claim_to_ours() {
    let mut lan = probing(WANTED, 1);
    lan.stranger(9).says(BROADCAST, &request(mac(9), Ipv4Addr::UNSPECIFIED, addr(51)));
    lan.run(ms(60_000));
    assert_eq!(lan.us.events, [(free_at(WANTED), Event::Free { addr: WANTED })]);
}

// ACD-4
#[test]
fn an_address_is_announced_twice_two_seconds_apart_and_never_again() {
    let mut lan = Lan::new();
    lan.us.arp.announce(lan.start, US, mac(1));
    lan.run(ms(600_000));
    let announcement = request(mac(1), US, US);
    let expected = [ms(0), ms(2000)].map(|at| (at, BROADCAST, announcement));
    assert_eq!(lan.us.arps(), expected);
    assert_eq!(lan.us.events, []);
    assert_eq!(lan.us.arp.deadline(), None);
}

#[test]
fn a_full_link_postpones_an_announcement_until_it_is_flushed_and_loses_none() {
    let mut lan = Lan::new();
    lan.us.arp.announce(lan.start, US, mac(1));
    while lan.us.port.transmit(60, &mut |slot| slot[..6].fill(0xff)).is_ok() {}
    lan.run(ms(10_000));
    assert_eq!(times(&lan), [ms(0), ms(2000)]);
}

#[test]
fn a_probe_that_could_not_leave_counts_for_nothing_and_probing_begins_again() {
    let mut lan = probing(WANTED, 1);
    let first = {
        lan.run(ms(1000));
        times(&lan)[0]
    };
    let mut lan = probing(WANTED, 1);
    lan.network.advance_to(lan.start + first);
    assert_eq!(lan.us.arp.poll(lan.start + first, &mut lan.us.port), None);
    lan.us.port.flush().unwrap();
    let (arp, now) = (&mut lan.us.arp, lan.start + first);
    let mut down = |frame: link::Frame<'_>, _: &mut dyn FrameTx| arp.unsent(&frame, Unsent::Down);
    lan.us.port.recv(now, &mut down).unwrap();
    lan.run(ms(60_000));
    let [one, _, three] = times(&lan)[..] else { panic!("{:?}", times(&lan)) };
    assert_eq!(one, first + ms(1000), "three probes more, a second later");
    assert_eq!(lan.us.events, [(three + ms(2000), Event::Free { addr: WANTED })]);
}

#[test]
fn a_new_mac_begins_the_probing_anew_and_announces_what_is_ours_already() {
    let mut lan = probing(WANTED, 1);
    lan.run(ms(1500));
    let before = times(&lan).len();
    let owned = Owned::from([(US, mac(7))]);
    lan.us.arp.renew(lan.network.now(), mac(7), owned, [US]);
    lan.run(ms(60_000));
    let sent = lan.us.arps().split_off(before);
    let probe = request(mac(7), Ipv4Addr::UNSPECIFIED, WANTED);
    let announcement = request(mac(7), US, US);
    let count = |view| sent.iter().filter(|(.., arp)| *arp == view).count();
    assert_eq!((count(probe), count(announcement), sent.len()), (3, 2, 5));
    assert!(matches!(lan.us.events[..], [(_, Event::Free { addr: WANTED })]));
}

// ACD-9
#[test]
fn a_host_that_does_nothing_sends_nothing() {
    let mut lan = Lan::new();
    lan.run(ms(600_000));
    assert_eq!(lan.network.sent(), 0);
}

/// We probe for `wanted` from the start on.
fn probing(wanted: Ipv4Addr, seed: u64) -> Lan {
    let mut lan = Lan::with(Config { seed, ..Config::default() });
    lan.us.arp.probe(lan.start, wanted, mac(1));
    lan
}

/// When `wanted` is found to be free if nobody contests it, under the seed 1.
fn free_at(wanted: Ipv4Addr) -> Duration {
    let mut lan = probing(wanted, 1);
    lan.run(ms(60_000));
    lan.us.events[0].0
}

fn times(lan: &Lan) -> Vec<Duration> {
    lan.us.arps().into_iter().map(|(at, ..)| at).collect()
}

fn replies(lan: &Lan) -> usize {
    let arps = lan.us.arps();
    arps.iter().filter(|(.., arp)| arp.operation == arp::Operation::REPLY).count()
}
