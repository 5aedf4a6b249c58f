//! Packets: which leave at once, which are kept, and what becomes of those.

use arp::{Arp, Config, Event, NextHop, Owned, PacketTx, Sent};
use link::{FrameIo, FrameTx, MacAddr6, Unsent, memory::LATENCY};
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, NOBODY, THEM, US, addr, mac, ms, reply};

// LNK-4
#[test]
fn the_packet_that_was_kept_leaves_with_the_answer() {
    let mut lan = Lan::new();
    lan.network.set_fate(|_| link::memory::Fate::late(ms(150)));
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Kept));
    lan.run(ms(5000));
    let there_and_back = (LATENCY + ms(150)) * 2;
    assert_eq!(lan.us.packets(), [(there_and_back, mac(1), mac(2), &b"packet"[..])]);
    let released = Event::Released { packet: b"packet".to_vec() };
    assert_eq!(lan.us.events.last(), Some(&(there_and_back, released)));
}

#[test]
fn a_packet_to_a_known_neighbour_leaves_at_once() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(5000));
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Out));
    lan.run(ms(9000));
    assert_eq!(lan.us.packets(), [(ms(5000), mac(1), mac(2), &b"packet"[..])]);
    assert_eq!(lan.us.arps().len(), 1);
}

// LNK-4
#[test]
fn the_latest_packet_is_kept_and_the_one_it_replaces_is_handed_back() {
    let mut lan = Lan::new();
    for packet in [b"one", b"two", b"six"] {
        assert_eq!(lan.send(THEM, packet), Ok(Sent::Kept));
    }
    lan.run(ms(5000));
    let replaced = |packet: &[u8]| (ms(0), Event::Replaced { packet: packet.to_vec() });
    assert_eq!(lan.us.events[..2], [replaced(b"one"), replaced(b"two")]);
    assert_eq!(lan.us.packets(), [(LATENCY * 2, mac(1), mac(2), &b"six"[..])]);
    assert_eq!(lan.us.events.len(), 4, "and then resolved and released");
}

#[test]
fn kept_packets_leave_in_the_order_of_the_answers() {
    let mut lan = Lan::new();
    for (n, packet) in [(7, b"one"), (8, b"two"), (9, b"six")] {
        lan.send(addr(n), packet).unwrap();
    }
    lan.run(ms(100));
    let mut stranger = lan.stranger(6);
    for n in [9, 7, 8] {
        stranger.says(mac(1), &reply(mac(n), addr(n)));
    }
    lan.run(ms(200));
    let left: Vec<_> = lan.us.packets().iter().map(|(.., packet)| packet.to_vec()).collect();
    assert_eq!(left, [b"six", b"one", b"two"]);
    let released = lan.us.events.iter().filter_map(|(_, event)| match event {
        Event::Released { packet } => Some(packet.clone()),
        _ => None,
    });
    assert_eq!(released.collect::<Vec<_>>(), left);
}

// LNK-4
#[test]
fn a_kept_packet_is_not_lost_to_a_full_queue_and_goes_before_later_ones() {
    let mut lan = Lan::new();
    lan.send(THEM, b"first").unwrap();
    lan.us.step(lan.start);
    lan.network.advance_to(lan.start + LATENCY);
    lan.them.step(lan.start);
    lan.network.advance_to(lan.start + LATENCY * 2);
    while lan.us.port.transmit(60, &mut |slot| slot[..6].fill(0xff)).is_ok() {}
    let (arp, now) = (&mut lan.us.arp, lan.network.now());
    let mut each = |frame: link::Frame<'_>, tx: &mut dyn FrameTx| {
        if frame.direction() == link::Direction::Received {
            arp.input(now, &frame, tx).unwrap();
        }
    };
    lan.us.port.recv(now, &mut each).unwrap();
    assert_eq!(lan.send(THEM, b"later"), Err(link::SendError::Full));
    lan.us.port.flush().unwrap();
    assert_eq!(lan.send(THEM, b"later"), Ok(Sent::Out));
    lan.run(ms(1000));
    let left: Vec<_> = lan.us.packets().iter().map(|(.., packet)| packet.to_vec()).collect();
    assert_eq!(left, [b"first", b"later"]);
}

