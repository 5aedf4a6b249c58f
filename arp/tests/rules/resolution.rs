//! Asking: who, when, how often, and what comes of it (RFC 1122 §2.3.2.1).

use arp::{Config, Event, Operation, Sent, State};
use link::{
    Direction, FrameIo, FrameTx, SendError, Unsent,
    memory::{Fate, LATENCY},
};
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, NOBODY, THEM, US, addr, mac, ms, octets, reply, request};

// ARP-13, ETH-2
#[test]
fn a_request_is_broadcast_with_our_addresses_no_target_mac_and_padding_of_zeros() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    assert_eq!(lan.send(NOBODY, b"packet"), Ok(Sent::Kept));
    lan.run(ms(1));
    let mut heard = Vec::new();
    let mut each = |frame: link::Frame<'_>, _: &mut dyn FrameTx| {
        heard.push(frame.octets().to_vec());
    };
    stranger.0.recv(lan.network.now(), &mut each).unwrap();
    let header = b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06";
    let fixed = b"\x00\x01\x08\x00\x06\x04\x00\x01";
    let sender = b"\x02\x00\x00\x00\x00\x01\x0a\x00\x00\x01";
    let target = b"\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x4d";
    let expected = [&header[..], fixed, sender, target, &[0; 18]].concat();
    assert_eq!(heard, [expected]);
}

// LNK-5
#[test]
fn nobody_answers_so_the_packet_comes_back_after_three_requests_a_second_apart() {
    let mut lan = Lan::new();
    lan.send(NOBODY, b"packet").unwrap();
    lan.run(ms(2999));
    assert_eq!(lan.us.asked(NOBODY), [ms(0), ms(1000), ms(2000)]);
    assert_eq!(lan.us.events, [], "an unanswered request alone means nothing yet");
    lan.run(ms(60_000));
    let packet = Some(b"packet".to_vec());
    let unresolved = Event::Unresolved { addr: NOBODY, requests: 3, packet };
    assert_eq!(lan.us.events, [(ms(3000), unresolved)]);
    assert_eq!(lan.us.arps().len(), 3);
    assert_eq!(lan.us.arp.neighbour(NOBODY).map(|n| (n.mac, n.state)), Some((None, State::Failed)));
    lan.run(ms(64_000));
    assert_eq!(lan.us.arp.neighbours().count(), 0, "a lifetime after it might be asked again");
}

#[test]
fn as_many_requests_are_sent_as_were_configured() {
    for requests in [1, 2, 5] {
        let mut lan = Lan::with(Config { requests, ..Config::default() });
        lan.resolve(NOBODY);
        lan.run(ms(60_000));
        assert_eq!(lan.us.arps().len(), requests as usize);
        let unresolved = Event::Unresolved { addr: NOBODY, requests, packet: None };
        assert_eq!(lan.us.events, [(ms(1000) * requests, unresolved)]);
    }
}

// LNK-3
#[test]
fn forty_packets_in_four_seconds_to_a_mute_host_make_one_request_a_second() {
    let mut lan = Lan::new();
    for n in 0..40 {
        lan.run(ms(100 * n));
        assert_eq!(lan.send(NOBODY, b"packet"), Ok(Sent::Kept));
    }
    lan.run(ms(3999));
    assert_eq!(lan.us.asked(NOBODY), [ms(0), ms(1000), ms(2000)], "and then it is left alone");
}

// LNK-3
#[test]
fn requests_for_different_addresses_do_not_wait_for_each_other() {
    let mut lan = Lan::new();
    for n in 100..200 {
        lan.resolve(addr(n));
    }
    lan.run(ms(999));
    for n in 100..200 {
        assert_eq!(lan.us.asked(addr(n)), [ms(0)]);
    }
}

