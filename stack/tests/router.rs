//! Two networks and the router between them.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::{IpNumber, Ipv4Header};
use sidestack_stack as stack;
use stack::{
    Discard, HostId, Lab, NetworkId, Router, What,
    icmp::{self, Echo, Ended, Error, Event, Outcome},
    ipv4::{Options, Recorded},
    link::{
        EtherType, FrameIo, FrameTx, MacAddr6,
        memory::{Network, Port},
    },
};

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 254);
const BEYOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);

/// Us, a router, and one host beyond it.
fn two_networks() -> (Lab, [NetworkId; 2], HostId) {
    let mut lab = Lab::new();
    let wires = [lab.network(), lab.network()];
    let us = lab.host(wires[0], "10.0.0.1/24".parse().unwrap(), Some(NEAR));
    lab.router([
        (wires[0], "10.0.0.254/24".parse().unwrap()),
        (wires[1], "10.0.1.254/24".parse().unwrap()),
    ]);
    lab.host(wires[1], "10.0.1.2/24".parse().unwrap(), Some(FAR));
    (lab, wires, us)
}

fn ping(lab: &mut Lab, us: HostId, echo: Echo<'_>) -> Outcome {
    let now = lab.now();
    lab.stack(us).echo(now, &echo).unwrap();
    let Ended { dst, sequence, outcome } = lab.run_until_ended(us).unwrap().unwrap();
    assert_eq!((dst, sequence), (echo.dst, echo.sequence));
    outcome
}

fn error(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Error(error) => error,
        other => panic!("no ICMP error: {other:?}"),
    }
}

#[test]
fn a_host_beyond_the_gateway_answers_with_one_hop_less() {
    let (mut lab, _, us) = two_networks();
    let outcome = ping(&mut lab, us, Echo::new(BEYOND, 1, &[1; 56]));
    assert!(matches!(outcome, Outcome::Reply { ttl: 63, len: 64, .. }), "{outcome:?}");
}

#[test]
fn both_addresses_of_the_router_answer_from_the_near_side() {
    let (mut lab, _, us) = two_networks();
    for (sequence, dst) in [(1, NEAR), (2, FAR)] {
        let outcome = ping(&mut lab, us, Echo::new(dst, sequence, &[1; 56]));
        assert!(matches!(outcome, Outcome::Reply { ttl: 64, .. }), "{dst}: {outcome:?}");
    }
}

// RFC 1812 §5.3.13.5, §5.3.13.6
#[test]
fn each_way_through_the_router_is_recorded_where_it_leaves() {
    let beyond = [FAR, BEYOND, NEAR];
    let (mut lab, _, us) = two_networks();
    let way = recorded(&mut lab, us, Options::record_route(9));
    assert_eq!(way, beyond.map(Recorded::Route));
    let way = recorded(&mut lab, us, Options::record_route(2));
    assert_eq!(way, [FAR, BEYOND].map(Recorded::Route), "there is no room for more");
    let way = recorded(&mut lab, us, Options::timestamps_and_addresses(4));
    let told = way.iter().map(|at| match at {
        Recorded::RouteAndTime(addr, time) if *time < DAY => *addr,
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), beyond);
}

/// What came back in the options of one echo.
// ICMP-9, RFC 791 §3.1
#[test]
fn what_cannot_count_that_the_router_found_no_room_is_told_and_goes_no_further() {
    let full = |count: u8| Options::from_octets(&[68, 8, 9, count << 4, 0, 0, 0, 1]).unwrap();
    let (mut lab, [_, far], us) = two_networks();
    let echo = Echo { options: full(15), ..Echo::new(BEYOND, 1, &[1; 56]) };
    let Error { from, icmp_type, code, .. } = error(ping(&mut lab, us, echo));
    assert_eq!((from, icmp_type, code, lab.wire(far).sent()), (NEAR, 12, 0, 0));
    let echo = Echo { options: full(11), ..Echo::new(BEYOND, 2, &[1; 56]) };
    assert!(matches!(ping(&mut lab, us, echo), Outcome::Reply { .. }));
}

fn recorded(lab: &mut Lab, us: HostId, options: Options) -> Vec<Recorded> {
    let now = lab.now();
    let echo = Echo { options, ..Echo::new(BEYOND, 1, &[1; 56]) };
    lab.stack(us).echo(now, &echo).unwrap();
    let mut way = None;
    while way.is_none() && lab.step(None).unwrap() {
        while let Some(event) = lab.stack(us).event() {
            if let What::Icmp(Event::Recorded(recorded)) = event.what {
                way = Some(recorded.options.recorded().collect());
            }
        }
    }
    way.expect("an answer with options")
}

