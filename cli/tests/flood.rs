//! `ping -f`: what is under way at once, and what of it is lost.

mod common;

use std::{
    io::{BufRead, BufReader, Read},
    process::Child,
};

use common::{ended, sidestack, start, within_patience};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// The exit code, and the lines on stdout.
fn run(args: &str) -> (Option<i32>, Vec<String>) {
    let output = sidestack(args);
    let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    (output.status.code(), lines)
}

/// The line that counts.
fn counts(args: &str) -> String {
    run(args).1[3].clone()
}

#[test]
fn thirty_two_are_under_way_at_once_and_nothing_is_drawn_into_a_file() {
    let (exit, lines) = run("ping -f -c 320 -I lab:pace=0,delay=4ms 10.0.0.2");
    assert_eq!(exit, Some(0));
    assert_eq!(lines[1..3], ["", "--- 10.0.0.2 ping statistics ---"]);
    // 8.1 ms for ARP, and ten times for 32 each.
    assert_eq!(lines[3], "320 packets transmitted, 320 received, 0% packet loss, time 89ms");
}

#[test]
fn as_many_are_under_way_as_is_said() {
    let flood = "ping -f -c 160 -I lab:pace=0,delay=2ms 10.0.0.2";
    for (under_way, took) in [(1, 660), (2, 332), (40, 20), (160, 8), (1000, 8)] {
        let expected =
            format!("160 packets transmitted, 160 received, 0% packet loss, time {took}ms");
        assert_eq!(counts(&format!("{flood} -l {under_way}")), expected);
    }
}

#[test]
fn as_many_are_asked_for_as_is_said_though_more_could_be_under_way() {
    for count in [1, 31, 32, 33, 100] {
        let counts = counts(&format!("ping -f -c {count} -I lab:pace=0 10.0.0.2"));
        let expected = format!("{count} packets transmitted, {count} received, 0% packet loss, ");
        assert!(counts.starts_with(&expected), "{counts}");
    }
}

#[test]
fn without_answers_a_hundred_more_are_asked_for_each_second() {
    let (exit, lines) = run("ping -f -W 5ms -c 132 -I lab:pace=0,silent=ip 10.0.0.2");
    assert_eq!(exit, Some(1));
    assert_eq!(lines[3], "132 packets transmitted, 0 received, 100% packet loss, time 1005ms");
}

#[test]
fn none_is_asked_for_in_vain_while_arp_takes_longer_than_ten_milliseconds() {
    // 16.1 ms for ARP, and for 32 each.
    let expected = "64 packets transmitted, 64 received, 0% packet loss, time 48ms";
    assert_eq!(counts("ping -f -c 64 -I lab:pace=0,delay=8ms 10.0.0.2"), expected);
}

#[test]
fn an_interval_is_kept_to_whatever_comes_back() {
    let expected = "51 packets transmitted, 51 received, 0% packet loss, time 1000ms";
    assert_eq!(counts("ping -f -i 20ms -c 51 -I lab:pace=0 10.0.0.2"), expected);
}

#[test]
fn sequence_numbers_go_round() {
    let counts = counts("ping -f -c 70000 -I lab:pace=0 10.0.0.2");
    assert!(counts.starts_with("70000 packets transmitted, 70000 received, 0%"), "{counts}");
}

#[test]
fn numbers_that_are_still_waited_for_are_passed_over_and_each_loss_is_counted_once() {
    let (_, lines) = run("ping -j -f -c 70000 -W 60s -I lab:pace=0,loss=0.2%,seed=1 10.0.0.2");
    let records = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let (mut replies, mut timeouts, mut summary) = (0, 0, Value::Null);
    for record in records {
        match record["type"].as_str() {
            Some("reply") => replies += 1,
            Some("timeout") => timeouts += 1,
            Some("summary") => summary = record,
            _ => {}
        }
    }
    assert!(timeouts > 0);
    assert_eq!(replies + timeouts, 70_000);
    assert_eq!((&summary["sent"], &summary["received"]), (&70_000.into(), &replies.into()));
}

