//! Headers read without a host: packets to forward, and what errors quote.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::IpNumber;
use ipv4::{Discard, Ipv4, Packet, Quote};
use link::FrameTx;
use proptest::prelude::*;
use sidestack_ipv4 as ipv4;

use crate::host::{THEM, US, changed, packet, sum, with_checksum, with_options};

#[test]
fn a_forwarded_packet_has_one_hop_less_and_a_good_checksum_and_is_else_the_same() {
    for octets in [packet(b"payload"), with_options(&[1; 40], b"payload"), changed(8, &[1])] {
        let mut out = vec![0xee; octets.len()];
        Packet::parse(&octets).unwrap().forward(ROUTER, NOON, &mut out);
        assert_eq!(sum(&out), 0xffff);
        assert_eq!(out[8], octets[8] - 1);
        let mut expected = octets.clone();
        expected[8] -= 1;
        assert_eq!(out, with_checksum(expected));
    }
}

// RFC 791 §3.1; RFC 1812 §5.3.13.5 and §5.3.13.6
#[test]
fn a_forwarded_packet_bears_the_routers_address_and_time_where_it_has_room_for_them() {
    let room = |kind: u8, pointer: u8, rest: &[u8]| [&[kind, 11, pointer][..], rest, &[0]].concat();
    let forwarded = |options: &[u8]| {
        let octets = with_options(options, b"payload");
        let mut out = vec![0xee; octets.len()];
        Packet::parse(&octets).unwrap().forward(ROUTER, NOON, &mut out);
        assert_eq!(out[32..], octets[32..]);
        Packet::parse(&out).unwrap().options().to_vec()
    };
    let noon = (12 * 3_600_000_u32).to_be_bytes();
    let ours = ROUTER.octets();
    let route = room(7, 4, &[0; 8]);
    assert_eq!(forwarded(&route), room(7, 8, &[&ours[..], &[0; 4]].concat()));
    let begun = room(7, 8, &[10, 9, 8, 7, 0, 0, 0, 0]);
    assert_eq!(forwarded(&begun), room(7, 12, &[&[10, 9, 8, 7][..], &ours].concat()));
    let full = room(7, 12, &[10, 9, 8, 7, 10, 9, 8, 6]);
    assert_eq!(forwarded(&full), full);
    let times = [68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let told = [&[68, 12, 9, 0][..], &noon, &[0; 4]].concat();
    assert_eq!(forwarded(&times), told);
    let others = [0x5e, 4, 1, 2, 1, 1, 1, 1, 1, 1, 1, 0];
    assert_eq!(forwarded(&others), others);
}

#[test]
fn no_hops_left_do_not_become_255() {
    let octets = changed(8, &[0]);
    let mut out = vec![0; octets.len()];
    Packet::parse(&octets).unwrap().forward(ROUTER, NOON, &mut out);
    assert_eq!(out, octets);
}

#[test]
fn a_packet_knows_its_fields_and_ends_at_its_total_length() {
    let octets = [changed(4, b"\x12\x34\x40\x00"), vec![0xee; 9]].concat();
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!((packet.src(), packet.dst()), (THEM, US));
    assert_eq!((packet.identification(), packet.dont_fragment()), (0x1234, true));
    assert_eq!((packet.octets(), packet.header()), (&octets[..120], &octets[..20]));
    assert!(!packet.is_fragment() && packet.is_first_fragment());
}

#[test]
fn a_later_fragment_is_no_beginning_of_a_message_and_a_first_one_is() {
    let first = changed(6, &[0x20, 0x00]);
    let later = changed(6, &[0x00, 0x01]);
    let (first, later) = (Packet::parse(&first).unwrap(), Packet::parse(&later).unwrap());
    assert!(first.is_fragment() && first.is_first_fragment());
    assert!(later.is_fragment() && !later.is_first_fragment());
}

#[test]
fn a_quote_is_read_whatever_routers_did_to_its_lengths_checksum_and_hops() {
    let good = changed(8, &[1]);
    let changes: [(usize, &[u8]); 6] = [
        (1, b"\xb8"),      // type of service
        (2, b"\x78\x00"),  // total length in the wrong order
        (2, b"\x00\x00"),  // no total length
        (4, b"\xff\xff"),  // identification
        (8, b"\x00"),      // hops
        (10, b"\x12\x34"), // checksum
    ];
    for (at, change) in changes {
        let mut octets = good[..28].to_vec(); // header and eight octets
        octets[at..at + change.len()].copy_from_slice(change);
        let quote = Quote::parse(&octets).unwrap();
        assert_eq!((quote.src, quote.dst, quote.protocol), (THEM, US, IpNumber(0xfd)));
        assert_eq!(quote.payload, [0xda; 8]);
    }
}

#[test]
fn a_quote_without_a_whole_header_is_none() {
    let octets = with_options(&[1; 40], b"payload!");
    for len in 0..60 {
        assert_eq!(Quote::parse(&octets[..len]).unwrap_err(), Discard::Length, "{len} octets");
    }
    assert_eq!(Quote::parse(&octets[..60]).unwrap().payload, b"");
    assert_eq!(Quote::parse(&octets).unwrap().payload, b"payload!");
}

#[test]
fn a_quote_of_a_later_fragment_says_nothing() {
    let later = changed(6, &[0x20, 0x01]);
    assert_eq!(Quote::parse(&later).unwrap_err(), Discard::Fragment);
    let first = changed(6, &[0x20, 0x00]);
    assert_eq!(Quote::parse(&first).unwrap().payload, [0xda; 100]);
}

const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);

