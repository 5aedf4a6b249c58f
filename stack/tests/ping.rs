//! Echo between hosts of a laboratory: exact times, exact frame counts, no real time.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::{IpNumber, Ipv4Header};
use sidestack_stack as stack;
use stack::{
    Config, Discard, HostId, Lab, NetworkId, What,
    icmp::{self, Echo, Ended, Outcome, SendError},
    ipv4,
    link::{EtherType, FrameIo, FrameTx, Source, Tag, Tagged, memory::Fate},
};

const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 99);

/// A frame's way from one station to another.
const HOP: Duration = Duration::from_micros(50);

fn two_hosts() -> (Lab, NetworkId, HostId) {
    let mut lab = Lab::new();
    let wire = lab.network();
    let us = lab.host(wire, "10.0.0.1/24".parse().unwrap(), None);
    lab.host(wire, "10.0.0.2/24".parse().unwrap(), None);
    (lab, wire, us)
}

fn ping(lab: &mut Lab, us: HostId, dst: Ipv4Addr, sequence: u16) -> Option<Ended> {
    let now = lab.now();
    lab.stack(us).echo(now, &Echo::new(dst, sequence, &[0x5a; 56])).unwrap();
    lab.run_until_ended(us).unwrap()
}

/// An IPv4 packet to us.
fn packet(protocol: IpNumber, src: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let len = payload.len().try_into().unwrap();
    let mut header = Ipv4Header::new(len, 64, protocol, src, US.octets()).unwrap();
    header.header_checksum = header.calc_header_checksum();
    [&header.to_bytes(), payload].concat()
}

#[test]
fn the_first_ping_asks_by_arp_and_its_round_trip_begins_when_it_leaves() {
    let (mut lab, wire, us) = two_hosts();
    let start = lab.now();
    let ended = ping(&mut lab, us, NEIGHBOUR, 1).unwrap();
    let (tx, rx) = (Source::Virtual, Source::Virtual);
    let outcome =
        Outcome::Reply { len: 64, ttl: 64, round_trip: HOP * 2, reordered: false, tx, rx };
    assert_eq!(ended, Ended { dst: NEIGHBOUR, sequence: 1, outcome });
    assert_eq!(lab.now() - start, HOP * 4, "ARP there and back, echo there and back");
    assert_eq!(lab.wire(wire).sent(), 4);
}

#[test]
fn the_second_ping_needs_no_arp() {
    let (mut lab, wire, us) = two_hosts();
    ping(&mut lab, us, NEIGHBOUR, 1).unwrap();
    let (start, sent) = (lab.now(), lab.wire(wire).sent());
    ping(&mut lab, us, NEIGHBOUR, 2).unwrap();
    assert_eq!((lab.now() - start, lab.wire(wire).sent() - sent), (HOP * 2, 2));
}

#[test]
fn nobody_answers_so_the_host_is_unresolved_after_three_requests_and_three_seconds() {
    let (mut lab, wire, us) = two_hosts();
    let start = lab.now();
    let ended = ping(&mut lab, us, NOBODY, 7).unwrap();
    let outcome = Outcome::Unresolved { requests: 3 };
    assert_eq!(ended, Ended { dst: NOBODY, sequence: 7, outcome });
    assert_eq!(lab.now() - start, Duration::from_secs(3));
    assert_eq!(lab.wire(wire).sent(), 3, "one request a second, and nothing else");
}

#[test]
fn a_lost_reply_times_out_a_second_after_its_request_left() {
    let (mut lab, wire, us) = two_hosts();
    ping(&mut lab, us, NEIGHBOUR, 1).unwrap();
    lab.wire(wire).set_fate(|transit| match transit.octets[14 + 20] {
        0 => Fate::lost(),
        _ => Fate::arrives(),
    });
    let start = lab.now();
    let ended = ping(&mut lab, us, NEIGHBOUR, 2).unwrap();
    let waited = Duration::from_secs(1);
    assert_eq!(ended.outcome, Outcome::TimedOut { waited });
    assert_eq!(lab.now() - start, waited);
}

#[test]
fn the_wait_begins_when_a_kept_request_leaves_however_long_arp_took() {
    let (mut lab, wire, us) = two_hosts();
    let mut first = true;
    lab.wire(wire)
        .set_fate(move |_| if std::mem::take(&mut first) { Fate::lost() } else { Fate::arrives() });
    let start = lab.now();
    let now = start;
    let echo = Echo { timeout: HOP * 3, ..Echo::new(NEIGHBOUR, 1, &[0; 8]) };
    lab.stack(us).echo(now, &echo).unwrap();
    let ended = lab.run_until_ended(us).unwrap().unwrap();
    assert!(matches!(ended.outcome, Outcome::Reply { .. }), "{ended:?}");
    assert_eq!(lab.now() - start, Duration::from_secs(1) + HOP * 4);
}

#[test]
fn an_echo_to_nowhere_is_refused_and_sends_nothing() {
    let (mut lab, wire, us) = two_hosts();
    let (now, dst) = (lab.now(), Ipv4Addr::new(192, 0, 2, 1));
    let refused = lab.stack(us).echo(now, &Echo::new(dst, 1, &[]));
    assert_eq!(refused, Err(SendError::Ipv4(ipv4::SendError::NoRoute(dst))));
    assert_eq!(lab.run_until_ended(us).unwrap(), None);
    assert_eq!(lab.wire(wire).sent(), 0);
}

