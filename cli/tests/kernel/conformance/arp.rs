//! Address resolution and address conflicts.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::Trial;
use link::MacAddr6;
use nix::sys::signal::Signal;

use super::{
    Row,
    packet::{
        ARP, Arp, BROADCAST, Got, HOST, HOST_MAC, IPV4, Ip, NOBODY, OUR_MAC, US, frame, unpadded,
    },
    wire::Wire,
};

pub(crate) const ROWS: &[Row] = &[
    ("ARP-1_a_request_gets_one_unicast_reply_with_swapped_fields", request),
    ("ARP-1_fifty_hosts_that_ask_at_once_are_all_answered", fifty),
    ("ARP-2_a_unicast_request_is_answered_too", unicast),
    ("ARP-3_requests_for_others_are_not_answered", others_addresses),
    ("ARP-4_a_reply_is_never_answered", reply),
    ("ARP-5_hardware_protocol_and_both_lengths_are_checked", foreign_kinds),
    ("ARP-6_only_two_operations_act", operations),
    ("ARP-7_fewer_than_28_octets_are_dropped", cut),
    ("ARP-8_padding_of_any_content_and_length_is_tolerated", padded),
    ("ARP-9_a_group_or_zero_or_our_own_hardware_address_is_no_sender", senders),
    ("ARP-10_a_sender_that_no_host_can_be_is_not_answered", sender_addresses),
    ("ARP-11_the_reply_goes_to_the_sender_in_the_packet", differing_sender),
    ("ARP-12_word_of_a_known_neighbour_moves_it", moved),
    ("ARP-13_every_field_of_our_own_request_is_right", own_request),
    ("ARP-14_strangers_that_ask_for_others_are_not_learned", stranger),
    ("ACD-2_a_probe_for_a_used_address_is_answered", probe),
    ("ACD-5_a_claim_to_our_address_is_defended_and_not_believed", claim),
    ("ACD-6_defended_at_most_once_in_ten_seconds", defence),
    ("SEC-2_unsolicited_replies_make_no_entry", unsolicited),
    ("LNK-3_a_mute_host_is_asked_for_once_a_second", mute),
    ("LNK-4_the_latest_packet_waits_for_the_answer", kept),
];

