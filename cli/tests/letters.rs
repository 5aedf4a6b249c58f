//! The letters of ping(8): `-A -l -a -R -T -O`, and the sizes that fragments allow.

mod common;

use common::sidestack;
use serde_json::Value;

/// The exit code, and the lines on stdout.
fn run(args: &str) -> (Option<i32>, Vec<String>) {
    let output = sidestack(args);
    let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    (output.status.code(), lines)
}

#[test]
fn adaptive_asks_again_when_the_answer_has_come_and_after_a_second_without() {
    let (_, lines) = run("ping -A -c 5 -I lab:pace=0 10.0.0.2");
    assert!(lines[5].starts_with("64 bytes from 10.0.0.2: icmp_seq=5 "), "{lines:?}");
    assert_eq!(lines[8], "5 packets transmitted, 5 received, 0% packet loss, time 0ms");
    let (_, lines) = run("ping -q -A -c 3 -I lab:pace=0,silent=ip 10.0.0.2");
    assert_eq!(lines[3], "3 packets transmitted, 0 received, 100% packet loss, time 3000ms");
}

#[test]
fn preloaded_requests_leave_at_once_and_the_others_at_their_pace() {
    let (_, lines) = run("ping -D -l 3 -c 5 -I lab:pace=0 10.0.0.2");
    let seconds: Vec<&str> = lines[1..6].iter().filter_map(|line| line.get(10..11)).collect();
    assert_eq!(seconds, ["0", "0", "0", "1", "2"], "{lines:?}");
}

#[test]
fn no_preloaded_request_takes_the_place_of_one_that_waits_for_arp() {
    let (_, lines) = run("ping -q -l 100 -c 100 -I lab:pace=0 10.0.0.2");
    assert_eq!(lines[3], "100 packets transmitted, 100 received, 0% packet loss, time 0ms");
}

#[test]
fn the_bell_rings_at_each_answer() {
    let (_, lines) = run("ping -a -c 2 -I lab:pace=0 10.0.0.2");
    assert!(lines[1].starts_with("\x0764 bytes from 10.0.0.2: icmp_seq=1 "), "{lines:?}");
    assert!(lines[2].starts_with("\x0764 bytes from 10.0.0.2: icmp_seq=2 "), "{lines:?}");
}

#[test]
fn what_is_outstanding_is_told_when_the_next_is_due() {
    let (_, lines) = run("ping -O -W 3 -c 2 -I lab:pace=0,silent=ip 10.0.0.2");
    let expected = [
        "no answer yet for icmp_seq=1",
        "no answer for icmp_seq=1 within 3000 ms",
        "no answer for icmp_seq=2 within 3000 ms",
    ];
    assert_eq!(lines[1..4], expected);
    let (_, lines) = run("ping -O -c 3 -I lab:pace=0 10.0.0.2");
    assert!(lines.iter().all(|line| !line.contains("no answer")), "{lines:?}");
}

#[test]
fn what_was_recorded_on_the_way_is_shown_below_the_answer() {
    let (exit, lines) = run("ping -R -c 1 -I lab:pace=0 10.0.0.2");
    assert_eq!(lines[0], "PING 10.0.0.2 (10.0.0.2) from 10.0.0.1 lab: 56(124) bytes of data.");
    assert_eq!((exit, lines[2].as_str()), (Some(0), "RR:\t10.0.0.2"));
    let (_, lines) = run("ping -T tsonly -c 1 -I lab:pace=0 10.0.0.2");
    assert_eq!(lines[2], "TS:\t00:00:00.000");
    let (_, lines) = run("ping -T tsandaddr -c 2 -I lab:pace=0 10.0.0.2");
    assert_eq!(lines[2], "TS:\t10.0.0.2\t00:00:00.000");
    assert_eq!(lines[4], "TS:\t10.0.0.2\t00:00:01.000");
    let (_, lines) = run("ping -R -j -c 1 -I lab:pace=0 10.0.0.2");
    let records: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema.json")).unwrap();
    for record in &records {
        assert!(jsonschema::is_valid(&schema, record), "{record}");
    }
    let recorded = records.iter().find(|record| record["type"] == "recorded").expect("a record");
    assert_eq!(recorded["stops"], serde_json::json!([{"ip": "10.0.0.2", "time_ms": null}]));
}

