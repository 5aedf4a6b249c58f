//! When probes leave.

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

use sidestack_stack::{
    icmp,
    sweep::{Config, Outcome, Rate},
};

use crate::world::{HOP, World, first, ms};

#[test]
fn each_probe_leaves_at_its_own_moment_of_an_absolute_schedule() {
    let mut world = World::known();
    world.run(&first(100), Config { rate: Rate::per_second(3000), ..Config::default() });
    let expected = (0..100).map(|k| Duration::from_nanos(k * 1_000_000_000 / 3000));
    assert_eq!(world.times(), expected.collect::<Vec<_>>());
    assert_eq!(world.ended.len(), 100);
}

#[test]
fn whoever_was_held_up_catches_up_and_does_not_drift() {
    let mut world = World::known();
    let rate = Rate::every(ms(1));
    let mut sweep = world.sweep(&first(100), Config { rate, ..Config::default() });
    while world.times().len() < 10 {
        world.step(&mut sweep);
    }
    let resumed = ms(50) + HOP * 3;
    world.network.advance_to(world.start + resumed); // nobody looks for 40 probes' time
    while !sweep.is_over() {
        world.step(&mut sweep);
    }
    let expected = (0..100).map(|k| if (10..=50).contains(&k) { resumed } else { ms(k) });
    assert_eq!(world.times(), expected.collect::<Vec<_>>());
}

#[test]
fn no_more_probes_than_the_window_are_under_way() {
    let mut world = World::known();
    world.is_silent = |_, _| true;
    world.run(&first(7), Config { window: 3, timeout: ms(100), ..Config::default() });
    assert_eq!(world.times(), [0, 0, 0, 100, 100, 100, 200].map(ms));
    assert_eq!(world.most, 3);
    assert_eq!(world.ended.len(), 7);
}

#[test]
fn what_the_link_has_no_room_for_leaves_when_it_has_and_nothing_spins_meanwhile() {
    let mut world = World::known();
    let free = ms(30);
    world.stack.link().line().jam(world.start + free);
    let targets = first(1000);
    let mut sweep = world.sweep(&targets, Config::default());
    let mut steps = 0;
    while !sweep.is_over() {
        world.step(&mut sweep);
        steps += 1;
    }
    assert_eq!(world.times(), [free; 1000]);
    let asked: BTreeSet<Ipv4Addr> = world.requests().iter().map(|request| request.2).collect();
    assert_eq!((asked.len(), world.requests().len(), world.ended.len()), (1000, 1000, 1000));
    assert!(steps < 50, "{steps} turns of the loop");
}

#[test]
fn each_retry_leaves_the_moment_the_try_before_it_has_timed_out() {
    let mut world = World::known();
    world.is_silent = |_, _| true;
    let config = Config { retries: 3, timeout: ms(100), backoff: 1.5, ..Config::default() };
    world.run(&first(1), config);
    let us = |n| Duration::from_micros(n);
    assert_eq!(world.times(), [us(0), us(100_000), us(250_000), us(475_000)]);
    let [ended] = world.ended[..] else { panic!("{:?}", world.ended) };
    assert_eq!((ended.at - world.start, ended.tries), (us(812_500), 4));
    let waited = us(337_500);
    assert_eq!(ended.outcome, Outcome::Echo(icmp::Outcome::TimedOut { waited }));
}

#[test]
fn rounds_keep_their_period_and_each_target_its_place() {
    let mut world = World::known();
    let (rate, period) = (Rate::every(ms(2)), ms(50));
    let config = Config { rounds: Some(3), rate, period, seed: Some(1), ..Config::default() };
    world.run(&first(10), config);
    let expected = (0..3).flat_map(|round| (0..10).map(move |k| ms(round * 50 + k * 2)));
    assert_eq!(world.times(), expected.collect::<Vec<_>>());
    let order: Vec<Ipv4Addr> = world.requests().iter().map(|request| request.2).collect();
    assert_eq!(order[..10], order[10..20]);
    assert_eq!(order[..10], order[20..]);
    assert!(!order[..10].is_sorted());
    let rounds: BTreeSet<_> = world.ended.iter().map(|ended| (ended.addr, ended.round)).collect();
    assert_eq!((rounds.len(), world.ended.len()), (30, 30));
}

#[test]
fn a_round_that_cannot_end_in_its_period_is_followed_by_the_next_without_a_pause() {
    let mut world = World::known();
    let (rate, period) = (Rate::every(ms(2)), ms(5));
    world.run(&first(10), Config { rounds: Some(2), rate, period, ..Config::default() });
    assert_eq!(world.times(), (0..20).map(|k| ms(k * 2)).collect::<Vec<_>>());
}

#[test]
fn a_number_is_of_the_latest_round_that_can_have_had_it_however_often_it_has_wrapped() {
    let mut world = World::known();
    let (rounds, tries) = (22_200, 3);
    let config = Config {
        rounds: Some(rounds),
        period: ms(1),
        rate: Rate::every(ms(1)),
        retries: tries - 1,
        ..Config::default()
    };
    let mut sweep = world.sweep(&first(1), config);
    assert_eq!([0, 2, 3, 66].map(|number| sweep.round_of(number)), [0, 0, 1, 22], "to come");
    let mut ended = 0;
    while !sweep.is_over() {
        world.step(&mut sweep);
        for (round, end) in world.ended.iter().enumerate().skip(ended) {
            let (round, tries) = (round as u64, u64::from(tries));
            assert_eq!(end.round, round);
            for number in round * tries..(round + 1) * tries {
                assert_eq!(sweep.round_of(number as u16), round);
            }
        }
        ended = world.ended.len();
    }
    assert_eq!(ended as u64, rounds);
}
