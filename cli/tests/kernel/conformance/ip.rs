//! The IPv4 header, and where an answer goes.

use std::net::Ipv4Addr;

use libtest_mimic::Trial;
use link::MacAddr6;

use super::{
    Row,
    packet::{Arp, GATEWAY, HOST, Ip, OUR_MAC, US},
    wire::Wire,
};

pub(crate) const ROWS: &[Row] = &[
    ("IP-2_a_bad_header_checksum_is_silence", checksum),
    ("IP-3_another_version_is_silence", version),
    ("IP-4_an_impossible_header_length_is_silence", header_length),
    ("IP-5_an_impossible_total_length_is_silence", total_length),
    ("IP-6_large_replies_have_distinct_identifications", identifications),
    ("IP-7_sources_that_no_host_has_are_silence", martians),
    ("IP-8_what_is_for_others_is_silence", others_destinations),
    ("IP-9_unknown_options_are_ignored", unknown_options),
    ("IP-10_options_of_impossible_length_never_loop", broken_options),
    ("IP-11_any_time_to_live_arrives_and_64_is_sent", time_to_live),
    ("IP-12_flags_of_the_request_change_nothing", flags),
    ("IP-16_576_octets_arrive_whole", least),
    ("RTE-1_off_link_answers_go_to_the_gateway", off_link),
    ("SEC-9_a_source_of_ours_is_dropped", land),
    ("SEC-11_identifications_do_not_count_up_for_everybody", interleaved),
    ("SEC-12_source_routes_are_dropped", source_routes),
];

pub(crate) fn others() -> Vec<Trial> {
    vec![
        Trial::test("IP-14_on_a_31_bit_prefix_both_addresses_are_hosts", || {
            for (host, peer) in [("10.77.0.2", "10.77.0.3"), ("10.77.0.3", "10.77.0.2")] {
                let args = format!("--no-probe -S {host}/31 --source-mac 02:00:00:00:00:03");
                let mut wire = Wire::silent_start(&args)?;
                let (host, peer) = (host.parse()?, peer.parse()?);
                wire.answering.push(peer);
                let request = Arp { spa: peer, ..Arp::request(host) };
                wire.until_up(&request);
                wire.send(&Ip { src: peer, dst: host, ..Ip::echo(1, 8) }.frame());
                let heard = wire.hear(std::time::Duration::from_millis(200));
                assert!(heard.iter().any(|got| !got.is_arp() && got.icmp() == (0, 0)), "{heard:?}");
            }
            Ok(())
        }),
        Trial::test("RTE-4_the_source_of_a_reply_is_the_address_asked", || {
            let mut wire =
                Wire::serving("-S 10.77.0.3/24 -S 10.77.0.13/24 --source-mac 02:00:00:00:00:03")?;
            for host in [HOST, Ipv4Addr::new(10, 77, 0, 13)] {
                let got = wire.answer(&Ip { dst: host, ..Ip::echo(1, 8) }.frame());
                assert_eq!((got.addr(12), got.addr(16)), (host, US));
            }
            Ok(())
        }),
    ]
}

fn checksum(wire: &mut Wire) {
    let right = super::packet::checksum(&{
        let mut header = Ip::echo(1, 8).octets()[..20].to_vec();
        header[10..12].fill(0);
        header
    });
    let wrong = [0x1234, 0, 0xffff, right ^ 1, right.swap_bytes()];
    wire.silence(wrong.map(|sum| Ip { checksum: Some(sum), ..Ip::echo(1, 8) }.frame()));
}

fn version(wire: &mut Wire) {
    wire.silence([0, 3, 5, 6, 15].map(|version| Ip { version, ..Ip::echo(1, 8) }.frame()));
}

fn header_length(wire: &mut Wire) {
    let lengths = [0, 1, 4, 15];
    wire.silence(lengths.map(|words| Ip { header_words: Some(words), ..Ip::echo(1, 8) }.frame()));
}

fn total_length(wire: &mut Wire) {
    let echo = Ip::echo(1, 40);
    let real = echo.octets().len() as u16;
    let lengths = [0, 1, 19, real + 1, 600, 65535];
    wire.silence(lengths.map(|len| Ip { total_len: Some(len), ..echo.clone() }.frame()));
}