#[test]
fn an_echo_to_everybody_is_answered_by_nobody() {
    let (mut lab, wire, us) = two_hosts();
    for dst in [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255), Ipv4Addr::new(10, 0, 0, 0)] {
        let sent = lab.wire(wire).sent();
        let ended = ping(&mut lab, us, dst, 1).unwrap();
        assert!(matches!(ended.outcome, Outcome::TimedOut { .. }), "{dst}: {ended:?}");
        assert_eq!(lab.wire(wire).sent() - sent, 1, "{dst}: the request alone");
    }
}

// ETH-6
#[test]
fn a_frame_in_a_vlan_is_not_ours_and_is_counted() {
    let (mut lab, wire, us) = two_hosts();
    let mut foreign =
        Tagged::new(lab.plug(wire, Ipv4Addr::new(10, 0, 0, 3)).with_tag(), vec![Tag::new(5, 0)]);
    let dst = lab.stack(us).link().mac();
    foreign.send(dst, EtherType::IPV4, 20, &mut |_| {}).unwrap();
    foreign.flush().unwrap();
    while lab.step(None).unwrap() {}
    assert_eq!(lab.stack(us).counters().discarded(Discard::Vlan), 1);
}

// ETH-5
#[test]
fn a_priority_tag_makes_no_vlan_so_its_frames_are_answered() {
    let mut lab = Lab::new();
    let wire = lab.network();
    lab.host(wire, "10.0.0.2/24".parse().unwrap(), None);
    let port = Tagged::new(lab.plug(wire, US).with_tag(), vec![Tag::new(0, 5)]);
    let mut us = stack::Stack::new(port, Config::new("10.0.0.1/24".parse().unwrap()));
    us.resolve(lab.now(), NEIGHBOUR).unwrap();
    us.poll(lab.now()).unwrap();
    let sent = lab.wire(wire).sent();
    while lab.step(None).unwrap() {}
    assert_eq!(lab.wire(wire).sent() - sent, 1, "the answer, untagged as 802.1Q allows");
}

#[test]
fn what_protocol_nobody_speaks_is_discarded_and_counted() {
    let (mut lab, wire, us) = two_hosts();
    let mut stranger = lab.plug(wire, Ipv4Addr::new(10, 0, 0, 3));
    let dst = lab.stack(us).link().mac();
    let packet = packet(IpNumber::EXPERIMENTAL_AND_TESTING_0, [10, 0, 0, 3], &[]);
    stranger.send(dst, EtherType::IPV4, 20, &mut |out| out.copy_from_slice(&packet)).unwrap();
    stranger.send(dst, EtherType(0x0801), 1, &mut |_| {}).unwrap();
    stranger.flush().unwrap();
    while lab.step(None).unwrap() {}
    let counters = lab.stack(us).counters();
    let discards = [Discard::Protocol, Discard::EtherType].map(|why| counters.discarded(why));
    assert_eq!((counters.received(), discards), (2, [1, 1]));
}

#[test]
fn ten_thousand_echoes_under_loss_each_end_exactly_once() {
    let mut lab = Lab::new();
    let wire = lab.network();
    let us = lab.host(wire, "10.0.0.1/24".parse().unwrap(), None);
    for host in 2..=101 {
        lab.host(wire, format!("10.0.0.{host}/24").parse().unwrap(), None);
    }
    let mut nth = 0_u32;
    lab.wire(wire).set_fate(move |_| {
        nth += 1;
        if nth.is_multiple_of(7) { Fate::lost() } else { Fate::arrives() }
    });
    let mut ended = std::collections::HashMap::new();
    for sequence in 1..=100 {
        for host in 2..=101 {
            let (now, dst) = (lab.now(), Ipv4Addr::new(10, 0, 0, host));
            let mut sent = lab.stack(us).echo(now, &Echo::new(dst, sequence, &[1; 16]));
            while sent.is_err_and(|error| error.is_full()) {
                assert!(lab.step(Some(now)).unwrap());
                sent = lab.stack(us).echo(now, &Echo::new(dst, sequence, &[1; 16]));
            }
            sent.unwrap();
        }
        for _ in 2..=101 {
            let Ended { dst, sequence, .. } = lab.run_until_ended(us).unwrap().unwrap();
            *ended.entry((dst, sequence)).or_insert(0) += 1;
        }
    }
    assert_eq!(lab.stack(us).in_flight(), 0);
    assert_eq!(ended.len(), 10_000);
    assert!(ended.values().all(|times| *times == 1));
}

#[test]
fn an_answer_from_the_wrong_host_is_told_with_its_mac_and_not_believed() {
    let (mut lab, wire, us) = two_hosts();
    ping(&mut lab, us, NEIGHBOUR, 1).unwrap();
    let mut liar = lab.plug(wire, Ipv4Addr::new(10, 0, 0, 3));
    let (liar_mac, dst) = (liar.mac(), lab.stack(us).link().mac());
    // An echo reply from 10.0.0.3 with our identifier and a sequence number nobody asked.
    let packet = packet(IpNumber::ICMP, [10, 0, 0, 3], &[0, 0, 0xff, 0xf7, 0, 1, 0, 7]);
    liar.send(dst, EtherType::IPV4, 28, &mut |out| out.copy_from_slice(&packet)).unwrap();
    liar.flush().unwrap();
    while lab.step(None).unwrap() {}
    let mut strays = Vec::new();
    while let Some(event) = lab.stack(us).event() {
        if let What::Icmp(icmp::Event::Stray(stray)) = event.what {
            strays.push((event.from_mac, stray.from, stray.sequence, stray.straying));
        }
    }
    let liar = Ipv4Addr::new(10, 0, 0, 3);
    assert_eq!(strays, [(Some(liar_mac), liar, 7, icmp::Straying::Unasked)]);
}