#[test]
fn an_answer_ends_the_asking_and_tells_the_round_trip() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(60_000));
    let round_trip = Some(LATENCY * 2);
    let resolved = Event::Resolved { addr: THEM, mac: mac(2), round_trip, requests: 1 };
    assert_eq!(lan.us.events, [(LATENCY * 2, resolved)]);
    assert_eq!(lan.us.arps().len(), 1);
}

#[test]
fn the_round_trip_begins_when_the_last_request_left() {
    let mut lan = Lan::new();
    let mut passages = 0;
    lan.network.set_fate(move |_| {
        passages += 1;
        if passages == 1 { Fate::lost() } else { Fate::late(ms(300)) }
    });
    lan.resolve(THEM);
    lan.run(ms(5000));
    let took = (LATENCY + ms(300)) * 2;
    let round_trip = Some(took);
    let resolved = Event::Resolved { addr: THEM, mac: mac(2), round_trip, requests: 2 };
    assert_eq!(lan.us.events, [(ms(1000) + took, resolved)]);
}

#[test]
fn the_round_trip_begins_with_the_frames_leaving_and_not_with_its_queueing() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.network.advance_to(lan.start + ms(5)); // nobody flushed
    lan.run(ms(100));
    let [(_, Event::Resolved { round_trip, .. })] = lan.us.events[..] else { panic!("resolved") };
    assert_eq!(round_trip, Some(LATENCY * 2));
}

#[test]
fn a_neighbour_that_asks_us_first_is_found_without_a_round_trip() {
    let mut lan = Lan::new();
    let mut stranger = lan.stranger(9);
    lan.resolve(addr(9));
    stranger.says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(500));
    let resolved = Event::Resolved { addr: addr(9), mac: mac(9), round_trip: None, requests: 1 };
    assert_eq!(lan.us.events, [(LATENCY, resolved)]);
}

#[test]
fn a_reply_is_accepted_only_by_its_operation() {
    for operation in [0, 3, 4, 8, 9].map(Operation) {
        let mut lan = Lan::new();
        lan.resolve(addr(9));
        lan.stranger(9).says(mac(1), &arp::View { operation, ..reply(mac(9), addr(9)) });
        lan.run(ms(500));
        assert_eq!(lan.us.events, [], "{operation:?}");
    }
}

#[test]
fn an_answer_about_another_address_ends_nothing() {
    let mut lan = Lan::new();
    lan.resolve(NOBODY);
    lan.stranger(9).says(mac(1), &reply(mac(9), addr(9)));
    lan.run(ms(500));
    assert_eq!(lan.us.events, []);
}

#[test]
fn the_neighbours_own_request_is_an_answer_too() {
    let mut lan = Lan::new();
    lan.send(addr(9), b"packet").unwrap();
    lan.run(ms(100));
    lan.stranger(9).says(BROADCAST, &request(mac(9), addr(9), US));
    lan.run(ms(200));
    assert_eq!(lan.us.packets(), [(ms(100) + LATENCY, mac(1), mac(9), &b"packet"[..])]);
}

// LNK-3
#[test]
fn a_known_neighbour_is_asked_again_but_never_within_a_second_of_the_last_request() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(400));
    lan.resolve(THEM);
    lan.run(ms(999));
    assert_eq!(lan.us.asked(THEM), [ms(0)]);
    lan.run(ms(5000));
    assert_eq!(lan.us.asked(THEM), [ms(0), ms(1000)]);
    lan.resolve(THEM);
    lan.run(ms(9000));
    assert_eq!(lan.us.asked(THEM), [ms(0), ms(1000), ms(5000)]);
    let times: Vec<_> = lan.us.events.iter().map(|(at, _)| *at - LATENCY * 2).collect();
    assert_eq!(times, lan.us.asked(THEM), "each ends in an event");
}

#[test]
fn asking_twice_at_once_is_asking_once() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.resolve(THEM);
    lan.send(THEM, b"packet").unwrap();
    lan.run(ms(5000));
    assert_eq!(lan.us.arps().len(), 1);
}

