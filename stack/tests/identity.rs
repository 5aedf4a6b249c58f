//! An address that becomes ours, stays ours, or is somebody else's.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use sidestack_stack as stack;
use stack::{
    Config, Lab, Stack, What, arp,
    icmp::Echo,
    link::{EtherType, FrameIo, FrameTx, MacAddr6, Wait, memory::Network},
};

const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// A host alone on a wire, and the wire.
fn alone() -> (Network, Stack<impl FrameIo + Wait>) {
    let network = Network::new();
    let port = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 1));
    (network, Stack::new(port, Config::new("10.0.0.1/24".parse().unwrap())))
}

/// Lets the host do what is due until `end`, and returns what it told and when.
fn run(host: &mut Stack<impl FrameIo + Wait>, end: Instant) -> Vec<(Instant, arp::Event)> {
    let mut told = Vec::new();
    loop {
        let now = host.link().now();
        while host.poll(now).unwrap() {}
        while let Some(event) = host.event() {
            if let What::Arp(arp) = event.what {
                told.push((event.at, arp));
            }
        }
        if now >= end {
            return told;
        }
        let until = host.deadline().map_or(end, |at| at.min(end));
        host.link_mut().wait(Some(until), None).unwrap();
    }
}

#[test]
fn an_address_is_probed_for_three_times_and_then_announced_twice() {
    let (network, mut us) = alone();
    let start = network.now();
    us.adopt(start);
    let told = run(&mut us, start + Duration::from_secs(20));
    let [(at, arp::Event::Free { addr: US })] = told[..] else { panic!("{told:?}") };
    let took = at - start;
    assert!((Duration::from_secs(4)..=Duration::from_secs(7)).contains(&took), "{took:?}");
    assert_eq!(network.sent(), 3 + 2);
}

#[test]
fn a_free_address_that_is_only_probed_for_is_not_announced() {
    let (network, mut us) = alone();
    let start = network.now();
    us.probe(start, Ipv4Addr::new(10, 0, 0, 50));
    let told = run(&mut us, start + Duration::from_secs(20));
    assert!(matches!(told[..], [(_, arp::Event::Free { .. })]), "{told:?}");
    assert_eq!(network.sent(), 3);
}

#[test]
fn an_address_that_somebody_has_is_taken_and_never_announced() {
    let mut lab = Lab::new();
    let wire = lab.network();
    lab.host(wire, "10.0.0.1/24".parse().unwrap(), None);
    let rival = lab.wire(wire).attach(MacAddr6::new(2, 0, 0, 0, 0, 9));
    let us = lab.host_at(wire, rival, Config::new("10.0.0.1/24".parse().unwrap()));
    let now = lab.now();
    lab.stack(us).adopt(now);
    let end = now + Duration::from_secs(20);
    while lab.now() < end && lab.step(Some(end)).unwrap() {}
    let mut told = Vec::new();
    while let Some(event) = lab.stack(us).event() {
        if let What::Arp(arp) = event.what {
            told.push(arp);
        }
    }
    let owner = MacAddr6::new(2, 0, 10, 0, 0, 1);
    assert_eq!(told, [arp::Event::Taken { addr: US, mac: owner }]);
    assert_eq!(lab.wire(wire).sent(), 2, "one probe, one answer");
}

#[test]
fn two_owners_of_one_address_are_both_told() {
    let mut lab = Lab::new();
    let wire = lab.network();
    let us = lab.host(wire, "10.0.0.1/24".parse().unwrap(), None);
    lab.host(wire, "10.0.0.2/24".parse().unwrap(), None);
    let second = lab.wire(wire).attach(MacAddr6::new(2, 0, 0, 0, 0, 9));
    lab.host_at(wire, second, Config::new("10.0.0.2/24".parse().unwrap()));
    let now = lab.now();
    lab.stack(us).echo(now, &Echo::new(Ipv4Addr::new(10, 0, 0, 2), 1, &[0; 56])).unwrap();
    let end = now + Duration::from_millis(1);
    while lab.now() < end && lab.step(Some(end)).unwrap() {}
    let first = MacAddr6::new(2, 0, 10, 0, 0, 2);
    let mut told = Vec::new();
    while let Some(event) = lab.stack(us).event() {
        if let What::Arp(arp @ arp::Event::Conflict { .. }) = event.what {
            told.push(arp);
        }
    }
    let (addr, other) = (Ipv4Addr::new(10, 0, 0, 2), MacAddr6::new(2, 0, 0, 0, 0, 9));
    assert_eq!(told, [arp::Event::Conflict { addr, kept: first, other }]);
}

#[test]
fn where_another_stack_answers_for_the_address_we_do_not() {
    let mut lab = Lab::new();
    let wire = lab.network();
    let quiet = Config { answers: false, ..Config::new("10.0.0.1/24".parse().unwrap()) };
    let port = lab.plug(wire, US);
    let us = lab.host_at(wire, port, quiet);
    let other = lab.host(wire, "10.0.0.2/24".parse().unwrap(), None);
    let now = lab.now();
    lab.stack(other).resolve(now, US).unwrap();
    while lab.step(None).unwrap() {}
    assert_eq!(lab.wire(wire).sent(), 3, "three requests, no answer");
    lab.stack(us).poll(now).unwrap();
    assert_eq!(lab.stack(us).counters().received(), 3);
}

#[test]
fn a_pinned_neighbour_is_sent_to_without_being_asked_for() {
    let (network, mut us) = alone();
    let (now, dst) = (network.now(), Ipv4Addr::new(10, 0, 0, 7));
    let mut neighbour = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 7));
    us.pin(now, dst, neighbour.mac());
    us.echo(now, &Echo::new(dst, 1, &[0; 8])).unwrap();
    us.poll(now).unwrap();
    network.advance_to(network.next_arrival().unwrap());
    let mut heard = Vec::new();
    neighbour.recv(network.now(), &mut |frame, _| heard.push(frame.ether_type())).unwrap();
    assert_eq!(heard, [EtherType::IPV4]);
}

#[test]
fn nobody_is_believed_to_be_at_an_address_that_is_everybodys() {
    let mut lab = Lab::new();
    let wire = lab.network();
    let us = lab.host(wire, "10.0.0.1/24".parse().unwrap(), None);
    let mut rival = lab.wire(wire).attach(MacAddr6::new(2, 0, 0, 0, 0, 9));
    for sender in [[10, 0, 0, 0], [10, 0, 0, 255], [10, 9, 0, 255]] {
        let parts: [&[u8]; 4] = [&[2, 0, 0, 0, 0, 9], &sender, &[0; 6], &US.octets()];
        let request = [&[0, 1, 8, 0, 6, 4, 0, 1], &parts.concat()[..]].concat();
        let write = &mut |out: &mut [u8]| out.copy_from_slice(&request);
        rival.send(MacAddr6::broadcast(), EtherType::ARP, request.len(), write).unwrap();
    }
    rival.flush().unwrap();
    let end = lab.now() + Duration::from_secs(1);
    while lab.now() < end && lab.step(Some(end)).unwrap() {}
    let off_link = stack::Discard::Arp(arp::Discard::OffLink);
    assert_eq!(lab.stack(us).counters().discarded(off_link), 2);
    let known: Vec<_> = lab.stack(us).neighbours().map(|neighbour| neighbour.addr).collect();
    assert_eq!(known, [Ipv4Addr::new(10, 9, 0, 255)], "who is from elsewhere is learned");
}
