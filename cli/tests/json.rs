//! Every line of `-j` is what `docs/schema.json` says, in every situation that a lab can make.

#[path = "common/capture.rs"]
mod capture;
mod common;

use std::{fs, process::Output, sync::LazyLock};

use capture::pcap;
use common::sidestack;
use jsonschema::Validator;
use serde_json::{Value, json};

#[test]
fn a_ping_has_a_start_an_arp_its_replies_a_summary_and_an_end() {
    let run = run("ping -j -c 3 -I lab:pace=0 10.0.0.2");
    assert_eq!(run.types(), ["start", "arp", "reply", "reply", "reply", "summary", "end"]);
    assert_eq!(run.one("start")["targets"], json!(["10.0.0.2"]));
    assert_eq!(run.one("start")["stamps"], json!({ "tx": "virtual", "rx": "virtual" }));
    let arp = run.one("arp");
    assert_eq!((&arp["mac"], &arp["tries"]), (&json!("02:00:0a:00:00:02"), &json!(1)));
    let rtt: Vec<&Value> = run.of("reply").map(|reply| &reply["rtt_ns"]).collect();
    assert_eq!(rtt, [100_000; 3]);
    assert_eq!(run.one("summary")["rtt_ns"]["p99"], 100_000);
    assert_eq!(run.exit, 0);
}

#[test]
fn many_targets_have_a_summary_each() {
    let run = run("ping -j -r 0 -I lab:pace=0 10.0.0.2 10.0.0.99 172.16.0.1");
    assert_eq!(run.one("start")["targets"], json!(["10.0.0.2", "10.0.0.99", "172.16.0.1"]));
    assert_eq!(run.of("summary").count(), 3);
    assert_eq!(run.one("unsent")["dst"], "10.0.0.99");
    assert_eq!(run.one("icmp_error")["dst"], "172.16.0.1");
    assert_eq!(run.exit, 0);
}

#[test]
fn each_lost_reply_is_a_timeout_with_its_sequence() {
    let run = run("ping -j -c 5 -I lab:pace=0,loss=20%,seed=2 10.0.0.2");
    let (replies, losses) = (run.of("reply").count(), run.of("timeout").count());
    assert!(losses > 0 && replies + losses == 5, "{replies} replies, {losses} losses");
    let mut told: Vec<&Value> = run.of("reply").chain(run.of("timeout")).collect();
    told.sort_by_key(|line| line["seq"].as_u64());
    let told: Vec<&Value> = told.into_iter().map(|line| &line["seq"]).collect();
    assert_eq!(told, [1, 2, 3, 4, 5]);
    assert!(run.of("timeout").all(|line| line["waited_ns"] == 1_000_000_000));
    assert_eq!(run.one("summary")["received"], replies);
}

#[test]
fn a_duplicate_is_a_reply_that_says_so_and_is_counted_apart() {
    let run = run("ping -j -c 4 -I lab:pace=0,dup=50%,seed=1 10.0.0.2");
    let dups = run.of("reply").filter(|reply| reply["dup"] == true).count();
    assert!(dups > 0);
    let summary = run.one("summary");
    assert_eq!((&summary["dup"], &summary["received"]), (&json!(dups), &json!(4)));
}

#[test]
fn a_reply_after_its_time_out_is_late_and_not_received() {
    let run = run("ping -j -c 2 -W 100ms -I lab:pace=0,delay=100ms 10.0.0.2");
    assert_eq!(run.one("late")["rtt_ns"], 200_100_000);
    let summary = run.one("summary");
    assert_eq!((&summary["late"], &summary["received"]), (&json!(1), &json!(0)));
    assert_eq!((&summary["rtt_ns"], &summary["jitter_ns"]), (&Value::Null, &Value::Null));
    assert_eq!(run.exit, 1);
}

#[test]
fn a_reply_that_was_overtaken_says_so() {
    let run = run("ping -j -c 12 -i 10ms -I lab:pace=0,reorder=40%,seed=3 10.0.0.2");
    let overtaken = run.of("reply").filter(|reply| reply["reordered"] == true).count();
    assert!(overtaken > 0);
    assert_eq!(run.one("summary")["reordered"], overtaken);
}

