//! The echo server, and errors.

use std::net::Ipv4Addr;

use super::{
    Row,
    packet::{BROADCAST, HOST, HOST_MAC, ICMP, IPV4, Ip, OUR_MAC, US, frame, icmp},
    wire::Wire,
};

pub(crate) const ROWS: &[Row] = &[
    ("ICMP-1_no_error_about_what_must_not_be_answered", no_error),
    ("ICMP-2_unknown_types_and_broken_messages_are_silence", unknown),
    ("ICMP-3_an_unknown_protocol_is_unreachable", protocol),
    ("ICMP-3_a_closed_port_is_unreachable_for_what_is_whole", port),
    ("ICMP-4_the_quote_is_what_was_received", quote),
    ("ICMP-5_an_error_has_576_octets_at_most", short_error),
    ("ICMP-6_checksums_at_their_corners", checksums),
    ("ICMP-7_all_data_of_any_size_comes_back_once", data),
    ("ICMP-7_two_hundred_at_once_are_all_answered", burst),
    ("ICMP-8_the_reply_has_the_service_of_the_request", service),
    ("ICMP-9_a_recorded_route_comes_back", record_route),
    ("ICMP-9_a_recorded_time_comes_back", timestamps),
    ("ICMP-10_an_echo_with_a_code", code),
    ("ICMP-11_a_cut_or_broadcast_timestamp_request_is_silence", timestamp),
    ("ICMP-12_retired_types_are_silence", retired),
    ("ICMP-13_source_quench_is_not_obeyed", quench),
    ("ICMP-14_errors_are_limited_in_rate", limited),
    ("ICMP-15_extended_echo_is_silence", extended),
    ("ICMP-16_an_error_comes_from_the_address_asked", from),
    ("SEC-8_echoes_to_a_broadcast_are_silence", smurf),
];

const UNKNOWN: u8 = 253;

fn no_error(wire: &mut Wire) {
    let trigger = Ip::new(UNKNOWN, vec![1; 16]);
    let broadcast = Ipv4Addr::new(10, 77, 0, 255);
    let group = Ipv4Addr::new(224, 0, 0, 1);
    let sources = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.77.0.255"];
    let mut frames: Vec<Vec<u8>> = sources
        .iter()
        .map(|src| Ip { src: src.parse().expect("an address"), ..trigger.clone() }.frame())
        .collect();
    frames.push(frame(BROADCAST, OUR_MAC, IPV4, &trigger.octets()));
    frames.push(frame(
        BROADCAST,
        OUR_MAC,
        IPV4,
        &Ip { dst: broadcast, ..trigger.clone() }.octets(),
    ));
    frames.push(frame(BROADCAST, OUR_MAC, IPV4, &Ip { dst: group, ..trigger.clone() }.octets()));
    frames.push(Ip { fragment: 10, ..trigger.clone() }.frame());
    let quoted = Ip { src: HOST, dst: US, ..trigger }.octets();
    for kind in [3, 4, 5, 11, 12] {
        frames.push(Ip::new(ICMP, icmp(kind, 99, [0; 4], &quoted)).frame());
    }
    wire.silence(frames);
}

fn unknown(wire: &mut Wire) {
    let answered = [8, 13];
    let rest = [0x42, 0x17, 0, 1];
    let others = (0..=255).filter(|kind| !answered.contains(kind));
    let frames: Vec<_> =
        others.map(|kind| Ip::new(ICMP, icmp(kind, 0, rest, &[0; 12])).frame()).collect();
    let heard = wire.exchange(frames);
    assert!(heard.is_empty(), "{heard:?}");
    let whole = super::packet::echo(1, 8);
    wire.silence((0..8).map(|len| Ip::new(ICMP, whole[..len].to_vec()).frame()));
    let wrong = |at: usize| {
        let mut message = whole.clone();
        message[at] ^= 0x10;
        Ip::new(ICMP, message).frame()
    };
    wire.silence([wrong(2), wrong(7), wrong(15)]);
}

fn protocol(wire: &mut Wire) {
    assert_eq!(wire.answer(&Ip::new(UNKNOWN, vec![1; 16]).frame()).icmp(), (3, 2));
}

