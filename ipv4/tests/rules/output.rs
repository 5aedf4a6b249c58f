//! What leaves: headers, sizes, identifications.

use etherparse::IpNumber;
use ipv4::{Header, Ipv4, SendError, Sent};
use link::{MacAddr6, SendError as LinkError};
use sidestack_ipv4 as ipv4;

use crate::host::{BROADCAST, Host, THEM, US, addr, mac, sum};

const EXPERIMENT: IpNumber = IpNumber(0xfd);

// IP-1
#[test]
fn a_header_is_built_octet_for_octet() {
    let mut host = Host::new();
    host.send(&Header::new(THEM, EXPERIMENT), b"Hello, world!").unwrap();
    let header =
        b"\x45\x00\x00\x21\x00\x00\x40\x00\x40\xfd\x25\xde\x0a\x00\x00\x01\x0a\x00\x00\x02";
    assert_eq!(host.left(), [(mac(2), [&header[..], b"Hello, world!"].concat())]);

    let chosen = Header {
        ttl: 1,
        tos: 0xb8,
        dont_fragment: false,
        identification: Some(0x1234),
        ..Header::new(THEM, EXPERIMENT)
    };
    host.send(&chosen, b"Hello, world!").unwrap();
    let header =
        b"\x45\xb8\x00\x21\x12\x34\x00\x00\x01\xfd\x91\xf2\x0a\x00\x00\x01\x0a\x00\x00\x02";
    assert_eq!(host.left(), [(mac(2), [&header[..], b"Hello, world!"].concat())]);
}

// IP-13
#[test]
fn every_type_of_service_leaves_as_it_was_chosen() {
    let mut host = Host::new();
    for tos in 0..=255 {
        host.send(&Header { tos, ..Header::new(THEM, EXPERIMENT) }, b"").unwrap();
        let left = host.left();
        assert_eq!((left[0].1[1], sum(&left[0].1)), (tos, 0xffff));
    }
}

// IP-11
#[test]
fn no_packet_leaves_without_a_hop() {
    let mut host = Host::new();
    for ttl in [0, 1, 2, 255] {
        host.send(&Header { ttl, ..Header::new(THEM, EXPERIMENT) }, b"").unwrap();
        assert_eq!(host.left()[0].1[8], ttl.max(1));
    }
}

// ETH-8, FRG-10
#[test]
fn what_fits_the_mtu_leaves_and_an_octet_more_is_refused_and_leaves_nothing() {
    for mtu in [68, 576, 1500, 9000] {
        let mut host = Host::new().with_mtu(mtu);
        let max = mtu - 20;
        assert_eq!(host.over(|below| below.max_len(THEM)), max);
        let header = Header::new(THEM, EXPERIMENT);
        assert_eq!(host.send(&header, &vec![1; max]), Ok(Sent::Out));
        assert_eq!(host.left()[0].1.len(), mtu);
        let refused = host.send(&header, &vec![1; max + 1]);
        assert_eq!(refused, Err(SendError::TooLong { len: max + 1, max }));
        assert_eq!(host.left(), []);
    }
}

#[test]
fn a_total_length_has_sixteen_bits_whatever_the_mtu() {
    let mut host = Host::new().with_mtu(100_000);
    assert_eq!(host.over(|below| below.max_len(THEM)), 65_515);
    let header = Header::new(THEM, EXPERIMENT);
    host.send(&header, &[1; 65_515]).unwrap();
    assert_eq!(host.left()[0].1[2..4], [0xff, 0xff]);
    assert!(host.send(&header, &[1; 65_516]).is_err());
}

#[test]
fn an_mtu_that_no_header_fits_takes_no_message() {
    let mut host = Host::new().with_mtu(19);
    assert_eq!(host.over(|below| below.max_len(THEM)), 0);
    let refused = host.send(&Header::new(THEM, EXPERIMENT), b"");
    assert_eq!(refused, Err(SendError::Link(LinkError::TooLong { len: 20, mtu: 19 })));
}

#[test]
fn without_a_route_nothing_is_written_and_nothing_leaves() {
    let far = addr("192.0.2.1");
    let mut host = Host::with(Ipv4::new("10.0.0.1/24".parse().unwrap()));
    let mut writes = 0;
    let header = Header::new(far, EXPERIMENT);
    let refused = host.over(|below| below.send(&header, 8, &mut |_| writes += 1));
    assert_eq!(refused, Err(SendError::NoRoute(far)));
    assert_eq!(host.over(|below| below.src(far)), None);
    assert_eq!((host.left(), writes), (vec![], 0));
}

#[test]
fn write_runs_once_on_as_many_octets_as_were_asked_for() {
    let mut host = Host::new();
    let mut lens = Vec::new();
    for dst in [THEM, addr("10.0.0.77")] {
        let header = Header::new(dst, EXPERIMENT);
        host.over(|below| below.send(&header, 8, &mut |out| lens.push(out.len()))).unwrap();
    }
    let too_long = Header::new(THEM, EXPERIMENT);
    let refused = host.over(|below| below.send(&too_long, 1481, &mut |out| lens.push(out.len())));
    assert!(refused.is_err());
    assert_eq!(lens, [8, 8], "out, and kept");
}

