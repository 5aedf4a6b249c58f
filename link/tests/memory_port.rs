//! A station's place on the network in memory: what it takes, refuses and hands back.

mod station;

use macaddr::MacAddr6;
use sidestack_link::{
    Cast, Direction, FrameIo, FrameTx, HEADER_LEN, SendError,
    memory::{LATENCY, Network, Port},
};
use station::{BROADCAST, TYPE, heard, mac, say, settle};

#[test]
fn hello_is_no_frame() {
    let (network, mut a, _b) = two();
    let refused = a.transmit(5, &mut |slot| slot.copy_from_slice(b"HELLO"));
    assert_eq!(refused, Err(SendError::Runt { len: 5 }));
    a.flush().unwrap();
    assert_eq!(network.sent(), 0);
}

#[test]
fn a_header_alone_is_a_frame_and_an_octet_less_is_none() {
    let (network, mut a, _b) = two();
    assert_eq!(a.transmit(HEADER_LEN - 1, &mut |_| ()), Err(SendError::Runt { len: 13 }));
    assert_eq!(a.transmit(HEADER_LEN, &mut |slot| slot[..6].fill(0xff)), Ok(()));
    a.flush().unwrap();
    assert_eq!(network.sent(), 1);
}

#[test]
fn a_payload_of_the_mtu_is_taken_and_an_octet_more_is_refused() {
    for mtu in [0, 46, 576, 1500, 9000] {
        let network = Network::new();
        let mut a = network.attach(mac(1)).with_mtu(mtu);
        assert_eq!(a.mtu(), mtu);
        assert_eq!(a.send(BROADCAST, TYPE, mtu, &mut |_| ()), Ok(()));
        let refused = a.send(BROADCAST, TYPE, mtu + 1, &mut |_| ());
        assert_eq!(refused, Err(SendError::TooLong { len: mtu + 1, mtu }));
    }
}

#[test]
fn the_mtu_is_1500_octets_unless_said_otherwise() {
    assert_eq!(two().1.mtu(), 1500);
}

#[test]
fn a_port_for_tagged_frames_has_an_mtu_that_holds_one_tag_more() {
    let network = Network::new();
    let mut a = network.attach(mac(1)).with_tag();
    assert_eq!(a.mtu(), 1504);
    assert_eq!(a.transmit(HEADER_LEN + 1504, &mut |_| ()), Ok(()));
    let refused = SendError::TooLong { len: 1505, mtu: 1504 };
    assert_eq!(a.transmit(HEADER_LEN + 1505, &mut |_| ()), Err(refused));
}

#[test]
fn the_queue_is_full_after_256_frames_and_free_after_a_flush() {
    let (network, mut a, mut b) = two();
    let start = network.now();
    for n in 0..=255 {
        a.send(BROADCAST, TYPE, 1, &mut |payload| payload[0] = n).unwrap();
    }
    assert_eq!(a.send(BROADCAST, TYPE, 1, &mut |_| ()), Err(SendError::Full));
    a.flush().unwrap();
    assert_eq!(network.sent(), 256);
    a.send(BROADCAST, TYPE, 1, &mut |_| ()).unwrap();
    settle(&network);
    let expected: Vec<_> = (0..=255).map(|n| (LATENCY, n)).collect();
    assert_eq!(heard(&mut b, start), expected, "every frame that was taken, in order");
}

#[test]
fn write_runs_once_if_the_frame_is_taken_and_never_if_it_is_refused() {
    let (_network, mut a, _b) = two();
    let mut runs = 0;
    a.send(BROADCAST, TYPE, 1500, &mut |_| runs += 1).unwrap();
    assert_eq!(runs, 1);
    a.send(BROADCAST, TYPE, 1501, &mut |_| runs += 1).unwrap_err();
    a.transmit(13, &mut |_| runs += 1).unwrap_err();
    assert_eq!(runs, 1);
    while a.transmit(60, &mut |_| runs += 1) != Err(SendError::Full) {}
    assert_eq!(runs, 256);
}

#[test]
fn the_slot_is_zeroed_although_a_longer_frame_was_there_before() {
    let (network, mut a, mut b) = two();
    for _ in 0..3 {
        a.send(mac(2), TYPE, 1500, &mut |payload| payload.fill(0xee)).unwrap();
        a.flush().unwrap();
        settle(&network);
        heard(&mut a, network.now() - LATENCY);
        heard(&mut b, network.now() - LATENCY);
        let mut slots = Vec::new();
        a.transmit(200, &mut |slot| slots.push(slot.to_vec())).unwrap();
        assert_eq!(slots, [vec![0; 200]]);
    }
}

