//! What is lost for other reasons than its size.

use std::time::Duration;

use sidestack_stack as stack;
use stack::{
    MtuSearch, What,
    icmp::{self, Outcome, Straying},
    link::{
        State, Unsent,
        memory::{Fate, Faults},
    },
    path_mtu::{Config, Error, Event},
};

use super::{
    SECOND,
    path::{HOP, passed, run, search, silent, way},
    thrice,
};
use crate::wire::{BEYOND, MS};

// PMTU-6
#[test]
fn where_each_frame_is_lost_with_30_percent_no_smaller_mtu_is_found() {
    for (mtu, cut_off) in [(1500, 2), (1400, 2)] {
        let mut unreachable = 0;
        for seed in 0..50 {
            let mut wire = silent(mtu);
            let faults = Faults { loss: 0.3, ..Faults::default() };
            wire.network.set_fate(faults.fate(seed));
            match search(&mut wire, BEYOND, Config::default()).found {
                Err(Error::Unreachable { .. }) => unreachable += 1,
                found => assert_eq!(found, Ok(mtu as u16), "seed {seed}"),
            }
        }
        assert_eq!(unreachable, cut_off, "the first six probes lost: 1 of 57");
    }
}

// PMTU-6
#[test]
fn what_is_lost_while_nothing_is_answered_counts_against_no_size() {
    let mut wire = silent(1500);
    let (start, outage) = (wire.now(), HOP * 2..MS * 4500);
    wire.network.set_fate(move |transit| {
        let is_out = outage.contains(&(transit.at - start));
        if is_out { Fate::lost() } else { Fate::arrives() }
    });
    let run = search(&mut wire, BEYOND, Config::default());
    let sizes: Vec<u16> = run.ended.iter().map(|it| it.size).collect();
    assert_eq!(sizes, [1200, 1500, 1200, 1500, 1200, 1500, 1200, 1500], "1500 is lost three times");
    assert_eq!((run.found, run.took), (Ok(1500), SECOND * 5 + HOP * 2 * 3));
}

// PMTU-6
#[test]
fn where_what_passed_passes_no_more_the_search_begins_anew_from_the_base() {
    let mut wire = silent(1500);
    let mut search = MtuSearch::new(wire.now(), BEYOND, Config::default(), &wire.host);
    wire.answer = silent(1450).answer;
    let run = run(&mut wire, &mut search, |wire, event| {
        if let Event::Ended(ended) = event
            && ended.size == 1450
        {
            wire.answer = silent(1250).answer; // and no controls of 1,450 are answered
        }
    });
    let sizes = run.sizes();
    let hole = sizes.windows(7).position(|it| it == [1476, 1450, 1476, 1450, 1476, 1450, 1200]);
    assert!(hole.is_some(), "{sizes:?}");
    assert_eq!(run.found, Ok(1250));
}

// PMTU-6
#[test]
fn answers_that_come_after_the_probe_timer_count_all_the_same() {
    let mut wire =
        way(|heard| passed(heard, 1500).into_iter().map(|(_, reply)| (MS * 1500, reply)).collect());
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!(run.found, Ok(1500));
    let late = run.others.iter().filter(|event| {
        matches!(&event.what, What::Icmp(icmp::Event::Stray(stray))
            if matches!(stray.straying, Straying::Late { .. }))
    });
    assert!(late.count() >= 2);
    assert!(run.took < SECOND * 6, "{:?}", run.took);
}

// PMTU-6
#[test]
fn no_path_however_it_changes_is_sent_more_than_1000_probes() {
    let mut heard = 0;
    let mut wire = way(move |probe| {
        heard += 1;
        if heard % 7 == 1 { passed(probe, 1500) } else { Vec::new() }
    });
    let run = search(&mut wire, BEYOND, Config::default());
    assert_eq!(run.sent.len(), 1000);
    assert_eq!(run.found, Err(Error::Unsteady { mtu: Some(1200) }));
    assert_eq!(wire.host.path_mtu(wire.now(), BEYOND), None);
}

// PMTU-6
#[test]
fn a_link_that_shrinks_meanwhile_bounds_what_is_found() {
    for (mtu, then) in [(1300, vec![1200, 1300]), (1000, vec![1000])] {
        let mut wire = silent(1500);
        let mut search = MtuSearch::new(wire.now(), BEYOND, Config::default(), &wire.host);
        let run = run(&mut wire, &mut search, |wire, event| {
            if let Event::Ended(_) = event {
                wire.host.link().line().set_mtu(mtu);
            }
        });
        assert_eq!(run.found, Ok(mtu as u16));
        assert_eq!(run.sizes(), [vec![1200, 1500], then].concat());
    }
}

// PMTU-6
#[test]
fn without_a_carrier_six_probes_come_back_a_second_apart() {
    let mut wire = silent(1500);
    wire.host.link().line().set_state(State::NoCarrier);
    let run = search(&mut wire, BEYOND, Config::default());
    let last = Outcome::Unsent(Unsent::NoCarrier);
    assert_eq!(run.found, Err(Error::Unreachable { last }));
    let sizes: Vec<usize> = run.ended.iter().map(|it| it.size.into()).collect();
    assert_eq!((sizes, run.took), (thrice(1200, 68), SECOND * 6));
    assert_eq!(run.sent, [], "nobody hears of it");
}

// PMTU-6
#[test]
fn what_the_link_has_no_room_for_waits_and_nothing_spins_meanwhile() {
    let mut wire = silent(1500);
    let line = wire.host.link().line();
    line.set_slots(0);
    let mut search = MtuSearch::new(wire.now(), BEYOND, Config::default(), &wire.host);
    wire.pass(MS);
    assert!(!search.poll(wire.now(), &mut wire.host).unwrap());
    assert_eq!((search.probes(), search.deadline(&wire.host)), (0, wire.host.deadline()));
    line.set_slots(64);
    let run = run(&mut wire, &mut search, |_, _| ());
    assert_eq!((run.found, run.took), (Ok(1500), HOP * 2 * 2));
}

// PMTU-6
#[test]
fn where_no_route_leads_nothing_is_sent() {
    let mut wire = silent(1500);
    let dst = [169, 254, 7, 7].into(); // which no router is given
    let run = search(&mut wire, dst, Config::default());
    assert!(matches!(run.found, Err(Error::Refused(_))), "{:?}", run.found);
    assert_eq!((run.ended.len(), run.took), (0, Duration::ZERO));
}
