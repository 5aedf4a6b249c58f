//! The faults of the network in memory: by hand, and by seed.

mod station;

use std::time::{Duration, Instant};

use sidestack_link::{
    FrameIo, FrameTx,
    memory::{Fate, Faults, JUNK, LATENCY, Network, Port, Transit},
};
use station::{BROADCAST, TYPE, heard, mac, say, settle};

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let faults = Faults {
        loss: 0.1,
        burst: 2,
        duplicate: 0.1,
        reorder: 0.1,
        corrupt: 0.1,
        truncate: 0.1,
        pad: 0.1,
        delay: Duration::from_millis(1),
        jitter: Duration::from_millis(1),
        ..Faults::default()
    };
    let runs = [1, 1, 2].map(|seed| run(200, faults.fate(seed)));
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[test]
fn without_faults_every_frame_arrives_once_unchanged_in_order_after_the_latency() {
    let expected: Vec<_> = (0..100).map(|n| (LATENCY, frame(n))).collect();
    assert_eq!(run(100, Faults::default().fate(1)), expected);
}

#[test]
fn loss_takes_its_share_of_the_frames_and_nothing_else() {
    assert_eq!(run(100, Faults { loss: 1.0, ..Faults::default() }.fate(1)), []);
    let some = run(250, Faults { loss: 0.5, ..Faults::default() }.fate(1));
    assert!((90..160).contains(&some.len()), "{} of 250", some.len());
    assert!(some.iter().all(|(late, octets)| *late == LATENCY && *octets == frame(octets[14])));
}

#[test]
fn delay_is_added_to_every_frame_exactly() {
    let delay = Duration::from_millis(700);
    let heard = run(20, Faults { delay, ..Faults::default() }.fate(1));
    assert_eq!(heard.len(), 20);
    assert!(heard.iter().all(|(late, _)| *late == LATENCY + delay));
}

#[test]
fn jitter_spreads_frames_over_its_whole_width_and_no_further() {
    let jitter = Duration::from_millis(10);
    let heard = run(200, Faults { jitter, ..Faults::default() }.fate(1));
    assert_eq!(heard.len(), 200);
    let late: Vec<_> = heard.iter().map(|(late, _)| *late - LATENCY).collect();
    assert!(late.iter().all(|late| *late <= jitter));
    assert!(late[0] < jitter / 10 && *late.last().unwrap() > jitter * 9 / 10);
}

#[test]
fn a_duplicate_follows_its_frame_by_ten_microseconds() {
    let heard = run(2, Faults { duplicate: 1.0, ..Faults::default() }.fate(1));
    let again = LATENCY + Duration::from_micros(10);
    let expected = [(LATENCY, 0), (LATENCY, 1), (again, 0), (again, 1)];
    assert_eq!(heard, expected.map(|(late, n)| (late, frame(n))));
}

#[test]
fn reordered_frames_are_held_back_and_overtaken() {
    let hold = Duration::from_millis(5);
    let all = run(9, Faults { reorder: 1.0, hold, ..Faults::default() }.fate(1));
    assert!(all.iter().all(|(late, _)| *late == LATENCY + hold));

    let heard = run(100, Faults { reorder: 0.5, hold, ..Faults::default() }.fate(1));
    assert_eq!(heard.len(), 100, "none is lost by it");
    assert!(heard.iter().all(|(late, _)| *late == LATENCY || *late == LATENCY + hold));
    assert!(!heard.is_sorted_by_key(|(_, octets)| octets[14]));
}

#[test]
fn a_corrupted_frame_differs_in_exactly_one_bit() {
    let heard = run(100, Faults { corrupt: 1.0, ..Faults::default() }.fate(1));
    assert_eq!(heard.len(), 100);
    let mut places = std::collections::HashSet::new();
    for ((_, octets), n) in heard.iter().zip(0..) {
        let changed = octets.iter().zip(frame(n)).map(|(is, was)| is ^ was);
        let place = changed.clone().position(|bits| bits != 0);
        assert_eq!(changed.map(u8::count_ones).sum::<u32>(), 1, "frame {n}");
        places.insert(place);
    }
    assert!(places.len() > 20, "anywhere in the frame, not at {places:?} only");
}

#[test]
fn a_burst_takes_that_many_frames_in_a_row() {
    let faults = Faults { loss: 0.05, burst: 4, ..Faults::default() };
    let mut heard = run_by(200, faults.fate(1));
    heard.push(200);
    let gaps = heard.windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|gap| *gap > 0);
    let gaps: Vec<_> = gaps.collect();
    assert!(gaps.len() > 3, "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap >= 4), "{gaps:?}");
    assert!(gaps.contains(&4), "{gaps:?}");
}

