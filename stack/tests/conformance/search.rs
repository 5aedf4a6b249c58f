//! PMTU-6: the search for a path MTU by probes: what is sent, when, and what is found.

mod lossy;
mod path;
mod told;

use std::time::Duration;

use sidestack_stack as stack;
use stack::{
    icmp::{Echo, Outcome},
    path_mtu::{Config, Error},
};

use crate::wire::{BEYOND, THEM, Wire, ended};
use path::{HOP, search, silent, way};

/// Times of a size and the control after it.
fn thrice(size: usize, control: usize) -> Vec<usize> {
    [size, control].repeat(3)
}

// PMTU-6
#[test]
fn a_black_hole_is_found_to_the_octet_each_size_being_lost_three_times_beside_answered_controls() {
    let mut wire = silent(1400);
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!(run.found, Ok(1400));
    let tried = [(1500, 1200), (1450, 1400), (1420, 1400), (1401, 1400)];
    let [a, b, c, d] = tried.map(|(size, control)| thrice(size, control));
    assert_eq!(run.sizes(), [vec![1200], a, vec![1400], b, c, d].concat());
    // Each of the twelve that are lost takes its second, each of the others a round trip.
    let mut at = Duration::ZERO;
    for (left, size) in &run.sent {
        assert_eq!(*left, at, "{size}");
        at += if *size > 1400 { SECOND } else { HOP * 2 };
    }
    assert_eq!(run.took, at);
    assert_eq!(run.took, SECOND * 12 + HOP * 2 * 14);
    let lost = run.ended.iter().filter(|it| matches!(it.outcome, Outcome::TimedOut { .. }));
    assert_eq!(
        lost.map(|it| it.size).collect::<Vec<_>>(),
        [[1500; 3], [1450; 3], [1420; 3], [1401; 3]].concat()
    );
}

// PMTU-6
#[test]
fn any_path_mtu_is_found_exactly() {
    let usual = [296, 508, 576, 1006, 1200, 1280, 1400, 1420, 1450, 1476, 1480, 1492];
    let beside = usual.iter().flat_map(|usual| [usual - 1, *usual, usual + 1]);
    for mtu in (68..=1500).step_by(11).chain([69, 70, 1498, 1499, 1500]).chain(beside) {
        let run = search(&mut silent(mtu), BEYOND, Config::default());
        assert_eq!(run.found, Ok(mtu as u16));
        assert!(run.sent.len() <= 45, "{} probes for {mtu}", run.sent.len());
    }
}

// PMTU-6
#[test]
fn the_whole_link_is_found_by_two_probes_however_long_its_packets_are() {
    for mtu in [1500, 9000, 65_535] {
        let mut wire = silent(mtu);
        wire.set_mtu(mtu);
        let run = search(&mut wire, BEYOND, Config::default());
        assert_eq!((run.found, run.sizes()), (Ok(mtu as u16), vec![1200, mtu]));
        assert_eq!(run.took, HOP * 2 * 2);
    }
}

// PMTU-6
#[test]
fn behind_a_jumbo_link_what_passes_no_further_is_found() {
    for mtu in [1500, 8999, 1400, 4352] {
        let mut wire = silent(mtu);
        wire.set_mtu(9000);
        let run = search(&mut wire, BEYOND, Config::default());
        assert_eq!(run.found, Ok(mtu as u16));
    }
}

// PMTU-6
#[test]
fn below_the_base_it_is_searched_only_where_that_is_not_answered() {
    let run = search(&mut silent(296), BEYOND, Config::default());
    let tried = [(1200, 68), (508, 68)].map(|(size, control)| thrice(size, control));
    assert_eq!(run.sizes(), [tried.concat(), vec![296], thrice(297, 296)].concat());
    assert_eq!((run.found, run.took), (Ok(296), SECOND * 9 + HOP * 2 * 10));
    let run = search(&mut silent(68), BEYOND, Config::default());
    assert_eq!(run.found, Ok(68), "MIN_PLPMTU");
}