#[test]
fn a_kept_packet_that_has_become_too_long_is_handed_back_and_not_called_released() {
    let mut lan = Lan::new();
    lan.send(addr(9), &[7; 50]).unwrap();
    lan.run(ms(100));
    lan.us.port = lan.network.attach(mac(1)).with_mtu(49);
    lan.stranger(9).says(BROADCAST, &reply(mac(9), addr(9)));
    lan.run(ms(5000));
    let (reason, packet) = (Unsent::TooLong, Some(vec![7; 50]));
    let unsent = Event::Unsent { addr: addr(9), reason, packet };
    assert_eq!(lan.us.events.last(), Some(&(ms(100) + LATENCY, unsent)));
    assert_eq!(lan.us.packets(), []);
}

#[test]
fn write_runs_once_if_the_packet_is_taken_and_never_if_it_is_refused() {
    let mut lan = Lan::new();
    lan.us.arp.pin(lan.start, THEM, mac(2));
    let mut runs = 0;
    let mut send = |lan: &mut Lan, to, len| {
        let mut below = lan.us.arp.over(lan.start, &mut lan.us.port);
        let _ = below.send(US, NextHop::Unicast(to), len, &mut |_| runs += 1);
        std::mem::take(&mut runs)
    };
    assert_eq!(send(&mut lan, THEM, 20), 1, "out");
    assert_eq!(send(&mut lan, NOBODY, 20), 1, "kept");
    assert_eq!(send(&mut lan, THEM, 1501), 0, "too long");
    assert_eq!(send(&mut lan, NOBODY, 1501), 0, "too long");
    while lan.us.port.transmit(60, &mut |_| ()).is_ok() {}
    assert_eq!(send(&mut lan, THEM, 20), 0, "full");
    assert_eq!(send(&mut lan, addr(78), 20), 0, "full");
}

#[test]
fn broadcasts_and_groups_have_their_own_hardware_addresses_and_nobody_is_asked() {
    let group = |a, b, c, d| NextHop::Multicast([a, b, c, d].into());
    let mapped = |d, e, f| MacAddr6::new(0x01, 0, 0x5e, d, e, f);
    let cases = [
        (NextHop::Broadcast, BROADCAST),
        (group(224, 0, 0, 1), mapped(0, 0, 1)),
        (group(239, 129, 2, 3), mapped(1, 2, 3)),
        (group(239, 255, 255, 255), mapped(0x7f, 0xff, 0xff)),
    ];
    let mut lan = Lan::new();
    for (to, _) in cases {
        assert_eq!(lan.send_as(US, to, b"packet"), Ok(Sent::Out));
    }
    lan.run(ms(1000));
    let left: Vec<_> = lan.us.packets().iter().map(|(_, _, dst, _)| *dst).collect();
    assert_eq!(left, cases.map(|(_, mac)| mac));
    assert_eq!(lan.us.arps(), []);
}

#[test]
fn packets_leave_from_the_hardware_address_of_the_identity_that_sends_them() {
    let mut lan = Lan::new();
    let owned = Owned::from([(US, mac(1)), (addr(5), mac(55))]);
    lan.us.arp = Arp::new(owned, Config::default());
    let them = NextHop::Unicast(addr(9));
    assert_eq!(lan.send_as(addr(5), them, b"kept"), Ok(Sent::Kept));
    lan.run(ms(500));
    lan.stranger(9).says(BROADCAST, &reply(mac(9), addr(9)));
    lan.run(ms(1000));
    assert_eq!(lan.send_as(addr(5), them, b"sent"), Ok(Sent::Out));
    assert_eq!(lan.send_as(US, them, b"ours"), Ok(Sent::Out));
    lan.run(ms(2000));
    let left: Vec<_> = lan.us.packets().iter().map(|(_, src, ..)| *src).collect();
    assert_eq!(left, [mac(55), mac(55), mac(1)]);
}
