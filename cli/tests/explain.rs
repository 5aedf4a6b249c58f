//! What `--explain` tells.

mod common;

use common::sidestack;
use serde_json::Value;

fn run(args: &str) -> (Option<i32>, String) {
    let output = sidestack(args);
    (output.status.code(), String::from_utf8(output.stdout).expect("it speaks UTF-8"))
}

#[test]
fn each_packet_has_its_decision_before_its_frames() {
    let (exit, told) = run("ping --explain -c 2 -I lab:pace=0 10.0.1.2");
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("  ")).collect();
    let expected = [
        "icmp_seq=1: 0.0.0.0/0 is the longest prefix, and through a gateway; 10.0.0.254 is not \
         known yet: the packet is kept while ARP asks",
        "frame 1, sent, 42 octets:",
        "frame 2, received, 60 octets:",
        "frame 3, sent, 98 octets:",
        "frame 4, received, 98 octets:",
        "64 bytes from 10.0.1.2: icmp_seq=1 ttl=63 time=0.300 ms arp=0.100 ms",
        "icmp_seq=2: 0.0.0.0/0 is the longest prefix, and through a gateway; 10.0.0.254 is at \
         02:00:0a:00:00:fe, as ARP has it",
        "frame 5, sent, 98 octets:",
        "frame 6, received, 98 octets:",
    ];
    assert_eq!((exit, &told[1..10]), (Some(0), &expected[..]));
}

#[test]
fn every_octet_of_a_frame_belongs_to_one_field() {
    let (_, told) = run("ping --explain -c 1 -R -I lab:pace=0 10.0.0.2");
    let mut frames = 0;
    for frame in told.split("frame ").skip(1) {
        let mut lines = frame.lines();
        let head = lines.next().expect("the frame's own line");
        let total: usize = head.split(' ').nth(2).expect("its length").parse().expect("a number");
        let mut next = 0;
        for line in lines.take_while(|line| line.starts_with("  ")) {
            let at: usize = line[..6].trim().parse().expect("an offset");
            assert_eq!(at, next, "{line}");
            let hex = line[8..30].trim();
            let counted = hex.split(' ').filter(|octet| *octet != "..").count();
            let said = line.rsplit("= ").next().and_then(|value| value.strip_suffix(" octets"));
            let said =
                said.filter(|_| hex.ends_with("..")).map(|said| said.parse().expect("a number"));
            next += said.unwrap_or(counted);
        }
        assert_eq!(next, total, "{frame}");
        frames += 1;
    }
    assert_eq!(frames, 4);
}

#[test]
fn arp_has_its_frames_explained_too() {
    let (exit, told) = run("arp --explain -I lab:pace=0 10.0.0.2");
    assert_eq!(exit, Some(0));
    assert!(
        told.contains("\n    20  00 01                 arp   operation = 1, request\n"),
        "{told}"
    );
    assert!(told.contains("  arp   sender protocol = 10.0.0.2\n"), "{told}");
}

#[test]
fn programs_get_a_frame_each() {
    let (_, told) = run("ping --explain -j -c 1 -I lab:pace=0 10.0.0.2");
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema.json")).unwrap();
    let records: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(records.iter().all(|record| jsonschema::is_valid(&schema, record)), "{told}");
    let frames = records.iter().filter(|record| record["type"] == "frame");
    let ways: Vec<&Value> = frames.map(|frame| &frame["dir"]).collect();
    assert_eq!(ways, ["out", "in", "out", "in"]);
}

#[test]
fn a_long_run_is_explained_in_part() {
    let output = sidestack("ping --explain -A -c 600 -I lab:pace=0 10.0.0.2");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told.matches("frame ").count(), 1000);
    let note = "explained enough: further frames pass untold\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), note);
}

#[test]
fn where_nothing_is_told_there_is_nothing_to_explain() {
    for args in ["ping -q 10.0.0.2", "ping -f 10.0.0.2", "arp -q 10.0.0.2", "route 10.0.0.2"] {
        assert_eq!(run(&format!("{args} --explain -I lab:pace=0")).0, Some(2), "{args}");
    }
}