#[test]
fn the_writer_may_look_at_the_network() {
    let (network, mut a, _b) = two();
    let mut sent = None;
    a.transmit(60, &mut |_| sent = Some(network.sent())).unwrap();
    assert_eq!(sent, Some(0));
}

#[test]
fn frames_are_padded_with_zeros_to_sixty_octets_on_the_wire_and_come_back_unpadded() {
    let (network, mut a, mut b) = two();
    for len in [0, 1, 45, 46, 47] {
        a.send(mac(2), TYPE, len, &mut |payload| payload.fill(0xee)).unwrap();
        a.flush().unwrap();
        settle(&network);
        let header = [mac(2).as_bytes(), mac(1).as_bytes(), &[0x88, 0xb5]].concat();
        let sent = [&header[..], &vec![0xee; len]].concat();
        let mut padded = sent.clone();
        padded.resize(sent.len().max(60), 0);
        assert_eq!(octets(&mut b), [(Direction::Received, padded)]);
        assert_eq!(octets(&mut a), [(Direction::Sent, sent)]);
    }
}

#[test]
fn a_sent_frame_comes_back_before_what_arrived_with_the_time_it_left() {
    let (network, mut a, mut b) = two();
    assert!(a.returns_sent());
    let start = network.now();
    say(&mut b, BROADCAST, 1);
    network.advance_to(start + LATENCY * 4);
    a.send(mac(2), TYPE, 1, &mut |payload| payload[0] = 2).unwrap();
    network.advance_to(start + LATENCY * 5);
    a.flush().unwrap();
    network.advance_to(start + LATENCY * 9);
    let mut seen = Vec::new();
    a.recv(network.now(), &mut |frame, _| {
        seen.push((frame.direction(), frame.at() - start, frame.payload()[0]));
    })
    .unwrap();
    let expected = [(Direction::Sent, LATENCY * 5, 2), (Direction::Received, LATENCY, 1)];
    assert_eq!(seen, expected);
}

#[test]
fn a_lost_frame_comes_back_as_sent_all_the_same() {
    let (network, mut a, _b) = two();
    network.set_fate(|_| sidestack_link::memory::Fate::lost());
    say(&mut a, BROADCAST, 1);
    assert_eq!(network.next_arrival(), None);
    assert_eq!(octets(&mut a).len(), 1);
}

#[test]
fn nothing_comes_back_where_sent_frames_are_not_wanted() {
    let network = Network::new();
    let mut a = network.attach(mac(1)).without_sent();
    assert!(!a.returns_sent());
    say(&mut a, BROADCAST, 1);
    assert_eq!(network.sent(), 1);
    assert_eq!(a.recv(network.now(), &mut |_, _| ()).unwrap(), 0);
}

#[test]
fn a_frame_says_whom_it_was_addressed_to() {
    let (network, mut a, mut b) = two();
    let group = MacAddr6::new(0x01, 0, 0x5e, 0, 0, 1);
    for dst in [mac(2), BROADCAST, group, mac(7)] {
        say(&mut a, dst, 0);
    }
    settle(&network);
    let mut casts = Vec::new();
    b.recv(network.now(), &mut |frame, _| casts.push(frame.cast())).unwrap();
    assert_eq!(casts, [Cast::Host, Cast::Broadcast, Cast::Multicast, Cast::Other]);
}

#[test]
fn a_batch_has_at_most_64_frames() {
    let (network, mut a, mut b) = two();
    for n in 0..65 {
        say(&mut a, mac(2), n);
    }
    settle(&network);
    let mut batches = [(); 3].map(|()| b.recv(network.now(), &mut |_, _| ()).unwrap());
    assert_eq!(batches, [64, 1, 0]);
    batches[0] = a.recv(network.now(), &mut |_, _| ()).unwrap();
    assert_eq!(batches[0], 64, "of its own likewise");
}

#[test]
fn an_answer_through_the_lent_half_leaves_with_the_next_flush() {
    let (network, mut a, mut b) = two();
    let start = network.now();
    say(&mut a, mac(2), 1);
    settle(&network);
    b.recv(network.now(), &mut |frame, tx| {
        tx.send(frame.src(), TYPE, 1, &mut |payload| payload[0] = 2).unwrap();
    })
    .unwrap();
    assert_eq!(network.next_arrival(), None);
    b.flush().unwrap();
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY * 2, 2)]);
}

/// The frames at `port`, whole.
fn octets(port: &mut Port) -> Vec<(Direction, Vec<u8>)> {
    let mut octets = Vec::new();
    let now = port.network().now();
    port.recv(now, &mut |frame, _| octets.push((frame.direction(), frame.octets().to_vec())))
        .unwrap();
    octets
}

fn two() -> (Network, Port, Port) {
    let network = Network::new();
    let (a, b) = (network.attach(mac(1)), network.attach(mac(2)));
    (network, a, b)
}
