//! `ping` with many targets, on the network in memory.

mod common;

use std::collections::BTreeSet;

use common::sidestack;

/// The exit code, and the lines on stdout.
fn run(args: &str) -> (Option<i32>, Vec<String>) {
    let output = sidestack(args);
    let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    (output.status.code(), lines)
}

#[test]
fn no_interval_is_as_fast_as_it_goes() {
    let ping = |args: &str| run(&format!("fping -a -i {args} -I lab:pace=0 10.0.0.0/28"));
    assert_eq!(ping("0"), ping("10ms"));
}

#[test]
fn many_targets_are_told_apart_into_alive_and_unreachable() {
    let (exit, lines) = run("ping -I lab:pace=0,hosts=2 -r 0 10.0.0.2-4 !10.0.0.3 10.0.1.2");
    let expected = ["10.0.0.2 is alive", "10.0.1.2 is alive", "10.0.0.4 is unreachable"];
    assert_eq!((exit, lines), (Some(0), expected.map(str::to_owned).into()));
}

#[test]
fn of_our_own_network_neither_we_nor_everybody_is_asked() {
    let (exit, alive) = run("fping -I lab:pace=0 -a -r 0 10.0.0.0/24");
    let mut expected: Vec<String> = (2..12).map(|n| format!("10.0.0.{n}")).collect();
    expected.push("10.0.0.254".into());
    assert_eq!((exit, alive), (Some(0), expected));
    let (exit, silent) = run("fping -I lab:pace=0 -u -r 0 10.0.0.0/24");
    assert_eq!((exit, silent.len()), (Some(0), 254 - 1 - 11));
    assert_eq!(run("fping -I lab 10.0.0.1,10.0.0.255").0, Some(2));
}

#[test]
fn it_takes_as_many_as_was_said_for_success() {
    for (flags, exit) in [("-x 11", 0), ("-x 12", 1), ("-X 11", 0), ("-X 12", 1)] {
        let command = format!("ping -q -I lab:pace=0 -r 0 {flags} 10.0.0.0/28 10.0.0.254");
        assert_eq!(run(&command), (Some(exit), Vec::new()), "{flags}");
    }
    let (exit, first) = run("ping -a -X 2 -I lab:pace=0 10.0.0.0/24");
    assert_eq!((exit, first.len()), (Some(0), 2));
}

#[test]
fn machines_that_share_the_targets_cover_each_once_whoever_they_are() {
    let parts: Vec<Vec<String>> = (1..=4)
        .map(|part| {
            let us = 60 * part; // each is one of the targets of another
            let shared = format!("-S 10.0.0.{us} --no-probe --shard {part}/4 10.0.0.0/24");
            run(&format!("ping -j -r 0 -I lab:pace=0 {shared}")).1
        })
        .collect();
    let lines = parts.concat(); // as cat(1) does
    let of = |kind: &str| -> Vec<String> {
        let lines = lines.iter().map(|line| serde_json::from_str(line).expect("JSON"));
        let lines = lines.filter(|line: &serde_json::Value| line["type"] == *kind);
        lines.map(|line| line["dst"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let asked = of("summary");
    let different: BTreeSet<&String> = asked.iter().collect();
    assert_eq!((asked.len(), different.len()), (254, 254));
    assert_eq!((of("reply").len(), of("start").len(), of("end").len()), (11, 4, 4));
}

#[test]
fn each_round_has_a_line_and_each_target_a_summary() {
    let command = "ping -c 2 --period 100ms -I lab:pace=0 10.0.0.2,10.0.0.3";
    let (exit, lines) = run(command);
    assert_eq!((exit, lines.len()), (Some(0), 4));
    assert_eq!(lines[3], "10.0.0.3 : [1], 64 bytes, 0.100 ms");
    let output = sidestack(command);
    let summary = "10.0.0.2 : xmt/rcv/%loss = 2/2/0%, min/avg/max = 0.100/0.100/0.100\n";
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(summary));
    let (_, records) = run(&format!("{command} -j"));
    let of = |kind: &str| records.iter().filter(|line| line.contains(kind)).count();
    assert_eq!((of("\"reply\""), of("\"summary\""), of("\"end\"")), (4, 2, 1));
}

#[test]
fn what_means_nothing_to_many_targets_is_refused() {
    for flags in ["-D", "--via 10.0.0.254", "-B 0.5", "--shard 4/3", "-a -u", "--rate 5 -i 1"] {
        assert_eq!(run(&format!("ping -I lab {flags} 10.0.0.2-3")).0, Some(2), "{flags}");
    }
}
