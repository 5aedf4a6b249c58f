//! Which packets are datagrams for us (RFC 1122 §3.2.1).

use etherparse::IpNumber;
use ipv4::{Cast, Discard, Ipv4};
use link::{MacAddr6, memory::LATENCY};
use sidestack_ipv4 as ipv4;

use crate::host::{
    BROADCAST, Host, THEM, US, addr, changed, mac, packet, with_checksum, with_options,
};

// IP-16
#[test]
fn a_datagram_for_us_is_taken_with_all_that_is_known_of_it() {
    let mut host = Host::new();
    let octets = packet(b"Hello, world!");
    let sent_at = host.network.now();
    let datagram = host.take(&octets).unwrap();
    assert_eq!((datagram.src, datagram.dst), (THEM, US));
    assert_eq!((datagram.protocol, datagram.ttl, datagram.tos), (IpNumber(0xfd), 64, 0));
    assert_eq!((datagram.cast, datagram.at), (Cast::Host, sent_at + LATENCY));
    assert_eq!(*datagram.header, octets[..20]);
    assert_eq!(*datagram.payload, *b"Hello, world!");
}

// IP-2
#[test]
fn a_bad_header_checksum_is_discarded() {
    for checksum in [0x1234_u16, 0x0000, 0xffff] {
        let mut octets = packet(b"payload");
        octets[10..12].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::Checksum);
    }
}

#[test]
fn no_bit_of_the_header_changes_unnoticed() {
    let good = packet(&[0xda; 100]);
    for bit in 0..160 {
        let mut octets = good.clone();
        octets[bit / 8] ^= 0x80 >> (bit % 8);
        assert!(Host::new().take(&octets).is_err(), "bit {bit}");
    }
}

// IP-3
#[test]
fn other_versions_are_discarded() {
    for version in [0, 3, 5, 6, 15] {
        let octets = changed(0, &[version << 4 | 5]);
        assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::Version);
    }
}

// IP-4
#[test]
fn a_header_shorter_than_five_words_or_longer_than_its_packet_is_discarded() {
    for words in [0, 1, 4] {
        let octets = changed(0, &[0x40 | words]);
        assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::HeaderLength, "{words} words");
    }
    let mut octets = packet(&[0; 39]); // 59 octets
    octets[0] = 0x4f;
    assert_eq!(Host::new().take(&with_checksum(octets)).unwrap_err(), Discard::HeaderLength);
}

// IP-5
#[test]
fn a_total_length_beyond_the_frame_or_short_of_the_header_is_discarded() {
    for len in [0_u16, 1, 19, 121, 600, 65535] {
        let octets = changed(2, &len.to_be_bytes()); // it has 120
        assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::TotalLength, "{len} octets");
    }
}

// ETH-2
#[test]
fn what_follows_the_total_length_is_padding() {
    let octets = [packet(b"x"), vec![0xee; 25]].concat();
    assert_eq!(*Host::new().take(&octets).unwrap().payload, *b"x");
    assert_eq!(*Host::new().take(&packet(b"")).unwrap().payload, *b"", "by the network's own");
}

// IP-9
#[test]
fn the_header_length_is_read_and_not_taken_for_granted() {
    for words in 0..=10 {
        let octets = with_options(&vec![1; 4 * words], b"payload");
        let datagram = Host::new().take(&octets).unwrap();
        assert_eq!(datagram.header.len(), 20 + 4 * words);
        assert_eq!(*datagram.payload, *b"payload");
    }
}

// IP-9
#[test]
fn unknown_options_are_passed_over_and_handed_up_as_they_came() {
    let security = b"\x82\x0b\0\0\0\0\0\0\0\0\0\0";
    let extended = b"\x85\x03\x01\x00";
    let experiment = b"\x5e\x04\xab\xcd";
    let options: [&[u8]; 4] = [security, extended, experiment, &[1; 40]];
    for options in options {
        let datagram = Host::new().take(&with_options(options, b"payload")).unwrap();
        assert_eq!(datagram.header[20..], *options);
    }
}

// IP-7
#[test]
fn a_source_that_no_other_host_can_have_is_discarded() {
    let sources = [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.255.0.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ];
    for source in sources {
        let octets = changed(12, &addr(source).octets());
        assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::Source, "{source}");
    }
    for source in ["10.0.0.255", "10.0.0.0"] {
        let octets = changed(12, &addr(source).octets());
        assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::SourceBroadcast, "{source}");
    }
}

// SEC-9
#[test]
fn a_packet_from_our_own_address_is_not_believed() {
    let octets = changed(12, &US.octets());
    assert_eq!(Host::new().take(&octets).unwrap_err(), Discard::SourceOwn);
}