fn identifications(wire: &mut Wire) {
    let mut ids = Vec::new();
    for n in 0..4 {
        let request = Ip { id: 0x4000 + n, ..Ip::echo(n, 3000) };
        let parts: Vec<_> = request.fragments(&[0, 1480, 2960]).iter().map(Ip::frame).collect();
        let heard = wire.echoed(&parts);
        assert_eq!(heard.len(), 3);
        let id = |got: &super::packet::Got| u16::from_be_bytes([got.payload[4], got.payload[5]]);
        assert!(heard.iter().all(|got| id(got) == id(&heard[0])));
        ids.push(id(&heard[0]));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

fn martians(wire: &mut Wire) {
    let sources = [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.1.2.3",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "10.77.0.255",
        "10.77.0.0",
    ];
    wire.silence(sources.map(|src| Ip { src: addr(src), ..Ip::echo(1, 8) }.frame()));
    wire.silence(
        ["127.0.0.1", "0.0.0.0"].map(|dst| Ip { dst: addr(dst), ..Ip::echo(1, 8) }.frame()),
    );
}

fn others_destinations(wire: &mut Wire) {
    let destinations = ["10.77.0.9", "10.88.0.1", "239.1.2.3", "224.0.0.1", "224.0.0.251"];
    wire.silence(destinations.map(|dst| Ip { dst: addr(dst), ..Ip::echo(1, 8) }.frame()));
}

fn unknown_options(wire: &mut Wire) {
    let nops = vec![1; 40];
    let unknown = vec![0x5e, 4, 1, 2];
    let security = [&[130, 11][..], &[0; 9], &[1]].concat();
    let extended = vec![133, 4, 0, 0];
    for options in [nops, unknown, security, extended, vec![0, 0xff, 0xff, 0xff]] {
        let got = wire.answer(&Ip { options, ..Ip::echo(1, 8) }.frame());
        assert_eq!((got.icmp(), got.message().len()), ((0, 0), 16));
    }
}

fn broken_options(wire: &mut Wire) {
    let broken: [&[u8]; 5] =
        [&[0x5e, 0, 0, 0], &[0x5e, 1, 0, 0], &[0x5e, 5, 0, 0], &[7, 255, 4, 0], &[1, 1, 1, 0x5e]];
    for options in broken {
        let heard = wire.exchange([Ip { options: options.to_vec(), ..Ip::echo(1, 8) }.frame()]);
        assert!(heard.len() <= 1 && heard.iter().all(|got| got.icmp() == (12, 0)), "{heard:?}");
    }
}

fn time_to_live(wire: &mut Wire) {
    for ttl in [1, 0, 255] {
        let got = wire.answer(&Ip { ttl, ..Ip::echo(1, 8) }.frame());
        assert_eq!((got.icmp(), got.payload[8]), ((0, 0), 64));
    }
}

fn flags(wire: &mut Wire) {
    for fragment in [0x4000, 0x8000, 0xc000] {
        assert_eq!(wire.answer(&Ip { fragment, ..Ip::echo(1, 8) }.frame()).icmp(), (0, 0));
    }
}

fn least(wire: &mut Wire) {
    let whole = wire.answer(&Ip::echo(1, 548).frame());
    assert_eq!(whole.payload.len(), 576);
    let parts = Ip::echo(2, 548).fragments(&[0, 304]);
    let [got] = &wire.echoed(&parts.iter().map(Ip::frame).collect::<Vec<_>>())[..] else {
        panic!("not one answer")
    };
    assert_eq!(got.message()[8..], super::packet::echo(2, 548)[8..]);
}

fn off_link(wire: &mut Wire) {
    let far = Ipv4Addr::new(10, 99, 1, 2);
    let heard = wire.exchange([Ip { src: far, ..Ip::echo(1, 8) }.frame()]);
    let answers: Vec<_> = heard.iter().filter(|got| !got.is_arp()).collect();
    let asked: Vec<_> = heard.iter().filter(|got| got.is_arp()).map(|got| got.addr(24)).collect();
    assert!(asked.is_empty() || asked == [GATEWAY], "{asked:?}");
    let late;
    let got = match answers.first() {
        Some(got) => *got,
        None => {
            late = wire.hear(std::time::Duration::from_millis(300));
            late.iter().find(|got| !got.is_arp()).expect("an answer")
        }
    };
    assert_eq!((got.dst, got.addr(16), got.icmp()), (OUR_MAC, far, (0, 0)));
}

fn land(wire: &mut Wire) {
    wire.silence([Ip { src: HOST, ..Ip::echo(1, 8) }.frame()]);
}

fn interleaved(wire: &mut Wire) {
    let mut ids = Vec::new();
    for n in 0..6 {
        let last = 50 + (n % 2) as u8;
        let (src, sha) = (Ipv4Addr::new(10, 77, 0, last), MacAddr6::new(2, 0, 0, 0, 1, last));
        wire.send(&Arp { spa: src, sha, ..Arp::request(HOST) }.broadcast());
        let request = Ip { src, id: 0x5000 + n, ..Ip::echo(n, 3000) };
        let parts: Vec<_> = request.fragments(&[0, 1480, 2960]).iter().map(Ip::frame).collect();
        let heard = wire.echoed(&parts);
        ids.push(u16::from_be_bytes([heard[0].payload[4], heard[0].payload[5]]));
    }
    let steps: Vec<u16> = ids.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.iter().any(|step| *step != steps[0]), "{ids:?}");
    assert!(!steps.iter().all(|step| (1..64).contains(step)), "{ids:?}");
}

fn source_routes(wire: &mut Wire) {
    let route = |kind: u8| [&[kind, 7, 4][..], &US.octets(), &[0]].concat();
    let done = |kind: u8| [&[kind, 7, 8][..], &US.octets(), &[0]].concat();
    for options in [route(131), route(137), done(131), done(137)] {
        let heard = wire.exchange([Ip { options, ..Ip::echo(1, 8) }.frame()]);
        assert!(heard.iter().all(|got| got.icmp().0 != 0), "{heard:?}");
    }
}

fn addr(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}
