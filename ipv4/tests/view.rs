//! IPv4 headers, as people are shown them.

use proptest::prelude::*;
use sidestack_ipv4::{ChecksumStatus, View};

#[test]
fn a_header_is_shown_field_by_field_and_padding_is_no_payload() {
    let mut packet = header(&[]);
    packet[6..8].copy_from_slice(&[0xe0, 0x03]);
    packet[3] = 23;
    packet.extend(b"abcPADDING");
    let view = View::read(&packet, packet.len()).unwrap();
    assert_eq!((view.header_len, view.tos, view.total_len), (20, 0, 23));
    assert_eq!((view.identification, view.ttl, view.protocol), (7, 64, 17));
    assert!(view.reserved && view.dont_fragment && view.more_fragments && view.is_fragment());
    assert_eq!(view.fragment_offset, 24);
    assert_eq!((view.src, view.dst), ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()));
    assert_eq!((view.payload, view.payload_len), (&b"abc"[..], 3));
    assert_eq!(view.checksum_status, ChecksumStatus::Bad);
    assert_eq!(view.flaw, None, "a wrong checksum breaks nothing");
}

#[test]
fn a_checksum_is_good_bad_or_not_verifiable_where_options_are_cut() {
    let mut packet = header(&[1, 1, 1, 0]);
    assert_eq!(View::read(&packet, 24).unwrap().checksum_status, ChecksumStatus::Good);
    packet[8] = 63;
    assert_eq!(View::read(&packet, 24).unwrap().checksum_status, ChecksumStatus::Bad);
    assert_eq!(View::read(&packet[..22], 24).unwrap().checksum_status, ChecksumStatus::Unknown);
}

#[test]
fn options_are_told_until_one_of_impossible_length() {
    for (options, types, flaw) in [
        (&[1, 1, 148, 4, 0, 0, 0, 0][..], &[1, 1, 148, 0][..], None),
        (&[0, 1, 148, 4], &[0], None),
        (&[1, 131, 0, 0], &[1], Some(21)),
        (&[1, 131, 1, 0], &[1], Some(21)),
        (&[1, 131, 9, 0], &[1], Some(21)),
        (&[1, 1, 1, 131], &[1, 1, 1], Some(23)),
    ] {
        let packet = header(options);
        let view = View::read(&packet, packet.len()).unwrap();
        assert_eq!(view.option_types().collect::<Vec<_>>(), types, "{options:?}");
        assert_eq!(view.flaw.map(|flaw| flaw.octet), flaw, "{options:?}");
    }
}

#[test]
fn a_total_length_that_cannot_be_is_a_flaw() {
    for (total_len, payload_len, flaw) in
        [(0, 8, true), (10, 0, true), (20, 0, false), (24, 4, false), (28, 8, false), (29, 8, true)]
    {
        let mut packet = header(&[]);
        packet[3] = total_len;
        packet.extend([0; 8]);
        let view = View::read(&packet, packet.len()).unwrap();
        assert_eq!((view.payload.len(), view.payload_len), (payload_len, payload_len));
        assert_eq!(view.flaw.map(|flaw| flaw.octet), flaw.then_some(2), "{total_len}");
    }
}

#[test]
fn what_a_capture_cut_off_was_there_all_the_same() {
    let mut packet = header(&[]);
    packet[3] = 120;
    packet.extend([0; 8]);
    let view = View::read(&packet, 120).unwrap();
    assert_eq!((view.payload.len(), view.payload_len, view.flaw), (8, 100, None));
}

#[test]
fn a_quote_may_be_shorter_than_its_total_length() {
    let mut packet = header(&[]);
    packet[3] = 200;
    assert_eq!(View::quoted(&packet, 20).unwrap().flaw, None);
    assert!(View::read(&packet, 20).unwrap().flaw.is_some());
}

#[test]
fn another_version_no_header_length_or_too_few_octets_are_no_header() {
    for (first, len, octet) in [(0x65, 20, 0), (0x44, 20, 0), (0x45, 19, 19), (0x45, 0, 0)] {
        let mut packet = header(&[]);
        packet[0] = first;
        assert_eq!(View::read(&packet[..len], 20).unwrap_err().octet, octet);
    }
}

proptest! {
    #[test]
    fn no_octets_are_too_much(
        mut octets in proptest::collection::vec(any::<u8>(), 0..80),
        first in 0x40..0x50u8,
        len in 0..100usize,
    ) {
        if let Some(octet) = octets.first_mut() {
            *octet = first;
        }
        if let Ok(view) = View::read(&octets, len) {
            prop_assert!(view.payload.len() <= view.payload_len);
            prop_assert!(view.option_types().count() <= 40);
        }
    }
}

/// A header with these options and a right checksum, from 10.0.0.1 to 10.0.0.2.
fn header(options: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45 + (options.len() / 4) as u8, 0, 0, 20 + options.len() as u8];
    header.extend([0, 7, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    header.extend(options);
    let words = header.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum: u32 = words.sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}
