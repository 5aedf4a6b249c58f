//! What is believed of neighbours: who gets in, who stays, who is moved.

use arp::{Config, Defend, Discard, Event, Sent};
use link::memory::LATENCY;
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, NOBODY, THEM, US, addr, mac, ms, reply, request};

// ARP-14
#[test]
fn who_asks_for_us_is_known() {
    let mut lan = Lan::new();
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(100));
    assert_eq!(lan.send(addr(9), b"packet"), Ok(Sent::Out));
    lan.run(ms(200));
    assert_eq!(lan.us.packets(), [(ms(100), mac(1), mac(9), &b"packet"[..])]);
}

// ARP-14, SEC-2
#[test]
fn who_was_never_asked_and_does_not_ask_for_us_is_not_learned() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    stranger.says(BROADCAST, &request(mac(9), addr(9), addr(9))); // gratuitous
    stranger.says(BROADCAST, &arp::View { target: addr(9), ..reply(mac(9), addr(9)) });
    stranger.says(BROADCAST, &request(mac(9), addr(9), THEM)); // asks another
    stranger.says(mac(1), &reply(mac(9), addr(9))); // answers what nobody asked
    lan.run(ms(100));
    assert_eq!(lan.us.arp.neighbours().count(), 0);
    let other = Discard::NotForUs;
    assert_eq!(lan.us.discards, [other, other, other, Discard::Unasked]);
    assert_eq!(lan.send(addr(9), b"packet"), Ok(Sent::Kept), "it has to be asked for");
}

// ARP-12
#[test]
fn any_packet_of_a_known_neighbour_refreshes_what_is_known_of_it() {
    let gratuitous = request(mac(9), addr(9), addr(9));
    let for_another = request(mac(9), addr(9), THEM);
    let answer = arp::View { target: addr(9), ..reply(mac(9), addr(9)) };
    for packet in [gratuitous, for_another, answer] {
        let mut lan = Lan::new();
        let mut stranger = lan.stranger(9);
        stranger.says(BROADCAST, &request(mac(9), addr(9), US));
        lan.run(ms(59_000));
        stranger.says(BROADCAST, &packet);
        lan.run(ms(119_000));
        assert_eq!(lan.us.arp.neighbour(addr(9)).unwrap().mac, Some(mac(9)));
        lan.run(ms(119_000) + LATENCY);
        assert_eq!(lan.us.arp.neighbour(addr(9)), None);
        assert_eq!(lan.us.events, []);
    }
}

// LNK-1, LNK-2
#[test]
fn a_neighbour_is_forgotten_when_its_lifetime_is_over() {
    for seconds in [1, 60, 300] {
        let lifetime = ms(1000 * seconds);
        let mut lan = Lan::with(Config { lifetime, ..Config::default() });
        lan.resolve(THEM);
        let ends = lifetime + LATENCY * 2;
        lan.run(ends - ms(1));
        assert_eq!(lan.us.arp.neighbours().count(), 1);
        assert!(lan.us.arp.deadline().unwrap() <= lan.start + ends);
        lan.run(ends);
        assert_eq!(lan.us.arp.neighbours().count(), 0);
        assert_eq!(lan.us.arp.deadline(), None);
    }
}

#[test]
fn a_neighbour_whose_lifetime_is_over_is_not_believed_although_nobody_polled() {
    for (at, sent) in [(ms(59_999), Sent::Out), (ms(60_000) + LATENCY * 2, Sent::Kept)] {
        let mut lan = Lan::new();
        lan.resolve(THEM);
        lan.run(ms(1000));
        lan.network.advance_to(lan.start + at);
        assert_eq!(lan.send(THEM, b"packet"), Ok(sent));
    }
}

#[test]
fn nobody_is_asked_for_because_an_entry_ages() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(600_000));
    assert_eq!(lan.us.arps().len(), 1);
}

// ARP-12
#[test]
fn a_neighbour_that_moves_more_than_a_second_later_is_followed_and_told_of() {
    let gratuitous = request(mac(8), addr(9), addr(9));
    let answer = arp::View { target: addr(9), ..reply(mac(8), addr(9)) };
    for packet in [gratuitous, answer] {
        let mut lan = Lan::new();
        let mut stranger = lan.stranger(9);
        stranger.says(BROADCAST, &request(mac(9), addr(9), US));
        lan.run(ms(1100));
        stranger.says(BROADCAST, &packet);
        lan.run(ms(2000));
        let moved = Event::Moved { addr: addr(9), old: mac(9), new: mac(8) };
        assert_eq!(lan.us.events, [(ms(1100) + LATENCY, moved)]);
        lan.send(addr(9), b"packet").unwrap();
        lan.run(ms(3000));
        assert_eq!(lan.us.packets(), [(ms(2000), mac(1), mac(8), &b"packet"[..])]);
    }
}

// ARP-15
#[test]
fn of_two_answers_from_two_owners_the_first_is_kept_and_both_are_named() {
    let mut lan = Lan::new();
    lan.send(addr(9), b"packet").unwrap();
    lan.run(ms(100));
    let (mut first, mut second) = (lan.stranger(8), lan.stranger(9));
    first.says(mac(1), &reply(mac(8), addr(9)));
    second.says(mac(1), &reply(mac(9), addr(9)));
    lan.run(ms(200));
    let conflict = Event::Conflict { addr: addr(9), kept: mac(8), other: mac(9) };
    assert!(lan.us.events.contains(&(ms(100) + LATENCY, conflict)));
    lan.send(addr(9), b"packet").unwrap();
    lan.run(ms(300));
    let to: Vec<_> = lan.us.packets().iter().map(|(_, _, dst, _)| *dst).collect();
    assert_eq!(to, [mac(8), mac(8)]);
}

