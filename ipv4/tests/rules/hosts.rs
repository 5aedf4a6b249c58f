//! Many addresses: several, and whole prefixes.

use etherparse::IpNumber;
use ipv4::{Cast, Discard, Header, Ipv4, NextHop, Sent};
use sidestack_ipv4 as ipv4;

use crate::host::{BROADCAST, Host, addr, changed};

fn lab() -> Ipv4 {
    let mut ipv4 = Ipv4::new("10.0.0.1/8".parse().unwrap());
    ipv4.add_hosts(addr("10.1.0.0")..=addr("10.1.255.255"));
    ipv4
}

// RTE-4
#[test]
fn every_address_of_a_prefix_of_hosts_is_ours_and_none_beside() {
    let ipv4 = lab();
    for ours in ["10.0.0.1", "10.1.0.0", "10.1.0.1", "10.1.77.77", "10.1.255.255"] {
        assert!(ipv4.is_ours(addr(ours)), "{ours}");
    }
    for other in ["10.0.0.0", "10.0.0.2", "10.0.255.255", "10.2.0.0", "10.255.255.255"] {
        assert!(!ipv4.is_ours(addr(other)), "{other}");
    }
    assert_eq!(ipv4.addresses().len(), 1, "a rule, not 65,536 entries");
}

#[test]
fn datagrams_for_any_of_the_hosts_are_taken_and_none_from_them() {
    let mut host = Host::with(lab());
    assert_eq!(host.take(&changed(16, &[10, 1, 2, 3])).unwrap().dst, addr("10.1.2.3"));
    assert_eq!(host.take(&changed(16, &[10, 2, 2, 3])).unwrap_err(), Discard::NotForUs);
    let mut octets = changed(16, &[10, 1, 2, 3]);
    octets[12..16].copy_from_slice(&[10, 1, 9, 9]);
    let taken = host.take(&crate::host::with_checksum(octets));
    assert_eq!(taken.unwrap_err(), Discard::SourceOwn);
}

#[test]
fn an_address_that_is_somebody_elses_is_an_address_like_any_other() {
    let mut host = Host::with(lab());
    assert!(host.ipv4.remove_host(addr("10.1.9.9")) && !host.ipv4.remove_host(addr("10.1.9.9")));
    let mut octets = changed(16, &[10, 1, 2, 3]);
    octets[12..16].copy_from_slice(&[10, 1, 9, 9]);
    assert_eq!(host.take(&crate::host::with_checksum(octets)).unwrap().src, addr("10.1.9.9"));
    assert_eq!(host.take(&changed(16, &[10, 1, 9, 9])).unwrap_err(), Discard::NotForUs);
}

// IP-15
#[test]
fn where_hosts_are_wished_for_there_is_no_broadcast() {
    for hosts_first in [true, false] {
        let mut ipv4 = Ipv4::new("10.9.0.1/32".parse().unwrap());
        let hosts = addr("10.0.0.0")..=addr("10.0.0.255");
        let network = "10.0.0.0/24".parse().unwrap();
        if hosts_first {
            ipv4.add_hosts(hosts);
            ipv4.add_network(network);
        } else {
            ipv4.add_network(network);
            ipv4.add_hosts(hosts);
        }
        assert!(!ipv4.is_broadcast(addr("10.0.0.255")) && !ipv4.is_broadcast(addr("10.0.0.0")));
        assert!(ipv4.is_broadcast(addr("255.255.255.255")));
        let mut host = Host::with(ipv4);
        let mut octets = changed(16, &[10, 0, 0, 255]);
        octets[12..16].copy_from_slice(&[10, 8, 0, 1]);
        let datagram = host.take(&crate::host::with_checksum(octets)).unwrap();
        assert_eq!(datagram.cast, Cast::Host);
    }
}

// IP-15
#[test]
fn a_connected_network_given_apart_is_on_the_link_and_has_its_broadcasts() {
    let mut ipv4 = Ipv4::new("10.9.0.1/32".parse().unwrap());
    ipv4.add_network("10.8.0.0/16".parse().unwrap());
    assert_eq!(ipv4.route(addr("10.8.3.4")).unwrap().next_hop, NextHop::Unicast(addr("10.8.3.4")));
    assert_eq!(ipv4.route(addr("10.8.255.255")).unwrap().next_hop, NextHop::Broadcast);
    assert!(ipv4.is_broadcast(addr("10.8.0.0")) && !ipv4.is_ours(addr("10.8.3.4")));
}

