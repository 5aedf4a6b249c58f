//! What an error carries behind its quote (RFC 4884): told, and never needed.

use icmp::{Ended, Error, Event, Interface, Label, Object, Objects, Outcome, Role};
use proptest::prelude::*;
use sidestack_icmp as icmp;

use crate::host::{Host, ROUTER, THEM, US, message, ms, packet, sum, timed_out};

// ICMP-17, TRC-3
#[test]
fn a_label_stack_is_told_with_the_error() {
    // RFC 4950: label 100,001, class 1, ttl 1; then 24, class 0, bottom, ttl 254
    let stack = [0x18, 0x6a, 0x12, 0x01, 0x00, 0x01, 0x81, 0xfe];
    let objects = told([0, 32, 0, 0], 128, &structure(&[(1, 1, &stack)]));
    let labels: Vec<_> = objects.labels().collect();
    let first = Label { label: 100_001, traffic_class: 1, bottom: false, ttl: 1 };
    let second = Label { label: 24, traffic_class: 0, bottom: true, ttl: 254 };
    assert_eq!(labels, [first, second]);
    assert_eq!((objects.is_complete(), objects.interfaces().count()), (true, 0));
}

// ICMP-17, TRC-3
#[test]
fn an_interface_is_told_with_whatever_of_it_the_router_knows() {
    let index = [0, 0, 0, 7];
    let address = [0, 1, 0, 0, 192, 0, 2, 1];
    let name = *b"\x08eth0\0\0\0";
    let mtu = [0, 0, 0x05, 0xdc];
    let other = [&[0, 2, 0, 0][..], &[0xfe; 16]].concat();
    let nothing =
        Interface { role: Role::Incoming, index: None, addr: None, name: None, mtu: None };
    let addr = Some([192, 0, 2, 1].into());
    for (c_type, payload, expected) in [
        (0x00, vec![], nothing),
        (0x08, index.to_vec(), Interface { index: Some(7), ..nothing }),
        (0x44, address.to_vec(), Interface { role: Role::IncomingPart, addr, ..nothing }),
        (0x84, other, Interface { role: Role::Outgoing, ..nothing }),
        (0xc2, name.to_vec(), Interface { role: Role::NextHop, name: Some("eth0"), ..nothing }),
        (0x01, mtu.to_vec(), Interface { mtu: Some(1500), ..nothing }),
        (
            0x0f,
            [&index[..], &address, &name, &mtu].concat(),
            Interface { index: Some(7), addr, name: Some("eth0"), mtu: Some(1500), ..nothing },
        ),
    ] {
        let objects = told([0, 32, 0, 0], 128, &structure(&[(2, c_type, &payload)]));
        assert_eq!(objects.interfaces().collect::<Vec<_>>(), [expected], "C-Type {c_type:#x}");
    }
}

// ICMP-17
#[test]
fn an_interface_that_is_cut_is_no_interface() {
    for (c_type, payload) in [
        (0x08, &[0, 0, 0][..]),
        (0x04, &[0, 1, 0, 0, 192, 0, 2]),
        (0x04, &[0, 3, 0, 0, 192, 0, 2, 1]),
        (0x02, &[]),
        (0x02, b"\x08eth"),
        (0x02, b"\x05eth0"),
        (0x02, b"\x04\xff\xff\xff"),
        (0x0c, &[0, 0, 0, 7]),
    ] {
        let objects = told([0, 32, 0, 0], 128, &structure(&[(2, c_type, payload)]));
        assert_eq!((objects.iter().count(), objects.interfaces().count()), (1, 0), "{payload:?}");
    }
}

// ICMP-17
#[test]
fn unknown_classes_are_stepped_over_and_kept_as_octets() {
    let stack = [0, 1, 0x81, 1];
    let objects = told([0, 32, 0, 0], 128, &structure(&[(247, 9, b"what"), (1, 1, &stack)]));
    let unknown = Object { class: 247, c_type: 9, payload: b"what" };
    assert_eq!(objects.iter().next(), Some(unknown));
    assert_eq!(objects.labels().count(), 1);
}

// ICMP-17
#[test]
fn a_quote_of_128_octets_without_a_length_may_have_extensions_behind_it() {
    let structure = structure(&[(1, 1, &[0, 1, 0x81, 1])]);
    assert_eq!(told([0; 4], 128, &structure).labels().count(), 1);
    assert!(told([0; 4], 124, &structure).is_empty());
    assert!(told([0; 4], 132, &structure).is_empty());
}

// ICMP-17
#[test]
fn a_structure_without_a_checksum_is_believed_and_one_with_a_wrong_one_is_not() {
    let mut structure = structure(&[(1, 1, &[0, 1, 0x81, 1])]);
    structure[2] ^= 1;
    assert!(told([0, 32, 0, 0], 128, &structure).is_empty());
    structure[2..4].fill(0);
    assert_eq!(told([0, 32, 0, 0], 128, &structure).labels().count(), 1);
}

