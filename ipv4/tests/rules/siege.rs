//! Fragments that mean harm: overlaps, datagrams too long, and very many of them.

use ipv4::Discard;
use proptest::prelude::*;
use sidestack_ipv4 as ipv4;

use crate::host::{Host, fragment, pattern, with_checksum};

// SEC-4
#[test]
fn any_overlap_kills_the_datagram_and_its_key_until_its_time_is_over() {
    let data = pattern(256);
    // What overlaps octets 64..128: start, length, whether more follow.
    let overlaps = [
        (64, 64, false), // says that it is the last
        (64, 32, true),
        (64, 72, true),
        (56, 16, true),
        (56, 80, true),
        (72, 8, true),
        (72, 56, true),
        (120, 8, false),
        (120, 64, true),
    ];
    for (start, len, more) in overlaps {
        let mut host = Host::new();
        host.take(&fragment(7, 64, true, &data[64..128])).unwrap_err();
        let taken = host.take(&fragment(7, start, more, &data[start..start + len]));
        assert_eq!(taken.unwrap_err(), Discard::FragmentOverlap, "{start}+{len}");
        for (start, end, more) in [(0, 64, true), (64, 128, true), (128, 256, false)] {
            let taken = host.take(&fragment(7, start, more, &data[start..end]));
            assert_eq!(taken.unwrap_err(), Discard::FragmentCondemned);
        }
        host.pass(60);
        assert_eq!(host.poll(), [], "nobody is told");
        host.take(&fragment(7, 0, true, &data[..64])).unwrap_err();
        assert!(host.take(&fragment(7, 64, false, &data[64..])).is_ok(), "then anew");
    }
}

// SEC-4
#[test]
fn a_duplicate_that_differs_in_one_octet_kills_the_datagram() {
    let mut host = Host::new();
    host.take(&fragment(7, 0, true, &[1; 64])).unwrap_err();
    let taken = host.take(&fragment(7, 0, true, &[[1; 63].as_slice(), &[2]].concat()));
    assert_eq!(taken.unwrap_err(), Discard::FragmentOverlap);
}

// SEC-4
#[test]
fn a_datagram_that_ends_in_two_places_is_killed() {
    let cases = [
        [(64, 64, false), (128, 64, false)],
        [(64, 64, false), (128, 64, true)],
        [(128, 64, true), (64, 64, false)],
        [(128, 64, false), (64, 64, false)],
    ];
    for [(start, len, more), (again, other_len, other_more)] in cases {
        let mut host = Host::new();
        host.take(&fragment(7, start, more, &vec![0; len])).unwrap_err();
        let taken = host.take(&fragment(7, again, other_more, &vec![0; other_len]));
        assert_eq!(taken.unwrap_err(), Discard::FragmentOverlap);
    }
}

// SEC-6
#[test]
fn a_fragment_that_ends_beyond_the_longest_datagram_is_discarded_and_takes_no_memory() {
    for (start, len) in [(65_528, 8), (65_528, 1480), (65_512, 8), (64_800, 1480)] {
        let mut host = Host::new();
        let taken = host.take(&fragment(7, start, false, &vec![0; len]));
        assert_eq!(taken.unwrap_err(), Discard::FragmentBeyond, "{start}+{len}");
        assert_eq!(host.ipv4.reassembling().octets, 0);
    }
}

// SEC-6
#[test]
fn memory_is_taken_for_octets_and_not_for_offsets() {
    let mut host = Host::new();
    host.take(&fragment(7, 65_504, false, &[0; 8])).unwrap_err();
    assert!(host.ipv4.reassembling().octets < 512);
}

// SEC-5
#[test]
fn one_source_keeps_nobody_from_being_reassembled() {
    let mut host = Host::new();
    let victim = |start, more, payload: &[u8]| {
        let mut octets = fragment(1, start, more, payload);
        octets[12..16].copy_from_slice(&[10, 0, 0, 77]);
        with_checksum(octets)
    };
    host.take(&victim(0, true, &[1; 64])).unwrap_err();
    for identification in 0..2000 {
        host.take(&fragment(identification, 0, true, &[0; 1480])).unwrap_err();
    }
    let state = host.ipv4.reassembling();
    assert_eq!((state.datagrams, state.evicted), (65, 2000 - 64));
    assert!(host.take(&victim(64, false, &[1; 64])).is_ok());
    host.take(&fragment(5000, 0, true, &[1; 64])).unwrap_err();
    assert!(host.take(&fragment(5000, 64, false, &[1; 64])).is_ok(), "nor itself");
}

// SEC-5
#[test]
fn very_many_sources_take_no_more_than_4_mib_and_1024_datagrams() {
    let mut host = Host::new();
    for n in 0..5000_u16 {
        let mut octets = fragment(n, 0, true, &[0; 8000]);
        let [high, low] = (n / 10 + 10).to_be_bytes();
        octets[12..16].copy_from_slice(&[172, 16, high, low]);
        host.take_long(&with_checksum(octets)).unwrap_err();
        let state = host.ipv4.reassembling();
        assert!(state.octets <= 4 << 20 && state.datagrams <= 1024);
    }
    host.take(&fragment(1, 0, true, &[1; 64])).unwrap_err();
    assert!(host.take(&fragment(1, 64, false, &[1; 64])).is_ok());
    host.pass(60);
    host.poll();
    assert_eq!((host.ipv4.reassembling().octets, host.ipv4.deadline()), (0, None));
}

// SEC-5, SEC-13
#[test]
fn one_source_takes_no_more_than_1_mib() {
    let mut host = Host::new();
    for n in 0..60 {
        for piece in 0..8 {
            host.take_long(&fragment(n, piece * 8000, true, &[0; 8000])).unwrap_err();
        }
        assert!(host.ipv4.reassembling().octets <= 1 << 20);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    // SEC-13
    #[test]
    fn no_fragments_do_harm(
        fragments in prop::collection::vec(
            (0..3_u16, 0..24_usize, any::<bool>(), 0..40_usize, 0..70_u64), 1..80,
        ),
    ) {
        let mut host = Host::new();
        for (identification, start, more, len, seconds) in fragments {
            let octets = fragment(identification, start * 8, more, &pattern(len));
            let _ = host.take(&octets);
            if seconds > 60 {
                host.pass(seconds - 60);
                host.poll();
            }
        }
        host.pass(61);
        host.poll();
        let state = host.ipv4.reassembling();
        prop_assert_eq!((state.datagrams, state.octets, host.ipv4.deadline()), (0, 0, None));
    }
}