fn port(wire: &mut Wire) {
    let udp = [&[0x30, 0x39, 0x82, 0x9b, 0, 12, 0, 0][..], b"data"].concat();
    assert_eq!(wire.answer(&Ip::new(17, udp.clone()).frame()).icmp(), (3, 3));
    let with = |length: u8, checksum: [u8; 2]| {
        let mut udp = udp.clone();
        udp[5] = length;
        udp[6..8].copy_from_slice(&checksum);
        Ip::new(17, udp).frame()
    };
    let right = udp_checksum(&udp);
    assert_eq!(wire.answer(&with(12, right)).icmp(), (3, 3));
    wire.silence([with(12, [right[0], right[1] ^ 1]), with(7, [0; 2]), with(13, [0; 2])]);
    wire.silence((1..8).map(|len| Ip::new(17, udp[..len].to_vec()).frame()));
}

/// Of a message to the host from us, whose own is zero.
fn udp_checksum(udp: &[u8]) -> [u8; 2] {
    let len = (udp.len() as u16).to_be_bytes();
    let pseudo = [&US.octets()[..], &HOST.octets(), &[0, 17], &len, udp].concat();
    super::packet::checksum(&pseudo).to_be_bytes()
}

fn quote(wire: &mut Wire) {
    let plain = Ip { tos: 0x28, ttl: 3, ..Ip::new(UNKNOWN, (0..40).collect()) };
    let optional = Ip { options: vec![1, 1, 0x5e, 5, 9, 9, 9, 0], ..plain.clone() };
    for trigger in [plain, optional] {
        let got = wire.answer(&trigger.frame());
        let quoted = &got.message()[8..];
        assert!(quoted.len() >= trigger.options.len() + 28);
        assert_eq!(quoted, &trigger.octets()[..quoted.len()]);
    }
}

fn short_error(wire: &mut Wire) {
    let got = wire.answer(&Ip::new(UNKNOWN, vec![7; 1400]).frame());
    assert_eq!((got.icmp(), got.payload.len()), ((3, 2), 576));
}

fn checksums(wire: &mut Wire) {
    for tail in 0..=0x40_u8 {
        for len in [8, 9] {
            let data = [&[0xff; 6][..], &[0xff, tail, 1][..len - 6]].concat();
            let got = wire.answer(&Ip::new(ICMP, icmp(8, 0, [0xff, 0xff, 0, 1], &data)).frame());
            assert_eq!((got.icmp(), &got.message()[8..]), ((0, 0), &data[..]));
        }
    }
    // With these, the checksum of the reply and that of the request are 0.
    for word in [0xfffd_u16, 0xf7fd] {
        let request = icmp(8, 0, [0, 1, 0, 1], &word.to_be_bytes());
        assert_eq!(wire.answer(&Ip::new(ICMP, request).frame()).icmp(), (0, 0));
    }
}

fn data(wire: &mut Wire) {
    for len in [0, 1, 2, 7, 8, 17, 18, 19, 55, 56, 1000, 1471, 1472] {
        let request = Ip::echo(0xbeef, len);
        let got = wire.answer(&request.frame());
        assert_eq!((got.icmp(), got.addr(12), got.addr(16)), ((0, 0), HOST, US));
        assert_eq!(got.message()[4..], request.payload[4..], "{len}");
    }
    for rest in [[0; 4], [0xff; 4]] {
        let got = wire.answer(&Ip::new(ICMP, icmp(8, 0, rest, &[])).frame());
        assert_eq!(got.message()[4..8], rest);
    }
}

fn burst(wire: &mut Wire) {
    let heard = wire.exchange((0..200).map(|n| Ip::echo(n, 8).frame()));
    let sequences: Vec<u8> = heard.iter().map(|got| got.message()[7]).collect();
    assert_eq!(sequences, (0..200).collect::<Vec<u8>>());
}

fn service(wire: &mut Wire) {
    for tos in [0xb8, 0x10, 0xfc] {
        assert_eq!(wire.answer(&Ip { tos, ..Ip::echo(1, 8) }.frame()).payload[1], tos);
    }
}

fn record_route(wire: &mut Wire) {
    let room = |slots: usize, pointer: u8| {
        let mut option = vec![7, (3 + 4 * slots) as u8, pointer];
        option.resize(3 + 4 * slots, 0);
        option.push(0);
        option
    };
    let first = wire.answer(&Ip { options: room(9, 4), ..Ip::echo(1, 8) }.frame());
    assert_eq!((first.icmp(), first.header().len(), first.payload[22]), ((0, 0), 60, 8));
    assert_eq!(first.addr(23), HOST);
    let full = wire.answer(&Ip { options: room(1, 8), ..Ip::echo(1, 8) }.frame());
    assert_eq!((full.header().len(), full.payload[22], full.addr(23)), (28, 8, 0.into()));
    let after = wire
        .answer(&Ip { options: [&[1][..], &room(3, 8)[..15]].concat(), ..Ip::echo(1, 8) }.frame());
    let at = after.header().iter().skip(20).position(|octet| *octet == 7).expect("it") + 20;
    assert_eq!((after.addr(at + 3), after.addr(at + 7)), (0.into(), HOST));
}

