//! ICMP messages, as people are shown them.

use proptest::prelude::*;
use sidestack_icmp::{ChecksumStatus, View};

#[test]
fn a_query_has_an_identifier_and_a_sequence() {
    for icmp_type in [0, 8, 13, 14, 15, 16, 17, 18] {
        let message = message(icmp_type, 0, [0, 7, 1, 2], &[0; 12]);
        let view = read(&message);
        assert_eq!((view.identifier, view.sequence), (Some(7), Some(0x0102)), "{icmp_type}");
        assert_eq!((view.checksum_status, view.flaw), (ChecksumStatus::Good, None));
    }
}

#[test]
fn an_extended_echo_has_a_sequence_of_one_octet_and_names_an_interface() {
    let extensions = structure(2, &[(3, 1, b"eth0")]);
    let request = message(42, 0, [0, 7, 5, 1], &extensions);
    let view = read(&request);
    assert_eq!((view.identifier, view.sequence, view.flaw), (Some(7), Some(5), None));
    let objects: Vec<_> = view.extensions.unwrap().objects().collect();
    assert_eq!((objects[0].class, objects[0].c_type, objects[0].payload), (3, 1, &b"eth0"[..]));
    let reply = message(43, 0, [0, 7, 5, 0x26], &[]);
    assert_eq!((read(&reply).sequence, read(&reply).extensions.is_none()), (Some(5), true));
}

