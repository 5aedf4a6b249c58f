//! `ping` with many targets, on the network in memory.

mod common;
#[path = "common/schema.rs"]
mod schema;

use std::collections::BTreeSet;

use common::sidestack;
use schema::record;
use serde_json::{Value, json};

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
    for (flags, exit, says) in [
        ("-x 11", 0, "Enough hosts reachable (required: 11, reachable: 11)"),
        ("-x 12", 1, "Not enough hosts reachable (required: 12, reachable: 11)"),
        ("-X 11", 0, "Enough hosts reachable (required: 11, reachable: 11)"),
        ("-X 12", 1, "Not enough hosts reachable (required: 12, reachable: 11)"),
        ("-x 0", 0, "Enough hosts reachable (required: 0, reachable: 11)"),
    ] {
        let command = format!("ping -I lab:pace=0 -r 0 {flags} 10.0.0.0/28 10.0.0.254");
        assert_eq!(run(&command), (Some(exit), vec![says.to_owned()]), "{flags}");
    }
    let (exit, first) = run("ping -a -X 2 -I lab:pace=0 10.0.0.0/24");
    let enough = "Enough hosts reachable (required: 2, reachable: 2)";
    assert_eq!((exit, first), (Some(0), ["10.0.0.2", "10.0.0.3", enough].map(String::from).into()));
    let (exit, lines) = run("ping -x 2 -c 2 --period 1ms --max-rtt 1ms -I lab:pace=0 10.0.0.2-4");
    let enough = "Enough hosts passed (required: 2, passed: 3)";
    assert_eq!((exit, lines), (Some(0), vec![enough.to_owned()]));
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
        let lines = lines.iter().map(|line| record(line)).filter(|line| line["type"] == *kind);
        lines.map(|line| line["dst"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let asked = of("summary");
    let different: BTreeSet<&String> = asked.iter().collect();
    assert_eq!((asked.len(), different.len()), (254, 254));
    assert_eq!((of("reply").len(), of("start").len(), of("end").len()), (11, 4, 4));
}

/// All that was said to people, stdout first.
fn said(args: &str) -> (Vec<String>, Vec<String>) {
    let output = sidestack(args);
    let lines = |text: &[u8]| String::from_utf8_lossy(text).lines().map(str::to_owned).collect();
    (lines(&output.stdout), lines(&output.stderr))
}

#[test]
fn each_round_has_a_line_and_each_target_a_summary() {
    let command = "ping -c 2 --period 100ms -I lab:pace=0 10.0.0.2,10.0.0.11";
    let (lines, sums) = said(command);
    let expected = [
        "10.0.0.2  : [0], 64 bytes, 0.100 ms (0.100 avg, 0% loss)",
        "10.0.0.11 : [0], 64 bytes, 0.100 ms (0.100 avg, 0% loss)",
        "10.0.0.2  : [1], 64 bytes, 0.100 ms (0.100 avg, 0% loss)",
        "10.0.0.11 : [1], 64 bytes, 0.100 ms (0.100 avg, 0% loss)",
    ];
    assert_eq!(lines, expected);
    let sum = "xmt/rcv/%loss = 2/2/0%, min/avg/max = 0.100/0.100/0.100, \
               p50/p90/p99 = 0.100/0.100/0.100";
    assert_eq!(sums, ["".into(), format!("10.0.0.2  : {sum}"), format!("10.0.0.11 : {sum}")]);
    let (_, records) = run(&format!("{command} -j"));
    let of = |kind: &str| records.iter().filter(|line| line.contains(kind)).count();
    assert_eq!((of("\"reply\""), of("\"summary\""), of("\"end\"")), (4, 2, 1));
}

/// Lost are the last request to the first target, and the first to the second.
const LOSSY: &str = "-W 90ms --period 100ms -I lab:pace=0,loss=20%,seed=2 10.0.0.2-3";

#[test]
fn what_is_lost_has_a_line_and_the_loss_until_then() {
    let (lines, _) = said(&format!("ping -c 3 {LOSSY}"));
    let second: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("10.0.0.3 : ")).collect();
    let expected = [
        "[0], timed out (NaN avg, 100% loss)",
        "[1], 64 bytes, 0.100 ms (0.100 avg, 50% loss)",
        "[2], 64 bytes, 0.100 ms (0.100 avg, 33% loss)",
    ];
    assert_eq!(second, expected);
    assert!(lines.contains(&"10.0.0.2 : [2], timed out (0.100 avg, 33% loss)".to_owned()));
}

