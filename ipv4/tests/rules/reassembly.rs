//! What becomes of fragments (RFC 791 §3.2, RFC 1122 §3.3.2).

use std::time::Duration;

use ipv4::{Cast, Discard, Event, Packet};
use link::memory::LATENCY;
use sidestack_ipv4 as ipv4;

use crate::host::{Host, THEM, US, fragment, pattern, with_checksum};

/// Three fragments of 64, 64 and 20 octets.
fn three(identification: u16) -> [Vec<u8>; 3] {
    let data = pattern(148);
    [
        fragment(identification, 0, true, &data[..64]),
        fragment(identification, 64, true, &data[64..128]),
        fragment(identification, 128, false, &data[128..]),
    ]
}

/// A fragment with eight octets of options.
fn with_first_options(fragment: &[u8]) -> Vec<u8> {
    let mut octets = [&fragment[..20], &[1; 8], &fragment[20..]].concat();
    let len = octets.len() as u16;
    octets[0] = 0x47;
    octets[2..4].copy_from_slice(&len.to_be_bytes());
    with_checksum(octets)
}

// FRG-1
#[test]
fn fragments_make_a_datagram_in_whatever_order_they_come() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let (mut host, fragments) = (Host::new(), three(7));
        assert_eq!(host.take(&fragments[order[0]]).unwrap_err(), Discard::Incomplete);
        assert_eq!(host.take(&fragments[order[1]]).unwrap_err(), Discard::Incomplete);
        let datagram = host.take(&fragments[order[2]]).unwrap();
        assert_eq!(*datagram.payload, pattern(148), "{order:?}");
        assert_eq!((datagram.src, datagram.dst, datagram.cast), (THEM, US, Cast::Host));
        assert!(datagram.reassembled);
        assert_eq!(host.ipv4.reassembling().datagrams, 0);
        assert_eq!(host.ipv4.reassembling().octets, 0);
    }
}

// FRG-1
#[test]
fn the_first_fragments_header_counts_whatever_the_others_say() {
    let [mut first, mut second, mut last] = three(7);
    first = with_first_options(&first);
    (first[1], first[8]) = (0xb8, 9);
    first = with_checksum(first);
    (second[1], second[8], last[8]) = (0x10, 3, 255);
    let mut host = Host::new();
    host.take(&with_checksum(second)).unwrap_err();
    host.take(&first).unwrap_err();
    let arrives = host.network.now() + LATENCY;
    let datagram = host.take(&with_checksum(last)).unwrap();
    assert_eq!((datagram.tos, datagram.ttl, datagram.at), (0xb8, 9, arrives));
    assert_eq!(*datagram.header, first[..28]);
    assert_eq!(datagram.options(), [1; 8]);
    assert_eq!(datagram.quotable(), (&first[..28], &first[28..]), "as they came");
}

// FRG-2, IP-16
#[test]
fn datagrams_of_every_length_are_taken_up_to_the_longest() {
    for (len, size) in [(548, 300), (576, 8), (1480, 552), (65_507, 1480), (65_515, 1480)] {
        let (mut host, data) = (Host::new(), pattern(len));
        let pieces: Vec<_> = data.chunks(size / 8 * 8).collect();
        let mut taken = None;
        for (n, piece) in pieces.iter().enumerate() {
            let more = n + 1 < pieces.len();
            taken = host.take(&fragment(1, n * (size / 8 * 8), more, piece)).ok();
        }
        assert_eq!(*taken.unwrap().payload, data, "{len} octets in pieces of {size}");
    }
}