#[test]
fn a_full_link_is_told_from_other_refusals() {
    let mut host = Host::new();
    let header = Header::new(THEM, EXPERIMENT);
    let refused = loop {
        if let Err(refused) = host.send(&header, b"") {
            break refused;
        }
    };
    assert!(refused.is_full());
    assert_eq!(host.left().len(), 256);
    assert_eq!(host.send(&header, b""), Ok(Sent::Out));
    assert!(!SendError::NoRoute(THEM).is_full());
}

#[test]
fn a_packet_to_an_unknown_neighbour_is_kept_while_it_is_asked_for() {
    let mut host = Host::new();
    assert_eq!(host.send(&Header::new(addr("10.0.0.77"), EXPERIMENT), b""), Ok(Sent::Kept));
    let left = host.left();
    assert_eq!((left.len(), left[0].0), (1, BROADCAST), "a request");
    assert_eq!(left[0].1[..8], *b"\x00\x01\x08\x00\x06\x04\x00\x01");
}

// IP-6, SEC-11
#[test]
fn what_cannot_be_fragmented_needs_no_identification() {
    let mut host = Host::new();
    for _ in 0..3 {
        host.send(&Header::new(THEM, EXPERIMENT), b"").unwrap();
        assert_eq!(host.left()[0].1[4..8], [0, 0, 0x40, 0]);
    }
}

// IP-6
#[test]
fn identifications_towards_one_host_do_not_repeat() {
    let mut host = Host::new();
    let ids: std::collections::HashSet<_> =
        (0..5000).map(|_| identification(&mut host, 2)).collect();
    assert_eq!(ids.len(), 5000);
}

// SEC-11
#[test]
fn identifications_tell_nobody_how_much_is_sent_to_others() {
    let mut host = Host::new();
    let mut told = 0;
    for other in 3..103 {
        let before = identification(&mut host, 2);
        identification(&mut host, other);
        let after = identification(&mut host, 2);
        told += u32::from(after.wrapping_sub(before) != 1);
    }
    assert!(told < 10, "{told} of 100 others can be told by their traffic");
    let firsts: std::collections::HashSet<_> =
        (103..203).map(|n| identification(&mut host, n)).collect();
    let [min, max] = [firsts.iter().min(), firsts.iter().max()].map(|id| *id.unwrap());
    assert!(max - min > 10_000, "they are not from one counter");
}

// SEC-11
#[test]
fn another_secret_gives_other_identifications() {
    let run = |secret| {
        let ipv4 = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_secret([secret; 16]);
        let mut host = Host::with(ipv4);
        [2, 3, 4].map(|n| identification(&mut host, n))
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

// RTE-6
#[test]
fn broadcasts_and_groups_leave_to_their_hardware_addresses_and_ask_nobody() {
    let group = MacAddr6::new(0x01, 0, 0x5e, 1, 2, 3);
    let cases = [
        ("255.255.255.255", BROADCAST),
        ("10.0.0.255", BROADCAST),
        ("10.0.0.0", BROADCAST),
        ("239.129.2.3", group),
    ];
    for (dst, to) in cases {
        let mut host = Host::new();
        host.send(&Header::new(addr(dst), EXPERIMENT), b"").unwrap();
        let left = host.left();
        assert_eq!((left.len(), left[0].0), (1, to));
        assert_eq!(left[0].1[12..20], [US.octets(), addr(dst).octets()].concat());
    }
}

// RTE-1
#[test]
fn what_is_beyond_leaves_to_the_gateway_and_keeps_its_destination() {
    let far = addr("192.0.2.1");
    let mut host = Host::new();
    host.send(&Header::new(far, EXPERIMENT), b"").unwrap();
    let left = host.left();
    assert_eq!((left.len(), left[0].0), (1, mac(254)));
    assert_eq!(left[0].1[12..20], [US.octets(), far.octets()].concat());
}

// RTE-4
#[test]
fn the_source_that_was_chosen_is_the_source() {
    let mut host = Host::new();
    host.ipv4.add_address("10.0.0.5/24".parse().unwrap());
    let src = Some(addr("10.0.0.5"));
    host.send(&Header { src, ..Header::new(THEM, EXPERIMENT) }, b"").unwrap();
    assert_eq!(host.left()[0].1[12..16], [10, 0, 0, 5]);
}

/// That of a packet, which may be fragmented, to 10.0.0.`n`.
fn identification(host: &mut Host, n: u8) -> u16 {
    let dst = addr(&format!("10.0.0.{n}"));
    host.arp.pin(host.network.now(), dst, mac(n));
    let header = Header { dont_fragment: false, ..Header::new(dst, EXPERIMENT) };
    host.send(&header, b"").unwrap();
    let left = host.left();
    u16::from_be_bytes([left[0].1[4], left[0].1[5]])
}