/// Since the epoch.
const NOON: Duration = Duration::from_secs(20_000 * 86_400 + 12 * 3_600);

proptest! {
    #[test]
    fn any_octets_are_a_packet_or_none(octets in almost()) {
        if let Ok(packet) = Packet::parse(&octets) {
            let len = usize::from(u16::from_be_bytes([octets[2], octets[3]]));
            prop_assert_eq!(packet.octets(), &octets[..len]);
            prop_assert_eq!(packet.header().len(), usize::from(octets[0] & 15) * 4);
            prop_assert_eq!([packet.header(), packet.payload()].concat(), &octets[..len]);
            prop_assert_eq!(sum(packet.header()), 0xffff);
            let mut out = vec![0; len];
            packet.forward(ROUTER, NOON, &mut out);
            prop_assert!(Packet::parse(&out).is_ok());
        }
        if let Ok(quote) = Quote::parse(&octets) {
            prop_assert!(octets.ends_with(quote.payload));
        }
    }

    #[test]
    fn any_frame_is_a_datagram_for_us_or_discarded(
        octets in almost(),
        cast in prop_oneof![Just(0), 0_usize..4],
    ) {
        let port = link::memory::Network::new().attach(crate::host::mac(1));
        let casts =
            [link::Cast::Host, link::Cast::Broadcast, link::Cast::Multicast, link::Cast::Other];
        let now = port.network().now();
        let facts = link::Facts {
            direction: link::Direction::Received,
            cast: casts[cast],
            at: now,
            stamp: link::Stamp { since_epoch: Default::default(), source: link::Source::Virtual },
            checksum: link::Checksum::Complete,
        };
        let octets =
            [port.mac().as_bytes(), port.mac().as_bytes(), b"\x08\x00", &octets].concat();
        let frame = link::Frame::new(&octets, facts).unwrap();
        let mut ipv4 = Ipv4::new("10.0.0.1/24".parse().unwrap());
        if let Ok(datagram) = ipv4.input(now, &frame) {
            prop_assert!(ipv4.is_ours(datagram.dst) || ipv4.is_broadcast(datagram.dst));
            prop_assert!(!ipv4.is_ours(datagram.src));
            prop_assert!(cast < 3);
        }
    }
}

/// Octets that are nearly a packet: some header, a good checksum more often than not.
fn almost() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![4 => Just(0x45), 4 => 0x45_u8..=0x4f, 1 => any::<u8>()];
    let len = prop_oneof![4 => 20_u16..90, 1 => any::<u16>()];
    let octets = |len| proptest::collection::vec(any::<u8>(), len);
    let rest = prop_oneof![4 => octets(60..90), 1 => octets(0..80)];
    let ours =
        prop_oneof![3 => Just(US.octets()), 1 => Just([10, 0, 0, 255]), 1 => any::<[u8; 4]>()];
    let fragment = prop_oneof![4 => Just([0, 0]), 1 => any::<[u8; 2]>()];
    let good = proptest::bool::weighted(0.8);
    let parts = (first, len, rest, fragment, ours, good);
    parts.prop_map(|(first, len, rest, fragment, dst, good)| {
        let mut octets = [&[first, 0][..], &len.to_be_bytes(), &rest].concat();
        if octets.len() >= 20 {
            octets[6..8].copy_from_slice(&fragment);
            octets[16..20].copy_from_slice(&dst);
        }
        if good && octets.len() >= 12 { with_checksum(octets) } else { octets }
    })
}
