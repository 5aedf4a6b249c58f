//! Telling a sender why its datagram was not delivered (RFC 1122 §3.2.2).

use std::net::Ipv4Addr;

use etherparse::IpNumber;
use icmp::{Config, Icmp, Limit, Problem, Withheld};
use ipv4::{Cast, Datagram, Packet, SendError};
use proptest::prelude::*;
use sidestack_icmp as icmp;

use crate::host::{Host, ROUTER, THEM, US, datagram, message, ms, packet, sum};

// ICMP-3, ICMP-4, ICMP-16
#[test]
fn an_error_quotes_the_packet_unchanged() {
    let unreachable = [
        Problem::NetUnreachable,
        Problem::HostUnreachable,
        Problem::ProtocolUnreachable,
        Problem::PortUnreachable,
        Problem::FragmentationNeeded { mtu: 1400 },
        Problem::SourceRouteFailed,
        Problem::NetUnknown,
        Problem::HostUnknown,
        Problem::SourceHostIsolated,
        Problem::NetProhibited,
        Problem::HostProhibited,
        Problem::NetUnreachableForTos,
        Problem::HostUnreachableForTos,
        Problem::Prohibited,
        Problem::HostPrecedenceViolation,
        Problem::PrecedenceCutoff,
    ];
    let unreachable = unreachable.into_iter().enumerate().map(|(code, problem)| {
        let rest = if code == 4 { [0, 0, 0x05, 0x78] } else { [0; 4] };
        (problem, (3, code as u8), rest)
    });
    let others = [
        (Problem::TimeExceeded, (11, 0), [0; 4]),
        (Problem::ReassemblyTimeExceeded, (11, 1), [0; 4]),
        (Problem::Parameter { pointer: 21 }, (12, 0), [21, 0, 0, 0]),
        (Problem::OptionMissing, (12, 1), [0; 4]),
        (Problem::BadLength { pointer: 3 }, (12, 2), [3, 0, 0, 0]),
    ];
    for (problem, kind, rest) in unreachable.chain(others) {
        let octets = with_options(&packet(THEM, US, &echo(56)));
        let mut host = Host::new();
        report(&mut host, problem, &octets).unwrap();
        let [(header, error)] = &host.below.sent[..] else { panic!("one error") };
        assert_eq!(*error, message(kind, rest, &octets));
        assert_eq!((header.dst, header.src, header.protocol), (THEM, None, IpNumber::ICMP));
        assert_eq!((header.ttl, header.tos, header.dont_fragment), (64, 0xc0, false));
    }
}

// ICMP-3, ICMP-4, ICMP-16
#[test]
fn an_error_about_a_datagram_for_us_comes_from_the_address_that_it_was_sent_to() {
    let asked = Ipv4Addr::new(10, 0, 0, 5);
    let mut octets = with_options(&packet(THEM, asked, &[0xee; 56]));
    octets[9] = 253;
    let octets = with_checksum(octets);
    let mut host = Host::new();
    let received = received(&host, &octets);
    let told = host.icmp.report(host.now, Problem::ProtocolUnreachable, &received, &mut host.below);
    assert_eq!(told, Ok(()));
    let [(header, error)] = &host.below.sent[..] else { panic!("one error") };
    assert_eq!((header.dst, header.src), (THEM, Some(asked)));
    assert_eq!(*error, message((3, 2), [0; 4], &octets));
}

// ICMP-5
#[test]
fn an_error_has_at_most_576_octets_its_ip_header_included() {
    for (len, quoted) in [(0, 28), (520, 548), (521, 548), (1400, 548)] {
        let octets = packet(THEM, US, &echo(len));
        let mut host = Host::new();
        report(&mut host, Problem::TimeExceeded, &octets).unwrap();
        let error = &host.below.sent[0].1;
        assert_eq!(error[8..], octets[..quoted]);
        assert!(20 + error.len() <= 576);
        assert_eq!(sum(error), 0xffff);
    }
}

// ICMP-1
#[test]
fn nobody_is_told_about_an_icmp_error_nor_about_what_may_be_one() {
    for icmp_type in (0..=255).filter(|t| !matches!(t, 0 | 8 | 9 | 10 | 13..=18 | 42 | 43)) {
        let told = told(&packet(THEM, US, &message((icmp_type, 0), [0; 4], &[0; 28])));
        assert_eq!(told, Err(Withheld::IcmpError), "type {icmp_type}");
    }
    for icmp_type in [0, 8, 9, 10, 13, 14, 15, 16, 17, 18, 42, 43] {
        assert_eq!(told(&packet(THEM, US, &message((icmp_type, 0), [0; 4], &[0; 28]))), Ok(()));
    }
    assert_eq!(told(&packet(THEM, US, b"")), Err(Withheld::IcmpError));
}

