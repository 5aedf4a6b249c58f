//! The line of a port in memory: what can go wrong with the link itself.

mod station;

use std::{
    io::ErrorKind,
    time::{Duration, Instant, UNIX_EPOCH},
};

use sidestack_link::{
    Cast, Direction, Event, FrameIo, FrameTx, SendError, State, Unsent, Wait,
    memory::{LATENCY, Line, Network, Port},
};
use station::{BROADCAST, TYPE, heard, mac, say, settle};

#[test]
fn what_is_sent_while_the_link_is_down_comes_back_with_the_reason() {
    for (state, reason) in [(State::Down, Unsent::Down), (State::NoCarrier, Unsent::NoCarrier)] {
        let (network, mut a, mut b, line) = two();
        line.set_state(state);
        assert_eq!(events(&mut a), [Event::Down]);
        a.send(mac(2), TYPE, 1, &mut |payload| payload[0] = 7).unwrap();
        a.flush().unwrap();
        assert!(a.has_arrived(), "its owner need not wait for that");
        settle(&network);
        assert_eq!(own(&mut a), [(Direction::Unsent(reason), 15)], "unpadded");
        assert!(!a.has_arrived());
        assert_eq!((heard(&mut b, network.now()), network.sent()), (vec![], 0));

        line.set_state(State::Up);
        assert_eq!(events(&mut a), [Event::Up]);
        assert_eq!(own(&mut a), [], "nothing old is sent");
        say(&mut a, mac(2), 8);
        assert_eq!(own(&mut a), [(Direction::Sent, 15)]);
    }
}

#[test]
fn what_arrives_while_the_link_is_down_is_lost_and_what_had_arrived_is_not() {
    let (network, mut a, mut b, line) = two();
    let start = network.now();
    say(&mut b, BROADCAST, 1);
    settle(&network);
    say(&mut b, BROADCAST, 2);
    line.set_state(State::Down);
    settle(&network);
    line.set_state(State::Up);
    say(&mut b, BROADCAST, 3);
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY, 1), (LATENCY * 3, 3)]);
}

#[test]
fn a_change_that_changes_nothing_is_no_event() {
    let (_network, mut a, _b, line) = two();
    line.set_state(State::Up);
    line.set_mac(mac(1));
    line.set_mtu(1500);
    assert_eq!(events(&mut a), []);
    line.set_state(State::Down);
    line.set_state(State::NoCarrier);
    assert_eq!(events(&mut a), [Event::Down], "down is down, for whichever reason");
}

#[test]
fn a_change_wakes_the_port_at_once_and_takes_no_time() {
    let (network, mut a, b, line) = two();
    let start = network.now();
    line.set_state(State::Down);
    assert_eq!(network.next_arrival(), Some(start));
    settle(&network);
    assert_eq!(network.woken(), Some(a.id()));
    assert_eq!(network.woken(), None, "not {:?}", b.id());
    assert!(a.has_arrived());
    a.wait(Some(start + LATENCY), None).unwrap();
    assert_eq!(network.now(), start);
}

#[test]
fn a_lowered_mtu_is_an_event_and_what_was_queued_before_comes_back() {
    let (network, mut a, mut b, line) = two();
    a.send(mac(2), TYPE, 601, &mut |_| ()).unwrap();
    line.set_mtu(600);
    a.send(mac(2), TYPE, 602, &mut |_| ()).unwrap();
    a.send(mac(2), TYPE, 600, &mut |_| ()).unwrap();
    a.flush().unwrap();
    let too_long = Direction::Unsent(Unsent::TooLong);
    assert_eq!(own(&mut a), [(too_long, 615), (too_long, 616), (Direction::Sent, 614)]);
    settle(&network);
    assert_eq!(b.recv(network.now(), &mut |_, _| ()).unwrap(), 1);
    assert_eq!((events(&mut a), a.mtu()), (vec![Event::Mtu(600)], 600));
    let refused = SendError::TooLong { len: 601, mtu: 600 };
    assert_eq!(a.send(mac(2), TYPE, 601, &mut |_| ()), Err(refused));
}