#[test]
fn one_owner_that_answers_twice_is_no_conflict() {
    let mut lan = Lan::new();
    lan.network.set_fate(|_| link::memory::Fate::again(ms(1)));
    lan.resolve(THEM);
    lan.run(ms(1000));
    assert_eq!(lan.us.events.len(), 1, "{:?}", lan.us.events);
    assert!(matches!(lan.us.events[0].1, Event::Resolved { .. }));
}

// ACD-5, ACD-6, SEC-9
#[test]
fn somebody_else_with_our_address_is_told_of_and_not_believed() {
    let defend = Defend::Always;
    let mut lan = Lan::with(Config { defend, ..Config::default() });
    let mut stranger = lan.stranger(9);
    stranger.says(BROADCAST, &request(mac(9), US, US));
    stranger.says(BROADCAST, &request(mac(9), US, THEM));
    stranger.says(mac(1), &reply(mac(9), US));
    lan.run(ms(100));
    let conflict = Event::Conflict { addr: US, kept: mac(1), other: mac(9) };
    assert_eq!(lan.us.events, [conflict.clone(), conflict.clone(), conflict].map(|e| (LATENCY, e)));
    assert_eq!((lan.us.arps().len(), lan.us.arp.neighbours().count()), (1, 0), "one defence");
    assert_eq!(lan.us.discards, [Discard::Conflict; 3]);
    stranger.says(BROADCAST, &request(mac(8), addr(8), US));
    lan.run(ms(200));
    let [_, (_, _, answer)] = lan.us.arps()[..] else { panic!("one reply") };
    assert_eq!((answer.target, answer.sender_mac), (addr(8), mac(1)), "still");
}

// SEC-3
#[test]
fn a_pinned_neighbour_never_ages_or_changes_and_who_contradicts_is_told_of() {
    let mut lan = Lan::new();
    lan.us.arp.pin(lan.start, addr(9), mac(9));
    lan.run(ms(1000 * 86_400));
    let mut stranger = lan.stranger(8);
    stranger.says(BROADCAST, &request(mac(8), addr(9), US));
    stranger.says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(1000 * 86_401));
    let conflict = Event::Conflict { addr: addr(9), kept: mac(9), other: mac(8) };
    assert_eq!(lan.us.events, [(ms(1000 * 86_400) + LATENCY, conflict)]);
    lan.resolve(addr(9));
    assert_eq!(lan.send(addr(9), b"packet"), Ok(Sent::Out));
    lan.run(ms(1000 * 86_402));
    assert_eq!(lan.us.packets()[0].2, mac(9));
    assert_eq!(lan.us.asked(addr(9)), [], "nobody asks for what he was told");
}

#[test]
fn a_packet_that_waits_leaves_when_its_neighbour_is_pinned() {
    let mut lan = Lan::new();
    lan.send(addr(9), b"packet").unwrap();
    lan.run(ms(500));
    lan.us.arp.pin(lan.network.now(), addr(9), mac(9));
    lan.run(ms(9000));
    assert_eq!(lan.us.packets(), [(ms(500), mac(1), mac(9), &b"packet"[..])]);
    let released = Event::Released { packet: b"packet".to_vec() };
    assert_eq!(lan.us.events, [(ms(500), released)]);
}

// SEC-3
#[test]
fn a_flood_of_strangers_neither_fills_memory_nor_drives_out_who_is_known() {
    let mut lan = Lan::with(Config { capacity: 100, ..Config::default() });
    lan.us.arp.pin(lan.start, addr(9), mac(9));
    lan.resolve(THEM);
    lan.run(ms(1000));
    let mut stranger = lan.stranger(8);
    for n in 0..4000_u16 {
        let [b, c] = n.to_be_bytes();
        stranger.says(BROADCAST, &request(mac(8), [10, 1, b, c].into(), US));
    }
    lan.run(ms(2000));
    assert_eq!(lan.us.arp.neighbours().count(), 100);
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Out));
    assert_eq!(lan.send(addr(9), b"packet"), Ok(Sent::Out));
}

// SEC-3
#[test]
fn whom_we_ask_for_takes_the_place_of_the_one_confirmed_longest_ago() {
    let mut lan = Lan::with(Config { capacity: 2, ..Config::default() });
    let mut stranger = lan.stranger(9);
    for (at, n) in [(0, 8), (1000, 9), (2000, 8)] {
        lan.run(ms(at));
        stranger.says(BROADCAST, &request(mac(n), addr(n), US));
    }
    lan.run(ms(3000));
    lan.resolve(NOBODY);
    let mut known: Vec<_> = lan.us.arp.neighbours().map(|n| (n.addr, n.mac)).collect();
    known.sort();
    assert_eq!(known, [(addr(8), Some(mac(8))), (NOBODY, None)]);
}

#[test]
fn a_table_full_of_the_asked_for_and_the_pinned_takes_nobody_else() {
    let mut lan = Lan::with(Config { capacity: 2, ..Config::default() });
    lan.us.arp.pin(lan.start, addr(9), mac(9));
    lan.resolve(NOBODY);
    assert_eq!(lan.send(THEM, b"packet"), Err(link::SendError::Full));
    lan.run(ms(3000));
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Kept), "nobody was given up on");
}
