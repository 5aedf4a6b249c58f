//! What is believed of a path's MTU (RFC 1191).

use std::time::Duration;

use etherparse::IpNumber;
use ipv4::{Header, SendError, Sent};
use sidestack_ipv4 as ipv4;

use crate::host::{Host, THEM, addr};

fn header() -> Header {
    Header::new(THEM, IpNumber(0xfd))
}

fn max_len(host: &mut Host) -> usize {
    host.over(|below| below.max_len(THEM))
}

fn too_big(host: &mut Host, mtu: u16, total_len: u16) -> Option<u16> {
    host.ipv4.too_big(host.network.now(), THEM, mtu, total_len)
}

// PMTU-1
#[test]
fn an_error_lowers_the_estimate_for_its_destination_and_for_no_other() {
    let mut host = Host::new();
    assert_eq!(too_big(&mut host, 600, 1500), Some(600));
    assert_eq!(max_len(&mut host), 580);
    assert_eq!(host.over(|below| below.max_len(addr("10.0.0.3"))), 1480);
    let refused = host.send(&header(), &[0; 581]);
    assert_eq!(refused, Err(SendError::TooLong { len: 581, max: 580 }));
    assert_eq!(host.send(&header(), &[0; 580]), Ok(Sent::Out));
    assert_eq!(host.ipv4.path_mtu(host.network.now(), THEM), Some(600));
}

// PMTU-1
#[test]
fn what_may_be_fragmented_leaves_in_fragments_that_the_path_takes() {
    let mut host = Host::new();
    too_big(&mut host, 600, 1500);
    host.send(&Header { dont_fragment: false, ..header() }, &[0; 1480]).unwrap();
    let lens: Vec<usize> = host.left().iter().map(|(_, packet)| packet.len()).collect();
    assert_eq!(lens, [596, 596, 348]);
}

// PMTU-6
#[test]
fn a_probe_is_bounded_by_the_link_alone() {
    let mut host = Host::new();
    too_big(&mut host, 100, 1500);
    let probe = Header { probe: true, ..header() };
    assert_eq!(host.send(&probe, &[0; 1480]), Ok(Sent::Out));
    assert_eq!(host.left()[0].1[6] & 0x40, 0x40);
    assert!(host.send(&probe, &[0; 1481]).is_err());
}

// PMTU-6
#[test]
fn what_was_measured_replaces_what_was_told_until_an_error_lowers_it() {
    let mut host = Host::new();
    let now = host.network.now();
    too_big(&mut host, 600, 1500);
    host.ipv4.measured(now, THEM, 1400);
    assert_eq!((host.ipv4.path_mtu(now, THEM), max_len(&mut host)), (Some(1400), 1380));
    assert_eq!(too_big(&mut host, 1400, 1500), None);
    assert_eq!(too_big(&mut host, 1300, 1400), Some(1300));
    host.ipv4.measured(now, THEM, 576);
    assert_eq!(max_len(&mut host), 556);
    assert_eq!(host.ipv4.path_mtu(now + Duration::from_secs(600), THEM), None, "for ten minutes");
    host.ipv4.measured(now, THEM, 20);
    assert_eq!(host.ipv4.path_mtu(now, THEM), Some(68), "every link takes so much");
}

// PMTU-2
#[test]
fn an_estimate_is_never_raised_by_an_error() {
    let mut host = Host::new();
    too_big(&mut host, 600, 1500);
    for (mtu, total_len) in [(1400, 1500), (601, 1500), (0, 1500), (65_535, 1500), (600, 600)] {
        assert_eq!(too_big(&mut host, mtu, total_len), None, "{mtu}");
        assert_eq!(max_len(&mut host), 580);
    }
    assert_eq!(too_big(&mut host, 599, 600), Some(599));
}

// PMTU-2
#[test]
fn an_error_about_what_fits_says_nothing() {
    let mut host = Host::new();
    for (mtu, total_len) in [(1500, 1500), (1501, 1500), (65_535, 1500), (68, 68), (0, 68)] {
        assert_eq!(too_big(&mut host, mtu, total_len), None, "{mtu} for {total_len}");
    }
    assert_eq!(max_len(&mut host), 1480);
}

// PMTU-2
#[test]
fn an_error_without_an_mtu_lowers_the_estimate_to_the_next_plateau() {
    let mut host = Host::new();
    let plateaus = [1492, 1006, 508, 296, 68];
    let mut len = 1500;
    for plateau in plateaus {
        assert_eq!(too_big(&mut host, 0, len), Some(plateau));
        len = plateau;
    }
    assert_eq!(too_big(&mut host, 0, 68), None);
}

// PMTU-2
#[test]
fn no_estimate_is_below_68() {
    for mtu in [1, 20, 67] {
        assert_eq!(too_big(&mut Host::new(), mtu, 1500), Some(68));
    }
}

// PMTU-3
#[test]
fn ordinary_traffic_keeps_552_octets_and_lets_routers_fragment_it() {
    for mtu in [68, 296, 551] {
        let mut host = Host::new();
        too_big(&mut host, mtu, 1500);
        assert_eq!(max_len(&mut host), 532);
        host.send(&header(), &[0; 532]).unwrap();
        let packet = &host.left()[0].1;
        assert_eq!((packet.len(), packet[6] & 0x40), (552, 0));
        host.send(&Header { dont_fragment: false, ..header() }, &[0; 1000]).unwrap();
        assert_eq!(host.left()[0].1.len(), 548, "the longest fragment below 552");
    }
    let mut host = Host::new();
    too_big(&mut host, 552, 1500);
    host.send(&header(), &[0; 532]).unwrap();
    assert_eq!(host.left()[0].1[6] & 0x40, 0x40);
}

// PMTU-5
#[test]
fn an_estimate_ends_ten_minutes_after_it_was_made() {
    let mut host = Host::new();
    let made = host.network.now();
    too_big(&mut host, 600, 1500);
    assert_eq!(host.ipv4.deadline(), Some(made + Duration::from_secs(600)));
    host.network.advance_to(made + Duration::from_secs(600) - Duration::from_nanos(1));
    assert_eq!((host.poll(), max_len(&mut host)), (vec![], 580));
    host.network.advance_to(made + Duration::from_secs(600));
    assert_eq!(max_len(&mut host), 1480, "even before a poll");
    host.poll();
    assert_eq!(host.ipv4.deadline(), None);
}

// PMTU-4
#[test]
fn of_two_thousand_destinations_the_latest_1024_are_remembered() {
    let mut host = Host::new();
    let now = host.network.now();
    for n in 0..2000_u16 {
        let [high, low] = n.to_be_bytes();
        host.ipv4.too_big(
            now + Duration::from_millis(n.into()),
            [10, 1, high, low].into(),
            600,
            1500,
        );
    }
    let known = |n: u16| {
        let [high, low] = n.to_be_bytes();
        host.ipv4.path_mtu(now, [10, 1, high, low].into()).is_some()
    };
    assert_eq!((0..2000).filter(|n| known(*n)).count(), 1024);
    assert!(known(1999) && !known(0), "the oldest are forgotten");
}
