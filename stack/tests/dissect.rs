//! Frames, decoded layer by layer.

use sidestack_stack::{Dissected, Layer, dissect, ipv4::ChecksumStatus};

#[test]
fn an_echo_in_a_stack_of_vlans_is_decoded_to_the_message() {
    let frame = hex(&format!("{MACS} 88a8 2007 8100 002a 0800 {} {ECHO}", ip(1, 28)));
    let Dissected { eth, arp, ip, icmp, malformed, .. } = all(&frame);
    let tags: Vec<_> = eth.unwrap().tags().map(|tag| (tag.priority, tag.id)).collect();
    assert_eq!((tags, arp), (vec![(1, 7), (0, 42)], None));
    assert_eq!(ip.unwrap().ttl, 64);
    assert_eq!((icmp.unwrap().identifier, icmp.unwrap().sequence), (Some(7), Some(1)));
    assert_eq!(malformed, None);
}

#[test]
fn a_tag_that_is_cut_after_its_identifier_is_told_with_it() {
    let cuts = [("", vec![]), ("20", vec![]), ("202a", vec![(1, 42)]), ("202a 08", vec![(1, 42)])];
    for (cut, last) in cuts {
        let frame = hex(&format!("{MACS} 8100 0007 8100 {cut}"));
        let Dissected { eth, malformed, .. } = all(&frame);
        let tags: Vec<_> = eth.unwrap().tags().map(|tag| (tag.priority, tag.id)).collect();
        assert_eq!(tags, [vec![(0, 7)], last].concat());
        assert_eq!(eth.unwrap().ether_type.unwrap().0, 0x8100);
        let malformed = malformed.unwrap();
        assert_eq!((malformed.layer, malformed.octet), (Layer::Eth, frame.len()));
        assert_eq!(dissect(&frame, 60).malformed, None, "the capture cut it");
    }
}

#[test]
fn padding_belongs_to_nobody() {
    let frame = hex(&format!("{MACS} 0800 {} {ECHO} {}", ip(1, 28), "55".repeat(18)));
    let view = all(&frame);
    assert_eq!((view.ip.unwrap().payload_len, view.icmp.unwrap().flaw), (8, None));
    assert_eq!(view.malformed, None);
}

#[test]
fn arp_and_reverse_arp_are_read_alike() {
    for (kind, operation) in [("0806", 1), ("8035", 3)] {
        let addresses = "02000000000b 0a000001 000000000000 0a000002";
        let frame = hex(&format!("{MACS} {kind} 0001 0800 06 04 000{operation} {addresses}"));
        let view = all(&frame);
        assert_eq!(view.arp.unwrap().operation, operation);
        assert_eq!(view.arp.unwrap().target_protocol, Some(&[10, 0, 0, 2][..]));
        assert!(view.ip.is_none() && view.malformed.is_none());
    }
}

#[test]
fn requests_are_told_from_announcements_answers_and_fragments() {
    let arp = |operation: u16, sender: &str, target: &str| {
        let hardware = "0001 0800 06 04";
        let (of, to) = ("02000000000b", "000000000000");
        format!("{MACS} 0806 {hardware} {operation:04x} {of} {sender} {to} {target}")
    };
    let echo = |icmp_type: u8| {
        format!("{MACS} 0800 {} {}", ip(1, 28), ECHO.replacen("08", &format!("{icmp_type:02x}"), 1))
    };
    let later = echo(8).replacen("00070000", "00070001", 1);
    let (us, them, nobody) = ("0a000001", "0a000002", "00000000");
    let cases = [
        (arp(1, us, them), true),
        (arp(1, nobody, us), true),
        (arp(1, us, us), false),
        (arp(2, us, them), false),
        (echo(8), true),
        (echo(0), false),
        (later, false),
    ];
    for (frame, is_request) in cases {
        assert_eq!(all(&hex(&frame)).is_request(), is_request, "{frame}");
    }
}

#[test]
fn a_length_ends_the_payload_and_a_snap_header_says_what_it_is() {
    let frame = hex(&format!("{MACS} 0024 aaaa03 000000 0800 {} {ECHO} 5555", ip(1, 28)));
    let view = all(&frame);
    assert_eq!(view.eth.unwrap().length, Some(36));
    assert_eq!(view.icmp.unwrap().sequence, Some(1));
    assert_eq!(view.malformed, None);
    let bridge = hex(&format!("{MACS} 0003 424203 {}", "00".repeat(43)));
    let eth = all(&bridge).eth.unwrap();
    assert_eq!((eth.ether_type, eth.payload), (None, &[0x42, 0x42, 3][..]));
}

