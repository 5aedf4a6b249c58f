//! What leaves in fragments is taken whole, whatever happens on the way.

use etherparse::IpNumber;
use ipv4::{Discard, Header};
use proptest::prelude::*;
use sidestack_ipv4 as ipv4;

use crate::host::{Host, THEM, US, pattern, with_checksum};

/// The fragments in which `len` octets leave over a link of that MTU, as if they came to us.
fn fragments(mtu: usize, len: usize) -> Vec<Vec<u8>> {
    let mut host = Host::new().with_mtu(mtu);
    let header = Header { dont_fragment: false, ..Header::new(THEM, IpNumber(0xfd)) };
    host.send(&header, &pattern(len)).unwrap();
    let mut left = host.left();
    while host.ipv4.deadline().is_some() {
        host.poll();
        left.extend(host.left());
    }
    let back = |(_, mut octets): (_, Vec<u8>)| {
        octets[12..16].copy_from_slice(&THEM.octets());
        octets[16..20].copy_from_slice(&US.octets());
        with_checksum(octets)
    };
    left.into_iter().map(back).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    // FRG-1, FRG-10
    #[test]
    fn in_any_order_and_with_duplicates_a_datagram_is_whole_exactly_once(
        mtu in 68..600_usize,
        len in 600..3000_usize,
        swaps in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 0..60),
        duplicates in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut fragments = fragments(mtu, len);
        for [a, b] in swaps {
            let (a, b) = (a.index(fragments.len()), b.index(fragments.len()));
            fragments.swap(a, b);
        }
        let mut host = Host::new();
        let (last, others) = fragments.split_last().unwrap();
        for fragment in others {
            prop_assert_eq!(host.take(fragment).unwrap_err(), Discard::Incomplete);
        }
        for duplicate in duplicates {
            let taken = host.take(&others[duplicate.index(others.len())]);
            prop_assert_eq!(taken.unwrap_err(), Discard::FragmentDuplicate);
        }
        let datagram = host.take(last).unwrap();
        prop_assert_eq!(&*datagram.payload, &pattern(len)[..]);
        prop_assert_eq!(host.ipv4.reassembling().octets, 0);
    }

    // FRG-3
    #[test]
    fn without_one_of_its_fragments_a_datagram_is_never_whole(
        mtu in 68..600_usize,
        len in 600..3000_usize,
        missing in any::<prop::sample::Index>(),
        start in any::<prop::sample::Index>(),
    ) {
        let mut fragments = fragments(mtu, len);
        let missing = missing.index(fragments.len());
        fragments.remove(missing);
        let start = start.index(fragments.len());
        fragments.rotate_left(start);
        let mut host = Host::new();
        for fragment in &fragments {
            prop_assert_eq!(host.take(fragment).unwrap_err(), Discard::Incomplete);
        }
    }

    // SEC-4
    #[test]
    fn with_an_overlap_among_its_fragments_a_datagram_is_never_whole(
        mtu in 68..600_usize,
        len in 600..3000_usize,
        overlapped in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut fragments = fragments(mtu, len);
        let mut overlap = fragments[overlapped.index(fragments.len())].clone();
        overlap.truncate(28); // 8 octets of payload, or fewer; all fragments but the last have more
        prop_assume!(overlap.len() == 28);
        overlap[2..4].copy_from_slice(&28_u16.to_be_bytes());
        overlap[6] |= 0x20;
        let at = at.index(fragments.len());
        fragments.insert(at, with_checksum(overlap));
        let mut host = Host::new();
        for fragment in &fragments {
            prop_assert!(host.take(fragment).is_err());
        }
    }
}
