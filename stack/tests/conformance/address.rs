//! ACD: when an address is probed for and announced, and when never.

use std::time::Duration;

use sidestack_stack as stack;
use stack::{
    Config, Hosts, Served, arp,
    icmp::Echo,
    ipv4::Hop,
    link::{MacAddr6, State},
};

use crate::wire::{Heard, MS, OURS, THEIRS, THEM, US, Wire};

/// The moments of probes and of announcements, in milliseconds.
fn claims(heard: &[Heard]) -> (Vec<u128>, Vec<u128>) {
    let requests = heard.iter().filter(|heard| heard.arp().is_some_and(|(op, _)| op == 1));
    let mut claims = (Vec::new(), Vec::new());
    for request in requests {
        let (spa, tpa) = (&request.payload[14..18], &request.payload[24..28]);
        match spa {
            [0, 0, 0, 0] => claims.0.push(request.at.as_millis()),
            _ if spa == tpa => claims.1.push(request.at.as_millis()),
            _ => {}
        }
    }
    claims
}

// ACD-1, ACD-4
#[test]
fn an_adopted_address_is_probed_for_three_times_and_announced_twice_two_seconds_apart() {
    let mut wire = Wire::new();
    wire.host.adopt(wire.now());
    wire.pass(MS * 60_000);
    let (probes, announced) = claims(&wire.hear());
    let [first, second, third] = probes[..] else { panic!("{probes:?}") };
    assert!(first <= 1000, "{probes:?}");
    for gap in [second - first, third - second] {
        assert!((1000..=2000).contains(&gap), "{probes:?}");
    }
    let [fourth, fifth] = announced[..] else { panic!("{announced:?}") };
    assert_eq!((fourth - third, fifth - fourth), (2000, 2000));
}

// ACD-1, ACD-9
#[test]
fn when_the_link_comes_up_an_adopted_address_is_probed_for_anew() {
    let mut wire = Wire::new();
    wire.host.adopt(wire.now());
    wire.pass(MS * 60_000);
    wire.hear();
    let line = wire.host.link().line();
    line.set_state(State::Down);
    wire.pass(MS * 5_000);
    assert!(wire.hear().is_empty());
    line.set_state(State::Up);
    wire.pass(MS * 60_000);
    let (probes, announced) = claims(&wire.hear());
    assert_eq!((probes.len(), announced.len()), (3, 2));
}

// ACD-9, SEC-10
#[test]
fn in_ten_minutes_of_use_nothing_is_probed_for() {
    let mut wire = Wire::new().answering();
    wire.host.adopt(wire.now());
    wire.pass(MS * 20_000);
    wire.hear();
    for sequence in 0..60 {
        wire.host.echo(wire.now(), &Echo::new(THEM, sequence, &[1; 16])).unwrap();
        wire.pass(MS * 10_000);
    }
    let heard = wire.hear();
    assert_eq!(claims(&heard), (vec![], vec![]));
    assert!(heard.iter().filter(|heard| heard.icmp().is_some()).count() == 60);
}

// ACD-5, ACD-6
#[test]
fn an_address_in_use_is_defended_once_in_ten_seconds_and_kept() {
    let mut wire = Wire::new();
    wire.host.adopt(wire.now());
    wire.pass(MS * 20_000);
    wire.hear();
    let other = MacAddr6::new(2, 0, 0, 0, 0, 0x66);
    for _ in 0..10 {
        wire.arp(1, (other, US), US);
        wire.pass(MS * 100);
    }
    let (probes, announced) = claims(&wire.hear());
    assert_eq!((probes.len(), announced.len()), (0, 1));
    let conflict =
        |event: &&arp::Event| matches!(event, arp::Event::Conflict { addr: US, kept: OURS, .. });
    assert!(wire.arp_told().iter().any(conflict));
    wire.arp(1, (THEIRS, THEM), US);
    wire.pass(MS);
    assert!(wire.hear().iter().any(|heard| heard.arp() == Some((2, THEM))), "still ours");
}

// ACD-1, ACD-4
#[test]
fn who_is_suspended_while_it_claims_many_addresses_never_hurries_afterwards() {
    let mut wire = Wire::with(Config::new("0.0.0.0/32".parse().unwrap()));
    wire.host.add_route("10.0.0.0/24".parse().unwrap(), Hop::Connected);
    let hosts = Hosts::new(arp::Macs::One(OURS), [[10, 0, 0, 10].into()..=[10, 0, 0, 10].into()]);
    let served = Served { hosts, kept: Vec::new(), beyond: None, refused: Vec::new() };
    wire.host.serve(wire.now(), served, true);
    wire.pass(MS * 500);
    // Nobody polls for a minute.
    wire.network.advance_to(wire.now() + Duration::from_secs(60));
    wire.pass(MS * 20_000);
    let (probes, announced) = claims(&wire.hear());
    let (probes, first) = (&probes[probes.len() - 2..], announced[0]);
    assert!(probes[1] - probes[0] >= 1000 && first - probes[1] >= 2000, "{probes:?}, {first}");
    assert_eq!((announced.len(), announced[1] - first), (2, 2000));
}