// TRC-1
#[test]
fn a_time_to_live_that_runs_out_is_told_by_the_router_and_goes_no_further() {
    let (mut lab, [_, far], us) = two_networks();
    let outcome = ping(&mut lab, us, Echo { ttl: 1, ..Echo::new(BEYOND, 1, &[1; 56]) });
    let Error { from, icmp_type, code, mtu, .. } = error(outcome);
    assert_eq!((from, icmp_type, code, mtu), (NEAR, 11, 0, None));
    assert_eq!(lab.wire(far).sent(), 0);
}

#[test]
fn a_host_that_is_not_there_is_told_by_the_router_after_it_has_asked_three_times() {
    let (mut lab, [_, far], us) = two_networks();
    let dst = Ipv4Addr::new(10, 0, 1, 99);
    let start = lab.now();
    let timeout = Duration::from_secs(5);
    let outcome = ping(&mut lab, us, Echo { timeout, ..Echo::new(dst, 1, &[1; 56]) });
    let Error { from, icmp_type, code, .. } = error(outcome);
    assert_eq!((from, icmp_type, code), (NEAR, 3, 1));
    assert_eq!(lab.wire(far).sent(), 3, "ARP requests, and nothing else");
    assert!(lab.now() - start > Duration::from_secs(3), "LNK-5: not before the last has failed");
}

#[test]
fn a_network_without_a_route_is_told_at_once() {
    let (mut lab, _, us) = two_networks();
    let outcome = ping(&mut lab, us, Echo::new(Ipv4Addr::new(192, 0, 2, 1), 1, &[1; 56]));
    let Error { from, icmp_type, code, .. } = error(outcome);
    assert_eq!((from, icmp_type, code), (NEAR, 3, 0));
}

#[test]
fn what_does_not_fit_and_must_not_be_fragmented_is_told_with_the_next_mtu() {
    let mut lab = Lab::new();
    let near = lab.network();
    let us = lab.host(near, "10.0.0.1/24".parse().unwrap(), Some(NEAR));
    let narrow = Network::at(lab.now());
    let mut router = Router::new([
        (lab.plug(near, NEAR), "10.0.0.254/24".parse().unwrap()),
        (
            narrow.attach([2, 0, 0, 0, 1, 254].into()).with_mtu(1000),
            "10.0.1.254/24".parse().unwrap(),
        ),
    ]);
    let now = lab.now();
    lab.stack(us).echo(now, &Echo::new(BEYOND, 1, &[0; 1400])).unwrap();
    let mut told = None;
    while told.is_none() && lab.step(None).unwrap() {
        while router.poll(lab.now()).unwrap() {}
        while let Some(event) = lab.stack(us).event() {
            if let What::Icmp(Event::Ended(ended)) = event.what {
                told = Some(error(ended.outcome));
            }
        }
    }
    let Error { from, icmp_type, code, mtu, .. } = told.unwrap();
    assert_eq!((from, icmp_type, code, mtu), (NEAR, 3, 4, Some(1000)));
    assert_eq!(narrow.sent(), 0);
}

#[test]
fn a_route_through_another_router_is_followed() {
    let mut lab = Lab::new();
    let wires = [lab.network(), lab.network(), lab.network()];
    let us = lab.host(wires[0], "10.0.0.1/24".parse().unwrap(), Some(NEAR));
    let first = lab.router([
        (wires[0], "10.0.0.254/24".parse().unwrap()),
        (wires[1], "10.0.1.253/24".parse().unwrap()),
    ]);
    let second = lab.router([
        (wires[1], "10.0.1.254/24".parse().unwrap()),
        (wires[2], "10.0.2.254/24".parse().unwrap()),
    ]);
    lab.routes(first).add_route("10.0.2.0/24".parse().unwrap(), FAR);
    lab.routes(second).add_route("10.0.0.0/24".parse().unwrap(), Ipv4Addr::new(10, 0, 1, 253));
    lab.host(wires[2], "10.0.2.2/24".parse().unwrap(), Some(Ipv4Addr::new(10, 0, 2, 254)));
    let outcome = ping(&mut lab, us, Echo::new(Ipv4Addr::new(10, 0, 2, 2), 1, &[1; 56]));
    assert!(matches!(outcome, Outcome::Reply { ttl: 62, .. }), "{outcome:?}");
}

#[test]
fn a_router_waits_for_nothing_once_its_neighbours_have_aged() {
    let (mut lab, _, us) = two_networks();
    ping(&mut lab, us, Echo::new(BEYOND, 1, &[1; 56]));
    let end = lab.now() + Duration::from_secs(600);
    while lab.step(Some(end)).unwrap() && lab.now() < end {}
    assert!(!lab.step(None).unwrap(), "no timer is left");
}

