//! Answering echo requests, and what nobody answers (RFC 1122 §3.2.2.6).

use etherparse::IpNumber;
use icmp::{Config, Discard, Limit};
use ipv4::{Cast, SendError, Sent};
use proptest::prelude::*;
use sidestack_icmp as icmp;

use crate::host::{Host, THEM, US, datagram, message, ms, sum};

// ICMP-7
#[test]
fn a_request_gets_one_reply_with_its_identifier_sequence_and_all_its_data() {
    for len in (0..20).chain([1471, 1472]) {
        let data: Vec<_> = (0..len).map(|n| n as u8).collect();
        let mut host = Host::new();
        host.take(THEM, &message((8, 0), [1, 2, 3, 4], &data)).unwrap();
        let [(header, answer)] = &host.below.sent[..] else { panic!("one reply") };
        assert_eq!((header.dst, header.src), (THEM, Some(US)), "from the address asked");
        assert_eq!((header.protocol, header.ttl), (IpNumber::ICMP, 64));
        assert_eq!(*answer, message((0, 0), [1, 2, 3, 4], &data));
        assert_eq!(host.after(ms(60_000)), []);
    }
}

// ICMP-7, ICMP-14
#[test]
fn two_hundred_requests_at_once_get_two_hundred_replies() {
    let mut host = Host::new();
    for n in 0..200 {
        host.take(THEM, &message((8, 0), [0xff, 0xff, 0, n], b"data")).unwrap();
    }
    let sequences: Vec<_> = host.below.sent.iter().map(|(_, answer)| answer[7]).collect();
    assert_eq!(sequences, (0..200).collect::<Vec<_>>());
}

// ICMP-8
#[test]
fn the_reply_carries_the_requests_type_of_service() {
    for tos in [0, 1, 0xb8, 0xff] {
        let mut host = Host::new();
        let request = message((8, 0), [0; 4], b"data");
        let request = ipv4::Datagram { tos, ..datagram(THEM, &request, host.now) };
        host.icmp.input(&request, &mut host.below).unwrap();
        assert_eq!(host.below.sent[0].0.tos, tos);
    }
}

// ICMP-7
#[test]
fn the_source_of_the_reply_is_whichever_address_was_asked() {
    let mut host = Host::new();
    let (request, dst) = (message((8, 0), [0; 4], b"data"), [10, 0, 0, 5].into());
    let request = ipv4::Datagram { dst, ..datagram(THEM, &request, host.now) };
    host.icmp.input(&request, &mut host.below).unwrap();
    assert_eq!(host.below.sent[0].0.src, Some(dst));
}

// ICMP-6
#[test]
fn a_checksum_of_zero_and_one_of_all_ones_are_written_and_read() {
    for (identifier, checksum) in [(0xffff_u16, 0x0000_u16), (0x0000, 0xffff)] {
        let mut host = Host::new();
        let [a, b] = identifier.to_be_bytes();
        host.take(THEM, &message((8, 0), [a, b, 0, 0], b"")).unwrap();
        assert_eq!(host.below.sent[0].1[2..4], checksum.to_be_bytes());
    }
    let mut host = Host::new();
    let request = message((8, 0), [0xf7, 0xff, 0, 0], b"");
    assert_eq!(request[2..4], [0, 0]);
    assert_eq!(host.take(THEM, &request), Ok(()));
}

// ICMP-6
#[test]
fn an_odd_last_octet_counts_as_the_high_half_of_a_word() {
    let mut host = Host::new();
    // 0800 + 0000 + 0000 + ab00 = b300
    let request = b"\x08\x00\x4c\xff\x00\x00\x00\x00\xab";
    assert_eq!(host.take(THEM, request), Ok(()));
    assert_eq!(host.below.sent[0].1, b"\x00\x00\x54\xff\x00\x00\x00\x00\xab");
}

// SEC-8
#[test]
fn no_form_of_broadcast_is_answered() {
    for cast in [Cast::Broadcast, Cast::Multicast, Cast::Other] {
        let mut host = Host::new();
        let request = message((8, 0), [0; 4], b"data");
        let request = ipv4::Datagram { cast, ..datagram(THEM, &request, host.now) };
        assert_eq!(host.icmp.input(&request, &mut host.below), Err(Discard::Broadcast));
        assert_eq!(host.below.sent.len(), 0);
    }
}

// ICMP-10
#[test]
fn a_request_with_a_code_is_not_answered() {
    for code in [1, 9, 255] {
        let mut host = Host::new();
        assert_eq!(host.take(THEM, &message((8, code), [0; 4], b"")), Err(Discard::Code));
        assert_eq!(host.below.sent.len(), 0);
    }
}

// SEC-8
#[test]
fn who_answers_broadcasts_does_so_from_an_address_of_its_own() {
    for cast in [Cast::Broadcast, Cast::Multicast] {
        let mut host = Host::with(Config { answers_broadcast: true, ..Config::default() });
        let request = message((8, 0), [0; 4], b"data");
        let dst = [10, 0, 0, 255].into();
        let request = ipv4::Datagram { cast, dst, ..datagram(THEM, &request, host.now) };
        assert_eq!(host.icmp.input(&request, &mut host.below), Ok(()));
        assert_eq!(host.below.sent[0].0.src, None);
    }
}

