//! Packet reception (RFC 826), and what is refused.

use std::net::Ipv4Addr;

use arp::{Arp, Config, Discard, Operation, Owned, View};
use etherparse::EtherType;
use link::{FrameIo, FrameTx, MacAddr6, memory::LATENCY, memory::Network};
use proptest::prelude::*;
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, US, addr, mac, ms, octets, reply, request};

// ARP-1
#[test]
fn a_request_for_our_address_gets_one_unicast_reply_with_the_fields_swapped() {
    let mut lan = Lan::new();
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(5000));
    let answer = View {
        operation: Operation::REPLY,
        sender_mac: mac(1),
        sender: US,
        target_mac: mac(9),
        target: addr(9),
    };
    assert_eq!(lan.us.arps(), [(LATENCY, mac(9), answer)]);
    assert_eq!(lan.them.arps(), [], "it is not their address");
}

// ARP-1
#[test]
fn fifty_hosts_that_ask_at_once_get_fifty_replies() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    for n in 100..150 {
        stranger.says(BROADCAST, &request(mac(n), addr(n), US));
    }
    lan.run(ms(1000));
    let answered: Vec<_> = lan.us.arps().into_iter().map(|(at, dst, _)| (at, dst)).collect();
    assert_eq!(answered, (100..150).map(|n| (LATENCY, mac(n))).collect::<Vec<_>>());
}

// ARP-2
#[test]
fn a_unicast_request_is_answered_like_a_broadcast_one() {
    let mut lan = Lan::new();
    lan.stranger(9).says(mac(1), &request(mac(9), addr(9), US));
    lan.run(ms(1000));
    assert_eq!(lan.us.arps().len(), 1);
}

// ARP-3
#[test]
fn requests_for_what_no_host_has_are_not_answered() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    let targets = [
        "10.0.0.3",
        "10.0.0.0",
        "10.0.0.255",
        "255.255.255.255",
        "127.0.0.1",
        "224.0.0.1",
        "0.0.0.0",
    ];
    for target in targets {
        stranger.says(BROADCAST, &request(mac(9), addr(9), target.parse().unwrap()));
    }
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.discards, [Discard::NotForUs; 7]);
}

#[test]
fn the_target_protocol_address_is_read_whole() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    for octet in 0..4 {
        let mut target = US.octets();
        target[octet] ^= 0x10;
        stranger.says(BROADCAST, &request(mac(9), addr(9), target.into()));
    }
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
}

// ARP-4
#[test]
fn a_reply_is_never_answered() {
    let mut lan = Lan::new();
    lan.stranger(9).says(mac(1), &reply(mac(9), addr(9)));
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.discards, [Discard::Unasked]);
}

// ARP-5
#[test]
fn other_hardware_or_protocols_or_lengths_are_foreign() {
    let good = octets(&request(mac(9), addr(9), US));
    let variants: [(usize, &[u8]); 9] = [
        (0, b"\x00\x00"),
        (0, b"\x00\x06"),
        (0, b"\x01\x01"),
        (2, b"\x08\x06"),
        (2, b"\x86\xdd"),
        (4, b"\x00"),
        (4, b"\x08"),
        (5, b"\x00"),
        (5, b"\x06"),
    ];
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    for (at, changed) in variants {
        let mut octets = good.clone();
        octets[at..at + changed.len()].copy_from_slice(changed);
        stranger.says_octets(BROADCAST, &octets);
    }
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.discards, [Discard::Foreign; 9]);
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

// ARP-6
#[test]
fn only_requests_and_replies_act() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    for operation in [0, 3, 4, 8, 9, 25, 0x0100, 0x0200, 65535].map(Operation) {
        stranger.says(BROADCAST, &View { operation, ..request(mac(9), addr(9), US) });
    }
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.discards, [Discard::Operation; 9]);
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

// ARP-7
#[test]
fn fewer_than_28_octets_are_no_packet() {
    let whole = octets(&request(mac(9), addr(9), US));
    for len in 0..28 {
        assert_eq!(View::parse(&whole[..len]), Err(Discard::Malformed), "{len} octets");
    }
    assert_eq!(View::parse(&whole), Ok(request(mac(9), addr(9), US)));
}

// ARP-8, ETH-2
#[test]
fn padding_of_any_content_and_length_is_ignored_and_not_sent_back() {
    for padding in [vec![0; 18], vec![0xee; 18], vec![0xee; 1400]] {
        let mut lan = Lan::new();
        let mut stranger = lan.stranger(9);
        let payload = [octets(&request(mac(9), addr(9), US)), padding].concat();
        stranger.says_octets(BROADCAST, &payload);
        lan.run(ms(1000));
        let mut heard = Vec::new();
        let mut each = |frame: link::Frame<'_>, _: &mut dyn FrameTx| {
            heard.push(frame.payload().to_vec());
        };
        stranger.0.recv(lan.network.now(), &mut each).unwrap();
        let answer = View { target_mac: mac(9), target: addr(9), ..reply(mac(1), US) };
        assert_eq!(heard, [[octets(&answer), vec![0; 18]].concat()]);
    }
}