#[test]
fn a_corrupt_reply_has_no_round_trip_and_is_not_received() {
    let run = run("ping -j -c 40 -I lab:pace=0,corrupt=30%,seed=1 10.0.0.2");
    let corrupt: Vec<&Value> =
        run.of("reply").filter(|reply| !reply["corrupt"].is_null()).collect();
    assert!(!corrupt.is_empty());
    assert!(corrupt.iter().all(|reply| reply["rtt_ns"].is_null()), "{corrupt:?}");
    assert_eq!(run.one("summary")["corrupt"], corrupt.len());
}

#[test]
fn an_echo_to_a_dead_host_was_never_sent() {
    let run = run("ping -j -c 1 -I lab:pace=0 10.0.0.99");
    assert_eq!(run.types(), ["start", "arp", "unsent", "summary", "end"]);
    let arp = run.one("arp");
    assert_eq!(
        (&arp["mac"], &arp["rtt_ns"], &arp["tries"]),
        (&Value::Null, &Value::Null, &json!(3))
    );
    assert_eq!(run.one("unsent")["reason"], "unresolved");
    let summary = run.one("summary");
    assert_eq!((&summary["sent"], &summary["unsent"]), (&json!(0), &json!(1)));
    assert_eq!(run.exit, 1);
}

#[test]
fn an_echo_that_a_newer_one_displaced_while_arp_was_asking_is_told() {
    let run = run("ping -j -c 2 -I lab:pace=0 10.0.0.99");
    let reasons: Vec<&Value> = run.of("unsent").map(|line| &line["reason"]).collect();
    assert_eq!(reasons, ["replaced", "unresolved"]);
}

#[test]
fn an_echo_that_still_waits_for_arp_at_the_deadline_is_counted_as_unsent() {
    let run = run("ping -j -c 3 -w 500ms -I lab:pace=0 10.0.0.99");
    let summary = run.one("summary");
    assert_eq!((&summary["sent"], &summary["unsent"]), (&json!(0), &json!(1)));
    assert_eq!(summary["loss_pct"], 100.0);
    assert_eq!(run.exit, 1);
}

#[test]
fn a_time_to_live_that_runs_out_is_an_icmp_error_from_the_router() {
    let run = run("ping -j -c 1 -t 1 -I lab:pace=0 10.0.1.2");
    let error = run.one("icmp_error");
    assert_eq!((&error["from"], &error["seq"]), (&json!("10.0.0.254"), &json!(1)));
    assert_eq!((&error["icmp_type"], &error["icmp_code"]), (&json!(11), &json!(0)));
    assert_eq!(error["what"], "time-exceeded");
    assert_eq!(run.one("summary")["errors"], 1);
    assert_eq!(run.exit, 1);
}

#[test]
fn a_host_that_its_router_cannot_find_is_an_icmp_error_too() {
    let run = run("ping -j -c 1 -W 9s -I lab:pace=0 10.0.1.99");
    assert_eq!(run.one("icmp_error")["what"], "destination-unreachable");
    assert_eq!(run.exit, 1);
}

#[test]
fn a_host_beyond_the_gateway_answers_with_the_gateways_mac() {
    let run = run("ping -j -c 1 -I lab:pace=0 10.0.1.2");
    assert_eq!(run.one("arp")["ip"], "10.0.0.254");
    let reply = run.one("reply");
    assert_eq!((&reply["from"], &reply["ttl"]), (&json!("10.0.1.2"), &json!(63)));
    assert_eq!(reply["from_mac"], run.one("arp")["mac"]);
}

#[test]
fn vlan_tags_are_told_where_a_run_starts() {
    let run = run("ping -j -c 1 --vlan 7 --vlan 42:3 -I lab:pace=0 10.0.0.2");
    let tags = json!([{ "prio": 0, "id": 7 }, { "prio": 3, "id": 42 }]);
    assert_eq!(run.one("start")["vlan"], tags);
    assert_eq!(run.exit, 1, "the hosts of the lab are in no VLAN");
}

#[test]
fn arp_tells_who_answered_and_who_did_not() {
    let run = run("arp -j -I lab:pace=0 10.0.0.2 10.0.0.99");
    let arp: Vec<(&Value, &Value)> = run.of("arp").map(|arp| (&arp["ip"], &arp["mac"])).collect();
    let answered = (&json!("10.0.0.2"), &json!("02:00:0a:00:00:02"));
    assert_eq!(arp, [answered, (&json!("10.0.0.99"), &Value::Null)]);
    assert_eq!(run.exit, 0);
    assert_eq!(self::run("arp -j -I lab:pace=0 10.0.0.99").exit, 1);
}

