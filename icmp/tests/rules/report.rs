//! Telling a sender why its packet was not delivered (RFC 1122 §3.2.2).

use etherparse::IpNumber;
use icmp::Problem;
use ipv4::{Cast, Packet, SendError};
use sidestack_icmp as icmp;

use crate::host::{Below, ROUTER, THEM, US, message, packet, sum};

#[test]
fn an_error_quotes_the_packet_unchanged() {
    let problems = [
        (Problem::NetUnreachable, (3, 0), [0; 4]),
        (Problem::HostUnreachable, (3, 1), [0; 4]),
        (Problem::FragmentationNeeded { mtu: 1400 }, (3, 4), [0, 0, 0x05, 0x78]),
        (Problem::TimeExceeded, (11, 0), [0; 4]),
    ];
    for (problem, kind, rest) in problems {
        let octets = with_options(&packet(US, THEM, &echo(56)));
        let mut below = Below::new();
        assert!(problem.report(&Packet::parse(&octets).unwrap(), Cast::Host, &mut below));
        let [(header, error)] = &below.sent[..] else { panic!("one error") };
        assert_eq!(*error, message(kind, rest, &octets));
        assert_eq!((header.dst, header.src, header.protocol), (US, None, IpNumber::ICMP));
        assert_eq!((header.ttl, header.tos, header.dont_fragment), (64, 0xc0, false));
    }
}

#[test]
fn an_error_has_at_most_576_octets_its_ip_header_included() {
    for (len, quoted) in [(0, 28), (520, 548), (521, 548), (1400, 548)] {
        let octets = packet(US, THEM, &echo(len));
        let mut below = Below::new();
        Problem::TimeExceeded.report(&Packet::parse(&octets).unwrap(), Cast::Host, &mut below);
        let error = &below.sent[0].1;
        assert_eq!(error[8..], octets[..quoted]);
        assert!(20 + error.len() <= 576);
        assert_eq!(sum(error), 0xffff);
    }
}

#[test]
fn nobody_is_told_about_an_icmp_error() {
    for icmp_type in [3, 4, 5, 11, 12, 1, 44, 255] {
        assert!(!may_report(&packet(US, THEM, &message((icmp_type, 0), [0; 4], &[0; 28]))));
    }
    for icmp_type in [0, 8, 13, 14] {
        assert!(may_report(&packet(US, THEM, &message((icmp_type, 0), [0; 4], &[0; 28]))));
    }
    assert!(!may_report(&packet(US, THEM, b"")), "nor about what may be one");
}

#[test]
fn other_protocols_are_reported_whatever_they_begin_with() {
    let mut octets = packet(US, THEM, &[3; 20]);
    octets[9] = 17;
    assert!(may_report(&with_checksum(octets)));
}

#[test]
fn nobody_is_told_about_a_packet_to_many() {
    let octets = packet(US, THEM, &echo(8));
    for cast in [Cast::Broadcast, Cast::Multicast, Cast::Other] {
        let mut below = Below::new();
        let told = Problem::TimeExceeded.report(&Packet::parse(&octets).unwrap(), cast, &mut below);
        assert_eq!((told, below.sent.len()), (false, 0));
    }
    for dst in ["224.0.0.1", "239.255.255.255", "255.255.255.255"] {
        assert!(!may_report(&packet(US, dst.parse().unwrap(), &echo(8))), "{dst}");
    }
}

#[test]
fn nobody_is_told_about_a_later_fragment() {
    for (fragment, told) in [([0x20, 0], true), ([0, 1], false), ([0x20, 1], false)] {
        let mut octets = packet(US, THEM, &echo(8));
        octets[6..8].copy_from_slice(&fragment);
        assert_eq!(may_report(&with_checksum(octets)), told);
    }
}

#[test]
fn no_error_goes_to_what_is_not_one_host() {
    for src in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"] {
        assert!(!may_report(&packet(src.parse().unwrap(), THEM, &echo(8))), "{src}");
    }
    assert!(may_report(&packet(ROUTER, THEM, &echo(8))));
}

#[test]
fn an_error_that_cannot_be_sent_is_not_called_told() {
    let octets = packet(US, THEM, &echo(8));
    let mut below = Below::new();
    below.next = Err(SendError::NoRoute(US));
    let packet = Packet::parse(&octets).unwrap();
    assert!(!Problem::TimeExceeded.report(&packet, Cast::Host, &mut below));
}

fn may_report(octets: &[u8]) -> bool {
    let mut below = Below::new();
    let told =
        Problem::TimeExceeded.report(&Packet::parse(octets).unwrap(), Cast::Host, &mut below);
    assert_eq!(below.sent.len(), usize::from(told));
    told
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
