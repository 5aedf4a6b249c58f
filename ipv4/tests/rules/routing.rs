//! Routing: the next hop, the source, and why (RFC 1122 §3.3.1).

use ipv4::{Hop, Ipv4, NextHop, Route, Why};
use sidestack_ipv4 as ipv4;

use crate::host::{GATEWAY, US, addr};

// RTE-1
#[test]
fn a_route_says_which_prefix_or_broadcast_or_group_decided() {
    let host = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(GATEWAY);
    let connected = Why::Prefix("10.0.0.1/24".parse().unwrap(), Hop::Connected);
    let default = Why::Prefix("0.0.0.0/0".parse().unwrap(), Hop::Gateway(GATEWAY));
    let near = addr("10.0.0.9");
    let cases = [
        ("10.0.0.9", NextHop::Unicast(near), connected),
        ("192.0.2.1", NextHop::Unicast(GATEWAY), default),
        ("255.255.255.255", NextHop::Broadcast, Why::Broadcast),
        ("10.0.0.255", NextHop::Broadcast, Why::Broadcast),
        ("224.0.0.1", NextHop::Multicast(addr("224.0.0.1")), Why::Multicast),
    ];
    for (dst, next_hop, why) in cases {
        let route = host.route(addr(dst)).unwrap();
        assert_eq!((route.next_hop, route.src), (next_hop, US), "{dst}");
        match (route.why, why) {
            (Why::Prefix(is, by), Why::Prefix(expected, hop)) => {
                assert_eq!(
                    (is.network(), is.prefix(), by),
                    (expected.network(), expected.prefix(), hop)
                );
            }
            (is, expected) => assert_eq!(is, expected),
        }
    }
}

// RTE-2
#[test]
fn the_longest_prefix_wins_whatever_the_order_they_came_in() {
    let gateways = ["10.0.0.8", "10.0.0.16", "10.0.0.32"].map(addr);
    let prefixes = ["192.0.0.0/8", "192.0.0.0/16", "192.0.2.1/32"];
    let mut host = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(GATEWAY);
    for n in [1, 2, 0] {
        host.add_route(prefixes[n].parse().unwrap(), Hop::Gateway(gateways[n]));
    }
    let through = |dst| host.route(addr(dst)).unwrap().next_hop;
    assert_eq!(through("192.1.0.1"), NextHop::Unicast(gateways[0]));
    assert_eq!(through("192.0.2.2"), NextHop::Unicast(gateways[1]));
    assert_eq!(through("192.0.2.1"), NextHop::Unicast(gateways[2]));
    assert_eq!(through("193.0.0.1"), NextHop::Unicast(GATEWAY));
}

#[test]
fn a_later_route_for_the_same_prefix_replaces_the_earlier() {
    let mut host = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(GATEWAY);
    host.add_route("0.0.0.0/0".parse().unwrap(), Hop::Gateway(addr("10.0.0.253")));
    let Route { next_hop, .. } = host.route(addr("192.0.2.1")).unwrap();
    assert_eq!(next_hop, NextHop::Unicast(addr("10.0.0.253")));
}

#[test]
fn a_prefix_may_be_on_the_link_without_an_address_of_ours_in_it() {
    let mut host = Ipv4::new("10.0.0.1/24".parse().unwrap());
    assert_eq!(host.route(addr("10.9.0.1")), None);
    host.add_route("10.9.0.0/16".parse().unwrap(), Hop::Connected);
    let route = host.route(addr("10.9.0.1")).unwrap();
    assert_eq!((route.next_hop, route.src), (NextHop::Unicast(addr("10.9.0.1")), US));
}

// RTE-4
#[test]
fn the_source_is_our_address_on_the_network_of_the_next_hop() {
    let mut host = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(addr("10.7.0.254"));
    host.add_address("10.7.0.1/16".parse().unwrap());
    let src = |dst| host.route(addr(dst)).unwrap().src;
    assert_eq!(src("10.0.0.2"), US);
    assert_eq!(src("10.7.3.2"), addr("10.7.0.1"));
    assert_eq!(src("192.0.2.1"), addr("10.7.0.1"), "the gateway's");
    assert_eq!(src("10.7.255.255"), addr("10.7.0.1"));
    assert_eq!(src("255.255.255.255"), US, "the first");
}

// IP-14
#[test]
fn on_a_prefix_of_31_bits_the_other_address_is_a_neighbour_and_none_is_broadcast() {
    let host = Ipv4::new("10.0.0.1/31".parse().unwrap());
    for dst in ["10.0.0.0", "10.0.0.1"] {
        assert_eq!(host.route(addr(dst)).unwrap().next_hop, NextHop::Unicast(addr(dst)));
    }
    assert_eq!(host.route(addr("10.0.0.2")), None);
}

// IP-14
#[test]
fn on_a_prefix_of_32_bits_nobody_else_is_on_the_link() {
    let host = Ipv4::new("10.0.0.1/32".parse().unwrap());
    for dst in ["10.0.0.0", "10.0.0.2", "10.0.0.255"] {
        assert_eq!(host.route(addr(dst)), None);
    }
    assert_eq!(host.route(addr("10.0.0.1")).unwrap().next_hop, NextHop::Unicast(US));
}

// IP-15
#[test]
fn both_broadcast_forms_of_each_network_of_ours_are_known_and_no_others() {
    let mut host = Ipv4::new("10.0.0.1/24".parse().unwrap());
    host.add_address("10.7.0.1/16".parse().unwrap());
    for broadcast in ["255.255.255.255", "10.0.0.255", "10.0.0.0", "10.7.255.255", "10.7.0.0"] {
        assert!(host.is_broadcast(addr(broadcast)), "{broadcast}");
    }
    for other in ["10.0.0.1", "10.0.1.255", "10.7.0.255", "10.255.255.255", "0.0.0.0"] {
        assert!(!host.is_broadcast(addr(other)), "{other}");
    }
}

// LL-1
#[test]
fn what_is_from_or_to_a_link_local_address_has_no_way_through_a_gateway() {
    let host = Ipv4::new("10.0.0.1/24".parse().unwrap()).with_gateway(GATEWAY);
    assert!(host.route(addr("169.254.1.2")).is_none());
    assert!(host.route(addr("169.253.1.2")).is_some());
    let local = Ipv4::new("169.254.1.1/16".parse().unwrap()).with_gateway(addr("169.254.0.1"));
    assert!(local.route(addr("192.0.2.1")).is_none());
    let near = addr("169.254.1.2");
    assert_eq!(local.route(near).map(|route| route.next_hop), Some(NextHop::Unicast(near)));
}