#[test]
fn a_probe_ends_with_free_or_with_taken_and_by_whom() {
    let states = |run: &Run| -> Vec<(Value, Value)> {
        run.of("adopt").map(|adopt| (adopt["state"].clone(), adopt["mac"].clone())).collect()
    };
    let probing = (json!("probing"), Value::Null);
    let free = run("arp -D -j -I lab:pace=0 10.0.0.99");
    assert_eq!(states(&free), [probing.clone(), (json!("free"), Value::Null)]);
    assert_eq!(free.exit, 0);
    let taken = run("arp -D -j -I lab:pace=0 10.0.0.2");
    assert_eq!(states(&taken), [probing, (json!("taken"), json!("02:00:0a:00:00:02"))]);
    assert_eq!(taken.exit, 1);
}

#[test]
fn an_announcement_starts_as_the_address_that_it_announces() {
    for how in ["-U", "-A"] {
        let run = run(&format!("arp {how} -j -I lab:pace=0 10.0.0.50"));
        assert_eq!(run.one("start")["src"], "10.0.0.50");
        assert_eq!(run.exit, 0);
    }
}

#[test]
fn a_route_says_why_for_each_target() {
    let run = run("route -j -I lab:pace=0 10.0.0.2 10.0.1.2 10.0.0.255 224.0.0.1");
    let why: Vec<&Value> = run.of("route").map(|route| &route["why"]).collect();
    assert_eq!(why, ["connected", "gateway", "broadcast", "multicast"]);
    let beyond = run.of("route").nth(1).expect("the second");
    assert_eq!(
        (&beyond["prefix"], &beyond["gateway"], &beyond["mac"]),
        (&json!("0.0.0.0/0"), &json!("10.0.0.254"), &json!("02:00:0a:00:00:fe"))
    );
    assert_eq!(run.exit, 0);
}

#[test]
fn a_target_without_a_route_is_unreachable_and_exits_1() {
    let run = run("route -j -S 192.168.1.1/24 -I lab:pace=0 10.0.0.2");
    let route = run.one("route");
    assert_eq!((&route["why"], &route["prefix"]), (&json!("unreachable"), &Value::Null));
    assert_eq!(run.exit, 1);
}

#[test]
fn a_route_to_a_neighbour_that_does_not_answer_has_no_mac() {
    let run = run("route -j -I lab:pace=0 10.0.0.99");
    assert_eq!(
        (&run.one("route")["why"], &run.one("route")["mac"]),
        (&json!("connected"), &Value::Null)
    );
    assert_eq!(run.exit, 1);
}

#[test]
fn via_holds_for_every_target_of_a_route() {
    let run = run("route -j --via 10.0.0.3 -I lab:pace=0 10.0.0.2 10.0.1.2");
    assert!(run.of("route").all(|route| route["next_hop"] == "10.0.0.3"), "{:?}", run.lines);
}

#[test]
fn a_frame_that_was_sent_comes_back_decoded() {
    let run = run("send -j -c 2 --ethertype 0x0801 --text Hello -I lab:pace=0");
    let numbers: Vec<&Value> = run.of("frame").map(|frame| &frame["n"]).collect();
    assert_eq!(numbers, [1, 2]);
    let frame = run.of("frame").next().expect("the first");
    assert_eq!((&frame["dir"], &frame["len"]), (&json!("out"), &json!(19)));
    assert_eq!((&frame["eth"]["type"], &frame["vlan"]), (&json!(0x0801), &Value::Null));
    assert_eq!(run.one("start")["src"], Value::Null, "whoever only sends has no address");
}

#[test]
fn a_frame_in_a_vlan_and_one_with_a_length_are_frames_as_well() {
    let tagged = run("send -j --vlan 42:5 --ethertype 0x0801 --text Hello -I lab:pace=0");
    assert_eq!(tagged.one("frame")["vlan"], json!([{ "prio": 5, "id": 42 }]));
    let hex = "ffffffffffff 02000a000001 0003 424203";
    let old = run(&format!("send -j {hex} -I lab:pace=0"));
    assert_eq!(old.one("frame")["eth"]["len802_3"], 3);
}

