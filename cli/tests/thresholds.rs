//! Pass or fail by `--max-loss`, `--max-rtt`, `--min-replies` and `--expect-mac`.

mod common;
#[path = "common/schema.rs"]
mod schema;

use common::sidestack;
use schema::record;

/// The exit code, and what was missed.
fn run(args: &str) -> (Option<i32>, Vec<String>) {
    let output = sidestack(args);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("it speaks UTF-8");
    let missed = said.lines().filter_map(|line| Some(line.split_once("MISSED ")?.1.to_owned()));
    (output.status.code(), missed.collect())
}

const LOSSY: &str = "ping -q -c 5 -I lab:pace=0,loss=20%,seed=2 10.0.0.2";
const SLOW: &str = "ping -q -c 3 -I lab:pace=0,delay=20ms,seed=2 10.0.0.2";

#[test]
fn more_loss_than_allowed_fails_and_as_much_does_not() {
    let missed = vec!["--max-loss 10%: lost 20%, 10 points too much".to_owned()];
    assert_eq!(run(&format!("{LOSSY} --max-loss 10%")), (Some(1), missed));
    assert_eq!(run(&format!("{LOSSY} --max-loss 20")), (Some(0), vec![]));
}

#[test]
fn a_round_trip_that_is_too_long_fails() {
    let missed = "--max-rtt max=40.000 ms: 40.100 ms, 0.100 ms too long".to_owned();
    assert_eq!(run(&format!("{SLOW} --max-rtt 40ms")), (Some(1), vec![missed]));
    assert_eq!(run(&format!("{SLOW} --max-rtt 41ms --max-rtt avg=41ms")), (Some(0), vec![]));
}

#[test]
fn of_a_percentile_or_the_mean_the_slowest_may_be_slower() {
    let mixed = "ping -q -c 20 -i 1 -I lab:pace=0,jitter=40ms,seed=2 10.0.0.2";
    let (exit, missed) = run(&format!("{mixed} --max-rtt p50=50ms --max-rtt max=50ms"));
    assert_eq!((exit, missed.len()), (Some(1), 1));
    assert!(missed[0].starts_with("--max-rtt max=50.000 ms: "), "{missed:?}");
    assert_eq!(run(&format!("{mixed} --max-rtt p99.9=80ms --max-rtt avg=50ms")).0, Some(0));
}

#[test]
fn without_replies_no_round_trip_is_short_enough() {
    let dead = "ping -c 1 -I lab:pace=0 10.0.0.99";
    let missed = "--max-rtt max=1000.000 ms: no reply came".to_owned();
    assert_eq!(run(&format!("{dead} --max-rtt 1")), (Some(1), vec![missed]));
    assert_eq!(run(&format!("{dead} --max-loss 100")), (Some(0), vec![]));
}

#[test]
fn fewer_replies_than_wanted_fail() {
    let missed = vec!["--min-replies 5: 4 came, 1 too few".to_owned()];
    assert_eq!(run(&format!("{LOSSY} --min-replies 5")), (Some(1), missed));
    assert_eq!(run(&format!("{LOSSY} --min-replies 4")), (Some(0), vec![]));
}

#[test]
fn another_mac_than_expected_fails() {
    for command in ["ping -c 1 -I lab:pace=0 10.0.0.2", "arp -I lab:pace=0 10.0.0.2"] {
        let (right, wrong) = ("02:00:0a:00:00:02", "02:00:0a:00:00:03");
        let missed = vec![format!("--expect-mac {wrong}: {right} answered")];
        assert_eq!(run(&format!("{command} --expect-mac {wrong}")), (Some(1), missed));
        assert_eq!(run(&format!("{command} --expect-mac {right}")), (Some(0), vec![]));
    }
    let gateway = "ping -c 1 -I lab:pace=0 10.0.1.2 --expect-mac 02:00:0a:00:00:fe";
    assert_eq!(run(gateway), (Some(0), vec![]));
    let missed = vec!["--expect-mac 02:00:0a:00:00:03: nobody answered".to_owned()];
    let dead = "ping -c 1 -I lab:pace=0 10.0.0.99 --expect-mac 02:00:0a:00:00:03";
    assert_eq!(run(dead), (Some(1), missed));
}

#[test]
fn all_thresholds_that_were_missed_are_told() {
    let (exit, missed) = run(&format!("{LOSSY} --max-loss 0 --min-replies 9 --max-rtt 1us"));
    assert_eq!((exit, missed.len()), (Some(1), 3));
}

#[test]
fn of_many_targets_all_must_pass_or_as_many_as_was_said() {
    let many = "ping -q -r 0 -I lab:pace=0,hosts=2 10.0.0.2-4 --min-replies 1";
    let missed = vec!["--min-replies 1: 0 came, 1 too few".to_owned()];
    assert_eq!(run(many), (Some(1), missed.clone()));
    assert_eq!(run(&format!("{many} -x 2")), (Some(0), missed));
    assert_eq!(run("ping -q -c 2 -I lab:pace=0 10.0.0.2-4 --max-loss 0"), (Some(0), vec![]));
    assert_eq!(run("arp -q -I lab:pace=0 10.0.0.2 10.0.0.99 --max-loss 0").0, Some(1));
}

#[test]
fn a_summary_says_whether_its_target_passes() {
    for (command, expected) in [
        (format!("{LOSSY} --max-loss 10"), vec![false]),
        (format!("{LOSSY} --max-loss 20"), vec![true]),
        ("ping -q -r 0 -I lab:pace=0,hosts=1 10.0.0.2-3 --max-rtt 1".into(), vec![true, false]),
        ("arp -I lab:pace=0 10.0.0.2 --expect-mac 02:00:0a:00:00:03".into(), vec![false]),
    ] {
        let output = sidestack(&format!("{command} -j"));
        let lines = String::from_utf8(output.stdout).unwrap();
        let summaries = lines.lines().map(record).filter(|record| record["type"] == "summary");
        let passes: Vec<bool> = summaries.map(|record| record["pass"] == true).collect();
        assert_eq!(passes, expected, "{command}");
    }
}

#[test]
fn thresholds_that_mean_nothing_are_refused() {
    for args in [
        "ping --max-loss 101 -I lab 10.0.0.2",
        "ping --max-rtt q5=1 -I lab 10.0.0.2",
        "ping --max-rtt p101=1 -I lab 10.0.0.2",
        "ping --expect-mac ff:ff:ff:ff:ff:ff -I lab 10.0.0.2",
        "arp -D --max-loss 1 -I lab 10.0.0.2",
        "arp -U --min-replies 1 -I lab 10.0.0.2",
        "arp -A --expect-mac 02:00:0a:00:00:03 -I lab 10.0.0.2",
    ] {
        assert_eq!(run(args).0, Some(2), "{args}");
    }
}