/// Those that want another host than the usual one.
pub(crate) fn others() -> Vec<Trial> {
    vec![
        Trial::test("ACD-1_ACD-4_three_probes_then_two_announcements", || {
            let mut wire = Wire::silent_start("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03")?;
            let heard = wire.hear(Duration::from_millis(10_500));
            let of =
                |spa: Ipv4Addr| heard.iter().filter(move |got| got.is_arp() && got.addr(14) == spa);
            assert_eq!(
                (of(Ipv4Addr::UNSPECIFIED).count(), of(HOST).count(), heard.len()),
                (3, 2, 5)
            );
            assert!(heard.iter().all(|got| got.dst == BROADCAST && got.addr(24) == HOST));
            Ok(())
        }),
        Trial::test(
            "ACD-8_our_own_probes_and_announcements_that_come_back_are_no_conflict",
            || {
                let mut wire =
                    Wire::silent_start("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03")?;
                let (mut probes, mut claims) = (0, 0);
                while claims < 2 {
                    for got in wire.hear(Duration::from_millis(20)) {
                        probes += u32::from(got.addr(14) == Ipv4Addr::UNSPECIFIED);
                        claims += u32::from(got.addr(14) == HOST);
                        wire.send(&frame(got.dst, got.src, ARP, &got.payload));
                    }
                    assert!(probes <= 3);
                }
                assert_eq!(wire.answer(&Arp::request(HOST).broadcast()).src, HOST_MAC);
                wire.serve().signal(Signal::SIGINT)?;
                let ended = wire.serve().until(r#""state":"ended""#)?;
                assert!(ended.contains(r#""ours":1,"left_alone":0"#), "{ended}");
                Ok(())
            },
        ),
        Trial::test("LNK-4_answers_that_wait_in_vain_are_counted_by_reason", || {
            let mut wire = Wire::new()?;
            for n in 0..5 {
                wire.send(&Ip { src: Ipv4Addr::new(10, 77, 0, 45), ..Ip::echo(n, 8) }.frame());
            }
            let asked = wire.hear(Duration::from_millis(3_500));
            assert!(asked.len() == 3 && asked.iter().all(Got::is_arp), "{asked:?}");
            wire.serve().signal(Signal::SIGINT)?;
            let ended = wire.serve().until(r#""state":"ended""#)?;
            assert!(ended.contains(r#""undelivered":{"replaced":4,"unresolved":1}"#), "{ended}");
            Ok(())
        }),
        Trial::test("ACD-3_a_taken_address_is_left_alone", || {
            let mut wire = Wire::silent_start("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03")?;
            wire.answering.push(HOST);
            let heard = wire.hear(Duration::from_secs(8));
            assert!(heard.iter().all(|got| got.addr(14) != HOST), "{heard:?}");
            wire.serve().until(r#""type":"adopt""#)?;
            Ok(())
        }),
    ]
}

fn request(wire: &mut Wire) {
    let got = wire.answer(&Arp::request(HOST).broadcast());
    let reply = Arp { operation: 2, sha: HOST_MAC, spa: HOST, tha: OUR_MAC, ..Arp::request(US) };
    let payload = reply.octets();
    assert_eq!(got, Got { dst: OUR_MAC, src: HOST_MAC, ether_type: ARP, payload });
}

fn fifty(wire: &mut Wire) {
    let asks = (100..150).map(|n| {
        let (sha, spa) = (MacAddr6::new(2, 0, 0, 0, 1, n), Ipv4Addr::new(10, 77, 0, n));
        Arp { sha, spa, ..Arp::request(HOST) }.broadcast()
    });
    let heard = wire.exchange(asks);
    let told: Vec<u8> = heard.iter().map(|got| got.dst.as_bytes()[5]).collect();
    assert_eq!(told, (100..150).collect::<Vec<u8>>());
}

fn unicast(wire: &mut Wire) {
    assert!(wire.answer(&Arp::request(HOST).unicast()).is_arp());
}

fn others_addresses(wire: &mut Wire) {
    let addresses = [
        "10.77.0.9",
        "10.77.0.0",
        "10.77.0.255",
        "255.255.255.255",
        "127.0.0.1",
        "224.0.0.1",
        "0.0.0.0",
    ];
    let addresses = addresses.map(|text| text.parse().expect("an address"));
    wire.silence(addresses.map(|tpa| Arp::request(tpa).broadcast()));
}

fn reply(wire: &mut Wire) {
    let reply = Arp { operation: 2, tha: HOST_MAC, ..Arp::request(HOST) };
    wire.silence([reply.unicast(), reply.broadcast()]);
}

fn foreign_kinds(wire: &mut Wire) {
    let right = Arp::request(HOST);
    let hardware = [0, 6, 7, 0x0100].map(|hardware| Arp { hardware, ..right.clone() });
    let protocol = [0x0801, 0x86dd, 0x0008].map(|protocol| Arp { protocol, ..right.clone() });
    let lens = [[8, 4], [6, 6], [0, 0], [4, 6]].map(|lens| Arp { lens, ..right.clone() });
    wire.silence(hardware.iter().chain(&protocol).chain(&lens).map(Arp::broadcast));
}

fn operations(wire: &mut Wire) {
    let other = [0, 3, 4, 8, 9, 25, 256, 65535];
    wire.silence(other.map(|operation| Arp { operation, ..Arp::request(HOST) }.broadcast()));
}

fn cut(wire: &mut Wire) {
    let whole = Arp::request(HOST).octets();
    wire.silence((0..28).map(|len| unpadded(BROADCAST, OUR_MAC, ARP, &whole[..len])));
}

fn padded(wire: &mut Wire) {
    for (len, with) in [(0, 0), (18, 0), (18, 0xa5), (1400, 0xa5)] {
        let mut octets = Arp::request(HOST).octets();
        octets.resize(28 + len, with);
        assert!(wire.answer(&unpadded(BROADCAST, OUR_MAC, ARP, &octets)).is_arp());
    }
}

fn senders(wire: &mut Wire) {
    let bad = [BROADCAST, NOBODY, HOST_MAC, MacAddr6::new(1, 0, 0x5e, 0, 0, 1)];
    wire.silence(
        bad.map(|sha| frame(BROADCAST, OUR_MAC, ARP, &Arp { sha, ..Arp::request(HOST) }.octets())),
    );
    assert_eq!(wire.answer(&Ip::echo(1, 8).frame()).dst, OUR_MAC); // nothing of it was learned
}

fn sender_addresses(wire: &mut Wire) {
    let bad = ["255.255.255.255", "224.0.0.1", "127.0.0.1", "10.77.0.255", "239.1.2.3"];
    let bad = bad.into_iter().chain(["240.0.0.1", "254.1.2.3", "0.0.0.1", "0.1.2.3"]);
    let bad = bad.map(|text| text.parse().expect("an address"));
    wire.silence(bad.map(|spa| Arp { spa, ..Arp::request(HOST) }.broadcast()));
}

fn differing_sender(wire: &mut Wire) {
    let src = MacAddr6::new(2, 0, 0, 0, 0, 0x77);
    let heard = wire.exchange([frame(BROADCAST, src, ARP, &Arp::request(HOST).octets())]);
    assert!(heard.iter().all(|got| got.dst == OUR_MAC), "{heard:?}");
}

fn moved(wire: &mut Wire) {
    let new = MacAddr6::new(2, 0, 0, 0, 0, 0x55);
    for operation in [1, 2] {
        wire.hear(Duration::from_millis(1_300));
        for sha in [new, OUR_MAC] {
            wire.send(&Arp { operation, sha, spa: US, tpa: US, ..Arp::request(US) }.broadcast());
            assert_eq!(wire.answer(&frame(HOST_MAC, sha, IPV4, &Ip::echo(1, 8).octets())).dst, sha);
            wire.hear(Duration::from_millis(1_300));
        }
    }
}

fn own_request(wire: &mut Wire) {
    let stranger = Ipv4Addr::new(10, 77, 0, 40);
    let heard = wire.exchange([Ip { src: stranger, ..Ip::echo(1, 8) }.frame()]);
    let [got] = &heard[..] else { panic!("not one frame: {heard:?}") };
    let asks = Arp { sha: HOST_MAC, spa: HOST, ..Arp::request(stranger) };
    let payload = asks.octets();
    assert_eq!(*got, Got { dst: BROADCAST, src: HOST_MAC, ether_type: ARP, payload });
}

fn stranger(wire: &mut Wire) {
    let spa = Ipv4Addr::new(10, 77, 0, 41);
    wire.send(&Arp { spa, ..Arp::request(Ipv4Addr::new(10, 77, 0, 9)) }.broadcast());
    assert!(wire.answer(&Ip { src: spa, ..Ip::echo(1, 8) }.frame()).is_arp());
}

fn probe(wire: &mut Wire) {
    let probe = Arp { spa: Ipv4Addr::UNSPECIFIED, ..Arp::request(HOST) };
    let got = wire.answer(&probe.broadcast());
    assert_eq!((got.payload[7], got.addr(14), got.addr(24)), (2, HOST, Ipv4Addr::UNSPECIFIED));
}

fn claim(wire: &mut Wire) {
    let thief = Arp { sha: MacAddr6::new(2, 0, 0, 0, 0, 0x66), spa: HOST, ..Arp::request(HOST) };
    wire.exchange([thief.broadcast()]);
    let got = wire.answer(&Arp::request(HOST).broadcast());
    assert_eq!(&got.payload[8..14], HOST_MAC.as_bytes());
}

fn defence(wire: &mut Wire) {
    let thief = Arp { sha: MacAddr6::new(2, 0, 0, 0, 0, 0x66), spa: HOST, ..Arp::request(HOST) };
    let mut heard = wire.exchange([thief.broadcast(), thief.broadcast()]);
    heard.extend(wire.hear(Duration::from_millis(500)));
    let announced = heard.iter().filter(|got| got.dst == BROADCAST).count();
    assert!(announced <= 1, "{heard:?}");
}

fn unsolicited(wire: &mut Wire) {
    let spa = Ipv4Addr::new(10, 77, 0, 42);
    wire.send(&Arp { operation: 2, spa, tha: HOST_MAC, tpa: HOST, ..Arp::request(HOST) }.unicast());
    wire.send(&Arp { operation: 2, spa, tpa: spa, ..Arp::request(spa) }.broadcast());
    assert!(wire.answer(&Ip { src: spa, ..Ip::echo(1, 8) }.frame()).is_arp());
}

fn mute(wire: &mut Wire) {
    let src = Ipv4Addr::new(10, 77, 0, 43);
    let mut asked = 0;
    for n in 0..40 {
        wire.send(&Ip { src, ..Ip::echo(n, 8) }.frame());
        asked += wire.hear(Duration::from_millis(100)).len();
    }
    assert!((3..=5).contains(&asked), "asked {asked} times in four seconds");
}

fn kept(wire: &mut Wire) {
    let src = Ipv4Addr::new(10, 77, 0, 44);
    wire.send(&Ip { src, ..Ip::echo(7, 8) }.frame());
    let heard = wire.hear(Duration::from_millis(300));
    assert!(heard.len() == 1 && heard[0].is_arp(), "{heard:?}");
    let reply = Arp { operation: 2, spa: src, tha: HOST_MAC, ..Arp::request(HOST) };
    assert_eq!(wire.answer(&reply.unicast()).message()[6..8], [0, 7]);
}