// IP-14
#[test]
fn prefixes_of_31_and_32_bits_have_no_broadcast_given_apart_or_not() {
    let mut ipv4 = Ipv4::new("10.9.0.1/32".parse().unwrap());
    ipv4.add_network("10.8.0.0/31".parse().unwrap());
    ipv4.add_address("10.7.0.0/31".parse().unwrap());
    for neither in ["10.8.0.0", "10.8.0.1", "10.7.0.0", "10.7.0.1", "10.9.0.1"] {
        assert!(!ipv4.is_broadcast(addr(neither)), "{neither}");
    }
}

#[test]
fn a_thousand_addresses_are_each_ours() {
    let mut ipv4 = Ipv4::new("10.0.0.1/16".parse().unwrap());
    for n in (0..2000_u16).rev().step_by(2) {
        let [high, low] = n.to_be_bytes();
        ipv4.add_address(format!("10.0.{}.{low}/16", high + 16).parse().unwrap());
    }
    for n in 0..2000_u16 {
        let [high, low] = n.to_be_bytes();
        assert_eq!(ipv4.is_ours([10, 0, high + 16, low].into()), n % 2 == 1, "{n}");
    }
}

#[test]
fn neighbours_are_asked_by_who_sends_or_if_that_is_not_on_the_link_by_our_address_there() {
    let cases = [
        ("10.0.0.1/24", "10.0.0.77", "10.0.0.77"), // a host of its own, on the link
        ("10.0.0.1/24", "10.99.0.5", "10.0.0.1"),  // a host behind us
        ("10.9.0.1/32", "10.0.0.77", "10.0.0.77"), // a host, where we have no address
        ("10.9.0.1/32", "10.99.0.5", "10.99.0.5"),
    ];
    for (network, src, asks) in cases {
        for len in [8, 3000] {
            let mut ipv4 = Ipv4::new(network.parse().unwrap()).with_gateway(addr("10.0.0.253"));
            ipv4.add_hosts(addr("10.0.0.64")..=addr("10.0.0.79"));
            ipv4.add_hosts(addr("10.99.0.0")..=addr("10.99.0.255"));
            ipv4.add_network("10.0.0.0/24".parse().unwrap());
            let mut host = Host::with(ipv4);
            let header = Header::new(addr("192.0.2.1"), IpNumber(0xfd));
            let header = Header { src: Some(addr(src)), dont_fragment: false, ..header };
            assert_eq!(host.send(&header, &vec![1; len]), Ok(Sent::Kept));
            let [(dst, asked)] = &host.left()[..] else { panic!("one request") };
            assert_eq!((*dst, &asked[24..28]), (BROADCAST, &[10, 0, 0, 253][..]));
            assert_eq!(asked[14..18], addr(asks).octets(), "{src} of {network}");
        }
    }
}

#[test]
fn who_is_on_one_of_our_networks_with_the_next_hop_asks_itself_whichever_comes_first() {
    for order in [[0, 1], [1, 0]] {
        let networks = ["10.0.0.1/8", "10.1.0.1/16"].map(|network| network.parse().unwrap());
        let mut ipv4 = Ipv4::new(networks[order[0]]);
        ipv4.add_address(networks[order[1]]);
        ipv4.add_hosts(addr("10.7.0.0")..=addr("10.7.0.255"));
        let mut host = Host::with(ipv4);
        let header = Header::new(addr("10.1.0.9"), IpNumber(0xfd));
        host.send(&Header { src: Some(addr("10.7.0.7")), ..header }, b"").unwrap();
        assert_eq!(host.left()[0].1[14..18], [10, 7, 0, 7]);
    }
}

#[test]
fn nobody_is_asked_in_the_name_of_an_address_that_is_left_to_somebody_else() {
    let mut ipv4 = Ipv4::new("10.0.0.1/24".parse().unwrap());
    ipv4.add_hosts(addr("10.99.0.0")..=addr("10.99.0.255"));
    ipv4.add_address("10.0.0.3/24".parse().unwrap());
    for (left, asks) in [("10.0.0.1", [10, 0, 0, 3]), ("10.0.0.3", [10, 99, 0, 5])] {
        assert!(ipv4.remove_host(addr(left)));
        let mut host = Host::with(ipv4);
        let header = Header::new(addr("10.0.0.9"), IpNumber(0xfd));
        host.send(&Header { src: Some(addr("10.99.0.5")), ..header }, b"").unwrap();
        assert_eq!(host.left()[0].1[14..18], asks);
        ipv4 = host.ipv4;
    }
}
