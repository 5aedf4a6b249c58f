//! Reading frames.

use etherparse::EtherType;
use macaddr::MacAddr6;
use proptest::prelude::*;
use sidestack_link::{
    Cast, Checksum, Direction, Discard, Facts, Frame, Source, Stamp, Tag, memory::Network,
};

const DST: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const SRC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

#[test]
fn the_header_is_two_addresses_and_a_type() {
    let octets = octets(b"\x08\x00", b"payload");
    let frame = Frame::new(&octets, facts()).unwrap();
    assert_eq!((frame.dst(), frame.src()), (DST, SRC));
    assert_eq!(frame.ether_type(), EtherType::IPV4);
    assert_eq!(frame.payload(), b"payload");
    assert_eq!(frame.octets(), octets);
    assert_eq!(frame.tags().count(), 0);
    assert!(!frame.is_in_vlan());
    assert_eq!(frame.facts(), facts());
}

#[test]
fn a_payload_may_be_empty() {
    let octets = octets(b"\x08\x06", b"");
    assert_eq!(Frame::new(&octets, facts()).unwrap().payload(), b"");
}

#[test]
fn below_0x0600_the_type_is_a_length_and_read_as_it_stands() {
    let octets = octets(b"\x05\xdc", b"\xaa\xaa\x03");
    assert_eq!(Frame::new(&octets, facts()).unwrap().ether_type(), EtherType(0x05dc));
}

#[test]
fn a_tag_is_looked_through() {
    let octets = octets(b"\x81\x00\xb0\x2a\x08\x06", b"payload");
    let frame = Frame::new(&octets, facts()).unwrap();
    let tag = Tag { drop_eligible: true, ..Tag::new(42, 5) };
    assert_eq!(frame.tags().collect::<Vec<_>>(), [tag]);
    assert!(frame.is_in_vlan());
    assert_eq!(frame.ether_type(), EtherType::ARP);
    assert_eq!(frame.payload(), b"payload");
}

#[test]
fn of_two_tags_the_outermost_comes_first() {
    let octets = octets(b"\x88\xa8\x00\x64\x81\x00\x00\x2a\x08\x00", b"payload");
    let frame = Frame::new(&octets, facts()).unwrap();
    let outer = Tag { protocol: EtherType::PROVIDER_BRIDGING, ..Tag::new(100, 0) };
    assert_eq!(frame.tags().collect::<Vec<_>>(), [outer, Tag::new(42, 0)]);
    assert_eq!(frame.ether_type(), EtherType::IPV4);
    assert_eq!(frame.payload(), b"payload");
}

#[test]
fn a_priority_tag_puts_a_frame_in_no_vlan() {
    let octets = octets(b"\x81\x00\xa0\x00\x08\x00", b"");
    let frame = Frame::new(&octets, facts()).unwrap();
    assert_eq!(frame.tags().collect::<Vec<_>>(), [Tag::new(0, 5)]);
    assert!(!frame.is_in_vlan());
}

#[test]
fn without_its_tags_a_frame_is_the_same_to_its_reader() {
    let octets = octets(b"\x81\x00\x00\x2a\x08\x00", b"payload");
    let frame = Frame::new(&octets, facts()).unwrap().without_tags();
    assert_eq!(frame.tags().count(), 0);
    assert!(!frame.is_in_vlan());
    assert_eq!(frame.ether_type(), EtherType::IPV4);
    assert_eq!((frame.payload(), frame.octets()), (&b"payload"[..], &octets[..]));
}

#[test]
fn a_tag_is_written_as_it_is_read() {
    for octets in [*b"\x81\x00\xf0\x2a", *b"\x81\x00\x0f\xff", *b"\x81\x00\xa0\x00"] {
        let control = u16::from_be_bytes([octets[2], octets[3]]);
        let tag = Tag::new(control & 0xfff, (control >> 13) as u8);
        let tag = Tag { drop_eligible: control & 0x1000 != 0, ..tag };
        assert_eq!(tag.octets(), octets);
    }
}

#[test]
fn what_is_shorter_than_a_header_is_a_runt() {
    let octets = octets(b"\x08\x00", b"");
    for len in 0..14 {
        let runt = Frame::new(&octets[..len], facts());
        assert_eq!(runt.err(), Some(Discard::Runt), "{len} octets");
    }
    assert!(Frame::new(&octets, facts()).is_ok());
}

#[test]
fn a_tag_must_be_whole_and_followed_by_a_type() {
    let one = octets(b"\x81\x00\x00\x2a\x08\x00", b"");
    let two = octets(b"\x88\xa8\x00\x64\x81\x00\x00\x2a\x08\x00", b"");
    for (octets, whole) in [(one, 18), (two, 22)] {
        for len in 0..whole {
            let runt = Frame::new(&octets[..len], facts());
            assert_eq!(runt.err(), Some(Discard::Runt), "{len} octets of {whole}");
        }
        assert!(Frame::new(&octets, facts()).is_ok());
    }
}

#[test]
fn a_frame_of_nothing_but_tags_is_a_runt() {
    let tags = octets(&b"\x81\x00\x00\x01".repeat(300), b"");
    assert_eq!(Frame::new(&tags, facts()).err(), Some(Discard::Runt));
}

#[test]
fn the_cast_is_told_by_the_destination_alone() {
    let other = MacAddr6::new(2, 0, 0, 0, 0, 9);
    assert_eq!(Cast::of(DST, DST), Cast::Host);
    assert_eq!(Cast::of(MacAddr6::broadcast(), DST), Cast::Broadcast);
    assert_eq!(Cast::of(MacAddr6::new(1, 0, 0x5e, 0, 0, 1), DST), Cast::Multicast);
    assert_eq!(Cast::of(MacAddr6::new(0x33, 0x33, 0, 0, 0, 1), DST), Cast::Multicast);
    assert_eq!(Cast::of(other, DST), Cast::Other);
    assert_eq!(Cast::of(MacAddr6::nil(), DST), Cast::Other);
}

proptest! {
    #[test]
    fn any_octets_are_a_frame_or_a_runt(
        head in proptest::collection::vec(any::<u8>(), 0..20),
        tags in proptest::collection::vec(prop_oneof![Just(*b"\x81\x00"), any::<[u8; 2]>()], 0..9),
        rest in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let octets = [head, tags.concat(), rest].concat();
        match Frame::new(&octets, facts()) {
            Ok(frame) => {
                let len = 14 + frame.tags().count() * 4;
                prop_assert_eq!(frame.payload(), &octets[len..]);
                prop_assert_eq!(&frame.ether_type().0.to_be_bytes(), &octets[len - 2..len]);
            }
            Err(discard) => prop_assert_eq!(discard, Discard::Runt),
        }
    }
}

fn octets(tags_and_type: &[u8], payload: &[u8]) -> Vec<u8> {
    [DST.as_bytes(), SRC.as_bytes(), tags_and_type, payload].concat()
}

fn facts() -> Facts {
    thread_local!(static NOW: std::time::Instant = Network::new().now());
    Facts {
        direction: Direction::Received,
        cast: Cast::Host,
        at: NOW.with(|now| *now),
        stamp: Stamp { since_epoch: std::time::Duration::ZERO, source: Source::Virtual },
        checksum: Checksum::Complete,
    }
}