#[test]
fn an_outage_is_as_long_as_the_lost_requests_and_their_periods() {
    let (lines, sums) = said(&format!("ping -q -o -c 3 {LOSSY}"));
    assert_eq!(lines.len(), 0);
    let times = "min/avg/max = 0.100/0.100/0.100, p50/p90/p99 = 0.100/0.100/0.100";
    let expected = [
        format!("10.0.0.2 : xmt/rcv/%loss = 3/2/33%, outage(ms) = 100, {times}"),
        format!("10.0.0.3 : xmt/rcv/%loss = 3/2/33%, outage(ms) = 100, {times}"),
    ];
    assert_eq!(sums, expected);
    let outages: Vec<_> = summaries(&format!("ping -c 3 {LOSSY}"), "outage_ns");
    assert_eq!(outages, [100_000_000, 100_000_000]);
    assert_eq!(
        summaries("ping -r 0 -I lab:pace=0 10.0.0.2-3", "outage_ns"),
        [Value::Null, Value::Null]
    );
}

#[test]
fn round_trips_are_listed_by_round_and_what_is_lost_is_a_hyphen() {
    let (lines, sums) = said(&format!("ping -C 3 {LOSSY}"));
    assert_eq!(lines.len(), 6, "as with -c");
    assert_eq!(sums, ["", "10.0.0.2 : 0.100 0.100 -", "10.0.0.3 : - 0.100 0.100"]);
    let listed = summaries(&format!("ping -C 3 {LOSSY}"), "rtts_ns");
    assert_eq!(listed, [json!([100_000, 100_000, null]), json!([null, 100_000, 100_000])]);
    // A list has a place for what was not even asked.
    let (_, sums) = said("ping -q -C 3 -w 1.5 -I lab:pace=0 10.0.0.2-3");
    assert_eq!(sums, ["10.0.0.2 : 0.100 0.100 -", "10.0.0.3 : 0.100 0.100 -"]);
}

#[test]
fn what_never_left_says_why_in_a_series() {
    let (lines, sums) = said("ping -c 1 -S 192.168.1.1/24 -I lab:pace=0 10.0.0.2 192.168.1.9");
    let expected = [
        "10.0.0.2    : [0], not sent (NaN avg, 100% loss), no route to 10.0.0.2: it is on no \
         network of ours, and there is no gateway",
        "192.168.1.9 : [0], timed out (NaN avg, 100% loss), no ARP reply",
    ];
    assert_eq!(lines, expected);
    assert_eq!(sums[1], "10.0.0.2    : xmt/rcv/%loss = 1/0/100%, 1 not sent");
    assert_eq!(sums[2], "192.168.1.9 : xmt/rcv/%loss = 1/0/100%");
    let (lines, _) = said("ping -c 1 -t 1 -I lab:pace=0 10.0.1.2 10.0.0.2");
    assert_eq!(
        lines[1],
        "10.0.1.2 : [0], Time to live exceeded from 10.0.0.254 (NaN avg, 100% loss)"
    );
    let (_, errors) = said("ping -r 0 -t 1 -I lab:pace=0 10.0.1.2 10.0.0.2");
    assert_eq!(
        errors,
        ["ICMP Time to live exceeded from 10.0.0.254 for ICMP Echo sent to 10.0.1.2"]
    );
}

#[test]
fn answers_that_are_late_or_one_too_many_are_told_and_counted() {
    let late = "ping -c 2 -W 100ms -I lab:pace=0,delay=60ms 10.0.0.2-3";
    let (_, errors) = said(late);
    assert_eq!(errors[0], "10.0.0.2 : late answer for [0], 64 bytes, 120.100 ms");
    assert_eq!(summaries(late, "late"), [2, 2], "the second comes when both have timed out");
    let doubled = "ping -c 3 -I lab:pace=0,dup=50%,seed=3 10.0.0.2-3";
    let (_, errors) = said(doubled);
    let doubles = |addr: &str| {
        let start = format!("{addr} : duplicate for [");
        errors.iter().filter(|line| line.starts_with(&start)).count()
    };
    assert_eq!(errors[0], "10.0.0.2 : duplicate for [0], 64 bytes, 0.110 ms");
    assert_eq!([doubles("10.0.0.2"), doubles("10.0.0.3")], [7, 4]);
    assert_eq!(summaries(doubled, "dup"), [7, 4]);
    let spoilt = "ping -c 9 -I lab:pace=0,corrupt=30%,seed=1 10.0.0.2-3";
    assert_eq!(summaries(spoilt, "corrupt"), [2, 2]);
}

