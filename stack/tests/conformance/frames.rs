//! ETH: what is handed to the device, and what is taken from it.

use sidestack_stack as stack;
use stack::{
    arp,
    icmp::{Echo, Outcome},
};

use crate::{
    packet::{Ip, echo},
    wire::{MS, THEM, US, Wire},
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
