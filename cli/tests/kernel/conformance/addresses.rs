//! Addresses of a kind of their own: broadcasts, link-local ones, and those of others.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::{Failed, Trial};

use super::{
    packet::{Arp, BROADCAST, GATEWAY, HOST, HOST_MAC, IPV4, Ip, OUR_MAC, US, frame},
    wire::Wire,
};
use crate::run::Tested;

pub(crate) fn others() -> Vec<Trial> {
    vec![
        Trial::test("IP-15_all_ones_and_all_zeros_of_each_network_are_broadcasts", broadcasts),
        Trial::test("LL-1_arp_of_a_link_local_address_is_broadcast", arp_to_all),
        Trial::test("LL-1_a_link_local_host_answers_nobody_through_a_router", no_router),
        Trial::test("IP-7_a_router_is_silent_of_what_no_router_may_forward", never_forwarded),
        Trial::test("ICMP-9_routers_that_cannot_be_counted_discard_the_datagram", uncounted),
        Trial::test("RTE-7_nothing_for_others_is_forwarded_source_routed_or_not", no_forwarding),
    ]
}

fn broadcasts() -> Tested {
    let args = "-S 10.77.0.3/24 -S 10.78.1.3/25 -S 10.79.0.3/16 --gateway 10.77.0.254";
    let mut wire = Wire::serving(&format!("{args} --source-mac 02:00:00:00:00:03"))?;
    let forms =
        ["10.77.0.255", "10.77.0.0", "10.78.1.127", "10.78.1.0", "10.79.255.255", "10.79.0.0"];
    for addr in forms.map(parsed) {
        let to = Ip { dst: addr, ..Ip::echo(1, 8) };
        let from = Ip { src: addr, ..Ip::echo(1, 8) };
        wire.silence([
            to.frame(),
            frame(BROADCAST, OUR_MAC, IPV4, &to.octets()),
            from.frame(),
            Arp::request(addr).broadcast(),
            Arp { spa: addr, ..Arp::request(HOST) }.broadcast(),
        ]);
    }
    // By another mask these would be broadcasts too; by theirs they are hosts.
    for addr in ["10.78.1.255", "10.78.1.128", "10.79.0.255", "10.79.1.0"].map(parsed) {
        wire.answering.push(addr);
        wire.send(&Ip { src: addr, ..Ip::echo(1, 8) }.frame());
        let heard = wire.hear(Duration::from_millis(100));
        let answers: Vec<_> = heard.iter().filter(|got| !got.is_arp()).collect();
        let [got] = answers[..] else { panic!("{addr}: {heard:?}") };
        assert_eq!((got.icmp(), got.addr(16)), ((0, 0), addr));
    }
    Ok(())
}

fn arp_to_all() -> Tested {
    let mut wire = link_local()?;
    let asker = Ipv4Addr::new(169, 254, 7, 1);
    for request in [
        Arp { spa: asker, ..Arp::request(LINK_LOCAL) }.broadcast(),
        Arp { spa: asker, ..Arp::request(LINK_LOCAL) }.unicast(),
        Arp { spa: Ipv4Addr::UNSPECIFIED, ..Arp::request(LINK_LOCAL) }.broadcast(),
        Arp::request(LINK_LOCAL).broadcast(),
    ] {
        let got = wire.answer(&request);
        assert_eq!((got.dst, got.src, got.payload[7]), (BROADCAST, HOST_MAC, 2));
        assert_eq!(
            (got.addr(14), got.payload[18..24].to_vec()),
            (LINK_LOCAL, OUR_MAC.as_bytes().to_vec())
        );
    }
    assert_eq!(wire.answer(&Arp::request(HOST).broadcast()).dst, OUR_MAC, "any other address's");
    Ok(())
}