#[test]
fn answers_to_the_last_round_that_are_doubled_are_waited_for_and_counted() {
    for (flags, dup) in [("-c 1", 3), ("-c 1 -q -i 1", 3), ("-c 2 --period 10ms", 6)] {
        let doubled = format!("ping {flags} -I lab:pace=0,dup=100% 10.0.0.2-3");
        assert_eq!(summaries(&doubled, "dup"), [dup, dup], "{flags}");
        let (_, lines) = run(&format!("{doubled} -j"));
        let told = lines.iter().filter(|line| line.contains(r#""dup":true"#)).count();
        let is_quiet = flags.contains("-q");
        assert_eq!(told, if is_quiet { 0 } else { 2 * dup }, "{flags}");
    }
}

#[test]
fn a_second_owner_heard_after_the_last_answer_is_a_failure_where_one_is_expected() {
    // It is heard after 1.3 s; the other target is asked after 2 s.
    let moved = "ping -c 1 -i 2 -I lab:pace=0,moves=1 10.0.0.2-3 \
                 --expect-mac 02:00:0a:00:00:02";
    let (lines, errors) = said(&format!("{moved} -x 1"));
    assert_eq!(lines, ["Not enough hosts passed (required: 1, passed: 0)"]);
    let missed =
        "10.0.0.2 : MISSED --expect-mac 02:00:0a:00:00:02: also 02:00:00:00:00:02 answered";
    assert!(errors.iter().any(|line| line == missed), "{errors:?}");
    assert_eq!(summaries(moved, "pass"), [false, false]);
    // By then enough had passed already.
    let (exit, lines) = run(&format!("{moved} -X 1"));
    let enough = "Enough hosts passed (required: 1, passed: 1)";
    assert_eq!((exit, lines), (Some(0), vec![enough.to_owned()]));
}

#[test]
fn two_owners_of_a_target_are_told_and_are_a_failure_where_one_is_expected() {
    let twins = "ping -c 2 -I lab:pace=0,twins=1 10.0.0.2-3";
    let (lines, errors) = said(twins);
    let conflict =
        "CONFLICT: 10.0.0.2 is at 02:00:0a:00:00:02, and 02:00:00:00:00:02 claims it too";
    assert_eq!((lines.len(), errors[0].as_str()), (4, conflict));
    assert_eq!(run(twins).0, Some(0));
    let (exit, lines) = run(&format!("{twins} -j"));
    let records: Vec<Value> = lines.iter().map(|line| record(line)).collect();
    let conflicts = records.iter().filter(|record| record["type"] == "conflict");
    assert_eq!((exit, conflicts.count()), (Some(0), 1));
    let (exit, _) = run(&format!("{twins} -x 2 --expect-mac 02:00:0a:00:00:02"));
    let (_, errors) = said(&format!("{twins} --expect-mac 02:00:0a:00:00:02"));
    let missed =
        "10.0.0.2 : MISSED --expect-mac 02:00:0a:00:00:02: also 02:00:00:00:00:02 answered";
    assert!(errors.iter().any(|line| line == missed), "{errors:?}");
    assert_eq!(exit, Some(1));
}

#[test]
fn a_target_that_is_said_to_be_elsewhere_is_told() {
    let (lines, errors) = said("ping -c 4 -I lab:pace=0,moves=2 10.0.0.2-3");
    let conflict =
        "CONFLICT: 10.0.0.2 is at 02:00:0a:00:00:02, and 02:00:00:00:00:02 claims it too";
    assert_eq!((lines.len(), errors[0].as_str()), (8, conflict), "it answers all the same");
    let (exit, lines) = run("ping -j -c 4 -I lab:pace=0,moves=2 10.0.0.2-3");
    let records: Vec<Value> = lines.iter().map(|line| record(line)).collect();
    let conflicts: Vec<_> =
        records.iter().filter(|is| is["type"] == "conflict").map(|is| &is["other"]).collect();
    assert_eq!((exit, conflicts), (Some(0), vec![&json!("02:00:00:00:00:02")]));
}

#[test]
fn targets_that_one_station_answers_for_have_its_mac() {
    let (exit, lines) = run("ping -j -r 0 -I lab:pace=0,proxy=2 10.0.0.128-130");
    let records = lines.iter().map(|line| record(line));
    let replies = records.filter(|record| record["type"] == "reply");
    let from: Vec<_> = replies.map(|is| (is["dst"].clone(), is["from_mac"].clone())).collect();
    let mac = json!("02:00:0a:00:00:80");
    assert_eq!(from, [(json!("10.0.0.128"), mac.clone()), (json!("10.0.0.129"), mac)]);
    assert_eq!(exit, Some(0));
}

#[test]
fn a_mute_target_times_out_and_a_silent_one_has_no_arp_reply() {
    let (lines, _) = said("ping -c 1 -I lab:pace=0,silent=ip 10.0.0.2 10.0.0.99");
    let expected = [
        "10.0.0.2  : [0], timed out (NaN avg, 100% loss)",
        "10.0.0.99 : [0], timed out (NaN avg, 100% loss), no ARP reply",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_series_can_be_a_list_of_who_answers_and_its_lines_can_have_times() {
    let (lines, sums) = said("ping -a -c 2 -I lab:pace=0,hosts=1 10.0.0.2-3");
    assert_eq!((lines, sums.len()), (vec!["10.0.0.2".to_owned()], 2));
    let (lines, _) = said("ping -D -c 2 -I lab:pace=0 10.0.0.2-3");
    assert!(lines[0].starts_with("[1767225600.000200] 10.0.0.2 : [0], "), "{lines:?}");
}

#[test]
fn targets_are_generated_of_a_network_or_of_the_first_and_the_last() {
    let alive = |args: &str| run(&format!("ping -a -r 0 -I lab:pace=0 {args}"));
    assert_eq!(alive("-g 10.0.0.0/29"), alive("10.0.0.2-6"));
    assert_eq!(alive("-g 10.0.0.4 10.0.0.9"), alive("10.0.0.4-9"));
    assert_eq!(alive("-g 10.0.0.4/32").1, ["10.0.0.4"]);
    assert_eq!(alive("-g 10.0.0.4/31").1, ["10.0.0.4", "10.0.0.5"]);
    let asked = |args: &str| summaries(&format!("ping -r 0 -I lab:pace=0 {args}"), "dst");
    assert_eq!(asked("-g 192.168.1.0/30"), ["192.168.1.1", "192.168.1.2"]);
    let start = run("ping -j -r 0 -I lab:pace=0 -g 10.0.0.4 10.0.0.5").1.swap_remove(0);
    assert!(start.contains(r#""targets":["10.0.0.4-10.0.0.5"]"#), "{start}");
    for args in ["10.0.0.9 10.0.0.4", "10.0.0.4", "10.0.0.2 10.0.0.3 10.0.0.4", "10.0.0.0/33"] {
        assert_eq!(alive(&format!("-g {args}")).0, Some(2), "{args}");
    }
}

/// What the summaries say of `key`, by address.
fn summaries(args: &str, key: &str) -> Vec<Value> {
    let (_, lines) = run(&format!("{args} -j"));
    let records = lines.iter().map(|line| record(line));
    let mut summaries: Vec<_> = records.filter(|record| record["type"] == "summary").collect();
    summaries.sort_by_key(|summary| summary["dst"].as_str().map(str::to_owned));
    summaries.iter().map(|summary| summary[key].clone()).collect()
}

#[test]
fn what_means_nothing_to_many_targets_is_refused() {
    for flags in [
        "-D",
        "-D -q -c 2",
        "-D -a -c 2",
        "-D -j -c 2",
        "--via 10.0.0.254",
        "-B 0.5",
        "-B 2 -r 0",
        "-B 2 -c 2",
        "--period 2",
        "-o",
        "-o -C 2",
        "-c 2 -C 2",
        "-C 0",
        "-C 9000000",
        "--shard 4/3",
        "-a -u",
        "-a -j",
        "-u -j",
        "-e -j",
        "-e -u",
        "-e -q",
        "-e -x 1",
        "-e -C 2",
        "-e -c 2",
        "-x 1 -X 1",
        "--rate 5 -i 1",
    ] {
        let output = sidestack(&format!("ping -I lab {flags} 10.0.0.2-3"));
        assert_eq!(output.status.code(), Some(2), "{flags}");
        assert_eq!(output.stderr.is_empty(), flags.contains("-j"), "{flags}");
    }
}