#[test]
fn frames_are_cut_by_probability_somewhere_after_the_header() {
    let faults = Faults { truncate: 0.5, ..Faults::default() };
    let lens: Vec<_> = run(200, faults.fate(1)).iter().map(|(_, octets)| octets.len()).collect();
    assert_eq!(lens.len(), 200);
    assert!(lens.iter().all(|len| (14..=60).contains(len)));
    let whole = lens.iter().filter(|len| **len == 60).count();
    assert!((60..140).contains(&whole), "{whole} of 200");
}

#[test]
fn frames_are_padded_by_probability_with_1_to_40_octets() {
    let faults = Faults { pad: 1.0, ..Faults::default() };
    let heard = run(200, faults.fate(1));
    let lens: Vec<_> = heard.iter().map(|(_, octets)| octets.len() - 60).collect();
    assert_eq!((lens.iter().min(), lens.iter().max()), (Some(&1), Some(&40)));
    assert!(heard.iter().all(|(_, octets)| octets[60..].iter().all(|octet| *octet == JUNK)));
}

#[test]
fn one_fault_does_not_shift_the_dice_of_another() {
    let loss = Faults { loss: 0.5, ..Faults::default() };
    let more = Faults { jitter: Duration::from_millis(1), corrupt: 0.5, duplicate: 0.5, ..loss };
    let survivors = |faults: Faults| {
        let mut fate = faults.fate(3);
        run_by(100, move |transit| if fate(transit).lost { Fate::lost() } else { Fate::arrives() })
    };
    assert_eq!(survivors(loss), survivors(more));
    assert!((30..70).contains(&survivors(loss).len()));
}

#[test]
fn a_fate_is_asked_once_for_each_passage_and_may_tell_the_directions_apart() {
    let network = Network::new();
    let mut ports = [1, 2, 3].map(|n| network.attach(mac(n)));
    let (mute, start) = (ports[0].id(), network.now());
    network.set_fate(move |transit| {
        assert_eq!(transit.octets.len(), 60, "padded");
        assert_eq!(transit.at, start);
        if transit.from == mute || transit.to == mute { Fate::lost() } else { Fate::arrives() }
    });
    for (port, n) in ports.iter_mut().zip(1..) {
        say(port, BROADCAST, n);
    }
    settle(&network);
    let heard = ports.each_mut().map(|port| heard(port, start));
    assert_eq!(heard, [vec![], vec![(LATENCY, 3)], vec![(LATENCY, 2)]]);
}

#[test]
fn a_late_frame_is_overtaken_and_its_second_copy_comes_when_it_was_said() {
    let fates = [
        Fate::late(Duration::from_secs(1)),
        Fate::again(Duration::from_secs(2)),
        Fate::lost(),
        Fate::arrives(),
    ];
    let mut fates = fates.into_iter();
    let heard = run(4, move |_| fates.next().unwrap());
    let expected = [(0, 1), (0, 3), (1, 0), (2, 1)];
    assert_eq!(heard, expected.map(|(s, n)| (LATENCY + Duration::from_secs(s), frame(n))));
}

#[test]
fn the_inverted_bit_is_counted_from_the_first_octets_highest() {
    for (bit, octet, mask) in [(0, 0, 0x80), (7, 0, 0x01), (14 * 8 + 2, 14, 0x20)] {
        let mut expected = frame(0);
        expected[octet] ^= mask;
        assert_eq!(run(1, move |_| Fate::inverted(bit)), [(LATENCY, expected)]);
    }
    let beyond = run(1, |_| Fate::inverted(60 * 8));
    assert_eq!(beyond, [(LATENCY, frame(0))], "there is no such bit");
}

/// The frame number `n` of a run as it is on the wire.
fn frame(n: u8) -> Vec<u8> {
    let mut octets = [mac(2).as_bytes(), mac(1).as_bytes(), &[0x88, 0xb5, n]].concat();
    octets.resize(60, 0);
    octets
}

/// How long each of `count` frames, sent at once, is on its way under `fate`, and what arrives.
fn run(
    count: u8,
    fate: impl FnMut(&Transit<'_>) -> Fate + Send + 'static,
) -> Vec<(Duration, Vec<u8>)> {
    let network = Network::new();
    let (mut a, mut b) = (network.attach(mac(1)), network.attach(mac(2)));
    network.set_fate(fate);
    let start = network.now();
    for n in 0..count {
        a.send(mac(2), TYPE, 1, &mut |payload| payload[0] = n).unwrap();
    }
    a.flush().unwrap();
    settle(&network);
    all(&mut b, start)
}

/// As [`run`], and only which frames arrive.
fn run_by(count: u8, fate: impl FnMut(&Transit<'_>) -> Fate + Send + 'static) -> Vec<u8> {
    run(count, fate).into_iter().map(|(_, octets)| octets[14]).collect()
}

fn all(port: &mut Port, since: Instant) -> Vec<(Duration, Vec<u8>)> {
    let mut all = Vec::new();
    while port
        .recv(since, &mut |frame, _| all.push((frame.at() - since, frame.octets().to_vec())))
        .unwrap()
        > 0
    {}
    all
}