// ARP-9, SEC-10
#[test]
fn a_sender_with_no_stations_mac_address_is_neither_learned_nor_answered() {
    let group = MacAddr6::new(0x01, 0, 0x5e, 0, 0, 1);
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    for mac in [MacAddr6::nil(), BROADCAST, group, mac(1)] {
        stranger.says(BROADCAST, &request(mac, addr(9), US));
    }
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    let no_station = Discard::SenderMac;
    assert_eq!(lan.us.discards, [no_station, no_station, no_station, Discard::Echoed]);
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

// ARP-10
#[test]
fn a_sender_with_no_hosts_protocol_address_is_neither_learned_nor_answered() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    let senders = ["255.255.255.255", "224.0.0.1", "239.1.2.3", "127.0.0.1"];
    for sender in senders.into_iter().chain(["240.0.0.1", "254.1.2.3", "0.0.0.1", "0.1.2.3"]) {
        stranger.says(BROADCAST, &request(mac(9), sender.parse().unwrap(), US));
    }
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.discards, [Discard::Sender; 8]);
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

// ARP-11
#[test]
fn the_reply_goes_to_the_senders_hardware_address_and_not_to_the_frames_source() {
    let mut lan = Lan::new();
    lan.stranger(8).says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(1000));
    let [(_, dst, answer)] = lan.us.arps()[..] else { panic!("one reply") };
    assert_eq!((dst, answer.target_mac), (mac(9), mac(9)));
}

// ETH-3
#[test]
fn a_frame_for_another_station_is_ignored_although_it_is_seen() {
    let mut lan = Lan::new();
    lan.stranger(9).says(mac(99), &request(mac(9), addr(9), US));
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.discards, [Discard::OtherHost]);
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

// ACD-2
#[test]
fn a_probe_for_our_address_is_answered_to_nobodys_address_and_teaches_nothing() {
    let mut lan = Lan::new();
    lan.stranger(9).says(BROADCAST, &request(mac(9), Ipv4Addr::UNSPECIFIED, US));
    lan.run(ms(1000));
    let target = Ipv4Addr::UNSPECIFIED;
    let answer = View { target_mac: mac(9), target, ..reply(mac(1), US) };
    assert_eq!(lan.us.arps(), [(LATENCY, mac(9), answer)]);
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

#[test]
fn who_is_told_not_to_answer_does_not_and_learns_all_the_same() {
    let mut lan = Lan::with(Config { answers: false, ..Config::default() });
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(1000));
    assert_eq!(lan.us.arps(), []);
    assert_eq!(lan.us.arp.neighbours().next().unwrap().mac, Some(mac(9)));
}

#[test]
fn each_identity_is_answered_for_with_its_own_hardware_address() {
    let mut lan = Lan::new();
    let owned = Owned::from([(US, mac(1)), (addr(5), mac(55))]);
    lan.us.arp = Arp::new(owned, Config::default());
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), addr(5)));
    lan.run(ms(1000));
    let [(_, dst, answer)] = lan.us.arps()[..] else { panic!("one reply") };
    assert_eq!((dst, answer.sender, answer.sender_mac), (mac(9), addr(5), mac(55)));
}

proptest! {
    #[test]
    fn any_octets_are_a_packet_or_none(
        fixed in prop_oneof![Just(*b"\x00\x01\x08\x00\x06\x04"), any::<[u8; 6]>()],
        rest in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let payload = [&fixed[..], &rest].concat();
        match View::parse(&payload) {
            Ok(view) => prop_assert_eq!(&octets(&view), &payload[..28]),
            Err(discard) => prop_assert!(matches!(discard, Discard::Malformed | Discard::Foreign)),
        }
    }

    /// Fields from a small world, so that packets meet the table, the claim and our address.
    #[test]
    fn any_packets_whatever_keep_the_table_bounded_and_are_answered_by_one_frame_at_most(
        packets in proptest::collection::vec(
            (0_u16..4, 0_u8..5, 0_u8..5, 0_u8..5, 0_u64..3000),
            1..60,
        ),
    ) {
        let network = Network::new();
        let (mut port, mut now) = (network.attach(mac(1)), network.now());
        let config = Config { capacity: 3, ..Config::default() };
        let mut arp = Arp::new(Owned::from([(US, mac(1)), (addr(4), mac(4))]), config);
        arp.probe(now, addr(4), mac(4));
        for (operation, sender_mac, sender, target, pause) in packets {
            let view = View {
                operation: Operation(operation),
                ..request(mac(sender_mac), addr(sender), addr(target))
            };
            let octets = [BROADCAST.as_bytes(), mac(9).as_bytes(), &EtherType::ARP.0.to_be_bytes(),
                &octets(&view)].concat();
            let frame = link::Frame::new(&octets, facts(now)).unwrap();
            let sent = network.sent();
            let _ = arp.input(now, &frame, &mut port);
            port.flush().unwrap();
            prop_assert!(network.sent() <= sent + 1);
            let _ = arp.resolve(now, US, addr(target), &mut port);
            now += ms(pause);
            while arp.poll(now, &mut port).is_some() {}
            port.flush().unwrap();
            prop_assert!(arp.deadline().is_none_or(|at| at > now));
            prop_assert!(arp.neighbours().count() <= 3);
            prop_assert!(arp.neighbours().all(|neighbour| neighbour.mac != Some(mac(1))));
        }
    }
}

fn facts(at: std::time::Instant) -> link::Facts {
    link::Facts {
        direction: link::Direction::Received,
        cast: link::Cast::Broadcast,
        at,
        stamp: link::Stamp { since_epoch: ms(0), source: link::Source::Virtual },
        checksum: link::Checksum::Complete,
    }
}
