//! PMTU: what errors say of the path, and for how long it is believed.

use std::net::Ipv4Addr;

use sidestack_stack as stack;
use stack::icmp::{Echo, Outcome};

use crate::{
    packet::{Ip, error},
    wire::{BEYOND, GATEWAY, MS, THEM, US, Wire, turned},
};

/// A path that takes `mtu` octets and says that it takes `says`; shorter packets are answered.
fn narrow(mtu: usize, says: u16) -> Wire {
    let mut wire = Wire::new();
    wire.answer = Box::new(move |heard| {
        let packet = heard.packet();
        let [high, low] = says.to_be_bytes();
        if packet.len() > mtu && packet[6] & 0x40 != 0 {
            let quote = &packet[..packet.len().min(548)];
            vec![(MS, Ip::icmp(GATEWAY, US, &error(3, 4, [0, 0, high, low], quote)).octets())]
        } else if heard.icmp() == Some((8, 0)) && packet[6] & 0x20 == 0 {
            vec![(MS, turned(packet))]
        } else {
            Vec::new()
        }
    });
    wire
}

/// Data that an echo may have, towards somebody, without being fragmented.
fn max_data(wire: &mut Wire, dst: Ipv4Addr) -> usize {
    wire.host.max_data(wire.now(), dst)
}

fn learn(mtu: usize, says: u16) -> Wire {
    let mut wire = narrow(mtu, says);
    let outcome = wire.ping(&Echo::new(BEYOND, 1, &[0x5a; 1400]));
    assert!(matches!(outcome, Outcome::Error(error) if error.code == 4), "{outcome:?}");
    wire
}

// PMTU-1
#[test]
fn an_error_about_our_own_echo_lowers_the_estimate_for_its_destination_alone() {
    let mut wire = learn(600, 600);
    assert_eq!(max_data(&mut wire, BEYOND), 600 - 28);
    assert_eq!(max_data(&mut wire, THEM), 1500 - 28);
    wire.hear();
    let refused = wire.host.echo(wire.now(), &Echo::new(BEYOND, 2, &[0x5a; 573]));
    assert!(refused.is_err(), "one octet more than the path takes");
    let outcome = wire.ping(&Echo::new(BEYOND, 3, &[0x5a; 572]));
    assert!(matches!(outcome, Outcome::Reply { .. }), "{outcome:?}");
    assert!(wire.hear().iter().all(|heard| heard.packet().len() <= 600));
}

// PMTU-2
#[test]
fn no_error_raises_an_estimate_and_impossible_ones_say_nothing() {
    let mut wire = learn(600, 600);
    let said = |wire: &mut Wire, sequence, says| {
        let mut other = narrow(100, says);
        std::mem::swap(&mut wire.answer, &mut other.answer);
        wire.ping(&Echo::new(BEYOND, sequence, &[0x5a; 572]));
        max_data(wire, BEYOND)
    };
    assert_eq!(said(&mut wire, 2, 1400), 572, "it would have fitted");
    assert_eq!(said(&mut wire, 3, 65_535), 572);
    assert_eq!(said(&mut wire, 4, 0), 552 - 28, "the next plateau, 508, is below the floor");
    let mut unsaid = learn(1000, 0);
    assert_eq!(max_data(&mut unsaid, BEYOND), 1006 - 28, "the plateau below 1,428");
}

// PMTU-3
#[test]
fn nobody_can_command_tiny_fragments() {
    for says in [67, 68, 100] {
        let mut wire = learn(100, says);
        assert_eq!(max_data(&mut wire, BEYOND), 552 - 28, "{says}");
        wire.hear();
        let echo = Echo { dont_fragment: false, ..Echo::new(BEYOND, 2, &[0x5a; 1400]) };
        wire.host.echo(wire.now(), &echo).unwrap();
        wire.pass(MS * 100);
        let lens: Vec<usize> = wire.hear().iter().map(|heard| heard.packet().len()).collect();
        assert_eq!(lens, [548, 548, 20 + 1408 - 2 * 528], "{says}");
    }
}

// PMTU-4, SEC-15
#[test]
fn an_error_about_what_is_not_in_flight_changes_nothing() {
    let mut wire = Wire::new().answering();
    assert!(matches!(wire.ping(&Echo::new(BEYOND, 1, &[0x5a; 1400])), Outcome::Reply { .. }));
    let sent = wire.hear().iter().find(|heard| heard.icmp().is_some()).unwrap().packet().to_vec();
    // It has been answered; and one with another destination was never sent.
    let mut foreign = sent.clone();
    foreign[16..20].copy_from_slice(&THEM.octets());
    for quote in [&sent, &foreign] {
        wire.ip(&[Ip::icmp(GATEWAY, US, &error(3, 4, [0, 0, 2, 88], &quote[..548]))]);
    }
    assert_eq!(max_data(&mut wire, BEYOND), 1472);
    assert_eq!(max_data(&mut wire, THEM), 1472);
}

// PMTU-5
#[test]
fn an_estimate_is_forgotten_after_ten_minutes_and_not_before() {
    let mut wire = learn(600, 600);
    wire.pass(MS * 599_990);
    assert_eq!(max_data(&mut wire, BEYOND), 572);
    wire.pass(MS * 10);
    assert_eq!(max_data(&mut wire, BEYOND), 1472);
}
