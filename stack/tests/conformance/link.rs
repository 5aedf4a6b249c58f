//! LNK, SEC-1, SEC-3: neighbours that move, are silent, or lie.

use std::{cell::Cell, rc::Rc, time::Duration};

use sidestack_stack as stack;
use stack::{
    Config,
    arp::{self, Trust},
    icmp::{Echo, Outcome},
    link::MacAddr6,
};

use crate::wire::{GATEWAY, MS, THEIRS, THEM, US, Wire, ended, turned};

const MOVED: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 9);
const LIAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 0x66);

fn is_reply(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Reply { .. })
}

// LNK-1
#[test]
fn a_neighbour_that_changes_its_mac_without_a_word_is_found_again_within_five_seconds() {
    let mut wire = Wire::new();
    // Only frames to where the neighbour is now are answered.
    let at = Rc::new(Cell::new(THEIRS));
    let now_at = at.clone();
    wire.answer = Box::new(move |heard| match heard.icmp() {
        Some((8, 0)) if heard.dst == now_at.get() => {
            vec![(Duration::ZERO, turned(heard.packet()))]
        }
        _ => Vec::new(),
    });
    assert!(is_reply(wire.ping(&Echo::new(THEM, 0, &[1; 16]))));
    at.set(MOVED);
    wire.owners = vec![(THEM, MOVED)];
    // The old MAC address is nobody's: the station answers polls to it no more.
    wire.told.clear();
    for sequence in 1..=10 {
        wire.host.echo(wire.now(), &Echo::new(THEM, sequence, &[1; 16])).unwrap();
        wire.pass(MS * 1000);
    }
    let lost = ended(&wire.told).filter(|ended| !is_reply(ended.outcome)).count();
    assert!(lost <= 5, "{lost} of ten pings, one a second, were lost");
    let moved = |event: &&arp::Event| matches!(event, arp::Event::Moved { new: MOVED, .. });
    assert_eq!(wire.arp_told().into_iter().filter(moved).count(), 1);
}

// LNK-3, LNK-5
#[test]
fn nobody_is_called_unreachable_before_the_last_of_three_requests_has_failed() {
    let mut wire = Wire::new();
    wire.owners.clear();
    let start = wire.now();
    wire.host.echo(start, &Echo::new(THEM, 1, &[1; 16])).unwrap();
    wire.pass(MS * 2999);
    assert!(wire.told.is_empty(), "{:?}", wire.told);
    wire.pass(MS);
    let outcomes: Vec<Outcome> = ended(&wire.told).map(|ended| ended.outcome).collect();
    assert_eq!(outcomes, [Outcome::Unresolved { requests: 3 }]);
    let asked: Vec<_> = wire.hear().iter().map(|heard| heard.at.as_secs()).collect();
    assert_eq!(asked, [0, 1, 2]);
}

/// Poisons what is known of the neighbour, right after it was confirmed or later, and returns
/// whether echoes still reach the true one, and what was told.
fn poisoned(trust: Trust, after_ms: u32) -> (bool, Vec<arp::Event>) {
    let config = Config::new("10.0.0.1/24".parse().unwrap());
    let arp = arp::Config { trust, ..config.arp };
    let mut wire = Wire::with(Config { arp, ..config }).answering();
    assert!(is_reply(wire.ping(&Echo::new(THEM, 1, &[1; 16]))));
    wire.pass(MS * after_ms);
    wire.told.clear();
    wire.arp(2, (LIAR, THEM), US);
    wire.pass(MS * 10);
    wire.hear();
    wire.host.echo(wire.now(), &Echo::new(THEM, 2, &[1; 16])).unwrap();
    wire.pass(MS * 10);
    let told = wire.arp_told().into_iter().cloned().collect();
    let heard = wire.hear();
    let echo = heard.iter().find(|heard| heard.icmp() == Some((8, 0)));
    (echo.is_some_and(|heard| heard.dst == THEIRS), told)
}

// SEC-1, ARP-12
#[test]
fn an_unsolicited_reply_moves_nobody_confirmed_within_a_second_and_every_move_is_told() {
    let (true_one, told) = poisoned(Trust::Update, 100);
    assert!(true_one, "{told:?}");
    let (true_one, told) = poisoned(Trust::Update, 1300);
    assert!(!true_one, "followed, as RFC 826 wants it");
    assert!(matches!(told[..], [arp::Event::Moved { old: THEIRS, new: LIAR, .. }, ..]), "{told:?}");
    for after in [100, 1300] {
        for trust in [Trust::Confirm, Trust::Solicited] {
            let (true_one, told) = poisoned(trust, after);
            assert!(true_one, "{trust:?} {after}: {told:?}");
        }
    }
}

// SEC-3, LNK-4
#[test]
fn four_thousand_strangers_do_not_drive_out_who_is_known() {
    let mut wire = Wire::new().answering();
    assert!(is_reply(wire.ping(&Echo::new(THEM, 1, &[1; 16]))));
    for n in 0..4000_u16 {
        let [high, low] = n.to_be_bytes();
        let sender = MacAddr6::new(2, 1, 0, 0, high, low);
        wire.arp(1, (sender, [10, 0, 0, 3 + (n % 250) as u8].into()), US);
        if n % 100 == 0 {
            wire.pass(MS);
        }
    }
    wire.pass(MS * 100);
    wire.hear();
    assert!(is_reply(wire.ping(&Echo::new(THEM, 2, &[1; 16]))));
    let heard = wire.hear();
    assert!(heard.iter().all(|heard| heard.arp().is_none_or(|(op, _)| op == 2)), "asked again");
    assert!(wire.host.neighbours().count() <= arp::Config::default().capacity);
}

// SEC-2, ARP-14
#[test]
fn who_was_never_asked_for_must_be_asked_for_whatever_it_said_before() {
    let mut wire = Wire::new().answering();
    wire.arp(2, (LIAR, GATEWAY), GATEWAY);
    wire.arp(1, (LIAR, GATEWAY), GATEWAY);
    wire.pass(MS);
    assert_eq!(wire.host.neighbours().count(), 0);
    wire.host.echo(wire.now(), &Echo::new(GATEWAY, 1, &[1; 16])).unwrap();
    wire.pass(MS);
    assert_eq!(wire.hear()[0].arp(), Some((1, GATEWAY)));
    let mac = wire.host.neighbours().next().and_then(|neighbour| neighbour.mac);
    assert_eq!(mac, Some(THEIRS));
}
