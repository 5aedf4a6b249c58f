//! Options: taken, answered, and refused (RFC 791 §3.1, RFC 1122 §3.2.1.8).

use std::{net::Ipv4Addr, time::Duration};

use etherparse::IpNumber;
use ipv4::{Discard, Header, Options, Recorded};
use proptest::prelude::*;
use sidestack_ipv4 as ipv4;

use crate::host::{Host, THEM, US, addr, with_options};

/// What becomes of a datagram with these options, filled up to whole words.
fn take(options: &[u8]) -> Result<ipv4::Datagram<'static>, Discard> {
    let mut words = options.to_vec();
    words.resize(options.len().next_multiple_of(4), 0);
    Host::new().take(&with_options(&words, b"payload"))
}

// IP-10
#[test]
fn an_impossible_option_is_discarded_and_the_octet_that_is_wrong_is_named() {
    let cases: [(&[u8], u8); 12] = [
        (b"\x5e\x00\0\0", 21),             // length 0
        (b"\x5e\x01\0\0", 21),             // length 1
        (b"\x5e\x05\0\0", 21),             // past the header
        (b"\x01\x5e\xff\0", 22),           // after a no-operation
        (b"\x01\x01\x01\x5e", 23),         // no length at all
        (b"\x07\x02\x01\x01", 21),         // record route without a pointer
        (b"\x07\x07\x03\0\0\0\0\0", 22),   // a pointer into its own header
        (b"\x07\x07\x05\0\0\0\0\0", 22),   // room for three octets of an address
        (b"\x44\x03\x05\x01", 21),         // timestamp without flags
        (b"\x44\x08\x04\0\0\0\0\0", 22),   // a pointer into its own header
        (b"\x44\x08\x05\x01\0\0\0\0", 22), // room for half of an address and time
        (b"\x44\x08\x09\xf0\0\0\0\0", 23), // an overflow count that overflows
    ];
    for (options, pointer) in cases {
        assert_eq!(take(options).unwrap_err(), Discard::BadOption { pointer }, "{options:02x?}");
    }
}

// IP-9
#[test]
fn after_the_end_of_the_list_nothing_is_read() {
    assert!(take(b"\x00\x5e\x00\x83").is_ok());
    assert!(take(b"\x01\x00\x07\x00").is_ok());
}

// SEC-12, RTE-7
#[test]
fn a_source_route_is_discarded_even_where_it_has_ended() {
    for kind in [131, 137] {
        for pointer in [4, 8] {
            let options = [1, kind, 7, pointer, 10, 0, 0, 9, 0, 0, 0, 0];
            assert_eq!(take(&options).unwrap_err(), Discard::SourceRoute);
        }
    }
}

// ICMP-9
#[test]
fn a_reply_carries_the_recorded_route_on_with_our_address_in_it() {
    let datagram = take(b"\x07\x0b\x08\x0a\0\0\x09\0\0\0\0").unwrap();
    assert_eq!(datagram.recorded().collect::<Vec<_>>(), [Recorded::Route(addr("10.0.0.9"))]);
    let reply = datagram.reply_options();
    assert_eq!(*reply.octets(), *b"\x07\x0b\x0c\x0a\0\0\x09\x0a\0\0\x01\0");
    assert_eq!(datagram.options(), b"\x07\x0b\x08\x0a\0\0\x09\0\0\0\0\0", "as it came");
}

// ICMP-9
#[test]
fn a_route_that_is_full_is_carried_on_as_it_came() {
    let full = b"\x07\x07\x08\x0a\0\0\x09\x00";
    assert_eq!(*take(full).unwrap().reply_options().octets(), *full);
}

