//! FRG and the faults of replies in fragments: what reassembly gives up, and when.

use std::time::Duration;

use sidestack_stack as stack;
use stack::icmp::{Echo, Outcome};

use crate::{
    packet::{Ip, echo},
    wire::{Heard, MS, THEIRS, THEM, US, Wire, turned},
};

/// The messages among what was sent, put together from their fragments, in order.
fn message(heard: &[Heard]) -> Vec<u8> {
    let packets = heard.iter().filter(|heard| !heard.is_arp());
    let mut whole = Vec::new();
    for heard in packets {
        assert_eq!(heard.offset(), whole.len(), "the next begins where this one ends");
        whole.extend_from_slice(&heard.packet()[20..]);
    }
    whole
}

// FRG-2, FRG-10, ICMP-7
#[test]
fn the_longest_echo_there_is_comes_back_in_full() {
    let mut wire = Wire::new();
    let request = echo(7, 65_507);
    wire.ip(&Ip::icmp(THEM, US, &request).cut(1480));
    let heard = wire.hear();
    assert_eq!(message(&heard)[8..], request[8..]);
}

// FRG-2
#[test]
fn the_longest_echo_of_ours_is_answered_in_full() {
    let mut wire = Wire::new();
    let mut whole = Vec::new();
    wire.answer = Box::new(move |heard| {
        whole.extend_from_slice(&heard.packet()[20..]);
        if heard.payload[6] & 0x20 != 0 {
            return Vec::new();
        }
        let request = Ip::icmp(US, THEM, &std::mem::take(&mut whole));
        let reply = crate::packet::reply(&request.payload);
        let parts = Ip::icmp(THEM, US, &reply).cut(1480);
        parts.iter().map(|part| (Duration::ZERO, part.octets())).collect()
    });
    let echo = Echo { dont_fragment: false, ..Echo::new(THEM, 1, &[0x5a; 65_507]) };
    let outcome = wire.ping(&echo);
    assert!(matches!(outcome, Outcome::Reply { len: 65_515, .. }), "{outcome:?}");
}

// fault: reply in 8-octet fragments
#[test]
fn three_replies_in_fragments_of_eight_octets_count_three() {
    let mut wire = Wire::new();
    wire.answer = Box::new(|heard| {
        let id = heard.packet()[27].into();
        let whole = turned(heard.packet());
        let parts = Ip { id, ..Ip::icmp(THEM, US, &whole[20..]) }.cut(8);
        parts.iter().map(|part| (Duration::ZERO, part.octets())).collect()
    });
    for sequence in 1..=3 {
        let outcome = wire.ping(&Echo::new(THEM, sequence, &[0x5a; 56]));
        assert!(matches!(outcome, Outcome::Reply { len: 64, .. }), "{outcome:?}");
    }
}

/// Two fragments of one request, the second so much later; what is sent until five minutes after
/// the first, in whole seconds since that.
fn apart(first: usize, later: u64) -> Vec<(u64, Option<(u8, u8)>)> {
    let mut wire = Wire::new();
    // The neighbour is known before, so that nothing but what counts is sent.
    wire.host.pin(wire.now(), THEM, THEIRS);
    let parts = Ip { id: 9, ..Ip::icmp(THEM, US, &echo(2, 1200)) }.cut(800);
    wire.ip(&parts[first..=first]);
    wire.pass(Duration::from_secs(later) - MS);
    wire.ip(&parts[1 - first..2 - first]);
    wire.pass(Duration::from_secs(300 - later));
    wire.hear().iter().map(|heard| (heard.at.as_secs(), heard.icmp())).collect()
}

// FRG-9
#[test]
fn what_is_55_seconds_late_completes_and_what_is_61_or_121_seconds_late_does_not() {
    assert_eq!(apart(0, 55), [(55, Some((0, 0)))]);
    for late in [61, 121] {
        // The beginning was here, so its sender is told; of the end alone nobody is.
        assert_eq!(apart(0, late), [(60, Some((11, 1)))]);
    }
}

// FRG-9, ICMP-1
#[test]
fn nobody_is_told_of_a_datagram_whose_beginning_never_came() {
    assert_eq!(apart(1, 299), []);
}

// FRG-9, SEC-5
#[test]
fn datagrams_that_are_given_up_are_counted_by_reason() {
    let mut wire = Wire::new();
    let begun = |id| Ip { id, ..Ip::icmp(THEM, US, &echo(2, 1200)) }.cut(800)[0].clone();
    wire.ip(&(0..70).map(begun).collect::<Vec<_>>());
    let given_up = |wire: &Wire| {
        let state = wire.host.reassembling();
        (state.datagrams, state.evicted, state.timed_out)
    };
    assert_eq!(given_up(&wire), (64, 6, 0));
    wire.pass(MS * 60_000);
    assert_eq!(given_up(&wire), (0, 6, 64));
}

// FRG-11, ICMP-3
#[test]
fn three_fragments_of_an_unknown_protocol_are_one_error() {
    let mut wire = Wire::new();
    let datagram = Ip { protocol: 253, ..Ip::icmp(THEM, US, &[7; 3000]) };
    wire.ip(&datagram.cut(1480));
    wire.pass(MS * 1000);
    let errors: Vec<_> = wire.hear().iter().filter_map(Heard::icmp).collect();
    assert_eq!(errors, [(3, 2)]);
}