#[test]
fn the_room_for_a_tag_stays_whatever_the_mtu() {
    let network = Network::new();
    let mut a = network.attach(mac(1)).with_tag().with_mtu(576);
    assert_eq!(a.mtu(), 580);
    a.line().set_mtu(1000);
    assert_eq!((events(&mut a), a.mtu()), (vec![Event::Mtu(1004)], 1004));
}

#[test]
fn a_changed_address_is_an_event_and_decides_whom_a_frame_is_for() {
    let (network, mut a, mut b, line) = two();
    line.set_mac(mac(9));
    assert_eq!((events(&mut a), a.mac()), (vec![Event::Mac(mac(9))], mac(9)));
    for dst in [mac(1), mac(9)] {
        say(&mut b, dst, 1);
    }
    settle(&network);
    let mut casts = Vec::new();
    a.recv(network.now(), &mut |frame, _| casts.push(frame.cast())).unwrap();
    assert_eq!(casts, [Cast::Other, Cast::Host]);
}

#[test]
fn a_port_learns_of_its_line_by_an_event_a_receive_or_a_flush() {
    let (network, mut a, _b, line) = two();
    line.set_mac(mac(5));
    assert_eq!(a.mac(), mac(1), "not yet");
    a.flush().unwrap();
    assert_eq!(a.mac(), mac(5));
    line.set_mac(mac(6));
    a.recv(network.now(), &mut |_, _| ()).unwrap();
    assert_eq!(a.mac(), mac(6));
    assert_eq!(events(&mut a), [Event::Mac(mac(5)), Event::Mac(mac(6))], "it is told all the same");
}

#[test]
fn without_slots_every_frame_meets_a_full_queue() {
    let (_network, mut a, _b, line) = two();
    line.set_slots(2);
    a.flush().unwrap();
    let mut sends = || [(); 3].map(|()| a.send(mac(2), TYPE, 1, &mut |_| ()));
    assert_eq!(sends(), [Ok(()), Ok(()), Err(SendError::Full)]);
    line.set_slots(0);
    a.flush().unwrap();
    assert_eq!(a.send(mac(2), TYPE, 1, &mut |_| ()), Err(SendError::Full), "flushing is no help");
    line.set_slots(256);
    a.flush().unwrap();
    assert_eq!(a.send(mac(2), TYPE, 1, &mut |_| ()), Ok(()));
}

#[test]
fn a_jammed_line_keeps_what_is_flushed_until_it_is_free_and_then_wakes_its_port() {
    let (network, mut a, mut b, line) = two();
    let start = network.now();
    let free = start + Duration::from_secs(1);
    line.jam(free);
    settle_until(&network, start);
    assert_eq!(network.woken(), Some(a.id()));
    (0..=255).for_each(|n| say(&mut a, mac(2), n));
    assert_eq!(a.send(mac(2), TYPE, 1, &mut |_| ()), Err(SendError::Full), "in the end");
    assert_eq!((network.sent(), own(&mut a)), (0, vec![]));

    a.wait(None, None).unwrap();
    assert_eq!(network.now(), free);
    assert_eq!(network.woken(), Some(a.id()));
    a.flush().unwrap();
    settle(&network);
    let expected: Vec<_> = (0..=255).map(|n| (Duration::from_secs(1) + LATENCY, n)).collect();
    assert_eq!(heard(&mut b, start), expected);
}

#[test]
fn a_receive_fails_once_as_it_was_told_to() {
    let (network, mut a, mut b, line) = two();
    say(&mut b, BROADCAST, 1);
    settle(&network);
    line.fail(ErrorKind::NetworkDown);
    let error = a.recv(network.now(), &mut |_, _| panic!("nothing is handed up")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkDown);
    assert_eq!(a.recv(network.now(), &mut |_, _| ()).unwrap(), 1, "nor is anything lost");
    a.flush().unwrap();
}