#[test]
fn an_echo_that_was_sent_comes_back_decoded_to_its_message() {
    let hex = "02000000000a 02000a000001 0800 4500001c00070000 40010000 0a000001 0a000002";
    let run = run(&format!("send -j --vlan 42 -I lab:pace=0 {hex} 0800f7f700070001"));
    let frame = run.one("frame");
    assert_eq!((&frame["len"], &frame["eth"]["type"]), (&json!(46), &json!(0x0800)));
    assert_eq!(frame["vlan"], json!([{ "prio": 0, "id": 42 }]));
    assert_eq!((&frame["icmp"]["ident"], &frame["icmp"]["seq"]), (&json!(7), &json!(1)));
    assert_eq!(
        (&frame["ip"]["checksum_status"], &frame["icmp"]["checksum_status"]),
        (&json!(0), &json!(1))
    );
}

#[test]
fn a_capture_is_its_frames_layer_by_layer() {
    let macs = "02000000000a02000000000b";
    let ip = "45c0002000074000400100000a0000010a000002";
    let frames = [
        format!("{macs}08060001080006040001_02000000000b0a0000010000000000000a000002"),
        format!("{macs}0806_000f_0800_02_04_0002_aabb0a000001ccdd0a000002"),
        format!("{macs}810060078100002a0800_{ip}_0800f7f700070001_61626364"),
        format!("{macs}0003424203"),
        format!("{macs}0800_{ip}_0304000000000578_45000014"),
        format!("{macs}0800_{ip}_0d00000000010002_00000005"),
        "0200".to_owned(),
    ];
    let frames = frames.map(|frame| frame.replace('_', ""));
    let frames: Vec<(&str, u32)> = frames.iter().map(|frame| (frame.as_str(), 0)).collect();
    let run = sniffed("layers", &frames);
    let of = |n: usize| run.of("frame").nth(n).expect("so many frames");
    assert_eq!(run.one("start")["stamps"], Value::Null);
    assert_eq!((&of(0)["dir"], &of(0)["stamp"]), (&Value::Null, &Value::Null));
    assert_eq!(of(0)["ts"], "1970-01-01T00:00:05.000000001Z");
    assert_eq!(
        (&of(0)["arp"]["sha"], &of(0)["malformed"]),
        (&json!("02:00:00:00:00:0b"), &Value::Null)
    );
    assert_eq!((&of(1)["arp"]["sha"], &of(1)["arp"]["tpa"]), (&json!("aa:bb"), &json!("10.0.0.2")));
    assert_eq!(of(2)["vlan"], json!([{ "prio": 3, "id": 7 }, { "prio": 0, "id": 42 }]));
    assert_eq!((&of(2)["ip"]["df"], &of(2)["icmp"]["seq"]), (&json!(1), &json!(1)));
    assert_eq!(of(3)["eth"].get("type"), None);
    assert_eq!(of(3)["eth"]["len802_3"], 3);
    assert_eq!((&of(4)["icmp"]["mtu"], &of(4)["icmp"]["quoted"]), (&json!(1_400), &Value::Null));
    assert_eq!(of(4)["malformed"]["layer"], "quoted");
    assert_eq!((&of(5)["icmp"]["orig"], of(5)["icmp"].get("recv")), (&json!(5), None));
    assert_eq!((of(6).get("eth"), &of(6)["malformed"]["octet"]), (None, &json!(2)));
    assert_eq!(run.exit, 0);
}

#[test]
fn extensions_of_an_error_are_told_with_their_octets() {
    let quoted = format!("4500008000070000401100000a0000010a000002{}", "00".repeat(108));
    let extensions = "2000da2b 00080101 000641ff".replace(' ', "");
    let frame = format!(
        "02000000000a02000000000b0800450000a800074000400100000a0000010a0000020b00000000200000\
         {quoted}{extensions}"
    );
    let run = sniffed("extensions", &[(&frame, 0)]);
    let icmp = &run.one("frame")["icmp"];
    assert_eq!(icmp["ext"], json!([{ "class": 1, "type": 1, "payload": "00:06:41:ff" }]));
    assert_eq!((&icmp["length_words"], &icmp["ext_version"]), (&json!(32), &json!(2)));
    assert_eq!(icmp["quoted"]["total_len"], 128);
}

#[test]
fn a_capture_of_nothing_is_a_start_and_an_end() {
    assert_eq!(sniffed("nothing", &[]).types(), ["start", "end"]);
}