// SEC-6
#[test]
fn a_datagram_too_long_with_the_first_fragments_options_is_discarded_whichever_comes_last() {
    for (len, taken) in [(65_507, true), (65_508, false)] {
        for first_comes_last in [false, true] {
            let (mut host, data) = (Host::new(), pattern(len));
            let mut pieces: Vec<_> = data.chunks(1400).enumerate().collect();
            if first_comes_last {
                pieces.reverse();
            }
            let fragments = pieces.iter().map(|(n, piece)| match n {
                0 => with_first_options(&fragment(1, 0, true, piece)),
                n => fragment(1, n * 1400, (n + 1) * 1400 < len, piece),
            });
            let outcomes: Vec<_> = fragments.map(|fragment| host.take(&fragment)).collect();
            let (end, others) = outcomes.split_last().unwrap();
            assert!(others.iter().all(|other| matches!(other, Err(Discard::Incomplete))));
            match end {
                Ok(datagram) => assert!(taken && *datagram.payload == data),
                Err(discard) => assert!(!taken && *discard == Discard::FragmentBeyond),
            }
            assert_eq!(host.ipv4.reassembling().datagrams, 0);
            assert_eq!(host.ipv4.reassembling().octets, 0);
        }
    }
}

// FRG-3
#[test]
fn a_hole_is_never_papered_over() {
    for missing in 0..3 {
        let mut host = Host::new();
        for (n, fragment) in three(7).iter().enumerate() {
            if n != missing {
                assert_eq!(host.take(fragment).unwrap_err(), Discard::Incomplete);
            }
        }
        assert_eq!(host.ipv4.reassembling().datagrams, 1);
    }
}

// FRG-4
#[test]
fn an_exact_duplicate_is_harmless() {
    for twice in 0..2 {
        let (mut host, fragments) = (Host::new(), three(7));
        host.take(&fragments[0]).unwrap_err();
        host.take(&fragments[1]).unwrap_err();
        assert_eq!(host.take(&fragments[twice]).unwrap_err(), Discard::FragmentDuplicate);
        assert_eq!(*host.take(&fragments[2]).unwrap().payload, pattern(148));
    }
    let (mut host, fragments) = (Host::new(), three(7));
    host.take(&fragments[2]).unwrap_err();
    assert_eq!(host.take(&fragments[2]).unwrap_err(), Discard::FragmentDuplicate, "the last");
}

// FRG-5
#[test]
fn fragments_may_be_as_short_as_8_octets() {
    let (mut host, data) = (Host::new(), pattern(512));
    for n in 0..63 {
        host.take(&fragment(1, n * 8, true, &data[n * 8..][..8])).unwrap_err();
    }
    assert_eq!(*host.take(&fragment(1, 504, false, &data[504..])).unwrap().payload, data);
}

// FRG-5
#[test]
fn a_datagram_in_more_than_1024_fragments_is_discarded() {
    let mut host = Host::new();
    for n in 0..1024 {
        let taken = host.take(&fragment(1, n * 8, true, &[0; 8]));
        assert_eq!(taken.unwrap_err(), Discard::Incomplete);
    }
    let taken = host.take(&fragment(1, 8192, true, &[0; 8]));
    assert_eq!(taken.unwrap_err(), Discard::FragmentExcess);
    let taken = host.take(&fragment(1, 8192, false, &[0; 8]));
    assert_eq!(taken.unwrap_err(), Discard::FragmentCondemned);
}

// FRG-6
#[test]
fn a_fragment_that_is_not_the_last_has_a_multiple_of_8_octets() {
    for len in [1, 7, 9, 13, 1479] {
        let taken = Host::new().take(&fragment(1, 0, true, &pattern(len)));
        assert_eq!(taken.unwrap_err(), Discard::FragmentLength, "{len}");
    }
}

// FRG-6
#[test]
fn a_fragment_of_nothing_never_completes_a_datagram() {
    let mut host = Host::new();
    for (start, more) in [(0, true), (8, false), (8, true)] {
        assert_eq!(host.take(&fragment(1, start, more, b"")).unwrap_err(), Discard::FragmentEmpty);
    }
    host.take(&fragment(1, 0, true, &[1; 8])).unwrap_err();
    assert_eq!(host.take(&fragment(1, 8, false, b"")).unwrap_err(), Discard::FragmentEmpty);
}