#[test]
fn timestamps_and_masks_stand_behind_the_query() {
    let message_13 = message(13, 0, [0; 4], &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
    let view = read(&message_13);
    assert_eq!((view.originate, view.receive, view.transmit), (Some(1), Some(2), Some(3)));
    let short = message(13, 0, [0; 4], &[0, 0, 0, 1, 0]);
    let view = read(&short);
    assert_eq!((view.originate, view.receive), (Some(1), None));
    assert_eq!(view.flaw.map(|flaw| flaw.octet), Some(13));
    let mask = message(18, 0, [0; 4], &[255, 255, 255, 0]);
    assert_eq!(read(&mask).address_mask, Some("255.255.255.0".parse().unwrap()));
}

#[test]
fn an_error_has_what_its_type_carries_and_a_quote() {
    let quote = [0x45; 28];
    let too_big = message(3, 4, [0, 0, 5, 120], &quote);
    assert_eq!(read(&too_big).next_hop_mtu, Some(1400));
    assert_eq!(read(&too_big).length_words, None, "it says none");
    assert_eq!(read(&too_big).quoted.map(|quoted| (quoted.len, quoted.at)), Some((28, 8)));
    let unreachable = message(3, 1, [0, 0, 5, 120], &quote);
    assert_eq!(read(&unreachable).next_hop_mtu, None);
    let redirect = message(5, 1, [10, 0, 0, 9], &quote);
    assert_eq!(read(&redirect).gateway, Some("10.0.0.9".parse().unwrap()));
    let problem = message(12, 0, [20, 0, 0, 0], &quote);
    assert_eq!(read(&problem).pointer, Some(20));
    assert!(read(&message(8, 0, [0; 4], &quote)).quoted.is_none());
}

#[test]
fn what_was_captured_of_a_header_is_told() {
    let message = message(11, 0, [0, 32, 0, 0], &[0; 128]);
    let view = View::read(&message[..6], message.len(), false).unwrap();
    assert_eq!((view.length_words, view.quoted), (Some(32), None));
}

#[test]
fn extensions_stand_where_the_length_says() {
    for icmp_type in [3, 11, 12] {
        let mut data = vec![0x45; 64];
        data.extend(structure(2, &[(1, 1, &[0, 6, 0x41, 0xff]), (2, 10, b"abcd")]));
        let message = message(icmp_type, 0, [0, 16, 0, 0], &data);
        let view = read(&message);
        assert_eq!((view.length_words, view.flaw), (Some(16), None));
        assert_eq!(view.quoted.unwrap().octets.len(), 64);
        let extensions = view.extensions.unwrap();
        assert_eq!((extensions.version, extensions.checksum_status), (2, ChecksumStatus::Good));
        let classes: Vec<u8> = extensions.objects().map(|object| object.class).collect();
        assert_eq!(classes, [1, 2]);
    }
}

#[test]
fn extensions_without_a_length_are_known_by_version_and_checksum_after_128_octets() {
    let mut data = vec![0x45; 128];
    data.extend(structure(2, &[(1, 1, &[0, 6, 0x41, 0xff])]));
    let old = message(11, 0, [0; 4], &data);
    assert_eq!(read(&old).quoted.unwrap().octets.len(), 128);
    assert_eq!(read(&old).extensions.unwrap().objects().count(), 1);
    data[130] ^= 1;
    let none = message(11, 0, [0; 4], &data);
    assert!(read(&none).extensions.is_none());
    assert_eq!(read(&none).quoted.unwrap().octets.len(), data.len());
    assert!(read(&message(5, 0, [0; 4], &data)).extensions.is_none(), "not in a redirect");
}

#[test]
fn what_is_wrong_with_extensions_is_told_with_its_octet() {
    let quote = [0x45; 64];
    let mut wrong_checksum = structure(2, &[(1, 1, b"abcd")]);
    wrong_checksum[3] ^= 1;
    for (extensions, octet) in [
        (structure(1, &[]), Some(72)),
        (vec![0x20, 0], Some(74)),
        ([structure(2, &[]), vec![0, 0, 1, 1]].concat(), Some(76)),
        ([structure(2, &[(1, 1, b"abcd")]), vec![0, 9, 1, 1, 0]].concat(), Some(84)),
        (wrong_checksum, None),
        (Vec::new(), None),
    ] {
        let message = message(11, 0, [0, 16, 0, 0], &[&quote[..], &extensions].concat());
        assert_eq!(read(&message).flaw.map(|flaw| flaw.octet), octet, "{extensions:?}");
    }
    let beyond = message(11, 0, [0, 17, 0, 0], &quote);
    assert_eq!(read(&beyond).flaw.map(|flaw| flaw.octet), Some(5));
    assert_eq!(read(&beyond).quoted.unwrap().octets.len(), 64);
}

#[test]
fn the_checksum_of_a_part_is_not_verifiable() {
    let message = message(8, 0, [0; 4], b"abc");
    let status =
        |message: &[u8], len, fragment| View::read(message, len, fragment).unwrap().checksum_status;
    assert_eq!(status(&message, 11, false), ChecksumStatus::Good);
    assert_eq!(status(&message, 12, false), ChecksumStatus::Unknown);
    assert_eq!(status(&message, 11, true), ChecksumStatus::Unknown);
    assert_eq!(status(&message[..10], 10, false), ChecksumStatus::Bad);
}

#[test]
fn four_octets_are_a_message_too_short_and_three_are_none() {
    let view = View::read(&[8, 0, 1, 2], 4, false).unwrap();
    assert_eq!((view.checksum, view.identifier), (0x0102, None));
    assert_eq!(view.flaw.map(|flaw| flaw.octet), Some(4));
    assert_eq!(View::read(&[8, 0, 1], 3, false).unwrap_err().octet, 3);
}

proptest! {
    #[test]
    fn no_octets_are_too_much(
        icmp_type in prop_oneof![Just(3), Just(11), Just(12), Just(42), any::<u8>()],
        words in 0..40u8,
        mut octets in proptest::collection::vec(any::<u8>(), 0..220),
        len in 0..240usize,
        fragment: bool,
    ) {
        for (at, octet) in [(0, icmp_type), (5, words)] {
            if let Some(slot) = octets.get_mut(at) {
                *slot = octet;
            }
        }
        if let Ok(view) = View::read(&octets, len, fragment) {
            let objects = view.extensions.map_or(0, |extensions| extensions.objects().count());
            prop_assert!(objects <= octets.len() / 4);
        }
    }
}

fn read(message: &[u8]) -> View<'_> {
    View::read(message, message.len(), false).unwrap()
}

/// A message with a right checksum.
fn message(icmp_type: u8, code: u8, rest_of_header: [u8; 4], data: &[u8]) -> Vec<u8> {
    let message = [&[icmp_type, code, 0, 0], &rest_of_header[..], data].concat();
    with_checksum(message)
}

/// An extension structure with a right checksum.
fn structure(version: u8, objects: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut octets = vec![version << 4, 0, 0, 0];
    for (class, c_type, payload) in objects {
        octets.extend([0, 4 + payload.len() as u8, *class, *c_type]);
        octets.extend(*payload);
    }
    with_checksum(octets)
}

fn with_checksum(mut octets: Vec<u8>) -> Vec<u8> {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| (*low).into());
    let mut sum: u32 = octets.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    octets[2..4].copy_from_slice(&(!sum as u16).to_be_bytes());
    octets
}