#[test]
fn an_answered_packet_forgives_the_unanswered_ones_before() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(2000));
    for reached in [false, true, false] {
        lan.us.arp.advise(lan.network.now(), THEM, reached);
    }
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Out));
}

#[test]
fn a_neighbour_that_is_reached_is_known_for_another_lifetime() {
    let mut lan = Lan::new();
    lan.resolve(THEM);
    lan.run(ms(50_000));
    lan.us.arp.advise(lan.network.now(), THEM, true);
    lan.run(ms(109_999));
    assert_eq!(lan.us.arp.neighbours().count(), 1);
    lan.run(ms(110_000));
    assert_eq!(lan.us.arp.neighbours().count(), 0);
    assert_eq!(lan.send(THEM, b"packet"), Ok(Sent::Kept));
}

#[test]
fn a_host_that_may_ask_no_more_gives_up_after_the_first_request() {
    let mut lan = Lan::with(Config { requests: 0, ..Config::default() });
    lan.send(NOBODY, b"packet").unwrap();
    lan.run(ms(60_000));
    assert_eq!((lan.network.sent(), lan.us.events.len()), (1, 1));
}

// LNK-5
#[test]
fn a_request_that_cannot_leave_hands_the_packet_back_at_once() {
    let mut lan = Lan::new();
    lan.send(NOBODY, b"packet").unwrap();
    lan.us.port.flush().unwrap();
    let (arp, now) = (&mut lan.us.arp, lan.start);
    let mut each = |frame: link::Frame<'_>, _: &mut dyn FrameTx| {
        assert_eq!(frame.direction(), Direction::Sent);
        arp.unsent(&frame, Unsent::NoCarrier);
    };
    lan.us.port.recv(now, &mut each).unwrap();
    lan.run(ms(10_000));
    let packet = Some(b"packet".to_vec());
    let unsent = Event::Unsent { addr: NOBODY, reason: Unsent::NoCarrier, packet };
    assert_eq!(lan.us.events, [(ms(0), unsent)]);
    assert_eq!(lan.network.sent(), 1, "and it is not asked for again");
    assert_eq!(lan.us.arp.neighbours().count(), 0);
}

#[test]
fn a_full_link_refuses_and_nothing_comes_of_it() {
    let mut lan = Lan::new();
    while lan.us.port.transmit(60, &mut |slot| slot[..6].fill(0xff)).is_ok() {}
    assert_eq!(lan.send(NOBODY, b"packet"), Err(SendError::Full));
    lan.run(ms(10_000));
    assert_eq!((lan.us.events.len(), lan.us.arps().len()), (0, 0));
    assert_eq!(lan.send(NOBODY, b"packet"), Ok(Sent::Kept), "after a flush");
}

#[test]
fn a_packet_beyond_the_mtu_is_refused_and_nobody_is_asked() {
    let mut lan = Lan::new();
    assert_eq!(lan.send(NOBODY, &[1; 1501]), Err(SendError::TooLong { len: 1501, mtu: 1500 }));
    lan.run(ms(10_000));
    assert_eq!((lan.us.events.len(), lan.us.arps().len()), (0, 0));
    assert_eq!(lan.send(NOBODY, &[1; 1500]), Ok(Sent::Kept));
}

#[test]
fn requests_speak_in_the_name_of_the_identity_that_sends() {
    let mut lan = Lan::new();
    let owned = arp::Owned::from([(US, mac(1)), (addr(5), mac(55))]);
    lan.us.arp = arp::Arp::new(owned, Config::default());
    lan.send_as(addr(5), arp::NextHop::Unicast(NOBODY), b"packet").unwrap();
    lan.run(ms(1500));
    let expected = octets(&request(mac(55), addr(5), NOBODY));
    let asked: Vec<_> = lan.us.arps().iter().map(|(.., arp)| octets(arp)).collect();
    assert_eq!(asked, [expected.clone(), expected], "the repeated one too");
}