#[test]
fn data_beyond_the_mtu_is_asked_for_and_answered_in_fragments() {
    for size in [1473, 65_507] {
        let (exit, lines) = run(&format!("ping -c 1 -s {size} -I lab:pace=0 10.0.0.2"));
        assert_eq!(exit, Some(0), "{lines:?}");
        assert!(lines[1].starts_with(&format!("{} bytes from 10.0.0.2: ", size + 8)), "{lines:?}");
    }
    assert_eq!(run("ping -q -r 0 -s 5000 -I lab:pace=0 10.0.0.2-3").0, Some(0));
    assert_eq!(run("ping -M do -r 0 -s 1473 -I lab:pace=0 10.0.0.2-3").0, Some(2));
}

#[test]
fn quiet_lines_for_programs_tell_of_no_single_request() {
    for (lab, sent, received) in [("", 3, 3), (",silent=ip", 3, 0), (",dup=100%", 3, 3)] {
        let (_, lines) = run(&format!("ping -j -q -c 3 -I lab:pace=0{lab} 10.0.0.2"));
        let records: Vec<Value> =
            lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let types: Vec<_> = records.iter().filter_map(|record| record["type"].as_str()).collect();
        assert_eq!(types, ["start", "arp", "summary", "end"], "{lab}");
        assert_eq!(
            (&records[2]["sent"], &records[2]["received"]),
            (&sent.into(), &received.into())
        );
    }
}

#[test]
fn verbose_says_more_in_the_header_of_a_quiet_run_too() {
    let (_, lines) = run("ping -q -v -c 1 -I lab:pace=0 10.0.0.2");
    assert!(lines[1].starts_with("next hop 10.0.0.2, our MAC "), "{lines:?}");
}

#[test]
fn letters_that_mean_nothing_together_are_refused() {
    for args in [
        "-f -A",
        "-f -O",
        "-f -D",
        "-f -R",
        "-f -T tsonly",
        "-f -a",
        "-A -i 1",
        "-R -T tsonly",
        "-q -a",
        "-q -O",
        "-q -R",
        "-j -a",
        "-j -O",
        "-j -D",
        "-q -D",
        "-l 0",
        "-l 16385",
        "-T both",
    ] {
        assert_eq!(run(&format!("ping -c 1 {args} -I lab:pace=0 10.0.0.2")).0, Some(2), "{args}");
    }
    for args in ["-f", "-A", "-l 2", "-R", "-T tsonly", "-O"] {
        assert_eq!(run(&format!("ping {args} -I lab:pace=0 10.0.0.2-3")).0, Some(2), "{args}");
    }
}

#[test]
fn of_many_targets_too_quiet_lines_for_programs_tell_of_no_single_request() {
    for lab in ["", ",silent=ip", ",dup=100%", ",hosts=1"] {
        let args = "ping -j -q -c 2 --period 10ms -W 20ms";
        let (_, lines) = run(&format!("{args} -I lab:pace=0{lab} 10.0.0.2-3"));
        let types = lines.iter().map(|line| {
            let record: Value = serde_json::from_str(line).expect("JSON");
            record["type"].as_str().map(str::to_owned)
        });
        let mut types: Vec<String> = types.flatten().collect();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types, ["arp", "end", "start", "summary"], "{lab}");
    }
}

#[test]
fn what_the_last_answer_is_doubled_by_is_waited_for_and_counted() {
    // Each request arrives twice, and each answer to it twice again.
    let (_, lines) = run("ping -q -c 3 -i 10ms -I lab:pace=0,dup=100% 10.0.0.2");
    assert!(lines[3].starts_with("3 packets transmitted, 3 received, +9 duplicates"), "{lines:?}");
}
