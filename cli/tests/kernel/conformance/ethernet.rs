//! Ethernet and its padding, tags and casts.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::Trial;
use link::MacAddr6;
use nix::sys::signal::Signal;

use super::{
    Row,
    packet::{ARP, Arp, BROADCAST, Got, HOST, HOST_MAC, IPV4, Ip, OUR_MAC, frame, unpadded},
    wire::Wire,
};
use crate::run::{PATIENCE, Tested};

pub(crate) const ROWS: &[Row] = &[
    ("ETH-1_the_ether_type_alone_selects_the_layer_above", ether_types),
    ("ETH-2_what_follows_the_packet_is_padding_and_never_echoed", padding),
    ("ETH-3_frames_to_another_station_are_ignored", another_station),
    ("ETH-4_802_3_with_snap_is_taken_in_or_ignored_and_never_sent", snap),
    ("ETH-5_a_priority_tag_is_transparent", priority_tag),
    ("ETH-6_a_tag_of_a_vlan_is_not_ours", vlan),
    ("ETH-7_short_frames_are_dropped", short),
    ("LNK-7_trailers_are_not_believed", trailers),
    ("LNK-6_LNK-8_one_hosts_packet_in_a_frame_for_many_is_discarded", link_broadcast),
    ("SEC-10_a_group_or_zero_is_no_sender", group_sender),
];

/// Those that want another host than the usual one.
pub(crate) fn others() -> Vec<Trial> {
    vec![Trial::test("ETH-9_what_leaves_an_interface_is_not_received_there", two_on_one_interface)]
}

fn ether_types(wire: &mut Wire) {
    let echo = Ip::echo(1, 8).octets();
    let types = [0x05dc, 0x0600, 0x0801, 0x86dd, 0x88b5, 0xffff];
    wire.silence(types.map(|ether_type| frame(HOST_MAC, OUR_MAC, ether_type, &echo)));
    let arp = Arp::request(HOST).octets();
    wire.silence(types.map(|ether_type| frame(BROADCAST, OUR_MAC, ether_type, &arp)));
    wire.silence([frame(HOST_MAC, OUR_MAC, ARP, &echo), frame(BROADCAST, OUR_MAC, IPV4, &arp)]);
}

fn padding(wire: &mut Wire) {
    let mut echo = Ip::echo(1, 1).frame();
    echo[14 + 29..].fill(0xee);
    let got = wire.answer(&echo);
    assert_eq!((got.payload.len(), got.icmp()), (29, (0, 0)));
    assert!(!got.payload.contains(&0xee));
    let mut long = Ip::echo(2, 1).frame();
    long.resize(1514, 0xee);
    assert_eq!(wire.answer(&long).payload.len(), 29);
}

fn another_station(wire: &mut Wire) {
    let other = MacAddr6::new(2, 0, 0, 0, 0, 0x99);
    wire.silence([
        frame(other, OUR_MAC, IPV4, &Ip::echo(1, 8).octets()),
        frame(other, OUR_MAC, ARP, &Arp::request(HOST).octets()),
    ]);
}

fn snap(wire: &mut Wire) {
    let inner = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &Ip::echo(1, 8).octets()[..]].concat();
    let heard = wire.exchange([frame(HOST_MAC, OUR_MAC, inner.len() as u16, &inner)]);
    assert!(heard.len() <= 1 && heard.iter().all(|got| got.icmp() == (0, 0)), "{heard:?}");
}

fn priority_tag(wire: &mut Wire) {
    let tagged = |ether_type: u16, payload: &[u8]| {
        [&[0xa0, 0][..], &ether_type.to_be_bytes(), payload].concat()
    };
    let echo = frame(HOST_MAC, OUR_MAC, 0x8100, &tagged(IPV4, &Ip::echo(1, 8).octets()));
    assert_eq!(wire.answer(&echo).icmp(), (0, 0));
    let arp = frame(BROADCAST, OUR_MAC, 0x8100, &tagged(ARP, &Arp::request(HOST).octets()));
    assert!(wire.answer(&arp).is_arp());
}

