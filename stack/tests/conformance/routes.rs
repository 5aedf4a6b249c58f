//! RTE, LL-1: which gateway, and when another one.

use std::{net::Ipv4Addr, time::Duration};

use sidestack_stack as stack;
use stack::{
    Config,
    icmp::{Echo, Outcome, SendError},
    ipv4,
    link::MacAddr6,
};

use crate::wire::{BEYOND, GATEWAY, MS, THEIRS, Wire, ended, turned};

const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 253);
const SECOND_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 0xfd);

/// Two gateways, of which the second answers whatever goes through it, and the first never.
fn two_gateways() -> Wire {
    let mut wire = Wire::with(Config::new("10.0.0.1/24".parse().unwrap()));
    wire.host.add_gateway("0.0.0.0/0".parse().unwrap(), GATEWAY, 0);
    wire.host.add_gateway("0.0.0.0/0".parse().unwrap(), SECOND, 1);
    wire.owners = vec![(GATEWAY, THEIRS), (SECOND, SECOND_MAC)];
    wire.answer = Box::new(|heard| match heard.icmp() {
        Some((8, 0)) if heard.dst == SECOND_MAC => vec![(Duration::ZERO, turned(heard.packet()))],
        _ => Vec::new(),
    });
    wire
}

/// How many of so many echoes, one a second, are lost before the first reply.
fn lost(wire: &mut Wire, count: u16) -> usize {
    for sequence in 1..=count {
        let _ = wire.host.echo(wire.now(), &Echo::new(BEYOND, sequence, &[1; 16])); // in flight yet
        wire.pass(MS * 1000);
    }
    ended(&wire.told).take_while(|ended| !matches!(ended.outcome, Outcome::Reply { .. })).count()
}

// RTE-2, RTE-3
#[test]
fn a_first_gateway_that_is_mute_even_to_arp_is_left_within_a_few_seconds() {
    let mut wire = two_gateways();
    wire.owners.remove(0);
    let lost = lost(&mut wire, 30);
    assert!(lost <= 4, "{lost} lost");
}

// RTE-2, RTE-3
#[test]
fn a_first_gateway_that_forwards_nothing_is_left_within_a_minute() {
    let mut wire = two_gateways();
    let lost = lost(&mut wire, 30);
    assert!((4..=15).contains(&lost), "{lost} lost");
}

// RTE-3
#[test]
fn gateways_are_not_asked_for_anything_while_nothing_is_sent() {
    let mut wire = two_gateways();
    lost(&mut wire, 30);
    wire.pass(MS * 120_000); // whatever was begun ends
    wire.hear();
    wire.pass(MS * 3_600_000);
    assert!(wire.hear().is_empty(), "an idle hour");
}

// LL-1
#[test]
fn a_link_local_datagram_is_never_given_to_a_gateway() {
    let mut wire = Wire::new().answering();
    let far = Ipv4Addr::new(169, 254, 7, 7);
    let refused = wire.host.echo(wire.now(), &Echo::new(far, 1, &[1; 16]));
    assert_eq!(refused, Err(SendError::Ipv4(ipv4::SendError::NoRoute(far))));
    let config = Config::new("169.254.1.1/16".parse().unwrap());
    let mut wire = Wire::with(Config { gateway: Some(GATEWAY), ..config });
    wire.owners = vec![(GATEWAY, THEIRS)];
    let refused = wire.host.echo(wire.now(), &Echo::new(BEYOND, 1, &[1; 16]));
    assert_eq!(refused, Err(SendError::Ipv4(ipv4::SendError::NoRoute(BEYOND))));
    wire.pass(MS * 5000);
    assert!(wire.hear().is_empty());
}