#[test]
fn a_frame_that_is_too_short_is_an_error_after_the_start() {
    let run = run("send -j 48454c4c4f -I lab:pace=0");
    assert_eq!(run.types(), ["start", "error", "end"]);
    assert_eq!((&run.one("error")["kind"], run.exit), (&json!("usage"), 2));
}

#[test]
fn the_interfaces_of_this_machine_are_listed() {
    let run = run("interfaces -j");
    let loopback = run.of("interface").find(|interface| interface["kind"] == "loopback");
    assert!(loopback.is_some_and(|interface| interface["index"].is_u64()), "{:?}", run.lines);
    assert_eq!(run.exit, 0);
}

#[test]
fn what_cannot_be_done_is_one_error_and_the_end_with_its_exit_code() {
    for (args, kind, exit) in [
        ("ping -j", "usage", 2),
        ("-j", "usage", 2),
        ("ping -j -c none -I lab 10.0.0.2", "usage", 2),
        ("ping -j -I lab 10.0.0.300", "usage", 2),
        ("ping -j -I lab nosuch.invalid", "usage", 2),
        ("ping -j -I lab -M do -s 1473 10.0.0.2", "usage", 2),
        ("arp -j -I lab 10.0.0.1", "usage", 2),
        ("interfaces -j --vlan 7", "usage", 2),
        ("ping -j -I wread-none 10.0.0.2", "link", 4),
        ("send -j -I wread-none 48454c4c4f", "link", 4),
        ("sniff -j -I wread-none", "link", 4),
        ("sniff -j -r /nowhere/at.all", "usage", 2),
        ("sniff -j -I pcap:/nowhere/at.all", "usage", 2),
        ("ping -j -I pcap:/nowhere/at.all 10.0.0.2", "usage", 2),
        ("route -j -I wread-none 10.0.0.2", "link", 4),
        ("serve -j -I wread-none 10.0.0.2", "link", 4),
        ("serve -j -I lab", "usage", 2),
        ("serve -j -I lab 10.0.0.0/15", "usage", 2),
        ("serve -j -I lab 10.0.0.2/24", "usage", 2),
        ("serve -j -I lab --routers 3 10.0.9.0/24", "usage", 2),
        ("serve -j -I lab --via 10.0.0.2 10.0.0.9", "usage", 2),
        ("serve -j -I lab -S 10.0.0.9 -S 10.0.0.9", "usage", 2),
        ("ping -j -I lab -S 10.0.0.8 -S 10.0.0.9 10.0.0.2", "usage", 2),
    ] {
        let run = run(args);
        assert_eq!(run.types(), ["error", "end"], "{args}");
        assert_eq!((&run.one("error")["kind"], run.exit), (&json!(kind), exit), "{args}");
    }
}

#[test]
fn a_usage_error_names_the_argument_that_is_missing() {
    let run = run("ping -j");
    let message = run.one("error")["message"].as_str().expect("a text");
    assert!(message.contains("<TARGET>"), "{message}");
}

#[test]
fn an_error_about_a_link_bears_the_name_of_its_errno_and_a_hint() {
    let run = run("ping -j -I wread-none 10.0.0.2");
    let error = run.one("error");
    assert_eq!(error["errno"], "ENODEV");
    assert_eq!(error["message"], "wread-none: no such interface");
    assert!(error["hint"].is_string());
}

#[test]
fn the_same_seed_is_the_same_run() {
    let lossy = "ping -j -c 9 -I lab:pace=0,loss=30%,jitter=5ms --seed";
    let lines = |seed: u32| run(&format!("{lossy} {seed} 10.0.0.2")).lines;
    assert_eq!(lines(11), lines(11));
    assert_ne!(lines(11), lines(12));
}

#[test]
fn serving_begins_with_a_start_and_ends_with_the_figures() {
    let run = run("serve -j -I lab:pace=0 -w 1 -S 10.0.0.50/24 10.0.0.128/25");
    assert_eq!(run.types(), ["start", "served", "served", "end"]);
    let states: Vec<&Value> = run.of("served").map(|served| &served["state"]).collect();
    assert_eq!(states, ["serving", "ended"]);
    assert!(run.of("served").all(|served| served["ours"] == 129));
    assert_eq!((&run.one("start")["targets"], run.exit), (&json!(["10.0.0.50"]), 0));
}