#[test]
fn other_protocols_are_reported_whatever_they_begin_with() {
    let mut octets = packet(THEM, US, &[3; 20]);
    octets[9] = 17;
    assert_eq!(told(&with_checksum(octets)), Ok(()));
}

// ICMP-1
#[test]
fn nobody_is_told_about_a_packet_to_many() {
    let octets = packet(THEM, US, &echo(8));
    for cast in [Cast::Broadcast, Cast::Multicast, Cast::Other] {
        let mut host = Host::new();
        let received = Datagram { cast, ..received(&host, &octets) };
        let told = host.icmp.report(host.now, Problem::TimeExceeded, &received, &mut host.below);
        assert_eq!((told, host.below.sent.len()), (Err(Withheld::Broadcast), 0));
    }
    for dst in ["224.0.0.1", "239.255.255.255", "255.255.255.255"] {
        let octets = packet(THEM, dst.parse().unwrap(), &echo(8));
        assert_eq!(told(&octets), Err(Withheld::Broadcast), "{dst}");
    }
}

// ICMP-1, FRG-11
#[test]
fn nobody_is_told_about_a_later_fragment() {
    let later = Err(Withheld::LaterFragment);
    for (fragment, expected) in [([0x20, 0], Ok(())), ([0, 1], later), ([0x20, 1], later)] {
        let mut octets = packet(THEM, US, &echo(8));
        octets[6..8].copy_from_slice(&fragment);
        assert_eq!(told(&with_checksum(octets)), expected);
    }
}

// FRG-9
#[test]
fn a_datagram_of_which_the_rest_never_came_is_reported_by_its_first_fragment() {
    let mut octets = packet(THEM, US, &echo(1472));
    octets[6] = 0x20;
    let octets = with_checksum(octets);
    let mut host = Host::new();
    let (packet, came) = (Packet::parse(&octets).unwrap(), (Cast::Host, Some(US)));
    let problem = Problem::ReassemblyTimeExceeded;
    host.icmp.report_packet(host.now, problem, &packet, came, &mut host.below).unwrap();
    let (header, error) = &host.below.sent[0];
    assert_eq!((header.src, header.dst), (Some(US), THEM));
    assert_eq!(*error, message((11, 1), [0; 4], &octets[..548]));
}

// ICMP-1
#[test]
fn no_error_goes_to_what_is_not_one_host() {
    for src in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"] {
        let octets = packet(src.parse().unwrap(), US, &echo(8));
        assert_eq!(told(&octets), Err(Withheld::Source), "{src}");
    }
    assert_eq!(told(&packet(ROUTER, US, &echo(8))), Ok(()));
}

// ICMP-14
#[test]
fn of_200_errors_at_once_one_host_gets_20_and_then_100_a_second() {
    let mut host = Host::new();
    let octets = packet(THEM, US, &echo(8));
    let told = |host: &mut Host| {
        let told = |_: &i32| report(host, Problem::PortUnreachable, &octets).is_ok();
        (0..200).filter(told).count()
    };
    assert_eq!(told(&mut host), 20);
    assert_eq!(report(&mut host, Problem::PortUnreachable, &octets), Err(Withheld::Limited));
    host.now += ms(10);
    assert_eq!(told(&mut host), 1);
    host.now += ms(100);
    assert_eq!(told(&mut host), 10);
    host.now += ms(60_000);
    assert_eq!(told(&mut host), 20);
    assert_eq!(host.below.sent.len(), 51);
}

// ICMP-14
#[test]
fn all_hosts_together_get_50_errors_at_once_and_then_1000_a_second() {
    let mut host = Host::new();
    let mut from = (1..).map(Ipv4Addr::from_bits).map(|low| {
        let [_, b, c, d] = low.octets();
        packet([10, b, c, d].into(), US, &echo(8))
    });
    let mut told = |host: &mut Host| {
        let packets = from.by_ref().take(200);
        packets.filter(|packet| report(host, Problem::TimeExceeded, packet).is_ok()).count()
    };
    assert_eq!(told(&mut host), 50);
    host.now += ms(1);
    assert_eq!(told(&mut host), 1);
    host.now += ms(1000);
    assert_eq!(told(&mut host), 50);
}

