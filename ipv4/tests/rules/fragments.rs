//! What leaves in fragments (RFC 791 §3.2).

use etherparse::IpNumber;
use ipv4::{Header, Options, SendError, Sent};
use sidestack_ipv4 as ipv4;

use crate::host::{Host, THEM, mac, pattern, sum};

fn header() -> Header {
    Header { dont_fragment: false, ..Header::new(THEM, IpNumber(0xfd)) }
}

/// Of a packet: header length, whether more follow, where its payload begins, and that.
fn read(packet: &[u8]) -> (usize, bool, usize, &[u8]) {
    assert_eq!(sum(packet), 0xffff, "the checksum");
    assert_eq!(packet.len(), usize::from(u16::from_be_bytes([packet[2], packet[3]])));
    let header_len = usize::from(packet[0] & 0x0f) * 4;
    let field = u16::from_be_bytes([packet[6], packet[7]]);
    (header_len, field & 0x2000 != 0, usize::from(field & 0x1fff) * 8, &packet[header_len..])
}

// FRG-10, FRG-2, ETH-8
#[test]
fn fragments_fit_the_mtu_begin_at_multiples_of_8_and_all_but_the_last_say_that_more_follow() {
    for (mtu, len, count) in
        [(1500, 1481, 2), (1500, 2960, 2), (1500, 65_515, 45), (576, 3000, 6), (68, 1000, 21)]
    {
        let mut host = Host::new().with_mtu(mtu);
        assert_eq!(host.send(&header(), &pattern(len)), Ok(Sent::Out));
        let left = host.left();
        assert_eq!(left.len(), count, "{len} octets at {mtu}");
        let mut at = 0;
        for (n, (to, packet)) in left.iter().enumerate() {
            let (header_len, more, start, payload) = read(packet);
            assert_eq!((*to, header_len, start), (mac(2), 20, at));
            assert!(packet.len() <= mtu && packet.len() + 8 > mtu || !more);
            assert_eq!(more, n + 1 < count);
            assert_eq!(payload, &pattern(len)[at..at + payload.len()]);
            assert_eq!(packet[4..6], left[0].1[4..6], "one identification");
            at += payload.len();
        }
        assert_eq!(at, len);
    }
}

// FRG-10
#[test]
fn what_must_not_be_fragmented_is_refused_and_nothing_leaves() {
    let mut host = Host::new();
    let refused = host.send(&Header::new(THEM, IpNumber(0xfd)), &[0; 1481]);
    assert_eq!(refused, Err(SendError::TooLong { len: 1481, max: 1480 }));
    assert_eq!(host.left(), []);
}

// FRG-2
#[test]
fn more_than_a_total_length_can_say_is_refused_even_in_fragments() {
    let mut host = Host::new();
    let refused = host.send(&header(), &[0; 65_516]);
    assert_eq!(refused, Err(SendError::TooLong { len: 65_516, max: 65_515 }));
    let options = Options::record_route(9);
    let refused = host.send(&Header { options, ..header() }, &[0; 65_476]);
    assert_eq!(refused, Err(SendError::TooLong { len: 65_476, max: 65_475 }));
}

// FRG-10
#[test]
fn an_option_is_in_every_fragment_only_if_its_copy_bit_is_set() {
    let options = b"\x07\x07\x04\0\0\0\0\x82\x0bABCDEFGHI\x01\x01";
    let options = Options::from_octets(options).unwrap();
    let mut host = Host::new();
    host.send(&Header { options, ..header() }, &pattern(4000)).unwrap();
    let left = host.left();
    assert_eq!(left.len(), 3);
    assert_eq!(left[0].1[20..40], *options.octets());
    for (_, later) in &left[1..] {
        assert_eq!(read(later).0, 32);
        assert_eq!(later[20..32], *b"\x82\x0bABCDEFGHI\0", "security, and an end");
    }
    let payloads: Vec<u8> = left.iter().flat_map(|(_, packet)| read(packet).3.to_vec()).collect();
    assert_eq!(payloads, pattern(4000));
}

// FRG-10
#[test]
fn write_runs_once_for_all_fragments_and_never_for_what_is_refused() {
    let (mut host, mut lens) = (Host::new(), Vec::new());
    host.over(|below| below.send(&header(), 4000, &mut |out| lens.push(out.len()))).unwrap();
    assert_eq!(lens, [4000]);
    while host.send(&header(), b"").is_ok() {}
    let refused = host.over(|below| below.send(&header(), 4000, &mut |out| lens.push(out.len())));
    assert!(refused.unwrap_err().is_full());
    assert_eq!((lens.len(), host.left().len()), (1, 256));
}

// FRG-10
#[test]
fn when_the_link_is_full_in_the_middle_of_a_datagram_the_rest_leaves_later_before_all_else() {
    let mut host = Host::new();
    for _ in 0..254 {
        host.send(&header(), b"").unwrap();
    }
    assert_eq!(host.send(&header(), &pattern(5000)), Ok(Sent::Out));
    assert!(host.send(&header(), b"x").unwrap_err().is_full(), "while a rest waits");
    assert!(host.ipv4.deadline().is_some());
    assert_eq!(host.left().len(), 256);
    assert_eq!(host.poll(), []);
    assert_eq!(host.ipv4.deadline(), None);
    let left = host.left();
    let rest: Vec<_> = left.iter().map(|(_, packet)| read(packet)).collect();
    assert_eq!(rest.iter().map(|(.., start, _)| *start).collect::<Vec<_>>(), [2960, 4440]);
    assert_eq!(rest.iter().map(|(_, more, ..)| *more).collect::<Vec<_>>(), [true, false]);
    assert_eq!(host.send(&header(), b"x"), Ok(Sent::Out));
}

// FRG-10
#[test]
fn the_next_to_send_takes_the_rest_along_without_a_poll() {
    let mut host = Host::new();
    for _ in 0..255 {
        host.send(&header(), b"").unwrap();
    }
    host.send(&header(), &pattern(3000)).unwrap();
    host.left();
    host.send(&header(), b"x").unwrap();
    assert_eq!(
        host.left().iter().map(|(_, packet)| read(packet).2).collect::<Vec<_>>(),
        [1480, 2960, 0]
    );
    assert_eq!(host.ipv4.deadline(), None);
}

// IP-6
#[test]
fn every_datagram_in_fragments_has_an_identification_of_its_own() {
    let mut host = Host::new();
    let ids: std::collections::HashSet<_> = (0..1000)
        .map(|_| {
            host.send(&header(), &[0; 2000]).unwrap();
            host.left()[0].1[4..6].to_vec()
        })
        .collect();
    assert_eq!(ids.len(), 1000);
}

// IP-6
#[test]
fn towards_one_host_no_identification_is_used_twice_in_two_minutes() {
    let mut host = Host::new();
    let mut last = std::collections::HashMap::new();
    let (mut sent, mut refused) = (0, 0);
    for second in 0..300_u64 {
        for _ in 0..600 {
            match host.send(&header(), b"") {
                Ok(_) => sent += 1,
                Err(SendError::Identifications(dst)) => {
                    assert_eq!(dst, THEM);
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
            for (_, packet) in host.left() {
                let before = last.insert([packet[4], packet[5]], second);
                assert!(before.is_none_or(|before| second - before >= 120));
            }
        }
        host.pass(1);
    }
    assert_eq!((sent > 65_536 * 2, refused > 0), (true, true), "{sent} and {refused}");
}