fn vlan(wire: &mut Wire) {
    let echo = Ip::echo(1, 8).octets();
    let arp = Arp::request(HOST).octets();
    let single = |ether_type: u16, payload: &[u8]| {
        frame(
            HOST_MAC,
            OUR_MAC,
            0x8100,
            &[&[0, 5], &ether_type.to_be_bytes()[..], payload].concat(),
        )
    };
    let double = [&[0, 0, 0x81, 0, 0, 5, 8, 0], &echo[..]].concat();
    wire.silence([
        single(IPV4, &echo),
        single(ARP, &arp),
        frame(HOST_MAC, OUR_MAC, 0x88a8, &double),
        frame(HOST_MAC, OUR_MAC, 0x8100, &double),
    ]);
}

fn short(wire: &mut Wire) {
    let echo = unpadded(HOST_MAC, OUR_MAC, IPV4, &Ip::echo(1, 8).octets());
    wire.silence((14..34).map(|len| echo[..len].to_vec()));
    let arp = unpadded(BROADCAST, OUR_MAC, ARP, &Arp::request(HOST).octets());
    wire.silence((14..34).map(|len| arp[..len].to_vec()));
}

fn trailers(wire: &mut Wire) {
    wire.silence([frame(HOST_MAC, OUR_MAC, 0x1001, &Ip::echo(1, 512).octets())]);
}

fn link_broadcast(wire: &mut Wire) {
    let echo = Ip::echo(1, 8).octets();
    let group = MacAddr6::new(0x01, 0, 0x5e, 0, 0, 1);
    wire.silence([BROADCAST, group].map(|to| frame(to, OUR_MAC, IPV4, &echo)));
}

fn group_sender(wire: &mut Wire) {
    let arp = Arp::request(HOST);
    let closed = Ip::new(253, vec![1; 16]).octets();
    let groups = [[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1], [3, 0, 0, 0, 0, 9]];
    for src in groups.into_iter().chain([[0; 6]]).map(MacAddr6::from) {
        let claimed = Arp { sha: src, ..arp.clone() }.octets();
        wire.silence([
            frame(BROADCAST, OUR_MAC, ARP, &claimed),
            frame(BROADCAST, src, ARP, &arp.octets()),
            frame(HOST_MAC, src, IPV4, &Ip::echo(1, 8).octets()),
            frame(HOST_MAC, src, IPV4, &closed),
        ]);
    }
}

/// Each sends all that the other must not take for received: claims to an address of its own, and
/// a request for one.
fn two_on_one_interface() -> Tested {
    let mut wire = Wire::silent_start("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03")?;
    let mut second =
        wire.beside("-S 10.77.0.3/24 -S 10.77.0.4/24 --source-mac 02:00:00:00:00:04")?;
    let until = wire.now() + PATIENCE;
    let mut announced = [0; 2];
    while announced != [2, 4] && wire.now() < until {
        for got in wire.hear(Duration::from_millis(20)) {
            let claims = got.addr(14) == got.addr(24);
            announced[usize::from(got.src != HOST_MAC)] += u32::from(claims);
        }
    }
    assert_eq!(announced, [2, 4], "nobody heard the other claim its address");
    let theirs = Ipv4Addr::new(10, 77, 0, 4);
    wire.send(&Ip { src: theirs, ..Ip::echo(1, 8) }.frame());
    wire.until_up(&Arp::request(theirs));
    let heard = wire.hear(Duration::from_millis(1_200));
    let asks = |got: &Got| got.src == HOST_MAC && got.payload[7] == 1 && got.addr(24) == theirs;
    assert!(heard.iter().any(asks), "not asked again, so it was answered: {heard:?}");
    assert!(heard.iter().all(|got| asks(got) || got.dst == OUR_MAC), "{heard:?}");
    for (serve, ours) in [(wire.serve(), 1), (&mut second, 2)] {
        serve.signal(Signal::SIGINT)?;
        let ended = serve.until(r#""state":"ended""#)?;
        assert!(ended.contains(&format!(r#""ours":{ours},"left_alone":0"#)), "{ended}");
    }
    Ok(())
}