// ICMP-14
#[test]
fn replies_are_limited_only_where_it_was_asked_for() {
    let replies = Some(Limit { per_second: 10, burst: 5 });
    let mut host = Host::with(Config { replies, ..Config::default() });
    let request = message((8, 0), [0; 4], b"data");
    let answered =
        |host: &mut Host| (0..200).filter(|_| host.take(THEM, &request) == Ok(())).count();
    assert_eq!(answered(&mut host), 5);
    assert_eq!(host.take(THEM, &request), Err(Discard::Limited));
    host.now += ms(100);
    assert_eq!(answered(&mut host), 1);
    host.now += ms(500);
    assert_eq!(answered(&mut host), 5);
}

// ICMP-6
#[test]
fn a_small_reply_after_a_large_one_bears_nothing_of_it() {
    let mut host = Host::new();
    for len in [4000, 2000, 1] {
        let data = vec![len as u8; len];
        host.take(THEM, &message((8, 0), [0, 1, 0, 2], &data)).unwrap();
        assert_eq!(host.below.sent.last().unwrap().1, message((0, 0), [0, 1, 0, 2], &data));
    }
}

// FRG-2
#[test]
fn a_reply_may_be_fragmented_on_its_way() {
    let mut host = Host::new();
    host.take(THEM, &message((8, 0), [0; 4], &[7; 65_507])).unwrap();
    let (header, answer) = &host.below.sent[0];
    assert_eq!((header.dont_fragment, answer.len()), (false, 65_515));
}

#[test]
fn who_is_told_not_to_answer_does_not() {
    let mut host = Host::with(Config { answers: false, ..Config::default() });
    assert_eq!(host.take(THEM, &message((8, 0), [0; 4], b"")), Err(Discard::Unanswered));
    assert_eq!(host.below.sent.len(), 0);
}

#[test]
fn a_reply_that_cannot_be_sent_is_discarded_with_the_reason() {
    let mut host = Host::new();
    host.below.next = Err(SendError::NoRoute(THEM));
    assert_eq!(host.take(THEM, &message((8, 0), [0; 4], b"")), Err(Discard::Unanswerable));
    host.below.next = Ok(Sent::Kept);
    assert_eq!(host.take(THEM, &message((8, 0), [0; 4], b"")), Ok(()));
}

// ICMP-2, ICMP-12, ICMP-15
#[test]
fn types_that_nobody_acts_on_are_discarded_in_silence() {
    let mut host = Host::new();
    for icmp_type in (0..=255).filter(|t| ![0, 3, 4, 5, 8, 11, 12].contains(t)) {
        let discard = match icmp_type {
            9 | 10 => Discard::RouterDiscovery,
            13 => Discard::Timestamp,
            14 => Discard::Unasked,
            6 | 15..=18 | 30..=39 => Discard::Deprecated,
            42 | 43 => Discard::ExtendedEcho,
            _ => Discard::Type,
        };
        let unknown = message((icmp_type, 0), [0; 4], &[0; 56]);
        assert_eq!(host.take(THEM, &unknown), Err(discard), "type {icmp_type}");
    }
    assert_eq!(host.below.sent.len(), 0);
    assert_eq!(host.after(ms(60_000)), []);
}

// ICMP-2
#[test]
fn fewer_than_eight_octets_are_no_message() {
    let request = message((8, 0), [0; 4], b"");
    for len in 0..8 {
        let mut host = Host::new();
        assert_eq!(host.take(THEM, &request[..len]), Err(Discard::Length), "{len} octets");
        assert_eq!(host.below.sent.len(), 0);
    }
}

// ICMP-2
#[test]
fn a_bad_checksum_is_discarded_in_silence() {
    let good = message((8, 0), [1, 2, 3, 4], b"data");
    for checksum in [[0, 0], [0xff, 0xff], [good[3], good[2]]] {
        let mut host = Host::new();
        let mut bad = good.clone();
        bad[2..4].copy_from_slice(&checksum);
        assert_eq!(host.take(THEM, &bad), Err(Discard::Checksum));
        assert_eq!(host.below.sent.len(), 0);
        assert_eq!(host.after(ms(0)), []);
    }
}

proptest! {
    #[test]
    fn any_octets_are_answered_by_one_good_reply_or_none(
        octets in proptest::collection::vec(any::<u8>(), 0..120),
        kind in prop_oneof![Just(8_u8), Just(3), Just(11), Just(12), Just(0), any::<u8>()],
        checked in any::<bool>(),
    ) {
        let mut host = Host::new();
        let request = host.ping(1);
        let quoted = crate::host::packet(US, THEM, &request);
        let octets = [&[kind, 0, 0, 0][..], &octets].concat();
        for octets in [octets.clone(), [&octets[..], &quoted].concat()] {
            let octets = if checked && octets.len() >= 8 {
                crate::host::with_checksum(octets)
            } else {
                octets
            };
            let before = host.below.sent.len();
            let taken = host.take(THEM, &octets);
            let sent = &host.below.sent[before..];
            prop_assert_eq!(sent.len(), usize::from(taken.is_ok() && kind == 8));
            for (_, answer) in sent {
                prop_assert_eq!((sum(answer), &answer[4..]), (0xffff, &octets[4..]));
            }
        }
    }
}