/// Milliseconds.
const DAY: u32 = 86_400_000;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// A station beside us that says what nobody else would.
const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 99);

/// Sends the router a packet in a frame of `port`.
fn say(lab: &mut Lab, port: &mut Port, mut header: Ipv4Header, payload: &[u8]) {
    header.header_checksum = header.calc_header_checksum();
    let packet = [&header.to_bytes()[..], payload].concat();
    let router = MacAddr6::new(2, 0, 10, 0, 0, 254);
    port.send(router, EtherType::IPV4, packet.len(), &mut |out| out.copy_from_slice(&packet))
        .unwrap();
    port.flush().unwrap();
    pass(lab, Duration::from_secs(10));
}

fn header(src: Ipv4Addr, dst: Ipv4Addr, ttl: u8, len: u16) -> Ipv4Header {
    Ipv4Header::new(len, ttl, IpNumber::ICMP, src.octets(), dst.octets()).unwrap()
}

fn pass(lab: &mut Lab, time: Duration) {
    let end = lab.now() + time;
    while lab.step(Some(end)).unwrap() && lab.now() < end {}
}

// ICMP-1
#[test]
fn nobody_is_told_of_what_claims_to_come_from_all_or_from_the_router_itself() {
    let (mut lab, [near, _], _) = two_networks();
    let mut port = lab.plug(near, STRANGER);
    let request = [8, 0, 0xf7, 0xff, 0, 0, 0, 0];
    for (src, asked) in [(Ipv4Addr::new(10, 0, 0, 255), 0), (NEAR, 0), (FAR, 0), (STRANGER, 3)] {
        let before = lab.wire(near).sent();
        say(&mut lab, &mut port, header(src, BEYOND, 1, 8), &request);
        assert_eq!(lab.wire(near).sent() - before, 1 + asked, "{src}");
    }
}

// IP-7, RFC 1812 §5.3.7
#[test]
fn what_no_router_may_forward_is_dropped_in_silence() {
    let (mut lab, [near, far], us) = two_networks();
    ping(&mut lab, us, Echo::new(NEAR, 1, &[1; 56])); // so that it knows where we are
    let mut port = lab.plug(near, STRANGER);
    let request = [8, 0, 0xf7, 0xff, 0, 0, 0, 0];
    let src = Ipv4Addr::new(10, 0, 0, 1);
    let foreign = Discard::Icmp(icmp::Discard::ForeignError); // we sent nothing of the kind
    let said = [[0, 0, 0, 1], [127, 0, 0, 1], [240, 0, 0, 1], [224, 0, 0, 1], [239, 1, 2, 3]];
    for (dst, told) in said.map(|dst| (dst, 0)).into_iter().chain([([192, 0, 2, 1], 1)]) {
        for ttl in [1, 64] {
            let before = lab.stack(us).counters().discarded(foreign);
            say(&mut lab, &mut port, header(src, dst.into(), ttl, 8), &request);
            assert_eq!(lab.stack(us).counters().discarded(foreign) - before, told, "{dst:?}");
        }
    }
    assert_eq!(lab.wire(far).sent(), 0);
}

// FRG-9
#[test]
fn a_part_of_a_datagram_for_the_router_is_waited_for_60_seconds_and_then_told() {
    let (mut lab, [near, _], us) = two_networks();
    ping(&mut lab, us, Echo::new(NEAR, 1, &[1; 56])); // so that it knows where we are
    let mut port = lab.plug(near, STRANGER);
    let mut first = header(Ipv4Addr::new(10, 0, 0, 1), NEAR, 64, 8);
    first.more_fragments = true;
    let start = lab.now();
    say(&mut lab, &mut port, first, &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]);
    let before = lab.wire(near).sent();
    pass(&mut lab, Duration::from_secs(50) - MS);
    assert_eq!((lab.wire(near).sent() - before, lab.now()), (0, start + 60 * SECOND - MS));
    pass(&mut lab, 2 * MS);
    assert_eq!(lab.wire(near).sent() - before, 1);
    let foreign = Discard::Icmp(icmp::Discard::ForeignError);
    assert_eq!(lab.stack(us).counters().discarded(foreign), 1, "we sent nothing of the kind");
}

#[test]
fn nobody_is_told_that_what_the_router_said_itself_found_nobody() {
    let (mut lab, [near, far], _) = two_networks();
    let mut port = lab.plug(near, STRANGER);
    for dst in [NEAR, FAR] {
        let before = lab.wire(near).sent();
        say(&mut lab, &mut port, header(STRANGER, dst, 64, 8), &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]);
        assert_eq!(lab.wire(near).sent() - before, 1 + 3, "an echo request, and ARP requests");
    }
    assert_eq!(lab.wire(far).sent(), 0);
}
