//! Addresses of ours that others use, want, or had (RFC 5227 §2.1.1, §2.4).

use std::{net::Ipv4Addr, time::Duration};

use arp::{Arp, Config, Defend, Discard, Event, Owner};
use link::memory::LATENCY;
use macaddr::MacAddr6;
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, US, addr, mac, ms, request};

// ACD-5, ACD-6
#[test]
fn who_defends_always_announces_every_ten_seconds_at_most_and_keeps_the_address() {
    let mut lan = claimed_at(Defend::Always, &[0, 500, 9_900, 10_100, 25_000]);
    let announcements = [0, 10_100, 25_000].map(|at| (ms(at) + LATENCY, BROADCAST));
    let announcement = request(mac(1), US, US);
    let sent = lan.us.arps();
    assert!(sent.iter().all(|(.., arp)| *arp == announcement));
    assert_eq!(sent.iter().map(|(at, dst, _)| (*at, *dst)).collect::<Vec<_>>(), announcements);
    assert_eq!(lan.us.discards, [Discard::Conflict; 5]);
    assert_eq!(lan.us.events.len(), 5, "each is told");
    assert!(is_answered(&mut lan));
}

// ACD-6
#[test]
fn who_defends_once_gives_up_at_the_second_claim_within_ten_seconds() {
    let mut lan = claimed_at(Defend::Once, &[0, 10_100, 20_000]);
    assert_eq!(lan.us.arps().len(), 2);
    let lost = Event::Lost { addr: US, mac: mac(9) };
    assert_eq!(lan.us.events.last(), Some(&(ms(20_000) + LATENCY, lost)));
    assert!(!is_answered(&mut lan));
    assert_eq!(lan.us.arp.taken().collect::<Vec<_>>(), [US]);
    lan.us.arp.retake(US);
    assert!(is_answered(&mut lan), "until told otherwise");
}

// ACD-5
#[test]
fn who_never_defends_gives_up_at_once() {
    let mut lan = claimed_at(Defend::Never, &[0]);
    assert_eq!(lan.us.arps(), []);
    let lost = Event::Lost { addr: US, mac: mac(9) };
    assert_eq!(lan.us.events.last(), Some(&(LATENCY, lost)));
    assert!(!is_answered(&mut lan));
}

// ACD-5
#[test]
fn the_owner_may_have_another_policy_for_each_address() {
    struct Picky(arp::Owned);
    impl Owner for Picky {
        fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
            self.0.mac(addr)
        }

        fn owns(&self, mac: MacAddr6) -> bool {
            self.0.owns(mac)
        }

        fn defend(&self, addr: Ipv4Addr) -> Option<Defend> {
            (addr == US).then_some(Defend::Never)
        }
    }
    let mut lan = Lan::new();
    let ours = [US, addr(20)];
    lan.us.arp.own(Picky(ours.map(|addr| (addr, mac(1))).into()));
    let mut stranger = lan.stranger(9);
    for addr in ours {
        stranger.says(BROADCAST, &request(mac(9), addr, addr));
    }
    lan.run(ms(1000));
    let lost = Event::Lost { addr: US, mac: mac(9) };
    let conflict = Event::Conflict { addr: addr(20), kept: mac(1), other: mac(9) };
    assert_eq!(lan.us.events, [(LATENCY, lost), (LATENCY, conflict)]);
    assert_eq!(ours.map(|addr| lan.us.arp.mac(addr)), [None, Some(mac(1))]);
}

#[test]
fn what_is_left_to_somebody_else_is_neither_probed_for_nor_answered_for() {
    let mut lan = Lan::new();
    lan.us.arp.claim(lan.start, [(US, mac(1))]);
    assert_eq!(lan.us.arp.claiming(), 1);
    assert!(lan.us.arp.leave(US) && !lan.us.arp.leave(US) && !lan.us.arp.leave(addr(9)));
    assert_eq!(lan.us.arp.claiming(), 0);
    lan.run(ms(60_000));
    assert_eq!((lan.us.arps(), &lan.us.events[..]), (vec![], &[][..]));
    assert!(!is_answered(&mut lan));
}

// ACD-1
#[test]
fn a_claim_takes_no_longer_than_the_configuration_says() {
    let config = Config { rate: 100, ..Config::default() };
    assert_eq!(config.time_to_claim(1), ms(1000 + 2 * 2000 + 2000));
    assert_eq!(config.time_to_claim(1000), ms(50_000 + 2 * 2000 + 2000));
}

// ACD-5
#[test]
fn who_lets_another_stack_answer_leaves_the_defence_to_it_too() {
    let config = Config { answers: false, defend: Defend::Never, ..Config::default() };
    let mut lan = Lan::with(config);
    lan.stranger(9).says(BROADCAST, &request(mac(9), US, US));
    lan.run(ms(1000));
    let conflict = Event::Conflict { addr: US, kept: mac(1), other: mac(9) };
    assert_eq!((&lan.us.events[..], lan.us.arps().len()), (&[(LATENCY, conflict)][..], 0));
}

