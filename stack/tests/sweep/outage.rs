//! A link that goes down under a sweep.

use std::{collections::BTreeSet, net::Ipv4Addr};

use sidestack_stack::{
    Sweep, icmp,
    link::{EtherType, State, Unsent, memory::Fate},
    sweep::{Config, Method, Outcome, Rate},
};

use crate::world::{HOP, World, first, ms};

#[test]
fn nobody_is_asked_while_the_link_is_down_and_everybody_is_when_it_is_up() {
    for (method, ends) in [(Method::Arp, 60), (Method::Echo, 60), (Method::Both, 120)] {
        let mut world = World::new();
        let config = Config { method, rate: Rate::per_second(100), ..Config::default() };
        let mut sweep = world.sweep(&first(60), config);
        outage(&mut world, &mut sweep, 105, 1505);
        assert_eq!(world.ended.len(), ends);
        assert!(world.ended.iter().all(|ended| has_answered(ended.outcome)), "{method:?}");
        let ends: BTreeSet<_> = world.ended.iter().map(|ended| (ended.addr, ended.at)).collect();
        assert_eq!(ends.len(), world.ended.len(), "each once");
        let meanwhile = |at| ms(105) <= at && at < ms(1505);
        assert_eq!(world.times().into_iter().filter(|at| meanwhile(*at)).count(), 0);
    }
}

#[test]
fn what_the_link_gives_back_as_it_goes_down_is_asked_again_and_ends_once() {
    for method in [Method::Arp, Method::Echo] {
        let mut world = World::new();
        let config = Config { method, ..Config::default() };
        let mut sweep = world.sweep(&first(1000), config);
        outage(&mut world, &mut sweep, 0, 700);
        let addrs: BTreeSet<_> = world.ended.iter().map(|ended| ended.addr).collect();
        assert_eq!((addrs.len(), world.ended.len()), (1000, 1000));
        assert!(world.ended.iter().all(|ended| has_answered(ended.outcome)), "{method:?}");
    }
}

#[test]
fn what_was_unanswered_when_the_link_went_down_is_asked_again_and_ends_once() {
    let worlds: [fn() -> World; 3] = [World::known, World::new, World::routed];
    for (world, method) in [
        (0, Method::Echo),
        (1, Method::Echo),
        (1, Method::Arp),
        (1, Method::Both),
        (2, Method::Echo),
    ] {
        let mut world = worlds[world]();
        let down = world.start + HOP / 2;
        let config = Config { method, timeout: ms(300), ..Config::default() };
        let mut sweep = world.sweep(&first(20), config);
        while world.network.now() < down {
            world.step_until(&mut sweep, Some(down));
        }
        outage(&mut world, &mut sweep, 0, 1200);
        let answers = world.ended.iter().filter(|ended| has_answered(ended.outcome)).count();
        let ends = if method == Method::Both { 40 } else { 20 };
        assert_eq!((answers, world.ended.len()), (ends, ends), "{method:?}");
    }
}

#[test]
fn what_left_when_the_link_was_up_again_may_time_out_like_any() {
    let mut world = World::known();
    world.is_silent = |_, addr| addr == Ipv4Addr::new(10, 1, 0, 2);
    let config = Config { rate: Rate::per_second(10), timeout: ms(300), ..Config::default() };
    let mut sweep = world.sweep(&first(4), config);
    outage(&mut world, &mut sweep, 250, 400);
    let timed_out = world.ended.iter().filter(|ended| !has_answered(ended.outcome));
    let timed_out: Vec<_> = timed_out.map(|ended| (ended.addr, ended.at - world.start)).collect();
    // Asked at 200 ms, of which the link going down makes nothing, and at 500 ms again.
    assert_eq!(timed_out, [(Ipv4Addr::new(10, 1, 0, 2), ms(800))]);
}

#[test]
fn rounds_are_put_off_for_as_long_as_the_link_is_down() {
    let mut world = World::known();
    let (rounds, period) = (Some(4), ms(500));
    let mut sweep = world.sweep(&first(1), Config { rounds, period, ..Config::default() });
    outage(&mut world, &mut sweep, 600, 2000);
    assert_eq!(world.times(), [0, 500, 2400, 2900].map(ms));
    assert!(world.ended.iter().all(|ended| has_answered(ended.outcome)));
}

#[test]
fn rounds_keep_time_where_nobody_waits_for_the_link() {
    let mut world = World::known();
    let (rounds, period, patience) = (Some(4), ms(500), ms(0));
    let config = Config { rounds, period, patience, ..Config::default() };
    let mut sweep = world.sweep(&first(1), config);
    outage(&mut world, &mut sweep, 400, 1200);
    let unsent = Outcome::Echo(icmp::Outcome::Unsent(Unsent::NoCarrier));
    let ends: Vec<_> = world.ended.iter().map(|ended| ended.outcome).collect();
    assert_eq!(ends[1..3], [unsent; 2]);
    assert!(has_answered(ends[0]) && has_answered(ends[3]) && ends.len() == 4);
    assert_eq!(world.times(), [0, 1500].map(ms));
}

