//! Whether all that a host sends is well formed, whatever it is asked.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use libtest_mimic::Trial;

use super::{
    packet::{Arp, BROADCAST, Got, HOST, HOST_MAC, ICMP, Ip, NOBODY, US, checksum, icmp},
    wire::Wire,
};
use crate::run::Tested;

pub(crate) fn others() -> Vec<Trial> {
    vec![Trial::test("IP-1_every_frame_of_a_varied_run_is_well_formed", varied)]
}

/// Answers of every kind that there is: of the host, of its second address, of routers before
/// others, whole and in fragments, with options, of any service, to the gateway, and errors.
fn varied() -> Tested {
    let args = "-S 10.77.0.3/24 -S 10.77.0.13/24 --gateway 10.77.0.254 --routers 3 10.98.0.0/24 \
                --unreachable 10.98.0.9/32:13 --ttl 10.98.0.7/32=5";
    let mut wire = Wire::serving(&format!("{args} --source-mac 02:00:00:00:00:03"))?;
    let mut heard = Vec::new();
    let far = Ipv4Addr::new(10, 99, 1, 2);
    heard.extend(wire.exchange([Ip { src: far, ..Ip::echo(1, 8) }.frame()]));
    heard.extend(wire.hear(Duration::from_millis(100)));
    let second = Ipv4Addr::new(10, 77, 0, 13);
    for (dst, src) in [(HOST, US), (second, US), (HOST, far), (HOSTS[0], US), (HOSTS[1], US)] {
        for len in [0, 1, 2, 7, 56, 57, 512, 1471, 1472] {
            heard.extend(wire.exchange([Ip { src, dst, ..Ip::echo(len as u16, len) }.frame()]));
        }
        let parts = Ip { src, dst, id: 77, ..Ip::echo(9, 4_001) }.fragments(&[0, 1480, 2960]);
        heard.extend(wire.exchange(parts.iter().map(Ip::frame)));
        for options in [record_route(9), record_route(2), timestamps(4), vec![1; 40]] {
            let tos = 0xb8 | options.len() as u8 & 3;
            heard.extend(wire.exchange([Ip { src, dst, tos, options, ..Ip::echo(1, 9) }.frame()]));
        }
        let wrong = vec![0x5e, 0, 0, 0];
        for trigger in [
            Ip { dst, ..Ip::new(253, vec![1; 1_400]) },
            Ip {
                dst,
                ..Ip::new(17, [&[0x30, 0x39, 0x82, 0x9b, 0, 12, 0, 0][..], b"data"].concat())
            },
            Ip { dst, options: wrong, ..Ip::echo(1, 8) },
            Ip { dst, ..Ip::new(ICMP, icmp(13, 0, [0, 1, 0, 1], &[0; 12])) },
        ] {
            heard.extend(wire.exchange([trigger.frame()]));
        }
    }
    for ttl in 0..=4 {
        heard.extend(wire.exchange([Ip { dst: HOSTS[0], ttl, ..Ip::echo(1, 8) }.frame()]));
    }
    for dst in [HOSTS[2], Ipv4Addr::new(10, 97, 0, 1)] {
        heard.extend(wire.exchange([Ip { dst, ..Ip::echo(1, 8) }.frame()]));
    }
    let thief = Arp { sha: [2, 0, 0, 0, 0, 0x66].into(), spa: HOST, ..Arp::request(HOST) };
    let stranger = Ip { src: Ipv4Addr::new(10, 77, 0, 40), ..Ip::echo(1, 8) };
    let probe = Arp { spa: Ipv4Addr::UNSPECIFIED, ..Arp::request(HOST) };
    let asked =
        [probe.broadcast(), Arp::request(second).unicast(), thief.broadcast(), stranger.frame()];
    heard.extend(wire.exchange(asked));
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for got in &heard {
        *kinds.entry(judge(got)).or_default() += 1;
    }
    let seen: Vec<&str> = kinds.keys().map(String::as_str).collect();
    let all = [
        "arp 1",
        "arp 2",
        "fragment",
        "icmp 0/0",
        "icmp 11/0",
        "icmp 12/0",
        "icmp 3/0",
        "icmp 3/13",
        "icmp 3/2",
        "icmp 3/3",
    ];
    assert_eq!(seen, all, "{kinds:?}");
    assert!(kinds["icmp 0/0"] > 60 && kinds["fragment"] >= 10, "{kinds:?}");
    Ok(())
}

/// Reads a frame with no regard for how ours are made, and says what is in it. `Got::parse` has
/// looked at padding, version, header length, checksum, time to live and reserved flag.
fn judge(got: &Got) -> String {
    assert_eq!(got.src, HOST_MAC, "whose station? {got:?}");
    if got.is_arp() {
        let packet = &got.payload;
        assert_eq!(packet[..6], [0, 1, 8, 0, 6, 4]);
        assert_eq!(packet[8..14], *HOST_MAC.as_bytes(), "{got:?}");
        assert!(OWN.contains(&got.addr(14)), "whose address? {got:?}");
        let asks = packet[7] == 1;
        assert!(!asks || got.dst == BROADCAST && packet[18..24] == *NOBODY.as_bytes(), "{got:?}");
        return format!("arp {}", packet[7]);
    }
    let header = got.header();
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    assert_eq!((total, checksum(header)), (got.payload.len(), 0));
    assert!(header[8] > 0 && header[6] & 0x80 == 0, "{got:?}");
    assert_eq!(header[9], ICMP);
    let (src, dst) = (got.addr(12), got.addr(16));
    let of_a_router = src.octets()[..3] == [172, 31, 255] && [2, 3].contains(&src.octets()[3]);
    assert!(OWN.contains(&src) || HOSTS.contains(&src) || of_a_router, "whose address? {got:?}");
    assert!(![Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].contains(&dst) && !OWN.contains(&dst));
    assert_ne!(got.dst, BROADCAST);
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    if fragment != 0 {
        let more = fragment & 0x2000 != 0;
        assert!(!more || got.message().len().is_multiple_of(8), "{got:?}");
        assert!(fragment & 0x1fff != 0 || more);
        return "fragment".to_owned();
    }
    let (kind, code) = got.icmp(); // with a look at its checksum
    if kind != 0 {
        let quoted = &got.message()[8..];
        let words = usize::from(quoted[0] & 15);
        assert_eq!((quoted[0] >> 4, got.message()[5]), (4, 0), "{got:?}");
        assert!(quoted.len() >= 4 * words + 8 && total <= 576, "{got:?}");
        assert_eq!(quoted[12..16], dst.octets(), "told to who sent it");
    }
    format!("icmp {kind}/{code}")
}

fn record_route(slots: usize) -> Vec<u8> {
    let mut option = vec![7, (3 + 4 * slots) as u8, 4];
    option.resize(4 + 4 * slots, 0);
    option
}

fn timestamps(slots: usize) -> Vec<u8> {
    let mut option = vec![68, (4 + 4 * slots) as u8, 5, 0];
    option.resize(4 + 4 * slots, 0);
    option
}

/// Addresses of the host.
const OWN: [Ipv4Addr; 2] = [HOST, Ipv4Addr::new(10, 77, 0, 13)];

/// Hosts behind routers: like others, with a time to live of its own, unreachable.
const HOSTS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(10, 98, 0, 1), Ipv4Addr::new(10, 98, 0, 7), Ipv4Addr::new(10, 98, 0, 9)];