// ACD-7
#[test]
fn after_ten_conflicts_a_station_tries_one_address_a_minute() {
    let mut lan = Lan::with(Config { seed: 1, ..Config::default() });
    let mut stranger = lan.stranger(9);
    for n in 100..110 {
        lan.us.arp.probe(lan.network.now(), addr(n), mac(1));
        stranger.says(BROADCAST, &request(mac(9), addr(n), addr(n)));
        lan.run(ms(u64::from(n - 99)));
    }
    assert_eq!(lan.us.events.len(), 10);
    let before = lan.us.arps().len();
    lan.us.arp.probe(lan.network.now(), addr(120), mac(1));
    lan.us.arp.probe(lan.network.now(), addr(121), mac(1));
    lan.us.arp.probe(lan.network.now(), addr(122), mac(77));
    lan.run(ms(300_000));
    let first = |wanted: Ipv4Addr| lan.us.asked(wanted)[0];
    let last_conflict = ms(9) + LATENCY;
    assert!((ms(60_000)..ms(61_000)).contains(&(first(addr(120)) - last_conflict)));
    assert!((ms(120_000)..ms(121_000)).contains(&(first(addr(121)) - last_conflict)));
    assert!(first(addr(122)) < ms(1010), "another station is another station");
    assert_eq!(lan.us.arps().len() - before, 9);
    lan.us.arp.probe(lan.network.now(), addr(123), mac(1));
    lan.run(ms(302_000));
    assert!(!lan.us.asked(addr(123)).is_empty(), "one that came through ends it");
}

// ACD-1, ACD-9
#[test]
fn when_the_link_comes_up_our_addresses_are_probed_for_and_announced_anew() {
    let mut lan = Lan::new();
    lan.resolve(crate::lan::THEM);
    lan.run(ms(5000));
    lan.us.arp.link_up(lan.network.now(), [(US, mac(1))]);
    assert_eq!(lan.us.arp.mac(US), None, "not before it is known to be free");
    let them = lan.us.arp.neighbours().next().unwrap();
    assert_eq!(them.state, arp::State::Stale);
    lan.run(ms(60_000));
    let sent: Vec<_> = lan.us.arps().into_iter().skip(1).map(|(.., arp)| arp).collect();
    let (probe, announcement) =
        (request(mac(1), Ipv4Addr::UNSPECIFIED, US), request(mac(1), US, US));
    assert_eq!(sent, [probe, probe, probe, announcement, announcement]);
    lan.run(ms(660_000));
    assert_eq!(lan.us.arps().len(), 6, "and never again");
    assert_eq!(lan.us.arp.mac(US), Some(mac(1)));
}

// ACD-1
#[test]
fn an_address_that_is_probed_for_anew_asks_for_nobody_meanwhile() {
    let mut lan = Lan::new();
    lan.resolve(crate::lan::THEM);
    lan.run(ms(46_000));
    lan.send(crate::lan::THEM, b"stale, so to be polled for in five seconds").unwrap();
    lan.send(crate::lan::NOBODY, b"asked for again in a second").unwrap();
    lan.run(ms(46_900));
    let before = lan.us.arps().len();
    lan.us.arp.link_up(lan.network.now(), [(US, mac(1))]);
    lan.run(ms(120_000));
    let sent: Vec<_> = lan.us.arps().into_iter().skip(before).map(|(.., arp)| arp).collect();
    let (probe, announcement) =
        (request(mac(1), Ipv4Addr::UNSPECIFIED, US), request(mac(1), US, US));
    assert_eq!(sent, [probe, probe, probe, announcement, announcement]);
    let handed_back = lan.us.events.iter().filter_map(|(at, event)| match event {
        Event::Unresolved { requests: 1, packet: Some(_), .. } => Some(*at),
        _ => None,
    });
    assert_eq!(handed_back.collect::<Vec<_>>(), [ms(47_000)]);
}

// ACD-4
#[test]
fn the_use_of_a_claimed_address_begins_with_its_first_announcement() {
    let mut lan = Lan::new();
    lan.us.arp.claim(lan.start, [(US, mac(1))]);
    lan.run(ms(60_000));
    let sent: Vec<Duration> = lan.us.arps().into_iter().map(|(at, ..)| at).collect();
    assert_eq!((sent[3] - sent[2], sent[4] - sent[3]), (ms(2000), ms(2000)));
    assert_eq!(lan.us.events, [(sent[3], Event::Free { addr: US })]);
}

/// Host 9 says that our address is its own, at these times.
fn claimed_at(defend: Defend, times: &[u64]) -> Lan {
    let mut lan = Lan::with(Config { defend, ..Config::default() });
    let mut stranger = lan.stranger(9);
    for at in times {
        lan.run(ms(*at));
        stranger.says(BROADCAST, &request(mac(9), US, US));
    }
    lan.run(ms(times.last().unwrap() + 100));
    lan
}

fn is_answered(lan: &mut Lan) -> bool {
    let (before, now) = (lan.us.arps().len(), lan.network.now() - lan.start);
    lan.stranger(8).says(BROADCAST, &request(mac(8), addr(8), US));
    lan.run(now + ms(100));
    lan.us.arps().len() > before
}

#[test]
fn an_arp_without_anything_to_do_has_no_deadline() {
    assert_eq!(Arp::new(arp::Owned::default(), Config::default()).deadline(), None);
}