#[test]
fn a_record_that_the_schema_does_not_know_is_refused() {
    let reply = json!({
        "v": 1, "type": "reply", "ts": "2026-01-01T00:00:00.000000000Z", "dst": "10.0.0.2",
        "from": "10.0.0.2", "from_mac": null, "seq": 1, "bytes": 64, "ttl": 64,
        "rtt_ns": 100_000, "dup": false, "reordered": false, "corrupt": null
    });
    assert!(SCHEMA.is_valid(&reply));
    for (key, value) in [
        ("type", json!("rumour")),
        ("v", json!(2)),
        ("ts", json!("yesterday")),
        ("dst", json!("10.0.0.256")),
        ("from_mac", json!("02-00-0A-00-00-02")),
        ("seq", json!(65_536)),
        ("ttl", json!("64")),
        ("rtt_ns", json!(0.1)),
        ("corrupt", json!("badly")),
        ("colour", json!("green")),
    ] {
        let mut made_up = reply.clone();
        made_up[key] = value;
        assert!(!SCHEMA.is_valid(&made_up), "{made_up}");
    }
    for key in reply.as_object().expect("an object").keys() {
        let mut without = reply.clone();
        without.as_object_mut().expect("an object").remove(key);
        assert!(!SCHEMA.is_valid(&without), "without {key}");
    }
}

#[test]
#[should_panic(expected = "is not in the schema")]
fn a_run_with_a_line_that_is_not_in_the_schema_fails_its_test() {
    check("{\"v\":1,\"type\":\"rumour\"}\n{\"v\":1,\"type\":\"end\",\"exit\":0}\n", 0, "made up");
}

/// What a command said with `-j`, each line held to the schema.
struct Run {
    lines: Vec<Value>,
    exit: i32,
}

impl Run {
    fn types(&self) -> Vec<&str> {
        self.lines.iter().map(type_of).collect()
    }

    fn of(&self, wanted: &str) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(move |line| type_of(line) == wanted)
    }

    /// The only one of its type.
    fn one(&self, wanted: &str) -> &Value {
        let all: Vec<&Value> = self.of(wanted).collect();
        let [one] = all[..] else { panic!("one {wanted}: {:?}", self.lines) };
        one
    }
}

fn run(args: &str) -> Run {
    let Output { status, stdout, stderr } = sidestack(args);
    let exit = status.code().expect("it was not killed");
    assert!(stderr.is_empty(), "{args}: {}", String::from_utf8_lossy(&stderr));
    check(&String::from_utf8(stdout).expect("UTF-8"), exit, args)
}

/// What `sniff -j` says of a capture of these frames, with the octets that each had on the wire.
fn sniffed(name: &str, frames: &[(&str, u32)]) -> Run {
    let dir = env!("CARGO_TARGET_TMPDIR");
    let path = format!("{dir}/json-{}-{name}.pcap", std::process::id());
    fs::write(&path, pcap(frames)).expect("a file can be written");
    let run = run(&format!("sniff -j -r {path}"));
    fs::remove_file(&path).expect("it is there");
    run
}

/// Holds what was said to the schema, and to what must stand first and last.
fn check(said: &str, exit: i32, args: &str) -> Run {
    let lines: Vec<Value> = said
        .lines()
        .map(|line| {
            let value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{args}: {line} is not JSON: {error}"));
            assert!(SCHEMA.is_valid(&value), "{args}: {line} is not in the schema");
            value
        })
        .collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        panic!("{args}: not a line")
    };
    let opened = !matches!(type_of(first), "error" | "interface");
    let starts = lines.iter().filter(|line| type_of(line) == "start").count();
    assert_eq!(starts, usize::from(opened), "{args}: {said}");
    assert!(!opened || type_of(first) == "start", "{args}: {said}");
    if first["cmd"] == "ping" {
        let summaries = lines.iter().filter(|line| type_of(line) == "summary").count();
        assert_eq!(first["targets"].as_array().map(Vec::len), Some(summaries), "{args}: {said}");
    }
    let ends = lines.iter().filter(|line| type_of(line) == "end").count();
    assert_eq!((ends, &last["type"], &last["exit"]), (1, &json!("end"), &json!(exit)), "{args}");
    Run { lines, exit }
}

fn type_of(line: &Value) -> &str {
    line["type"].as_str().unwrap_or_default()
}

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../../docs/schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a JSON Schema")
});