#[test]
fn a_link_that_stays_down_is_waited_for_as_long_as_was_said() {
    let mut world = World::known();
    let (rate, patience) = (Rate::per_second(10), ms(3000));
    let mut sweep = world.sweep(&first(8), Config { rate, patience, ..Config::default() });
    outage(&mut world, &mut sweep, 250, 60_000);
    let ends: Vec<_> =
        world.ended.iter().map(|ended| (ended.at - world.start, ended.outcome)).collect();
    assert!(ends[..3].iter().all(|(_, outcome)| has_answered(*outcome)));
    let unsent = Outcome::Echo(icmp::Outcome::Unsent(Unsent::NoCarrier));
    let made_up = [3250, 3250].map(|at| (ms(at), unsent));
    assert_eq!(ends[3..5], made_up);
    assert_eq!(ends[5..], [3300, 3400, 3500].map(|at| (ms(at), unsent)));
}

#[test]
fn a_link_that_goes_up_and_down_is_waited_for_no_longer_in_all() {
    let mut world = World::known();
    let (rate, patience) = (Rate::per_second(10), ms(1000));
    let mut sweep = world.sweep(&first(40), Config { rate, patience, ..Config::default() });
    let line = world.stack.link().line();
    for turn in 0..40 {
        let at = world.start + ms(250 + 400 * turn);
        while world.network.now() < at && !sweep.is_over() {
            world.step_until(&mut sweep, Some(at));
        }
        line.set_state(if turn % 2 == 0 { State::NoCarrier } else { State::Up });
    }
    assert!(sweep.is_over() && world.ended.len() == 40);
    let last = world.ended.iter().map(|ended| ended.at - world.start).max();
    assert!(last < Some(ms(4_000 + 1_000 + 1_000)), "{last:?}");
}

#[test]
fn nobody_is_asked_while_our_address_is_probed_for_anew() {
    let mut world = World::known();
    world.is_silent = |kind, _| kind == EtherType::ARP; // nobody has our address
    let mut sweep = world.sweep(&first(3), Config::default());
    world.stack.adopt(world.start);
    while !sweep.is_over() {
        world.step(&mut sweep);
    }
    assert_eq!(world.stack.claiming(), 0);
    assert!(world.ended.iter().all(|ended| has_answered(ended.outcome)));
    let ends: Vec<_> = world.ended.iter().map(|ended| ended.at - world.start).collect();
    assert!(ends.len() == 3 && ends.iter().all(|at| *at >= ms(4_000)), "{ends:?}");
}

#[test]
fn a_link_that_is_down_from_the_start_is_not_waited_for() {
    let mut world = World::known();
    world.stack.link().line().set_state(State::Down);
    while world.stack.poll(world.start).unwrap() || world.stack.event().is_some() {}
    world.run(&first(3), Config::default());
    assert_eq!(world.network.now(), world.start);
    let unsent = Outcome::Echo(icmp::Outcome::Unsent(Unsent::Down));
    assert!(world.ended.iter().all(|ended| ended.outcome == unsent));
    assert_eq!(world.ended.len(), 3);
}

#[test]
fn a_frame_may_be_refused_just_before_the_word_that_the_link_is_down() {
    for (refused_until, answered) in [(ms(60), 8), (ms(300), 3)] {
        let mut world = World::known();
        let start = world.start;
        world.set_fate(move |transit| {
            let at = transit.at - start;
            if ms(25) < at && at < refused_until {
                return Fate::refused(Unsent::NoCarrier);
            }
            Fate::arrives()
        });
        world.run(&first(8), Config { rate: Rate::per_second(100), ..Config::default() });
        assert_eq!(world.ended.len(), 8);
        let count = world.ended.iter().filter(|ended| has_answered(ended.outcome)).count();
        assert_eq!(count, answered, "{refused_until:?}");
    }
}

/// Runs `sweep` to its end; the link is without a carrier from the one moment to the other, in
/// milliseconds.
fn outage(world: &mut World, sweep: &mut Sweep, down: u64, up: u64) {
    let line = world.stack.link().line();
    for (at, state) in [(down, State::NoCarrier), (up, State::Up)] {
        let at = world.start + ms(at);
        while world.network.now() < at && !sweep.is_over() {
            world.step_until(sweep, Some(at));
        }
        line.set_state(state);
    }
    while !sweep.is_over() {
        world.step(sweep);
    }
}

fn has_answered(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::At { .. } | Outcome::Echo(icmp::Outcome::Reply { .. }))
}
