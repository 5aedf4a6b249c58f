//! SEC-5, SEC-13: what is sent to us in masses.

use std::net::Ipv4Addr;

use sidestack_stack as stack;
use stack::{
    icmp::{Echo, Outcome},
    link::EtherType,
};

use crate::{
    packet::{Ip, echo, frame},
    wire::{MS, OURS, THEIRS, THEM, US, Wire, ended, turned},
};

// SEC-5, FRG-9
#[test]
fn two_thousand_incomplete_datagrams_keep_nobody_from_an_echo_whole_or_in_fragments() {
    let mut wire = Wire::new();
    wire.host.pin(wire.now(), THEM, THEIRS);
    for n in 0..2000 {
        let src = Ipv4Addr::new(10, 0, 0, 3 + (n % 20) as u8);
        let part = Ip { id: n, ..Ip::icmp(src, US, &echo(n, 1400)) }.cut(1000).swap_remove(0);
        wire.ip(&[part]);
    }
    wire.hear();
    wire.ip(&[Ip::icmp(THEM, US, &echo(1, 56))]);
    assert_eq!(wire.hear().len(), 1, "a whole one");
    wire.ip(&Ip { id: 77, ..Ip::icmp(THEM, US, &echo(2, 1400)) }.cut(1000));
    assert_eq!(wire.hear().len(), 1, "one in fragments");
}

// SEC-13
#[test]
fn eleven_thousand_broken_frames_leave_a_host_alive() {
    let mut wire = Wire::new().answering();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut die = || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    for _ in 0..11_000 {
        let whole = Ip::icmp(THEM, US, &echo(1, die() as usize % 200)).octets();
        let mut octets = frame(OURS, THEIRS, EtherType::IPV4, &whole);
        for _ in 0..=die() % 4 {
            let at = 12 + die() as usize % (octets.len() - 12);
            octets[at] = die() as u8;
        }
        octets.truncate((14 + die() as usize % 240).min(octets.len()));
        wire.say(&octets);
        wire.pass(MS / 10);
    }
    assert!(matches!(wire.ping(&Echo::new(THEM, 1, &[1; 56])), Outcome::Reply { .. }));
    wire.hear();
    wire.ip(&[Ip::icmp(THEM, US, &echo(1, 56))]);
    assert_eq!(wire.hear().iter().filter(|heard| heard.icmp() == Some((0, 0))).count(), 1);
}

// SEC-13
#[test]
fn ten_thousand_duplicates_that_nobody_looks_at_take_8192_places_and_cost_no_echo_its_end() {
    let mut wire = Wire::new();
    wire.host.pin(wire.now(), THEM, THEIRS);
    wire.answer = Box::new(|heard| {
        let copies = if heard.packet()[27] == 1 { 10_000 } else { 1 };
        vec![(MS, turned(heard.packet())); copies]
    });
    for sequence in [1, 2] {
        wire.host.echo(wire.now(), &Echo::new(THEM, sequence, &[7; 56])).unwrap();
    }
    wire.pass(10 * MS);
    assert_eq!(wire.host.counters().received(), 10_001);
    assert_eq!((ended(&wire.told).count(), wire.told.len()), (2, 8192 + 1));
}
