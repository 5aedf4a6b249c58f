//! Speaking inside a VLAN, and as somebody else.

mod script;

use etherparse::EtherType;
use script::{Script, THEM, US, facts, frame};
use sidestack_link::{
    As, Cast, Direction, Event, Facts, FrameIo, FrameTx, HEADER_LEN, SendError, Tag, Tagged,
    Unsent, Wait,
};

#[test]
fn a_tag_is_inserted_after_the_addresses() {
    let mut link = Tagged::new(Script::new([]), vec![Tag::new(42, 5)]);
    link.send(THEM, EtherType::IPV4, 3, &mut |payload| payload.copy_from_slice(b"abc")).unwrap();
    let expected = [THEM.as_bytes(), US.as_bytes(), b"\x81\x00\xa0\x2a\x08\x00abc"].concat();
    assert_eq!(link.into_inner().left, [expected]);
}

#[test]
fn the_writer_sees_an_untagged_slot_of_zeros() {
    let mut link = Tagged::new(Script::new([]), qinq());
    let mut slots = Vec::new();
    link.transmit(60, &mut |slot| slots.push(slot.to_vec())).unwrap();
    assert_eq!(slots, [vec![0; 60]]);
}

#[test]
fn two_tags_come_back_as_they_went_out() {
    let mut out = Tagged::new(Script::new([]), qinq());
    out.send(THEM, EtherType::ARP, 5, &mut |payload| payload.copy_from_slice(b"hello")).unwrap();
    let wire = out.into_inner().left.remove(0);
    let tags = b"\x88\xa8\xe0\x64\x81\x00\x00\x2a\x08\x06";
    assert_eq!(wire[12..22], tags[..], "the provider's first");

    let mut link = Tagged::new(Script::new([vec![(received(), wire.clone())]]), qinq());
    let mut seen = 0;
    let now = link.now();
    link.recv(now, &mut |frame, _| {
        seen += 1;
        assert_eq!(frame.tags().count(), 0);
        assert!(!frame.is_in_vlan());
        assert_eq!(frame.ether_type(), EtherType::ARP);
        assert_eq!(frame.payload(), b"hello");
        assert_eq!((frame.dst(), frame.src()), (THEM, US));
        assert_eq!(frame.octets(), wire, "whole");
    })
    .unwrap();
    assert_eq!((seen, link.foreign()), (1, 0));
}

#[test]
fn frames_of_other_vlans_are_dropped_and_counted() {
    let foreign: [&[u8]; 6] = [
        b"\x08\x00",                                         // none
        b"\x81\x00\x00\x00\x08\x00",                         // a priority tag
        b"\x81\x00\x00\x2b\x08\x00",                         // 43
        b"\x88\xa8\x00\x2a\x08\x00",                         // 42, a provider's
        b"\x81\x00\x00\x2a\x81\x00\x00\x2a\x08\x00",         // 42 twice
        b"\x81\x00\x00\x07\x81\x00\x00\x2a\x81\x00\x00\x2a", // deep, and its type is a tag's
    ];
    let foreign = foreign.map(|rest| (received(), frame(&[rest, b"\x08\x00"].concat()))).to_vec();
    let ours = vec![(received(), frame(b"\x81\x00\xf0\x2a\x08\x00"))];
    let mut link = Tagged::new(Script::new([foreign, ours]), vec![Tag::new(42, 0)]);
    assert_eq!(heard(&mut link), (6, 0), "0 would say that nothing is waiting");
    assert_eq!(link.foreign(), 6);
    assert_eq!(heard(&mut link), (1, 1), "whatever its priority");
    assert_eq!(heard(&mut link), (0, 0));
    assert_eq!(link.foreign(), 6);
}

#[test]
fn a_priority_tag_is_as_good_as_none() {
    let ours: [&[u8]; 3] = [b"\x08\x00", b"\x81\x00\x60\x00\x08\x00", b"\x81\x00\x00\x00\x08\x00"];
    let foreign: [&[u8]; 1] = [b"\x81\x00\x00\x2a\x08\x00"];
    let batch = ours.into_iter().chain(foreign).map(|rest| (received(), frame(rest))).collect();
    let mut link = Tagged::new(Script::new([batch]), vec![Tag::new(0, 5)]);
    assert_eq!((heard(&mut link), link.foreign()), ((4, 3), 1));
}