#[test]
fn a_deleted_link_is_gone_for_ever() {
    let (network, mut a, _b, line) = two();
    line.delete();
    assert!(a.has_arrived(), "there is an error to be taken");
    for _ in 0..2 {
        let error = a.recv(network.now(), &mut |_, _| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert_eq!(error.to_string(), "the link was deleted");
        assert_eq!(a.flush().unwrap_err().kind(), ErrorKind::NotConnected);
    }
    assert_eq!(network.sent(), 0);
}

#[test]
fn a_full_inbox_loses_what_comes_last_and_counts_it() {
    let (network, mut a, mut b, line) = two();
    let start = network.now();
    line.set_inbox(2);
    (0..5).for_each(|n| say(&mut b, BROADCAST, n));
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY, 0), (LATENCY, 1)]);
    assert_eq!((line.overflowed(), a.dropped()), (3, 3));
    say(&mut b, BROADCAST, 5);
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY * 2, 5)], "there is room again");
    assert_eq!(line.overflowed(), 3);
}

#[test]
fn the_clock_on_the_wall_jumps_either_way_and_no_other_time_does() {
    let (network, mut a, mut b, _line) = two();
    let start = network.now();
    let stamp = |port: &mut Port| {
        let mut stamps = Vec::new();
        let each = &mut |frame: sidestack_link::Frame<'_>, _: &mut dyn FrameTx| {
            stamps.push((frame.at() - start, frame.stamp().since_epoch.as_secs()));
        };
        port.recv(start, each).unwrap();
        stamps
    };
    say(&mut b, BROADCAST, 1);
    settle(&network);
    let new_year = 1_767_225_600;
    network.set_wall(UNIX_EPOCH + Duration::from_secs(7));
    say(&mut b, BROADCAST, 2);
    settle(&network);
    assert_eq!(stamp(&mut a), [(LATENCY, new_year), (LATENCY * 2, 7)], "as it was on arrival");
    network.set_wall(UNIX_EPOCH + Duration::from_secs(4_000_000_000));
    assert_eq!(a.wall(network.now()), UNIX_EPOCH + Duration::from_secs(4_000_000_000));
    assert_eq!(a.wall(start), UNIX_EPOCH + Duration::from_secs(new_year));
    assert_eq!(network.now(), start + LATENCY * 2);
}

#[test]
fn the_line_of_a_port_that_was_dropped_leads_nowhere() {
    let (network, a, _b, line) = two();
    drop(a);
    line.set_state(State::Down);
    line.jam(network.now() + LATENCY);
    line.delete();
    assert_eq!((network.next_arrival(), line.overflowed()), (None, 0));
}

#[test]
fn a_line_is_found_by_the_number_of_its_port_too() {
    let (network, mut a, _b, _line) = two();
    network.line(a.id()).set_mtu(1000);
    assert_eq!(events(&mut a), [Event::Mtu(1000)]);
}

#[test]
fn a_hub_carries_every_frame_to_every_station() {
    let network = Network::hub();
    let [mut a, mut b, mut c] = [1, 2, 3].map(|n| network.attach(mac(n)));
    let start = network.now();
    for (port, n) in [(&mut b, 1), (&mut a, 2)] {
        say(port, if n == 1 { mac(1) } else { mac(2) }, n);
    }
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY, 1)]);
    assert_eq!(heard(&mut b, start), [(LATENCY, 2)]);
    assert_eq!(heard(&mut c, start), [(LATENCY, 1), (LATENCY, 2)], "though it is for neither");
}

fn two() -> (Network, Port, Port, Line) {
    let network = Network::new();
    let (a, b) = (network.attach(mac(1)), network.attach(mac(2)));
    let line = a.line();
    (network, a, b, line)
}

fn events(port: &mut Port) -> Vec<Event> {
    std::iter::from_fn(|| port.event()).collect()
}

/// What became of the port's own frames, and how long they are.
fn own(port: &mut Port) -> Vec<(Direction, usize)> {
    let mut own = Vec::new();
    let now = port.now();
    port.recv(now, &mut |frame, _| own.push((frame.direction(), frame.octets().len()))).unwrap();
    own.retain(|(direction, _)| *direction != Direction::Received);
    own
}

fn settle_until(network: &Network, until: Instant) {
    while let Some(at) = network.next_arrival().filter(|at| *at <= until) {
        network.advance_to(at);
    }
}