fn no_router() -> Tested {
    let mut wire = link_local()?;
    let far = Ipv4Addr::new(10, 99, 1, 2);
    wire.silence([Ip { src: far, dst: LINK_LOCAL, ..Ip::echo(1, 8) }.frame()]);
    // Who has such an address is on the link, whoever it asks: to be found there or not at all.
    let stranger = Ipv4Addr::new(169, 254, 9, 9);
    let asked = wire.answer(&Ip { src: stranger, ..Ip::echo(1, 8) }.frame());
    assert_eq!((asked.dst, asked.payload[7], asked.addr(24)), (BROADCAST, 1, stranger));
    let neighbour = Ipv4Addr::new(169, 254, 7, 1);
    wire.answering.push(neighbour);
    for (src, dst) in [(far, HOST), (neighbour, LINK_LOCAL)] {
        wire.send(&Ip { src, dst, ..Ip::echo(1, 8) }.frame());
        let heard = wire.hear(Duration::from_millis(200));
        let answers: Vec<_> = heard.iter().filter(|got| !got.is_arp()).collect();
        let [got] = answers[..] else { panic!("{src}: {heard:?}") };
        assert_eq!((got.addr(12), got.addr(16), got.payload[8]), (dst, src, 64));
    }
    Ok(())
}

/// A host with a gateway and an address of each kind.
fn link_local() -> Result<Wire, Failed> {
    let args = "-S 10.77.0.3/24 --gateway 10.77.0.254 -S 169.254.7.3/16";
    Wire::serving(&format!("{args} --source-mac 02:00:00:00:00:03"))
}

/// Though the host knows everybody to whom it might forward.
fn no_forwarding() -> Tested {
    let mut wire = Wire::new()?;
    let neighbour = Ipv4Addr::new(10, 77, 0, 9);
    for spa in [neighbour, GATEWAY] {
        wire.answer(&Arp { spa, ..Arp::request(HOST) }.broadcast());
    }
    let for_others = [neighbour, GATEWAY, Ipv4Addr::new(10, 99, 1, 2), Ipv4Addr::new(8, 8, 8, 8)];
    for dst in for_others {
        let plain = Ip { dst, ..Ip::echo(1, 8) };
        let routed = |kind| Ip { options: route(kind, 4, dst), ..plain.clone() };
        wire.silence([
            plain.frame(),
            Ip { ttl: 1, ..plain.clone() }.frame(),
            Ip { fragment: 0x2000, ..plain.clone() }.frame(),
            routed(LOOSE).frame(),
            routed(STRICT).frame(),
        ]);
        // Addressed to the host, with one more stop to make.
        for options in [LOOSE, STRICT].map(|kind| route(kind, 4, dst)) {
            let heard = wire.exchange([Ip { options, ..Ip::echo(1, 8) }.frame()]);
            let told = |got: &super::packet::Got| got.icmp().0 != 0 && got.addr(16) == US;
            assert!(heard.iter().all(told), "{heard:?}");
        }
    }
    Ok(())
}

/// Three routers, of which the first is the host, and a network behind them.
fn routed() -> Result<Wire, Failed> {
    Wire::serving("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03 --routers 3 10.99.0.0/24")
}

fn never_forwarded() -> Tested {
    let mut wire = routed()?;
    let to = |dst: Ipv4Addr, ttl: u8| Ip { dst, ttl, ..Ip::echo(1, 8) }.frame();
    assert_eq!(wire.answer(&to(parsed("10.98.0.1"), 64)).icmp(), (3, 0));
    for dst in ["0.0.0.1", "127.0.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "239.1.2.3"] {
        wire.silence([1, 64].map(|ttl| to(parsed(dst), ttl)));
    }
    Ok(())
}

/// RFC 791 §3.1: full, with a count of those who found no room that has four bits.
fn uncounted() -> Tested {
    let mut wire = routed()?;
    let counted = |count: u8| {
        let options = vec![68, 8, 9, count << 4, 0, 0, 0, 1];
        Ip { dst: parsed("10.99.0.1"), options, ..Ip::echo(1, 8) }.frame()
    };
    let got = wire.answer(&counted(7));
    assert_eq!((got.icmp(), got.header()[23] >> 4), ((0, 0), 7 + 3 + 1 + 3));
    wire.silence([9, 11, 13, 14, 15].map(counted));
    assert_eq!(wire.answer(&counted(12)).icmp(), (12, 0), "the host itself may tell of it");
    Ok(())
}

/// A source route whose next stop is `next` (RFC 791 §3.1).
fn route(kind: u8, pointer: u8, next: Ipv4Addr) -> Vec<u8> {
    [&[kind, 7, pointer][..], &next.octets(), &[0]].concat()
}

fn parsed(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

const LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 3);

const LOOSE: u8 = 131;
const STRICT: u8 = 137;
