//! Echo, both sides of it, and what becomes of one that nobody answers.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::Trial;

use sidestack_stack::{
    icmp::{Echo, Outcome},
    link::{Direction, EtherType, Frame, PacketSocket, Source, interface, namespace::KernelLab},
};

use crate::{
    net::{DEAD, FAR, Net, Tested, US, ask, ask_for, in_lab, is_reply, station, test},
    raw,
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("five_echoes_are_answered_and_the_kernel_stamps_both_ways", five),
        test("a_round_trip_is_the_arrival_of_the_reply_less_the_leaving_of_the_request", between),
        test("the_kernels_echo_is_answered_at_an_address_that_no_interface_has", answering),
        test("an_adopted_mac_address_asks_and_answers", adopted),
        test("echoes_of_every_size_that_fits_are_answered_both_ways", sizes),
        test("a_host_beyond_the_gateway_answers_with_one_hop_less", beyond),
        test("a_time_to_live_of_one_ends_at_the_router_which_says_so", time_exceeded),
        test("the_routers_word_that_a_host_is_unreachable_ends_the_echo", unreachable),
        test("nobody_at_the_address_ends_the_echo_after_three_requests", dead),
    ]
}

fn five() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options())?;
    for sequence in 1..=5 {
        let outcome = ask(&mut host, FAR, sequence)?;
        let Outcome::Reply { len: 64, ttl: 64, round_trip, tx, rx, .. } = outcome else {
            return Err(format!("{outcome:?}").into());
        };
        assert_eq!((tx, rx), (Source::Kernel, Source::Kernel));
        assert!(round_trip > Duration::ZERO && round_trip < Duration::from_secs(1));
    }
    assert_eq!(host.in_flight(), 0);
    assert_eq!(host.counters().reasons().count(), 0);
    Ok(())
}

fn between() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options())?;
    let mut round_trips = Vec::new();
    for sequence in 1..=5 {
        let Outcome::Reply { round_trip, .. } = ask(&mut host, FAR, sequence)? else {
            return Err("no reply".into());
        };
        round_trips.push(round_trip);
    }
    let went = |direction| host.link().went(direction).filter(is_ipv4);
    let stamps = went(Direction::Sent).zip(went(Direction::Received));
    let between: Vec<Duration> = stamps
        .map(|(request, reply)| reply.stamp().since_epoch - request.stamp().since_epoch)
        .collect();
    assert_eq!(round_trips, between);
    Ok(())
}

fn answering() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options())?;
    assert!(net.here.run(|| interface("here0"))?.addresses.is_empty());
    let (from, data) = raw::ping(&net.far, US, b"who is there?", &mut host)?;
    assert_eq!((from, &*data), (US, &b"who is there?"[..]));
    let sent: Vec<EtherType> =
        host.link().went(Direction::Sent).map(|frame| frame.ether_type()).collect();
    assert_eq!(sent, [EtherType::ARP, EtherType::IPV4], "one answer to each question");
    Ok(())
}

fn adopted() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options().mac(station(0x50)))?;
    assert!(is_reply(ask(&mut host, FAR, 1)?));
    assert_eq!(raw::ping(&net.far, US, b"and back", &mut host)?.0, US);
    let (mut sent, mut received) = (0, 0);
    for frame in host.link().went(Direction::Sent) {
        assert_eq!(frame.src(), station(0x50));
        sent += 1;
    }
    for frame in host.link().went(Direction::Received).filter(is_ipv4) {
        assert_eq!(frame.dst(), station(0x50));
        received += 1;
    }
    assert!(sent >= 3, "a question, an echo and an answer");
    assert_eq!(received, 2, "the reply and the request");
    assert_eq!(net.here.run(|| interface("here0"))?.mac, Some(station(1)), "the kernel keeps its");
    Ok(())
}

fn sizes() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options())?;
    for (sequence, size) in (1..).zip([0, 1, 7, 8, 9, 17, 18, 19, 1_471, 1_472]) {
        let data: Vec<u8> = (0..size).map(|n: usize| n as u8).collect();
        let outcome = ask_for(&mut host, &Echo::new(FAR, sequence, &data))?;
        assert!(matches!(outcome, Outcome::Reply { len, .. } if len == size + 8), "{size}");
        assert_eq!(raw::ping(&net.far, US, &data, &mut host)?.1, data);
    }
    Ok(())
}

fn beyond() -> Tested {
    let lab = KernelLab::new()?;
    let mut host = in_lab(&lab)?;
    let outcome = ask(&mut host, BEYOND, 1)?;
    assert!(matches!(outcome, Outcome::Reply { ttl: 63, .. }), "{outcome:?}");
    assert_eq!(raw::ping(&lab.beyond, OURS_IN_LAB, b"back", &mut host)?.0, OURS_IN_LAB);
    Ok(())
}

fn time_exceeded() -> Tested {
    let lab = KernelLab::new()?;
    let mut host = in_lab(&lab)?;
    let outcome = ask_for(&mut host, &Echo { ttl: 1, ..Echo::new(BEYOND, 7, &[0; 56]) })?;
    let Outcome::Error(error) = outcome else { return Err(format!("{outcome:?}").into()) };
    assert_eq!((error.icmp_type, error.code), (11, 0));
    assert_eq!(error.from, ROUTER);
    assert!(is_reply(ask(&mut host, BEYOND, 8)?), "and the run goes on");
    Ok(())
}

fn unreachable() -> Tested {
    let lab = KernelLab::new()?;
    let mut host = in_lab(&lab)?;
    let outcome = ask(&mut host, NOBODY_BEYOND, 3)?;
    let Outcome::Error(error) = outcome else { return Err(format!("{outcome:?}").into()) };
    assert_eq!((error.icmp_type, error.code, error.from), (3, 1, ROUTER));
    Ok(())
}

fn dead() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options())?;
    assert_eq!(ask(&mut host, DEAD, 1)?, Outcome::Unresolved { requests: 3 });
    let sent: Vec<Frame<'_>> = host.link().went(Direction::Sent).collect();
    assert!(sent.iter().all(|frame| frame.ether_type() == EtherType::ARP));
    assert_eq!(sent.len(), 3);
    for pair in sent.windows(2) {
        let gap = pair[1].at() - pair[0].at();
        assert!(gap > Duration::from_millis(900), "one a second (RFC 1122 §2.3.2.1): {gap:?}");
    }
    assert!(is_reply(ask(&mut host, FAR, 2)?), "and others still answer");
    Ok(())
}

fn is_ipv4(frame: &Frame<'_>) -> bool {
    frame.ether_type() == EtherType::IPV4
}

const OURS_IN_LAB: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const BEYOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
const NOBODY_BEYOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 99);

/// The first address that the router's kernel has on our network, of the two.
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
