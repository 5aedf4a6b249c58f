//! Who of several machines probes whom.

use sidestack_stack::{
    Permutation, Shard, Targets,
    sweep::{Config, Rate},
};

use crate::world::{World, first};
#[test]
fn nobody_to_probe_is_over_at_once() {
    let mut world = World::new();
    for (targets, shard) in [(Targets::default(), "1/1"), (first(2), "3/3")] {
        let shard = shard.parse().unwrap();
        let sweep = world.sweep(&targets, Config { rounds: None, shard, ..Config::default() });
        assert!(sweep.is_over());
        assert_eq!(sweep.deadline(&world.stack), None);
    }
}

#[test]
fn however_many_machines_share_them_each_target_is_covered_exactly_once() {
    let mut n = 7_u64;
    let mut random = |below: u64| {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (n >> 33) % below
    };
    for _ in 0..300 {
        let (len, machines, seed) = (random(3000), random(40) + 1, random(u64::MAX));
        let permutation = Permutation::new(len, seed);
        let mut covered = vec![0; len as usize];
        for machine in 0..machines {
            let shard = Shard::new(machine, machines).unwrap();
            for n in 0..shard.len(len) {
                covered[permutation.at(shard.place(n)) as usize] += 1;
            }
        }
        assert!(covered.iter().all(|times| *times == 1), "{len} {machines} {seed}");
    }
}

#[test]
fn three_machines_probe_what_one_would() {
    let targets = first(1000);
    let mut probed = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let mut world = World::known();
        let shard = shard.parse().unwrap();
        world.run(&targets, Config { shard, seed: Some(9), ..Config::default() });
        probed.extend(world.ended.iter().map(|ended| ended.addr));
    }
    probed.sort_unstable();
    assert!(probed.into_iter().eq(targets.iter()));
}

#[test]
fn whoever_had_no_turn_yet_is_known_until_the_first_round_is_over() {
    for seed in [None, Some(3)] {
        let mut world = World::known();
        let targets = first(40);
        let (shard, rate) = ("2/4".parse().unwrap(), Rate::per_second(10));
        let config = Config { shard, seed, rate, rounds: Some(2), ..Config::default() };
        let mut sweep = world.sweep(&targets, config);
        let all: Vec<_> = sweep.unbegun().collect();
        assert_eq!(all.len(), 10);
        let of_round = |world: &World, round| -> Vec<_> {
            let ended = world.ended.iter().filter(|ended| ended.round == round);
            ended.map(|ended| ended.addr).collect()
        };
        while of_round(&world, 0).len() < 3 {
            world.step(&mut sweep);
        }
        assert_eq!(of_round(&world, 0), all[..3]);
        assert_eq!(sweep.unbegun().collect::<Vec<_>>(), all[3..]);
        while of_round(&world, 1).is_empty() {
            world.step(&mut sweep);
        }
        assert_eq!(sweep.unbegun().count(), 0);
    }
}
