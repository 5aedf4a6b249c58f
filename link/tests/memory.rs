//! The switch and the clock of the network in memory.

mod station;

use std::time::Duration;

use macaddr::MacAddr6;
use sidestack_link::{
    As, FrameIo, FrameTx, Wait,
    memory::{LATENCY, Network, Port},
};
use station::{BROADCAST, TYPE, heard, mac, say, settle};

#[test]
fn an_unknown_destination_is_flooded_and_a_known_one_reaches_its_port_only() {
    let (network, [mut a, mut b, mut c]) = three();
    let start = network.now();
    say(&mut a, mac(2), 1);
    settle(&network);
    assert_eq!(heard(&mut b, start), [(LATENCY, 1)]);
    assert_eq!(heard(&mut c, start), [(LATENCY, 1)], "nobody has heard of station 2 yet");

    let start = network.now();
    say(&mut b, mac(1), 2);
    say(&mut a, mac(2), 3);
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY, 2)]);
    assert_eq!(heard(&mut b, start), [(LATENCY, 3)]);
    assert_eq!(heard(&mut c, start), []);
}

#[test]
fn broadcast_and_multicast_reach_all_but_the_sender() {
    for dst in [BROADCAST, MacAddr6::new(1, 0, 0x5e, 0, 0, 1)] {
        let (network, [mut a, mut b, mut c]) = three();
        let start = network.now();
        say(&mut a, dst, 1);
        settle(&network);
        assert_eq!(heard(&mut a, start), []);
        assert_eq!(heard(&mut b, start), [(LATENCY, 1)]);
        assert_eq!(heard(&mut c, start), [(LATENCY, 1)]);
    }
}

#[test]
fn what_is_for_a_station_behind_the_senders_own_port_goes_nowhere() {
    let (network, [mut a, mut b, _c]) = three();
    let mut other = As { mac: mac(9), below: &mut a };
    other.send(BROADCAST, TYPE, 1, &mut |_| ()).unwrap();
    a.flush().unwrap();
    settle(&network);
    heard(&mut b, network.now() - LATENCY);
    say(&mut a, mac(9), 1);
    assert_eq!(network.next_arrival(), None);
    assert_eq!(network.sent(), 2, "it was sent all the same");
}

#[test]
fn a_station_is_found_behind_the_port_where_it_spoke_last() {
    let (network, [mut a, mut b, mut c]) = three();
    let wander = |port: &mut Port| {
        As { mac: mac(9), below: port }.send(mac(0), TYPE, 1, &mut |_| ()).unwrap();
        port.flush().unwrap();
    };
    wander(&mut a);
    wander(&mut b);
    wander(&mut a);
    settle(&network);
    let start = network.now();
    for port in [&mut a, &mut b, &mut c] {
        heard(port, start - LATENCY);
    }
    say(&mut c, mac(9), 4);
    settle(&network);
    assert_eq!(heard(&mut a, start), [(LATENCY, 4)]);
    assert_eq!(heard(&mut b, start), []);
}

#[test]
fn a_frame_arrives_when_its_latency_has_passed_and_not_a_nanosecond_sooner() {
    let (network, [mut a, mut b, _c]) = three();
    let start = network.now();
    let latency = Duration::from_millis(7);
    network.set_latency(latency);
    say(&mut a, BROADCAST, 1);
    assert_eq!(network.next_arrival(), Some(start + latency));
    network.advance_to(start + latency - Duration::from_nanos(1));
    assert!(!b.has_arrived());
    assert_eq!(heard(&mut b, start), []);
    network.advance_to(start + latency);
    assert!(b.has_arrived());
    assert_eq!(heard(&mut b, start), [(latency, 1)]);
    assert!(!b.has_arrived(), "taken");
}

#[test]
fn a_frame_bears_the_time_of_its_arrival_and_not_of_its_being_taken() {
    let (network, [mut a, mut b, _c]) = three();
    let start = network.now();
    say(&mut a, BROADCAST, 1);
    network.advance_to(start + Duration::from_secs(9));
    assert_eq!(heard(&mut b, start), [(LATENCY, 1)]);
}

#[test]
fn frames_due_at_one_instant_keep_their_order() {
    let (network, [mut a, mut b, mut c]) = three();
    let start = network.now();
    say(&mut a, mac(3), 1);
    say(&mut b, mac(3), 2);
    say(&mut a, mac(3), 3);
    settle(&network);
    assert_eq!(heard(&mut c, start), [(LATENCY, 1), (LATENCY, 2), (LATENCY, 3)]);
}

#[test]
fn time_never_goes_back() {
    let network = Network::new();
    let start = network.now();
    network.advance_to(start + Duration::from_secs(2));
    network.advance_to(start + Duration::from_secs(1));
    assert_eq!(network.now(), start + Duration::from_secs(2));
    let mut port = network.attach(mac(1));
    port.wait(Some(start), None).unwrap();
    assert_eq!(port.now(), start + Duration::from_secs(2));
}

#[test]
fn two_networks_may_begin_at_one_instant() {
    let one = Network::new();
    let other = Network::at(one.now());
    assert_eq!(other.now(), one.now());
    one.advance_to(one.now() + LATENCY);
    assert_eq!(one.now(), other.now() + LATENCY, "they move apart all the same");
}