#[test]
fn who_has_used_up_all_sequence_numbers_waits_until_one_is_free() {
    // 16,384 at once, the other 49,152 at 100 a second, which takes 491.52 s; at 600 s the first
    // are given up, and 100 more can be asked for.
    let flood = "ping -f -l 16384 -W 600s -c 65636 -I lab:pace=0,silent=ip 10.0.0.2";
    let counts = counts(flood);
    assert!(counts.starts_with("65636 packets transmitted, 0 received, 100%"), "{counts}");
}

#[test]
fn what_is_under_way_at_the_deadline_is_waited_for_and_nothing_is_called_lost() {
    for (letters, counted, took) in [
        // 8.1 ms for ARP, and each 8 ms as many more; the last leave before 50 ms have passed.
        ("-f", 192, 56),
        ("-A", 6, 56),
        ("-A -l 5", 30, 56),
        ("-l 5 -i 45ms", 6, 53),
        ("-i 12ms", 5, 56),
    ] {
        let args = format!("{letters} -w 50ms --max-loss 0 -I lab:pace=0,delay=4ms 10.0.0.2");
        let (exit, lines) = run(&format!("ping -q {args}"));
        let expected = format!(
            "{counted} packets transmitted, {counted} received, 0% packet loss, time {took}ms"
        );
        assert_eq!((exit, &lines[3]), (Some(0), &expected), "{letters}");
        let (exit, lines) = run(&format!("ping -j {args}"));
        let mut records =
            lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let summary = records.rfind(|record| record["type"] == "summary");
        let summary = summary.expect("a summary");
        let counts = ["sent", "received", "loss_pct"].map(|field| summary[field].as_f64());
        let all = f64::from(counted);
        assert_eq!((exit, counts), (Some(0), [Some(all), Some(all), Some(0.0)]), "{letters}");
    }
}

#[test]
fn after_the_deadline_no_more_is_asked_for_and_silence_is_not_waited_for_long() {
    let silent = "-w 15ms -I lab:pace=0,silent=ip 10.0.0.2";
    let lost = "packets transmitted, 0 received, 100% packet loss, time";
    assert_eq!(counts(&format!("ping -f {silent}")), format!("33 {lost} 25ms"));
    assert_eq!(counts(&format!("ping -f -W 12ms {silent}")), format!("33 {lost} 22ms"));
    assert_eq!(counts(&format!("ping -q -A -l 5 {silent}")), format!("5 {lost} 25ms"));
}

#[test]
fn on_sigint_what_is_under_way_is_waited_for_and_nothing_is_called_lost() {
    let mut child = start("ping -f -I lab:delay=2ms 10.0.0.2");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut out = within_patience(child.id(), move || {
        out.read_line(&mut String::new()).map(|_| out) // it hears signals now
    })
    .expect("stdout can be read");
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut received = false;
    while !received {
        send(&child, Signal::SIGUSR1);
        let (said, back) = within_patience(child.id(), move || {
            let mut said = String::new();
            errors.read_line(&mut said).map(|_| (said, errors))
        })
        .expect("stderr can be read");
        (received, errors) = (!said.starts_with("0/"), back);
    }
    send(&child, Signal::SIGINT);
    let said = within_patience(child.id(), move || {
        let mut said = String::new();
        out.read_to_string(&mut said).map(|_| said)
    });
    let said = said.expect("stdout can be read");
    let counts = said.lines().nth(2).expect("a line that counts");
    let mut numbers = counts.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    assert_eq!(numbers.next(), numbers.next(), "{counts}");
    assert!(counts.contains(" received, 0% packet loss, "), "{counts}");
    assert_eq!(ended(child).status.code(), Some(0));
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().expect("a process number"));
    kill(pid, signal).expect("it still runs");
}