fn timestamps(wire: &mut Wire) {
    let only = [&[68, 20, 5, 0][..], &[0; 16]].concat();
    let got = wire.answer(&Ip { options: only, ..Ip::echo(1, 8) }.frame());
    assert_eq!((got.icmp(), got.payload[20], got.payload[22]), ((0, 0), 68, 9));
    let time = u32::from_be_bytes(got.payload[24..28].try_into().expect("four"));
    assert!(time < 86_400_000 || time >> 31 == 1, "{time}");
    let with_addresses = [&[68, 20, 5, 1][..], &[0; 16]].concat();
    let got = wire.answer(&Ip { options: with_addresses, ..Ip::echo(1, 8) }.frame());
    assert_eq!((got.payload[22], got.addr(24)), (13, HOST));
}

fn code(wire: &mut Wire) {
    for code in [1, 9, 255] {
        let heard = wire.exchange([Ip::new(ICMP, icmp(8, code, [0, 1, 0, 1], &[0; 8])).frame()]);
        assert!(heard.len() <= 1 && heard.iter().all(|got| got.icmp().0 == 0), "{heard:?}");
    }
}

fn timestamp(wire: &mut Wire) {
    let whole = icmp(13, 0, [0, 1, 0, 1], &[0; 12]);
    wire.silence(
        (8..20).map(|len| Ip::new(ICMP, icmp(13, 0, [0, 1, 0, 1], &[0; 12][..len - 8])).frame()),
    );
    let broadcast = Ip { dst: Ipv4Addr::new(10, 77, 0, 255), ..Ip::new(ICMP, whole.clone()) };
    wire.silence([frame(BROADCAST, OUR_MAC, IPV4, &broadcast.octets())]);
    for got in wire.exchange([Ip::new(ICMP, whole).frame()]) {
        assert_eq!((got.icmp(), got.message().len()), ((14, 0), 20));
    }
}

fn retired(wire: &mut Wire) {
    let kinds = [6, 15, 16, 17, 18].into_iter().chain(30..40);
    wire.silence(kinds.map(|kind| Ip::new(ICMP, icmp(kind, 0, [0, 1, 0, 1], &[0; 12])).frame()));
}

fn quench(wire: &mut Wire) {
    let quoted = Ip { src: HOST, dst: US, ..Ip::echo(1, 8) }.octets();
    wire.silence((0..20).map(|_| Ip::new(ICMP, icmp(4, 0, [0; 4], &quoted)).frame()));
    assert_eq!(wire.exchange((0..20).map(|n| Ip::echo(n, 8).frame())).len(), 20);
}

fn limited(wire: &mut Wire) {
    let heard =
        wire.exchange((0..200).map(|id| Ip { id, ..Ip::new(UNKNOWN, vec![1; 16]) }.frame()));
    assert!((1..200).contains(&heard.len()), "{} errors", heard.len());
    assert!(heard.iter().all(|got| got.icmp() == (3, 2)));
    assert_eq!(wire.exchange((0..200).map(|n| Ip::echo(n, 8).frame())).len(), 200);
}

fn extended(wire: &mut Wire) {
    wire.silence([Ip::new(
        ICMP,
        icmp(42, 0, [0, 1, 1, 1], &[0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 1]),
    )
    .frame()]);
}

fn from(wire: &mut Wire) {
    let got = wire.answer(&Ip::new(UNKNOWN, vec![1; 16]).frame());
    assert_eq!((got.addr(12), got.addr(16), got.payload[8]), (HOST, US, 64));
    assert_eq!((got.src, got.dst), (HOST_MAC, OUR_MAC));
}

fn smurf(wire: &mut Wire) {
    let forms = ["255.255.255.255", "10.77.0.255", "10.77.0.0", "224.0.0.1", "0.0.0.0"];
    for dst in forms.map(|text| text.parse().expect("an address")) {
        let echo = Ip { dst, ..Ip::echo(1, 8) }.octets();
        wire.silence([
            frame(BROADCAST, OUR_MAC, IPV4, &echo),
            frame(HOST_MAC, OUR_MAC, IPV4, &echo),
        ]);
    }
}