#[test]
fn frames_of_ours_come_back_only_if_they_left_in_the_vlan() {
    let directions = [Direction::Sent, Direction::Unsent(Unsent::NoCarrier)];
    let batch = directions.into_iter().flat_map(|direction| {
        let facts = facts(direction, Cast::Other, 0);
        [(facts, frame(b"\x81\x00\x00\x2a\x08\x00")), (facts, frame(b"\x08\x00"))]
    });
    let mut link = Tagged::new(Script::new([batch.collect()]), vec![Tag::new(42, 0)]);
    let mut seen = Vec::new();
    let now = link.now();
    link.recv(now, &mut |frame, _| seen.push(frame.direction())).unwrap();
    assert_eq!(seen, directions);
    assert_eq!(link.foreign(), 2);
}

#[test]
fn without_tags_everything_passes_unchanged() {
    let frames: [&[u8]; 3] =
        [b"\x08\x00", b"\x81\x00\x60\x00\x08\x00", b"\x81\x00\x00\x2a\x08\x00"];
    let batch = frames.map(|rest| (received(), frame(rest))).to_vec();
    let mut link = Tagged::new(Script::new([batch]), Vec::new());
    let mut seen = Vec::new();
    let now = link.now();
    link.recv(now, &mut |frame, _| seen.push((frame.tags().count(), frame.is_in_vlan()))).unwrap();
    assert_eq!(seen, [(0, false), (1, false), (1, true)]);
    assert_eq!((link.foreign(), link.mtu()), (0, 1500));
    link.send(THEM, EtherType::IPV4, 0, &mut |_| ()).unwrap();
    let sent = [THEM.as_bytes(), US.as_bytes(), b"\x08\x00"].concat();
    assert_eq!(link.into_inner().left, [sent]);
}

#[test]
fn an_answer_from_inside_recv_is_tagged() {
    let batch = vec![(received(), frame(b"\x81\x00\x00\x2a\x08\x06"))];
    let mut link = Tagged::new(Script::new([batch]), vec![Tag::new(42, 0)]);
    let now = link.now();
    link.recv(now, &mut |frame, tx| tx.send(frame.src(), EtherType::ARP, 0, &mut |_| ()).unwrap())
        .unwrap();
    let answer = [THEM.as_bytes(), US.as_bytes(), b"\x81\x00\x00\x2a\x08\x06"].concat();
    assert_eq!(link.into_inner().left, [answer]);
}

#[test]
fn every_tag_takes_four_octets_of_the_mtu_below() {
    let mtu = |tags: usize| Tagged::new(Script::new([]), vec![Tag::new(1, 0); tags]).mtu();
    assert_eq!([0, 1, 2, 3].map(mtu), [1500, 1496, 1492, 1488]);

    let mut link = Tagged::new(Script::new([]), qinq());
    let mut written = 0;
    let mut transmit = |len| link.transmit(len, &mut |_| written += 1);
    assert_eq!(transmit(HEADER_LEN - 1), Err(SendError::Runt { len: HEADER_LEN - 1 }));
    assert_eq!(transmit(HEADER_LEN + 1492), Ok(()));
    let too_long = SendError::TooLong { len: 1493, mtu: 1492 };
    assert_eq!(transmit(HEADER_LEN + 1493), Err(too_long));
    assert_eq!(written, 1);
}

#[test]
fn what_the_link_says_of_itself_passes_through() {
    let mut script = Script::new([]);
    script.events.extend([Event::Down, Event::Mtu(9000)]);
    script.returns_sent = true;
    script.dropped = 7;
    let mut link = Tagged::new(script, qinq());
    assert_eq!(link.dropped(), 7);
    assert_eq!(link.event(), Some(Event::Down));
    assert_eq!(link.event(), Some(Event::Mtu(8992)), "as mtu() will say");
    assert_eq!(link.event(), None);
    assert!(link.returns_sent());
    link.flush().unwrap();
    assert_eq!(link.inner().flushes, 1);
}

#[test]
fn somebody_else_can_speak() {
    let mut script = Script::new([]);
    let mut someone = As { mac: THEM, below: &mut script };
    assert_eq!((someone.mac(), someone.mtu()), (THEM, 1500));
    someone.send(US, EtherType::ARP, 0, &mut |_| ()).unwrap();
    assert_eq!(script.left, [frame(b"\x08\x06")]);
}

/// What `recv` returned, and how many frames it handed up.
fn heard(link: &mut Tagged<Script>) -> (usize, usize) {
    let mut seen = 0;
    let now = link.now();
    let taken = link.recv(now, &mut |_, _| seen += 1).unwrap();
    (taken, seen)
}

fn received() -> Facts {
    facts(Direction::Received, Cast::Host, 0)
}

/// VLAN 42 of a customer in VLAN 100 of a provider.
fn qinq() -> Vec<Tag> {
    vec![Tag { protocol: EtherType::PROVIDER_BRIDGING, ..Tag::new(100, 7) }, Tag::new(42, 0)]
}