#[test]
fn waiting_jumps_to_the_next_arrival_anywhere_or_to_the_deadline_whichever_comes_first() {
    let (network, [mut a, _b, mut c]) = three();
    let start = network.now();
    say(&mut a, mac(2), 1);
    c.wait(Some(start + LATENCY / 2), None).unwrap();
    assert_eq!(network.now(), start + LATENCY / 2);
    a.wait(Some(start + LATENCY * 2), None).unwrap();
    assert_eq!(network.now(), start + LATENCY, "the frame is b's; it is everybody's time");
}

#[test]
fn waiting_takes_no_time_where_something_has_arrived_or_where_nothing_ever_will() {
    let (network, [mut a, mut b, _c]) = three();
    let start = network.now();
    a.wait(None, None).unwrap();
    assert_eq!(network.now(), start);
    say(&mut a, BROADCAST, 1);
    settle(&network);
    b.wait(Some(start + Duration::from_secs(1)), None).unwrap();
    assert_eq!(network.now(), start + LATENCY);
}

#[test]
fn the_time_of_day_begins_with_2026_and_moves_with_the_clock() {
    let (network, [mut a, mut b, _c]) = three();
    let new_year = Duration::from_secs(1_767_225_600);
    let start = network.now();
    assert_eq!(a.wall(start).duration_since(std::time::UNIX_EPOCH).unwrap(), new_year);
    say(&mut a, BROADCAST, 1);
    settle(&network);
    let mut stamps = Vec::new();
    b.recv(start, &mut |frame, _| stamps.push(frame.stamp())).unwrap();
    let stamp = sidestack_link::Stamp {
        since_epoch: new_year + LATENCY,
        source: sidestack_link::Source::Virtual,
    };
    assert_eq!(stamps, [stamp]);
}

#[test]
fn an_unplugged_station_hears_nothing_and_its_undelivered_frames_hold_up_no_time() {
    let (network, [mut a, b, mut c]) = three();
    let start = network.now();
    say(&mut a, mac(2), 1);
    settle(&network);
    assert_eq!(heard(&mut c, start), [(LATENCY, 1)]);
    say(&mut a, mac(2), 2);
    drop(c);
    assert_eq!(network.next_arrival(), Some(start + LATENCY * 2), "b's copy is still coming");
    drop(b);
    assert_eq!(network.next_arrival(), None);
    assert_eq!(network.woken(), None, "not even for the first");
    a.wait(None, None).unwrap();
    assert_eq!(network.now(), start + LATENCY);
}

#[test]
fn a_frame_to_all_is_for_those_who_were_there_when_it_left_and_holds_up_no_time_once_they_are_gone()
{
    let (network, [mut a, mut b, c]) = three();
    let start = network.now();
    say(&mut a, BROADCAST, 1);
    let mut late = network.attach(mac(4));
    drop(c);
    settle(&network);
    assert_eq!((heard(&mut b, start), heard(&mut late, start)), (vec![(LATENCY, 1)], vec![]));

    drop(late);
    say(&mut a, BROADCAST, 2);
    assert!(network.next_arrival().is_some());
    drop(b);
    assert_eq!(network.next_arrival(), None);
    say(&mut a, BROADCAST, 3);
    assert_eq!(network.next_arrival(), None, "there is nobody else");
}

#[test]
fn what_was_learned_of_an_unplugged_station_is_forgotten() {
    let (network, [mut a, mut b, mut c]) = three();
    say(&mut b, BROADCAST, 1);
    settle(&network);
    drop(b);
    let start = network.now();
    heard(&mut c, start - LATENCY);
    say(&mut a, mac(2), 2);
    settle(&network);
    assert_eq!(heard(&mut c, start), [(LATENCY, 2)], "flooded again");
}

#[test]
fn each_station_is_woken_once_however_much_arrives_for_it() {
    let (network, [mut a, mut b, c]) = three();
    say(&mut b, BROADCAST, 1);
    say(&mut a, mac(2), 2);
    say(&mut a, mac(2), 3);
    assert_eq!(network.woken(), None, "nothing has arrived yet");
    settle(&network);
    let woken: Vec<_> = std::iter::from_fn(|| network.woken()).collect();
    assert_eq!(woken, [a.id(), c.id(), b.id()], "in the order of arrival");

    say(&mut a, mac(2), 4);
    settle(&network);
    assert_eq!(network.woken(), Some(b.id()), "again, for what came since");
    assert_eq!(network.woken(), None);
}

#[test]
fn a_frame_counts_as_sent_once_however_many_it_reaches_and_only_when_it_was_flushed() {
    let (network, [mut a, _b, _c]) = three();
    a.send(BROADCAST, TYPE, 1, &mut |_| ()).unwrap();
    assert_eq!((network.sent(), network.next_arrival()), (0, None));
    a.flush().unwrap();
    assert_eq!(network.sent(), 1);
}

fn three() -> (Network, [Port; 3]) {
    let network = Network::new();
    let ports = [1, 2, 3].map(|n| network.attach(mac(n)));
    (network, ports)
}
