//! ETH: what is handed to the device, and what is taken from it.

use sidestack_stack as stack;
use stack::{
    Discard, arp,
    icmp::{Echo, Outcome},
    link::{EtherType, MacAddr6, memory::Fate},
};

use crate::{
    packet::{self, Ip, echo, frame},
    wire::{MS, OURS, THEIRS, THEM, US, Wire},
};

// ETH-8, FRG-10
#[test]
fn an_echo_of_1473_octets_leaves_in_two_frames_of_1514_octets_at_most() {
    let mut wire = Wire::new().answering();
    assert!(matches!(wire.ping(&Echo::new(THEM, 1, &[])), Outcome::Reply { .. }));
    wire.hear();
    let echo = Echo { dont_fragment: false, ..Echo::new(THEM, 2, &[7; 1473]) };
    wire.host.echo(wire.now(), &echo).unwrap();
    wire.pass(MS);
    let lens: Vec<usize> = wire.hear().iter().map(|heard| 14 + heard.payload.len()).collect();
    assert_eq!(lens, [1514, 60], "the second is 20 and 1 octets, padded");
}

// ETH-8, FRG-2
#[test]
fn a_reply_of_any_size_leaves_in_frames_of_1514_octets_at_most() {
    let mut wire = Wire::new();
    for len in [1472, 1473, 4000, 65_507] {
        wire.ip(&Ip::icmp(THEM, US, &echo(1, len)).cut(1480));
        let heard = wire.hear();
        assert!(heard.iter().all(|heard| heard.payload.len() <= 1500), "{len}");
        let frames = heard.iter().filter(|heard| !heard.is_arp()).count();
        assert_eq!(frames, (8 + len).div_ceil(1480), "{len}");
    }
}

// ETH-9, ACD-8
#[test]
fn what_we_sent_ourselves_is_not_taken_as_received() {
    let mut wire = Wire::new();
    wire.owners.clear();
    wire.host.adopt(wire.now());
    wire.pass(MS * 20_000);
    wire.host.resolve(wire.now(), THEM).unwrap();
    wire.pass(MS * 20_000);
    assert!(wire.hear().len() >= 8, "three probes, two announcements, three requests");
    assert_eq!(wire.host.counters().received(), 0);
    let told = wire.arp_told();
    let [arp::Event::Free { addr: US }, arp::Event::Unresolved { .. }] = told[..] else {
        panic!("{told:?}")
    };
}

// ETH-1, LNK-7
#[test]
fn the_ether_type_alone_says_what_is_in_a_frame() {
    let mut wire = Wire::new();
    wire.host.pin(wire.now(), THEM, THEIRS);
    let packet = Ip::icmp(THEM, US, &echo(1, 8)).octets();
    for kind in [0x05dc, 0x0600, 0x0801, 0x1001, 0x86dd, 0x88b5, 0xffff] {
        wire.say(&frame(OURS, THEIRS, EtherType(kind), &packet));
        wire.pass(MS * 300);
        assert!(wire.hear().is_empty(), "{kind:04x}");
    }
    wire.say(&frame(OURS, THEIRS, EtherType::IPV4, &packet));
    wire.pass(MS);
    assert_eq!(wire.hear().len(), 1);
}

// ETH-4
#[test]
fn what_is_behind_a_snap_header_is_not_read() {
    let mut wire = Wire::new();
    let packet = Ip::icmp(THEM, US, &echo(1, 8)).octets();
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &packet[..]].concat();
    wire.say(&frame(OURS, THEIRS, EtherType(snap.len() as u16), &snap));
    wire.pass(MS * 300);
    assert!(wire.hear().is_empty());
    assert_eq!(wire.host.counters().discarded(Discard::EtherType), 1);
}

// ETH-7, ARP-7, IP-5
#[test]
fn frames_that_end_too_early_are_dropped() {
    let mut wire = Wire::new();
    let packet = Ip::icmp(THEM, US, &echo(1, 8)).octets();
    for kind in [EtherType::IPV4, EtherType::ARP, EtherType(0x88b5)] {
        for len in 0..=19 {
            let whole = frame(OURS, THEIRS, kind, &packet[..len]);
            wire.network.set_fate(move |_| Fate::cut(14 + len)); // without Ethernet's padding
            wire.say(&whole);
            wire.pass(MS);
        }
    }
    wire.network.set_fate(|_| Fate::arrives());
    assert!(wire.hear().is_empty());
    assert_eq!(wire.host.counters().received(), 60);
    wire.host.pin(wire.now(), THEM, THEIRS);
    wire.ip(&[Ip::icmp(THEM, US, &echo(1, 8))]);
    assert_eq!(wire.hear().len(), 1, "alive");
}

// SEC-10
#[test]
fn a_frame_from_a_group_or_from_nobody_is_discarded_whatever_it_carries() {
    let mut wire = Wire::new();
    let nobody = MacAddr6::nil();
    let groups = [[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1], [3, 0, 0, 0, 0, 9]];
    let closed = Ip { protocol: 253, ..Ip::icmp(THEM, US, &[1; 16]) };
    for src in groups.map(MacAddr6::from).into_iter().chain([nobody]) {
        for packet in [Ip::icmp(THEM, US, &echo(1, 8)), closed.clone()] {
            wire.say(&frame(OURS, src, EtherType::IPV4, &packet.octets()));
        }
        let request = packet::arp(1, (THEIRS, THEM), US);
        wire.say(&frame(MacAddr6::broadcast(), src, EtherType::ARP, &request));
    }
    wire.pass(MS * 5_000);
    assert!(wire.hear().is_empty());
    let counters = wire.host.counters();
    assert_eq!((counters.discarded(Discard::Station), counters.received()), (15, 15));
    assert_eq!(wire.host.neighbours().count(), 0);
}