// PMTU-6
#[test]
fn where_nobody_answers_there_is_no_connectivity_after_three_probes_and_three_controls() {
    let mut wire = silent(67);
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!(run.sizes(), thrice(1200, 68));
    assert_eq!(run.took, SECOND * 6);
    let last = Outcome::TimedOut { waited: SECOND };
    assert_eq!(run.found, Err(Error::Unreachable { last }));
    assert_eq!(wire.host.path_mtu(wire.now(), BEYOND), None);
}

// PMTU-6
#[test]
fn where_nobody_answers_arp_there_is_no_connectivity_after_three_seconds() {
    let mut wire = Wire::new();
    wire.owners.clear();
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!((run.sent.len(), run.ended.len(), run.took), (0, 1, SECOND * 3));
    let last = Outcome::Unresolved { requests: 3 };
    assert_eq!(run.found, Err(Error::Unreachable { last }));
}

// PMTU-6
#[test]
fn the_probe_timer_and_max_probes_and_both_ends_are_the_owners_to_choose() {
    let timer = SECOND * 15;
    let config = Config { probe_timer: timer, max_probes: 2, ..Config::default() };
    let run = search(&mut silent(1492), BEYOND, config);
    assert_eq!(run.found, Ok(1492));
    let lost = run.ended.iter().filter(|it| it.size > 1492).count() as u32;
    assert_eq!(run.took, timer * lost + HOP * 2 * (run.sent.len() as u32 - lost));
    assert_eq!(lost, 4, "1,500 and 1,493 octets, twice each");
    let run = search(&mut silent(1492), BEYOND, Config { max: 1300, ..Config::default() });
    assert_eq!((run.found, run.sizes()), (Ok(1300), vec![1200, 1300]));
    let run = search(&mut silent(1492), BEYOND, Config { base: 1492, ..Config::default() });
    assert_eq!(run.sizes(), [vec![1492], thrice(1500, 1492), thrice(1493, 1492)].concat());
}

// PMTU-6
#[test]
fn what_was_found_is_the_estimate_for_that_destination_until_ten_minutes_are_over() {
    let mut wire = silent(1400);
    assert_eq!(search(&mut wire, BEYOND, Config::default()).found, Ok(1400));
    let (now, data) = (wire.now(), |wire: &mut Wire, dst| wire.host.max_data(wire.now(), dst));
    assert_eq!(wire.host.path_mtu(now, BEYOND), Some(1400));
    assert_eq!((data(&mut wire, BEYOND), data(&mut wire, THEM)), (1372, 1472));
    assert!(wire.host.echo(now, &Echo::new(BEYOND, 99, &[0; 1373])).is_err());
    wire.pass(SECOND * 600);
    assert_eq!((wire.host.path_mtu(wire.now(), BEYOND), data(&mut wire, BEYOND)), (None, 1472));
}

// PMTU-6
#[test]
fn a_path_that_became_another_is_found_anew_by_the_next_search() {
    let mut wire = silent(1400);
    for mtu in [1400, 1000, 1500, 576] {
        wire.answer = silent(mtu).answer;
        let run = search(&mut wire, BEYOND, Config { sequence: 7, ..Config::default() });
        assert_eq!(run.found, Ok(mtu as u16));
        assert_eq!(wire.host.path_mtu(wire.now(), BEYOND), Some(mtu as u16));
    }
}

// PMTU-6
#[test]
fn echoes_of_others_go_on_and_the_numbers_that_they_use_are_left_to_them() {
    let mut wire =
        way(|heard| if heard.packet().len() == 84 { vec![] } else { path::passed(heard, 1400) });
    for sequence in [0, 1, 5] {
        wire.host
            .echo(
                wire.now(),
                &Echo { timeout: SECOND * 60, ..Echo::new(BEYOND, sequence, &[0; 56]) },
            )
            .unwrap();
    }
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!((run.found, wire.host.in_flight()), (Ok(1400), 3));
    wire.pass(SECOND * 60);
    assert_eq!(ended(&wire.told).count(), 3);
}

const SECOND: Duration = Duration::from_secs(1);