// ICMP-9
#[test]
fn a_reply_carries_timestamps_on_with_ours_or_one_more_that_found_no_room() {
    let cases: [(&[u8], &[u8]); 6] = [
        (b"\x44\x08\x05\x00\0\0\0\0", b"\x44\x08\x09\x00TIME"),
        (b"\x44\x0c\x05\x01\0\0\0\0\0\0\0\0", b"\x44\x0c\x0d\x01\x0a\0\0\x01TIME"),
        (b"\x44\x0c\x05\x03\x0a\0\0\x01\0\0\0\0", b"\x44\x0c\x0d\x03\x0a\0\0\x01TIME"),
        (b"\x44\x0c\x05\x03\x0a\0\0\x09\0\0\0\0", b"\x44\x0c\x05\x03\x0a\0\0\x09\0\0\0\0"),
        (b"\x44\x08\x09\x00\0\0\0\x01", b"\x44\x08\x09\x10\0\0\0\x01"),
        (b"\x44\x08\x09\xe0\0\0\0\x01", b"\x44\x08\x09\xf0\0\0\0\x01"),
    ];
    for (asked, answered) in cases {
        let datagram = take(asked).unwrap();
        let time = (datagram.stamp.since_epoch.as_millis() % 86_400_000) as u32;
        let mut answered = answered.to_vec();
        if let Some(at) = answered.windows(4).position(|four| four == b"TIME") {
            answered[at..at + 4].copy_from_slice(&time.to_be_bytes());
        }
        assert_eq!(datagram.reply_options().octets(), answered, "{asked:02x?}");
    }
}

// ICMP-9
#[test]
fn a_reply_carries_no_other_options() {
    let security = b"\x82\x0b\0\0\0\0\0\0\0\0\0";
    assert_eq!(take(security).unwrap().reply_options(), Options::NONE);
    assert_eq!(take(b"").unwrap().reply_options(), Options::NONE);
    let reply = take(&[security, &b"\x01\x07\x07\x04\0\0\0\0"[..]].concat()).unwrap();
    assert_eq!(*reply.reply_options().octets(), *b"\x07\x07\x08\x0a\0\0\x01\0");
}

// IP-1
#[test]
fn options_leave_in_the_header_as_they_were_made() {
    let hosts = [US, THEM];
    let cases: [(Options, &[u8]); 5] = [
        (Options::record_route(9), b"\x07\x27\x04"),
        (Options::record_route(40), b"\x07\x27\x04"),
        (Options::timestamps(9), b"\x44\x28\x05\x00"),
        (Options::timestamps_and_addresses(4), b"\x44\x24\x05\x01"),
        (
            Options::timestamps_of(&hosts),
            b"\x44\x14\x05\x03\x0a\0\0\x01\0\0\0\0\x0a\0\0\x02\0\0\0\0",
        ),
    ];
    for (options, begin) in cases {
        let mut host = Host::new();
        let header = Header { options, ..Header::new(THEM, IpNumber(0xfd)) };
        host.send(&header, b"payload").unwrap();
        let [(_, packet)] = &host.left()[..] else { panic!("one packet") };
        let header_len = 20 + options.octets().len();
        assert_eq!(packet[0], 0x40 | (header_len / 4) as u8);
        assert!(packet[20..].starts_with(begin), "{packet:02x?}");
        assert_eq!(packet[header_len..], *b"payload");
        assert!(ipv4::Packet::parse(packet).is_ok());
    }
    assert_eq!(Options::from_octets(&[1; 41]), None);
}

// RFC 1122 §3.2.1.8: who originates timestamps begins with its own.
#[test]
fn our_own_record_is_the_first() {
    let mut options = Options::timestamps_and_addresses(2);
    options.record(US, Duration::from_millis(86_400_000 + 5));
    options.record(THEM, Duration::from_millis(6));
    options.record(THEM, Duration::from_millis(7));
    let expected = b"\x44\x14\x15\x11\x0a\0\0\x01\0\0\0\x05\x0a\0\0\x02\0\0\0\x06";
    assert_eq!(*options.octets(), *expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    // IP-10, SEC-13
    #[test]
    fn no_options_do_harm(
        kind in prop::sample::select(vec![0_u8, 1, 7, 68, 94, 130, 131]),
        rest in prop::collection::vec(prop_oneof![0..16_u8, any::<u8>()], 39),
    ) {
        let mut octets = vec![kind];
        octets.extend(rest);
        match Host::new().take(&with_options(&octets, b"")) {
            Ok(datagram) => {
                datagram.recorded().for_each(drop);
                let reply = datagram.reply_options();
                prop_assert!(reply.octets().len() <= 40);
                let again = with_options(reply.octets(), b"");
                prop_assert!(ipv4::Packet::parse(&again).is_ok());
            }
            Err(Discard::BadOption { pointer }) => prop_assert!((20..60).contains(&pointer)),
            Err(discard) => prop_assert_eq!(discard, Discard::SourceRoute),
        }
        let mut options = Options::from_octets(&octets).unwrap();
        options.record(Ipv4Addr::LOCALHOST, Duration::ZERO);
    }
}