#[test]
fn ip_stands_behind_the_snap_header_of_a_bridge_and_its_own_access_point_too() {
    for (len, header) in [("0024", "aaaa03 0000f8 0800"), ("001f", "060603")] {
        let frame = hex(&format!("{MACS} {len} {header} {} {ECHO} 5555", ip(1, 28)));
        let view = all(&frame);
        assert_eq!(view.ip.unwrap().payload_len, 8, "{header}");
        assert_eq!((view.icmp.unwrap().sequence, view.malformed), (Some(1), None), "{header}");
    }
    let other = hex(&format!("{MACS} 0024 aaaa03 00000c 0800 {} {ECHO}", ip(1, 28)));
    assert!(all(&other).ip.is_none(), "what another organisation means by it is not known");
}

#[test]
fn what_is_malformed_is_named_and_the_layers_around_it_are_there() {
    let quote = format!("{} 03e8829a 000c0000", ip(17, 32));
    for (frame, layer, octet) in [
        ("02".to_owned(), Layer::Eth, 1),
        (format!("{MACS} 8100 002a"), Layer::Eth, 16),
        (format!("{MACS} 05dc 424203"), Layer::Eth, 12),
        (format!("{MACS} 05ff 424203"), Layer::Eth, 12),
        (format!("{MACS} 0806 0001 0800 06 04 0001 0200"), Layer::Arp, 24),
        (format!("{MACS} 0800"), Layer::Ip, 14),
        (format!("{MACS} 0800 60"), Layer::Ip, 14),
        (format!("{MACS} 8100 002a 0800 {}", ip(17, 60)), Layer::Ip, 20),
        (format!("{MACS} 0800 {} 0800", ip(1, 22)), Layer::Icmp, 36),
        (format!("{MACS} 0800 {} 030100000000 0000 45", ip(1, 29)), Layer::Quoted, 43),
        (format!("{MACS} 0800 {} 0301000000ff 0000 {quote}", ip(1, 56)), Layer::Icmp, 39),
    ] {
        let octets = hex(&frame);
        let view = all(&octets);
        let malformed = view.malformed.unwrap();
        assert_eq!((malformed.layer, malformed.octet), (layer, octet), "{frame}");
        assert_eq!(view.eth.is_some(), octets.len() >= 14, "{frame}");
        assert_eq!(view.icmp.is_some(), layer == Layer::Quoted || octet == 39, "{frame}");
        assert_eq!(view.quoted.is_some(), octet == 39, "{frame}");
    }
}

#[test]
fn the_outermost_flaw_is_the_one_that_is_told() {
    let frame = hex(&format!("{MACS} 0800 {} 030100000000 0000 45", ip(1, 60)));
    let view = all(&frame);
    assert_eq!(view.malformed.map(|malformed| malformed.layer), Some(Layer::Ip));
    assert!(view.icmp.is_some(), "and what is in it is decoded all the same");
}

#[test]
fn what_a_capture_cut_off_is_not_malformed() {
    let quote = format!("{} 03e8829a 000c0000", ip(17, 32));
    let frame = hex(&format!("{MACS} 0800 {} 030100000000 0000 {quote}", ip(1, 56)));
    for captured in 0..frame.len() {
        let view = dissect(&frame[..captured], frame.len());
        assert_eq!(view.malformed, None, "{captured} octets");
        assert_eq!(view.ip.is_some(), captured >= 34, "{captured} octets");
        assert_eq!(view.quoted.is_some(), captured >= 62, "{captured} octets");
    }
}

#[test]
fn only_the_fragment_with_the_beginning_has_a_message() {
    let mut frame = hex(&format!("{MACS} 0800 {} {ECHO}", ip(1, 28)));
    frame[20] = 0x20;
    assert_eq!(all(&frame).icmp.unwrap().checksum_status, ChecksumStatus::Unknown);
    frame[20..22].copy_from_slice(&[0, 1]);
    assert!(all(&frame).icmp.is_none());
}

fn all(frame: &[u8]) -> Dissected<'_> {
    dissect(frame, frame.len())
}

/// A header from 10.0.0.1 to 10.0.0.2.
fn ip(protocol: u8, total_len: u16) -> String {
    format!("4500{total_len:04x} 00070000 40{protocol:02x}0000 0a000001 0a000002")
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|digit| *digit != b' ').collect();
    let digits = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Destination and source.
const MACS: &str = "02000000000a 02000000000b";

/// A request without data.
const ECHO: &str = "0800 f7f7 0007 0001";