// IP-7, IP-8, RTE-7
#[test]
fn what_is_for_others_is_discarded_and_neither_forwarded_nor_answered() {
    let destinations = [
        ("10.0.0.3", Discard::NotForUs),
        ("192.0.2.1", Discard::NotForUs),
        ("10.0.0.2", Discard::NotForUs),
        ("10.0.1.255", Discard::NotForUs),
        ("127.0.0.1", Discard::Destination),
        ("0.0.0.0", Discard::Destination),
        ("0.0.0.1", Discard::Destination),
        ("239.1.2.3", Discard::Group),
    ];
    let group = MacAddr6::new(0x01, 0, 0x5e, 1, 2, 3);
    for ((dst, why), frame) in destinations.into_iter().flat_map(|d| [(d, mac(1)), (d, group)]) {
        let mut host = Host::new();
        let octets = changed(16, &addr(dst).octets());
        assert_eq!(host.take_at(frame, &octets).unwrap_err(), why, "{dst}");
        assert_eq!(host.left(), []);
    }
}

#[test]
fn a_packet_for_us_in_a_frame_for_another_station_is_discarded() {
    let octets = packet(b"payload");
    assert_eq!(Host::new().take_at(mac(99), &octets).unwrap_err(), Discard::OtherStation);
}

// LNK-8, LNK-6
#[test]
fn one_hosts_packet_in_a_frame_for_many_is_discarded() {
    for dst in [BROADCAST, MacAddr6::new(0x01, 0, 0x5e, 0, 0, 1)] {
        let taken = Host::new().take_at(dst, &packet(b"payload"));
        assert_eq!(taken.unwrap_err(), Discard::LinkBroadcast);
    }
}

// IP-15
#[test]
fn every_form_of_broadcast_is_taken_and_told_as_such() {
    for dst in ["255.255.255.255", "10.0.0.255", "10.0.0.0", "10.7.255.255", "10.7.0.0"] {
        for frame in [BROADCAST, mac(1)] {
            let mut host = Host::new();
            host.ipv4.add_address("10.7.0.1/16".parse().unwrap());
            let datagram = host.take_at(frame, &changed(16, &addr(dst).octets())).unwrap();
            assert_eq!((datagram.cast, datagram.dst), (Cast::Broadcast, addr(dst)));
        }
    }
}

#[test]
fn every_address_of_ours_is_taken_for() {
    let mut host = Host::new();
    host.ipv4.add_address("10.0.0.5/24".parse().unwrap());
    assert_eq!(host.take(&changed(16, &[10, 0, 0, 5])).unwrap().dst, addr("10.0.0.5"));
    let octets = changed(12, &[10, 0, 0, 5]);
    assert_eq!(host.take(&octets).unwrap_err(), Discard::SourceOwn, "nor is it another's");
}

// IP-11
#[test]
fn the_destination_takes_a_packet_whose_time_to_live_has_run_out() {
    for ttl in [0, 1, 255] {
        assert_eq!(Host::new().take(&changed(8, &[ttl])).unwrap().ttl, ttl);
    }
}

// IP-12
#[test]
fn neither_dont_fragment_nor_the_reserved_bit_changes_anything() {
    for flags in [0x40, 0x80, 0xc0] {
        assert_eq!(*Host::new().take(&changed(6, &[flags])).unwrap().payload, [0xda; 100]);
    }
}

// IP-13
#[test]
fn the_type_of_service_is_delivered_as_it_came() {
    for tos in [0x00, 0x01, 0xb8, 0xff] {
        assert_eq!(Host::new().take(&changed(1, &[tos])).unwrap().tos, tos);
    }
}

// IP-14
#[test]
fn on_a_prefix_of_31_bits_both_addresses_are_hosts() {
    for (ours, theirs) in [("10.0.0.1/31", "10.0.0.0"), ("10.0.0.0/31", "10.0.0.1")] {
        let mut host = Host::with(Ipv4::new(ours.parse().unwrap()));
        let us = host.ipv4.addresses()[0].ip();
        assert!(!host.ipv4.is_broadcast(us) && !host.ipv4.is_broadcast(addr(theirs)));
        let mut octets = changed(12, &addr(theirs).octets());
        octets[16..20].copy_from_slice(&us.octets());
        let datagram = host.take(&with_checksum(octets)).unwrap();
        assert_eq!((datagram.src, datagram.cast), (addr(theirs), Cast::Host));
    }
}

// IP-14
#[test]
fn a_host_alone_on_its_prefix_has_no_network_broadcast() {
    let mut host = Host::with(Ipv4::new("10.0.0.1/32".parse().unwrap()));
    assert_eq!(host.take(&packet(b"payload")).unwrap().cast, Cast::Host);
    assert!(host.ipv4.is_broadcast(addr("255.255.255.255")));
    assert!(!host.ipv4.is_broadcast(addr("10.0.0.255")));
}
