//! Datagrams in fragments wait, leave and come back as one (`PacketTx::send_next`).

use arp::{Config, Event, NextHop, PacketTx, Sent};
use link::{SendError, memory::LATENCY};
use sidestack_arp as arp;
use std::net::Ipv4Addr;

use crate::lan::{BROADCAST, Lan, NOBODY, THEM, US, addr, mac, ms, reply};

// LNK-4
#[test]
fn all_fragments_wait_and_leave_in_order_and_the_first_tells_of_it() {
    let mut lan = Lan::new();
    assert_eq!(lan.send(THEM, b"one"), Ok(Sent::Kept));
    assert_eq!(send_next(&mut lan, THEM, b"two"), Ok(Sent::Kept));
    assert_eq!(send_next(&mut lan, THEM, b"six"), Ok(Sent::Kept));
    lan.run(ms(1000));
    assert_eq!(left(&lan), [b"one", b"two", b"six"]);
    let released = Event::Released { packet: b"one".to_vec() };
    assert_eq!(lan.us.events[1..], [(LATENCY * 2, released)]);
    assert_eq!(send_next(&mut lan, THEM, b"ten"), Ok(Sent::Out));
}

#[test]
fn a_newer_datagram_takes_the_place_of_all_fragments_and_the_first_comes_back() {
    let mut lan = Lan::new();
    lan.send(addr(9), b"one").unwrap();
    send_next(&mut lan, addr(9), b"two").unwrap();
    lan.send(addr(9), b"six").unwrap();
    lan.run(ms(500));
    lan.stranger(9).says(BROADCAST, &reply(mac(9), addr(9)));
    lan.run(ms(1000));
    assert_eq!(left(&lan), [b"six"]);
    let replaced = Event::Replaced { packet: b"one".to_vec() };
    assert_eq!(lan.us.events[0], (ms(0), replaced));
    assert_eq!(lan.us.events.len(), 3, "replaced, resolved, released");
}

#[test]
fn of_a_datagram_in_vain_only_the_first_fragment_comes_back() {
    let mut lan = Lan::new();
    lan.send(NOBODY, b"one").unwrap();
    send_next(&mut lan, NOBODY, b"two").unwrap();
    lan.run(ms(3500));
    lan.send(NOBODY, b"six").unwrap();
    assert_eq!(send_next(&mut lan, NOBODY, b"ten"), Ok(Sent::Kept));
    lan.run(ms(3900));
    let unresolved = |packet: &[u8]| Event::Unresolved {
        addr: NOBODY,
        requests: 3,
        packet: Some(packet.to_vec()),
    };
    let expected = [(ms(3000), unresolved(b"one")), (ms(3500), unresolved(b"six"))];
    assert_eq!(lan.us.events, expected);
    assert_eq!(left(&lan), [[0_u8; 0]; 0]);
}

#[test]
fn a_datagram_of_64_kib_is_kept_whole_and_little_more() {
    let mut lan = Lan::new();
    lan.send(THEM, &[0; 1500]).unwrap();
    for n in 1..65 {
        assert_eq!(send_next(&mut lan, THEM, &[n; 1500]), Ok(Sent::Kept));
    }
    assert_eq!(send_next(&mut lan, THEM, &[65; 1500]), Err(SendError::Full));
    lan.run(ms(1000));
    assert_eq!(left(&lan), (0..65).map(|n| vec![n; 1500]).collect::<Vec<_>>());
}

// SEC-3
#[test]
fn what_waits_for_all_neighbours_together_is_bounded_and_nothing_accepted_is_lost() {
    let mut lan = Lan::with(Config { kept: 3000, ..Config::default() });
    lan.send(addr(9), &[9; 1500]).unwrap();
    lan.send(addr(8), &[8; 1500]).unwrap();
    assert_eq!(lan.send(addr(7), &[7; 1500]), Err(SendError::Full));
    assert_eq!(lan.send(addr(8), &[88; 1500]), Ok(Sent::Kept), "in the place of the older one");
    lan.run(ms(500));
    lan.stranger(9).says(BROADCAST, &reply(mac(9), addr(9)));
    lan.run(ms(600));
    assert_eq!(lan.send(addr(7), &[7; 1500]), Ok(Sent::Kept));
    lan.run(ms(10_000));
    let back = lan.us.events.iter().filter(|(_, event)| {
        matches!(event, Event::Unresolved { packet: Some(_), .. } | Event::Replaced { .. })
    });
    assert_eq!((back.count(), left(&lan).len()), (3, 1));
}

#[test]
fn to_everybody_and_to_groups_each_fragment_leaves_at_once() {
    let mut lan = Lan::new();
    for to in [NextHop::Broadcast, NextHop::Multicast([224, 0, 0, 1].into())] {
        let mut below = lan.us.arp.over(lan.start, &mut lan.us.port);
        assert_eq!(below.send_next(US, to, 3, &mut |out| out.fill(1)), Ok(Sent::Out));
    }
}

fn send_next(lan: &mut Lan, to: Ipv4Addr, packet: &[u8]) -> Result<Sent, SendError> {
    let mut below = lan.us.arp.over(lan.network.now(), &mut lan.us.port);
    let write = &mut |out: &mut [u8]| out.copy_from_slice(packet);
    below.send_next(US, NextHop::Unicast(to), packet.len(), write)
}

fn left(lan: &Lan) -> Vec<Vec<u8>> {
    lan.us.packets().into_iter().map(|(.., packet)| packet.to_vec()).collect()
}