// ICMP-14
#[test]
fn errors_that_are_held_back_hold_back_no_replies() {
    let mut host =
        Host::with(Config { errors: Limit { per_second: 0, burst: 0 }, ..Config::default() });
    let octets = packet(THEM, US, &echo(8));
    assert_eq!(report(&mut host, Problem::TimeExceeded, &octets), Err(Withheld::Limited));
    assert_eq!(host.take(THEM, &echo(8)), Ok(()));
}

#[test]
fn an_error_that_cannot_be_sent_is_not_called_told() {
    let mut host = Host::new();
    host.below.next = Err(SendError::NoRoute(US));
    let octets = packet(THEM, US, &echo(8));
    assert_eq!(report(&mut host, Problem::TimeExceeded, &octets), Err(Withheld::Unsendable));
}

proptest! {
    // ICMP-1, ICMP-4
    #[test]
    fn whatever_came_is_quoted_as_it_came_or_not_at_all(
        mut header in proptest::collection::vec(any::<u8>(), 20..=60),
        payload in proptest::collection::vec(any::<u8>(), 0..600),
        fragment in prop_oneof![4 => Just([0, 0]), 1 => any::<[u8; 2]>()],
        src in prop_oneof![4 => Just(THEM.octets()), 1 => any::<[u8; 4]>()],
        total in prop_oneof![4 => 0_u16..700, 1 => any::<u16>()],
    ) {
        let words = header.len() / 4;
        header.truncate(words * 4);
        header[0] = 0x40 | words as u8;
        header[2..4].copy_from_slice(&total.to_be_bytes());
        header[6..8].copy_from_slice(&fragment);
        header[12..16].copy_from_slice(&src);
        header[16..20].copy_from_slice(&US.octets());
        let later = u16::from_be_bytes(fragment) & 0x1fff != 0;
        let nobody = matches!(src[0], 0 | 127 | 224..);
        let icmp = header[9] == 1;
        let mut host = Host::new();
        let received = Datagram {
            header: header.clone().into(),
            payload: payload.clone().into(),
            ..datagram(THEM, b"", host.now)
        };
        let told = host.icmp.report(host.now, Problem::PortUnreachable, &received, &mut host.below);
        prop_assert_eq!(host.below.sent.len(), usize::from(told.is_ok()));
        prop_assert!(icmp || told.is_ok() != (later || nobody), "{:?}", told);
        for (header_sent, error) in &host.below.sent {
            let whole = [header.clone(), payload.clone()].concat();
            let came = whole.len().min(usize::from(total).max(header.len()));
            prop_assert_eq!(&error[8..], &whole[..came.min(548)]);
            prop_assert_eq!((header_sent.dst.octets(), sum(error)), (src, 0xffff));
        }
    }
}

fn told(octets: &[u8]) -> Result<(), Withheld> {
    let mut host = Host::new();
    let told = report(&mut host, Problem::TimeExceeded, octets);
    assert_eq!(host.below.sent.len(), usize::from(told.is_ok()));
    told
}

fn report(host: &mut Host, problem: Problem, octets: &[u8]) -> Result<(), Withheld> {
    let packet = Packet::parse(octets).unwrap();
    Icmp::report_packet(
        &mut host.icmp,
        host.now,
        problem,
        &packet,
        (Cast::Host, None),
        &mut host.below,
    )
}

/// That packet as the datagram that ipv4 makes of it.
fn received(host: &Host, octets: &[u8]) -> Datagram<'static> {
    let packet = Packet::parse(octets).unwrap();
    Datagram {
        dst: packet.dst(),
        protocol: packet.protocol(),
        header: packet.header().to_vec().into(),
        payload: packet.payload().to_vec().into(),
        ..datagram(packet.src(), b"", host.now)
    }
}

fn echo(len: usize) -> Vec<u8> {
    message((8, 0), [1, 2, 3, 4], &vec![0xda; len])
}

fn with_options(packet: &[u8]) -> Vec<u8> {
    let mut octets = [&packet[..20], &[1; 8], &packet[20..]].concat();
    octets[0] = 0x47;
    let len = octets.len() as u16;
    octets[2..4].copy_from_slice(&len.to_be_bytes());
    with_checksum(octets)
}

fn with_checksum(mut octets: Vec<u8>) -> Vec<u8> {
    octets[10..12].fill(0);
    let sum = sum(&octets[..usize::from(octets[0] & 15) * 4]);
    octets[10..12].copy_from_slice(&(!sum).to_be_bytes());
    octets
}