// ICMP-17, TRC-3
#[test]
fn a_structure_that_cannot_be_is_left_out_and_the_error_is_told_all_the_same() {
    let sound = structure(&[(1, 1, &[0, 1, 0x81, 1])]);
    let mut version = sound.clone();
    version[0] = 0x10;
    for wrong in [
        &version[..],                        // of another version
        &sound[..3],                         // cut in its header
        &sound[..7],                         // cut in an object's
        &sound[..11],                        // cut in an object
        b"\x20\0\0\0\0\x03\x01\x01\0\0\0\0", // an object shorter than its own header
    ] {
        assert!(told([0, 32, 0, 0], 128, wrong).is_empty(), "{wrong:?}");
    }
}

// ICMP-17
#[test]
fn the_length_bounds_the_quote_and_one_beyond_the_message_is_not_believed() {
    let mut host = Host::new();
    let quoted = packet(US, THEM, &host.ping(1));
    let short = message((11, 0), [0, 6, 0, 0], &quoted);
    assert_eq!(host.take(ROUTER, &short), Err(icmp::Discard::Quote), "24 octets, header and 4");
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
    assert!(told([0, 255, 0, 0], 84, &[]).is_empty());
}

// ICMP-17
#[test]
fn objects_beyond_what_there_is_room_for_are_left_out_and_that_is_told() {
    let objects = [(9, 1, &[1; 60][..]), (9, 2, &[2; 60]), (1, 1, &[0, 1, 0x81, 1])];
    let objects = told([0, 32, 0, 0], 128, &structure(&objects));
    let kinds: Vec<_> = objects.iter().map(|object| (object.class, object.c_type)).collect();
    assert_eq!((kinds, objects.is_complete()), (vec![(9, 1), (1, 1)], false));
}

proptest! {
    // ICMP-17, TRC-3
    #[test]
    fn whatever_follows_the_quote_the_error_is_told_once(
        words in prop_oneof![Just(0_u8), 21..40_u8, Just(255)],
        mut behind in proptest::collection::vec(any::<u8>(), 0..200),
        version in prop_oneof![Just(0x20), any::<u8>()],
        checked: bool,
    ) {
        if let Some(first) = behind.first_mut() {
            *first = version;
        }
        if checked && behind.len() >= 4 {
            behind = crate::host::with_checksum(behind);
        }
        let objects = told([0, words, 0, 0], 84, &behind);
        let objects: Vec<_> = objects.iter().collect();
        prop_assert!(objects.iter().map(|object| 4 + object.payload.len()).sum::<usize>() <= 94);
        for object in objects {
            prop_assert!(object.labels().count() <= 23);
            let _ = object.interface();
        }
    }

    // ICMP-17
    #[test]
    fn what_was_said_is_what_is_told(
        labels in proptest::collection::vec(any::<[u8; 4]>(), 0..8),
        index: u32,
        mtu: u32,
        name in "[a-z0-9./:-]{0,31}",
        addr: [u8; 4],
    ) {
        let mut field = [&[0][..], name.as_bytes()].concat();
        field.resize(field.len().next_multiple_of(4), 0);
        field[0] = field.len() as u8;
        let parts = [&index.to_be_bytes()[..], &[0, 1, 0, 0], &addr, &field, &mtu.to_be_bytes()];
        let objects = structure(&[(1, 1, &labels.concat()), (2, 0x0f, &parts.concat())]);
        let objects = told([0, 32, 0, 0], 128, &objects);
        prop_assert!(objects.is_complete());
        let read: Vec<_> = objects.labels().map(|label| {
            let Label { label, traffic_class, bottom, ttl } = label;
            let high = label << 12 | u32::from(traffic_class) << 9 | u32::from(bottom) << 8;
            (high | u32::from(ttl)).to_be_bytes()
        }).collect();
        prop_assert_eq!(read, labels);
        let interface = objects.interfaces().next().unwrap();
        prop_assert_eq!((interface.index, interface.mtu), (Some(index), Some(mtu)));
        prop_assert_eq!((interface.name, interface.addr), (Some(&*name), Some(addr.into())));
    }
}

/// What an error with that rest of its header, a quote of `len` octets and that behind it tells.
fn told(rest: [u8; 4], len: usize, behind: &[u8]) -> Objects {
    let mut host = Host::new();
    let mut quoted = packet(US, THEM, &host.ping(1));
    quoted.resize(len, 0);
    host.take(ROUTER, &message((11, 0), rest, &[&quoted[..], behind].concat())).unwrap();
    let events = host.after(ms(0));
    let [Event::Ended(Ended { sequence: 1, outcome, .. })] = events[..] else { panic!("one end") };
    let Outcome::Error(Error { from: ROUTER, objects, .. }) = outcome else { panic!("an error") };
    objects
}

/// An extension structure with a right checksum.
fn structure(objects: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut octets = vec![0x20, 0, 0, 0];
    for (class, c_type, payload) in objects {
        octets.extend([0, 4 + payload.len() as u8, *class, *c_type]);
        octets.extend(*payload);
    }
    let sum = !sum(&octets);
    octets[2..4].copy_from_slice(&sum.to_be_bytes());
    octets
}
