//! What nobody may do to the host.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::Trial;
use link::MacAddr6;
use nix::sys::signal::Signal;

use super::{
    Row,
    packet::{ARP, Arp, BROADCAST, HOST, HOST_MAC, ICMP, IPV4, Ip, OUR_MAC, US, echo, frame, icmp},
    wire::Wire,
};
use crate::run::Tested;

pub(crate) const ROWS: &[Row] = &[
    ("SEC-1_a_confirmed_neighbour_is_not_moved_at_once", poison),
    ("SEC-3_a_flood_of_neighbours_evicts_nobody_in_use", flood),
    ("SEC-7_redirects_are_ignored", redirect),
    ("SEC-13_nothing_that_arrives_ends_the_host", noise),
    ("ICMP-1_a_cut_error_about_ours_ends_nothing", cut_errors),
];

/// Those that want another host than the usual one.
pub(crate) fn others() -> Vec<Trial> {
    let given_up = Trial::test("SEC-5_datagrams_that_are_given_up_are_counted", given_up);
    let identity =
        Trial::test("RTE-5_one_hosts_datagram_at_another_hosts_mac_is_discarded", || {
            let mut wire = Wire::silent_start("--no-probe --mac-per-host 10.77.0.2-10")?;
            let asked = [3, 4].map(|last| Ipv4Addr::new(10, 77, 0, last));
            let mut macs = Vec::new();
            for host in asked {
                wire.until_up(&Arp::request(host));
                wire.send(&Arp::request(host).broadcast());
                let heard = wire.hear(Duration::from_millis(100));
                macs.push(heard.first().expect("an answer").src);
            }
            assert_ne!(macs[0], macs[1]);
            for (to, answers) in [(macs[0], 1), (macs[1], 0)] {
                let echo = Ip { dst: asked[0], ..Ip::echo(1, 8) }.octets();
                wire.send(&frame(to, OUR_MAC, IPV4, &echo));
                assert_eq!(wire.hear(Duration::from_millis(200)).len(), answers);
            }
            for (to, answers) in [(macs[0], 1), (macs[1], 0), (BROADCAST, 1)] {
                wire.send(&frame(to, OUR_MAC, ARP, &Arp::request(asked[0]).octets()));
                assert_eq!(wire.hear(Duration::from_millis(200)).len(), answers, "{to}");
            }
            Ok(())
        });
    vec![given_up, identity]
}

/// One source's datagrams of which the rest never comes: 64 may wait.
fn given_up() -> Tested {
    let mut wire = Wire::new()?;
    wire.silence((0..70).map(|id| Ip { id, fragment: 0x2000, ..Ip::echo(1, 40) }.frame()));
    wire.serve().signal(Signal::SIGINT)?;
    let ended = wire.serve().until(r#""state":"ended""#)?;
    assert!(ended.contains(r#""ipv4_reassembly_evicted":6"#), "{ended}");
    Ok(())
}

fn poison(wire: &mut Wire) {
    let thief = MacAddr6::new(2, 0, 0, 0, 0, 0x66);
    wire.exchange([Ip::echo(1, 8).frame()]);
    wire.send(
        &Arp { operation: 2, sha: thief, tha: HOST_MAC, tpa: HOST, ..Arp::request(HOST) }.unicast(),
    );
    let heard = wire.exchange([Ip::echo(2, 8).frame()]);
    let echoes = heard.iter().filter(|got| !got.is_arp());
    assert!(
        echoes.clone().count() == 1 && echoes.clone().all(|got| got.dst == OUR_MAC),
        "{heard:?}"
    );
}

fn flood(wire: &mut Wire) {
    for n in 0..4_000_u16 {
        let [a, b] = n.to_be_bytes();
        let (spa, sha) = (Ipv4Addr::new(10, 77, 1 + a, b), MacAddr6::new(2, 9, 9, 9, a, b));
        wire.send(&Arp { spa, sha, ..Arp::request(HOST) }.broadcast());
        if n % 64 == 0 {
            wire.hear(Duration::from_millis(1));
        }
    }
    let heard = wire.exchange([Ip::echo(1, 8).frame()]);
    let echo = heard.iter().find(|got| !got.is_arp()).expect("an answer");
    assert_eq!((echo.dst, echo.addr(16)), (OUR_MAC, US));
}

fn redirect(wire: &mut Wire) {
    let far = Ipv4Addr::new(10, 99, 1, 2);
    wire.send(&Ip { src: far, ..Ip::echo(1, 8) }.frame());
    wire.hear(Duration::from_millis(100)); // the gateway is found meanwhile
    let quoted = Ip { src: HOST, dst: far, ..Ip::echo(1, 8) }.octets();
    let new_gateway = Ipv4Addr::new(10, 77, 0, 70);
    for src in [US, Ipv4Addr::new(10, 77, 0, 254)] {
        wire.silence([
            Ip { src, ..Ip::new(ICMP, icmp(5, 1, new_gateway.octets(), &quoted)) }.frame()
        ]);
    }
    wire.hear(Duration::from_millis(50));
    let heard = wire.exchange([Ip { src: far, ..Ip::echo(2, 8) }.frame()]);
    assert!(heard.iter().all(|got| !got.is_arp() || got.addr(24) != new_gateway), "{heard:?}");
}

/// Frames that are right but for some octets, by a small generator.
fn noise(wire: &mut Wire) {
    let seeds = [
        Ip::echo(1, 40).frame(),
        Arp::request(HOST).broadcast(),
        Ip { fragment: 0x2000, ..Ip::echo(1, 40) }.frame(),
        Ip { options: vec![7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0], ..Ip::echo(1, 40) }.frame(),
        Ip::new(ICMP, icmp(3, 1, [0; 4], &Ip { src: HOST, dst: US, ..Ip::echo(1, 8) }.octets()))
            .frame(),
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for n in 0..11_000 {
        let mut octets = seeds[n % seeds.len()].clone();
        for _ in 0..=draw(4) {
            let at = 12 + draw(octets.len() - 12);
            octets[at] = draw(256) as u8;
        }
        octets.truncate(14 + draw(octets.len() - 13));
        wire.send(&octets);
        if n % 256 == 0 {
            wire.drain();
        }
    }
    wire.exchange([Arp::request(HOST).broadcast()]); // the host has come so far
    let heard = wire.echoed(&[Ip::echo(1, 8).frame()]);
    let answers = heard.iter().filter(|got| got.message()[4..] == echo(1, 8)[4..]);
    assert_eq!(answers.count(), 1, "{heard:02x?}");
}

fn cut_errors(wire: &mut Wire) {
    let quoted = Ip { src: HOST, dst: US, ..Ip::echo(1, 8) }.octets();
    wire.silence(
        (0..quoted.len()).map(|len| Ip::new(ICMP, icmp(3, 1, [0; 4], &quoted[..len])).frame()),
    );
}