// FRG-7
#[test]
fn fragments_of_different_datagrams_are_never_mixed() {
    let differ: [(usize, &[u8]); 4] = [
        (4, &[0, 8]),         // identification
        (9, &[0xfe]),         // protocol
        (12, &[10, 0, 0, 3]), // source
        (16, &[10, 0, 0, 5]), // destination
    ];
    for (at, octets) in differ {
        let mut host = Host::new();
        host.ipv4.add_address("10.0.0.5/24".parse().unwrap());
        let [first, second, last] = three(7);
        let mut other = second.clone();
        other[at..at + octets.len()].copy_from_slice(octets);
        host.take(&first).unwrap_err();
        host.take(&with_checksum(other)).unwrap_err();
        assert_eq!(host.take(&last).unwrap_err(), Discard::Incomplete);
        assert_eq!(host.ipv4.reassembling().datagrams, 2);
        assert_eq!(*host.take(&second).unwrap().payload, pattern(148));
    }
}

// FRG-7
#[test]
fn an_identification_may_be_used_again_as_soon_as_its_datagram_is_whole() {
    let mut host = Host::new();
    for _ in 0..3 {
        let [first, second, last] = three(7);
        host.take(&first).unwrap_err();
        host.take(&second).unwrap_err();
        host.take(&last).unwrap();
    }
}

// FRG-8
#[test]
fn a_fragment_may_say_that_it_must_not_be_fragmented() {
    let mut host = Host::new();
    let [mut first, second, last] = three(7);
    first[6] |= 0x40;
    host.take(&with_checksum(first)).unwrap_err();
    host.take(&second).unwrap_err();
    host.take(&last).unwrap();
}

// FRG-9
#[test]
fn what_is_incomplete_60_seconds_after_its_first_arrival_is_told_with_its_first_fragment() {
    let (mut host, [first, second, _]) = (Host::new(), three(7));
    let start = host.network.now() + LATENCY;
    host.take(&second).unwrap_err();
    host.pass(30);
    host.take(&first).unwrap_err();
    let due = start + Duration::from_secs(60);
    assert_eq!(host.ipv4.deadline(), Some(due), "the second arrival changes nothing");
    host.network.advance_to(due - Duration::from_nanos(1));
    assert_eq!(host.poll(), []);
    host.network.advance_to(due);
    let [Event::Expired { src, dst, cast, first: Some(told), .. }] = &host.poll()[..] else {
        panic!("one datagram has expired")
    };
    assert_eq!((*src, *dst, *cast, told), (THEM, US, Cast::Host, &first));
    assert!(Packet::parse(told).is_ok());
    assert_eq!((host.ipv4.deadline(), host.ipv4.reassembling().octets), (None, 0));
}

// FRG-9
#[test]
fn a_datagram_whose_beginning_never_came_expires_without_it() {
    let (mut host, [_, second, last]) = (Host::new(), three(7));
    host.take(&second).unwrap_err();
    host.take(&last).unwrap_err();
    host.pass(60);
    assert!(matches!(host.poll()[..], [Event::Expired { first: None, .. }]));
}

// FRG-9
#[test]
fn a_fragment_55_seconds_late_completes_its_datagram_and_one_61_seconds_late_does_not() {
    for (seconds, completes) in [(55, true), (61, false)] {
        let (mut host, [first, second, last]) = (Host::new(), three(7));
        host.take(&first).unwrap_err();
        host.take(&second).unwrap_err();
        host.pass(seconds);
        assert_eq!(host.take(&last).is_ok(), completes, "without a poll in between");
        assert_eq!(host.poll().len(), usize::from(!completes));
    }
}

// FRG-9, ICMP-1
#[test]
fn what_was_for_everybody_is_told_to_have_been() {
    let [mut first, ..] = three(7);
    first[16..20].copy_from_slice(&[10, 0, 0, 255]);
    let mut host = Host::new();
    host.take(&with_checksum(first)).unwrap_err();
    host.pass(60);
    assert!(matches!(host.poll()[..], [Event::Expired { cast: Cast::Broadcast, .. }]));
}

// FRG-11
#[test]
fn a_datagram_comes_up_once_however_many_fragments_it_had() {
    let (mut host, fragments) = (Host::new(), three(7));
    let taken = fragments.iter().filter_map(|fragment| host.take(fragment).ok());
    let datagrams: Vec<_> = taken.collect();
    assert_eq!(datagrams.len(), 1);
    assert_eq!(datagrams[0].quotable(), (&fragments[0][..20], &fragments[0][20..]));
}
