//! `scan` on the network in memory.

#[path = "../common/mod.rs"]
mod common;
mod owners;
#[path = "../common/schema.rs"]
mod schema;

use std::fs;

use common::sidestack;
use schema::record;
use serde_json::{Value, json};

/// The exit code, the lines on stdout, and all of stderr.
fn run(args: &str) -> (Option<i32>, Vec<String>, String) {
    let output = sidestack(args);
    let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    (output.status.code(), lines, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn records(lines: &[String], kind: &str) -> Vec<Value> {
    let parsed = lines.iter().map(|line| record(line));
    parsed.filter(|record| record["type"] == kind).collect()
}

/// A file with these lines, until it is dropped.
struct Lines(String);

impl Lines {
    fn of(name: &str, lines: &[String]) -> Self {
        let dir = env!("CARGO_TARGET_TMPDIR");
        let path = format!("{dir}/scan-{}-{name}.jsonl", std::process::id());
        fs::write(&path, lines.join("\n") + "\n").expect("a file can be written");
        Self(path)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // a test's own file
    }
}

#[test]
fn our_own_network_is_scanned_by_arp_and_by_echo_but_for_ourselves() {
    for args in ["scan -l -I lab:pace=0,hosts=2", "scan -I lab:pace=0,hosts=2"] {
        let (exit, lines, errors) = run(args);
        let expected = [
            "10.0.0.2\t02:00:0a:00:00:02\t(local)\tarp 0.10 ms\techo 0.10 ms ttl 64",
            "10.0.0.3\t02:00:0a:00:00:03\t(local)\tarp 0.10 ms\techo 0.10 ms ttl 64",
            "10.0.0.254\t02:00:0a:00:00:fe\t(local)\tarp 0.10 ms\techo 0.10 ms ttl 64",
        ];
        assert_eq!((exit, lines), (Some(0), expected.map(str::to_owned).into()));
        let expected = "\
SCAN 10.0.0.0/24 from 10.0.0.1 on lab: 253 to probe by ARP+echo
3 addresses, 3 owners, 0 conflicts; 253 probed by ARP+echo in 2.51 s (202 pps), 0 dropped by the kernel
";
        assert_eq!(errors, expected);
    }
}

#[test]
fn one_way_of_asking_leaves_the_other_out() {
    let arp = "10.0.0.2\t02:00:0a:00:00:02\t(local)\tarp 0.10 ms";
    assert_eq!(run("scan --arp -I lab:pace=0 10.0.0.2").1, [arp]);
    let echo = "10.0.0.2\t02:00:0a:00:00:02\t(local)\techo 0.10 ms ttl 64";
    assert_eq!(run("scan --echo -I lab:pace=0 10.0.0.2").1, [echo]);
}

#[test]
fn behind_a_router_there_is_an_echo_and_no_mac() {
    let far = "10.0.1.2\t-\tvia 10.0.0.254\tarp -\techo 0.30 ms ttl 63";
    assert_eq!(run("scan -I lab:pace=0 10.0.1.2").1, [far]);
    let (exit, lines, errors) = run("scan --arp -I lab:pace=0 10.0.1.2");
    assert_eq!((exit, lines.len()), (Some(1), 0));
    assert!(errors.contains("10.0.1.2: cannot be probed"), "{errors}");
    assert!(errors.contains("1 could not be probed"), "{errors}");
}

#[test]
fn who_answers_arp_and_not_the_echo_is_told() {
    let (exit, lines, errors) = run("scan -r 0 -I lab:pace=0,silent=ip 10.0.0.2");
    assert_eq!(lines, ["10.0.0.2\t02:00:0a:00:00:02\t(local)\tarp 0.10 ms\techo -"]);
    assert!(errors.contains("1 address answers ARP, and not the echo"), "{errors}");
    assert_eq!(exit, Some(0));
    let (_, lines, _) = run("scan -j -r 0 -I lab:pace=0,silent=ip 10.0.0.2");
    let host = &records(&lines, "host")[0];
    assert_eq!((&host["arp"], &host["echo"]), (&json!(true), &json!(false)));
    assert_eq!(records(&lines, "scanned")[0]["arp_only"], 1);
}

#[test]
fn what_answers_nothing_has_no_line_and_is_a_record() {
    let (exit, lines, _) = run("scan -I lab:pace=0 10.0.0.99");
    assert_eq!((exit, lines.len()), (Some(1), 0));
    let (_, lines, _) = run("scan -j -I lab:pace=0 10.0.0.99");
    let host = &records(&lines, "host")[0];
    assert_eq!((&host["state"], &host["arp"]), (&json!("silent"), &json!(false)));
    assert_eq!(host["echo"], Value::Null);
}

#[test]
fn a_reply_after_its_time_is_told_apart() {
    let args = "scan -j -W 100ms -r 0 -I lab:pace=0,delay=100ms 10.0.0.2,10.0.0.99";
    let (_, lines, _) = run(args);
    assert_eq!(records(&lines, "host")[0]["echo"], false);
    assert_eq!(records(&lines, "late")[0]["rtt_ns"], 200_100_000);
}

#[test]
fn it_takes_as_many_hosts_as_was_said_for_success() {
    for (least, exit) in [(11, 0), (12, 1)] {
        let args = format!("scan -x --min-replies {least} -I lab:pace=0 -l");
        assert_eq!(run(&args).0, Some(exit), "{least}");
    }
}

#[test]
fn plain_output_is_the_hosts_alone_and_a_format_is_kept_to() {
    let (exit, lines, errors) = run("scan -x -F ${ip;-12}${mac}|${echo} -I lab:pace=0 10.0.0.2");
    assert_eq!((exit, errors.as_str()), (Some(0), ""));
    assert_eq!(lines, ["10.0.0.2    02:00:0a:00:00:02|0.10 ms"]);
}

#[test]
fn whoever_wants_to_know_more_is_told_what_the_link_is_like() {
    let (_, lines, errors) = run("scan -v -I lab:pace=0 10.0.0.2");
    assert!(errors.contains("\nour MAC 02:00:0a:00:00:01, MTU 1500, stamps tx=virtual rx=virtual"));
    assert_eq!(lines, run("scan -I lab:pace=0 10.0.0.2").1);
}

#[test]
fn colour_comes_when_it_is_wanted() {
    let (_, lines, _) = run("scan -x --color always -I lab:pace=0 10.0.0.2");
    assert!(lines[0].starts_with("\u{1b}[1m10.0.0.2\u{1b}[0m\t"), "{lines:?}");
    let (_, lines, errors) = run("scan -I lab:pace=0 10.0.0.2");
    assert!(!lines[0].contains('\u{1b}') && !errors.contains('\u{1b}'));
}

#[test]
fn machines_of_different_addresses_cover_each_target_once() {
    let of = |(part, us)| {
        let args = format!("-S 10.0.0.{us}/24 --no-probe --shard {part}/3 10.0.0.0/24");
        records(&run(&format!("scan -j -r 0 -I lab:pace=0 {args}")).1, "host")
    };
    let hosts: Vec<_> = [(1, 40), (2, 50), (3, 60)].into_iter().flat_map(of).collect();
    let mut asked: Vec<&str> = hosts.iter().filter_map(|host| host["ip"].as_str()).collect();
    asked.sort_unstable();
    assert!(asked.windows(2).all(|pair| pair[0] != pair[1]), "nobody twice");
    // Of the 254, each machine passes over itself, if its part has that at all.
    assert!((251..=254).contains(&asked.len()), "{}", asked.len());
    for n in (1..255).filter(|n| ![40, 50, 60].contains(n)) {
        assert!(asked.contains(&format!("10.0.0.{n}").as_str()), "{n}");
    }
}

#[test]
fn whatever_the_order_and_the_part_each_is_found_once() {
    let all = run("scan -x -R --seed 7 -I lab:pace=0 -l").1;
    let mut sorted = all.clone();
    sorted.sort();
    assert_ne!(all, sorted);
    let parts = ["1/3", "2/3", "3/3"];
    let of = |part| run(&format!("scan -x --shard {part} --seed 5 -I lab:pace=0 -l")).1;
    let mut together = parts.map(of).concat();
    together.sort();
    assert_eq!(together, sorted);
}

#[test]
fn against_an_earlier_scan_who_is_new_gone_or_changed_is_marked() {
    let (_, mut lines, _) = run("scan -j -I lab:pace=0,hosts=3 10.0.0.2-9");
    for line in &mut lines {
        *line = line.replace("\"mac\":\"02:00:0a:00:00:03\"", "\"mac\":\"02:00:00:00:00:99\"");
        *line = line.replace("\"ip\":\"10.0.0.4\"", "\"ip\":\"10.0.0.9\"");
    }
    let known = Lines::of("known", &lines);
    let scan = format!("--known {} -I lab:pace=0,hosts=3 10.0.0.2-9", known.0);
    let (exit, lines, errors) = run(&format!("scan {scan}"));
    let notes: Vec<(&str, &str)> = lines
        .iter()
        .filter_map(|line| Some((line.split('\t').next()?, line.split('\t').nth(5)?)))
        .collect();
    let changed = "CHANGED from 02:00:00:00:00:99";
    assert_eq!(notes, [("10.0.0.3", changed), ("10.0.0.4", "NEW"), ("10.0.0.9", "GONE")]);
    assert!(errors.contains("1 new, 1 gone, 1 changed"), "{errors}");
    assert_eq!(exit, Some(0));
    let (_, lines, _) = run(&format!("scan -j {scan}"));
    let changes: Vec<Value> = records(&lines, "host")
        .into_iter()
        .filter(|host| host["state"] != "silent")
        .map(|host| host["change"].clone())
        .collect();
    assert_eq!(changes, ["same", "changed", "new", "gone"]);
}

#[test]
fn what_an_interrupted_scan_lacks_is_probed_and_nothing_else() {
    let (_, lines, _) = run("scan -j -I lab:pace=0,hosts=3 -l");
    let kept: Vec<String> = lines.iter().take(6).cloned().collect();
    let earlier = Lines::of("resume", &kept);
    let done: Vec<Value> = records(&kept, "host");
    let (exit, rest, _) = run(&format!("scan -j --resume {} -I lab:pace=0,hosts=3", earlier.0));
    assert_eq!(exit, Some(0));
    let rest_hosts = records(&rest, "host");
    assert_eq!(done.len() + rest_hosts.len(), 253);
    assert!(rest_hosts.iter().all(|host| done.iter().all(|it| it["ip"] != host["ip"])));
    let whole = Lines::of("whole", &lines);
    let (exit, _, errors) = run(&format!("scan --resume {} -I lab:pace=0,hosts=3", whole.0));
    assert_eq!(exit, Some(0), "found before is found: {errors}");
    assert!(errors.contains("0 to probe") && errors.contains("4 addresses were found before"));
}

#[test]
fn requests_are_those_that_left_by_arp_and_for_an_echo() {
    let cases = [
        ("--echo 10.0.0.20-35", 32), // two by ARP each, and no echo
        ("--arp 10.0.0.2,10.0.0.20", 3),
        ("--echo 10.0.0.2-3", 4),
        ("10.0.0.2-3", 4),
        ("--arp 10.0.1.2", 0), // beyond the gateway
        ("10.0.1.2", 2),       // one of them to the gateway, by ARP
    ];
    for (args, requests) in cases {
        let (_, lines, _) = run(&format!("scan -j -I lab:pace=0 {args}"));
        assert_eq!(records(&lines, "scanned")[0]["requests"], requests, "{args}");
    }
}

#[test]
fn a_pinned_host_is_up_if_it_answers_the_echo() {
    let pins = "10.0.0.2@02:00:0a:00:00:02 10.0.0.99@02:00:00:00:00:99";
    let (_, lines, _) = run(&format!("scan -j -r 0 -I lab:pace=0 {pins}"));
    let hosts = records(&lines, "host");
    let told: Vec<_> = hosts.iter().map(|is| (&is["ip"], &is["state"], &is["mac"])).collect();
    let (mac, none) = (json!("02:00:0a:00:00:02"), Value::Null);
    let (one, other) = (json!("10.0.0.2"), json!("10.0.0.99"));
    assert_eq!(told, [(&one, &json!("up"), &mac), (&other, &json!("silent"), &none)]);
    let (exit, lines, _) = run(&format!("scan -j --arp -I lab:pace=0 {pins}"));
    assert_eq!((exit, records(&lines, "unsent").len()), (Some(1), 2));
}

#[test]
fn a_part_is_gone_on_with_in_the_same_part() {
    let args = "--shard 2/3 --seed 5 -I lab:pace=0 -l";
    let (_, lines, _) = run(&format!("scan -j {args}"));
    let earlier = Lines::of("part", &lines[..20]);
    let args = "--shard 2/3 --seed 5 -I lab:pace=0 10.0.0.0/24";
    let (_, rest, _) = run(&format!("scan -j --resume {} {args}", earlier.0));
    let ips = |lines: &[String]| -> Vec<String> {
        let hosts = records(lines, "host");
        let mut ips: Vec<String> = hosts.iter().map(|host| host["ip"].to_string()).collect();
        ips.sort();
        ips
    };
    assert_eq!(ips(&[&lines[..20], &rest[..]].concat()), ips(&lines));
}

#[test]
fn what_means_nothing_is_refused() {
    let no_scan = Lines::of("none", &["{\"v\":1,\"type\":\"end\",\"exit\":0}".to_owned()]);
    let known = format!("--known {} 10.0.0.2", no_scan.0);
    for args in [
        "10.0.0.1",
        "10.0.0.255",
        "-l 10.0.0.2",
        "--arp --echo",
        "-d -l",
        "-j -x -l",
        "-x -v -l",
        "-j --color always -l",
        "-j -F ${ip} -l",
        "-F ${colour} -l",
        "-B 0 -l",
        "--rate 5 -B 256K -l",
        "--shard 4/3 -l",
        "--via 10.0.0.254 10.0.0.2",
        "--known /nonexistent -l",
        "--resume /nonexistent",
        known.as_str(),
    ] {
        assert_eq!(run(&format!("scan -I lab {args}")).0, Some(2), "{args}");
    }
}
