//! Every line of `-j` is what `docs/schema.json` says, in every situation that a lab can make.

#[path = "../common/capture.rs"]
mod capture;
#[path = "../common/mod.rs"]
mod common;
mod frames;
mod ping;
mod said;
mod scan;
#[path = "../common/schema.rs"]
mod schema;

use serde_json::{Value, json};

use said::{Run, check, run};
use schema::SCHEMA;

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
fn the_path_mtu_to_each_target_is_a_record_after_its_route_or_why_there_is_none() {
    let found = run("route -j --mtu -I lab:pace=0,mtu=1400 10.0.0.2 10.0.1.9");
    assert_eq!(found.types(), ["start", "route", "path_mtu", "route", "path_mtu", "end"]);
    let told: Vec<_> = found.of("path_mtu").map(|it| [&it["mtu"], &it["why_not"]]).collect();
    assert_eq!(told[0], [&json!(1400), &Value::Null]);
    assert_eq!(told[1], [&Value::Null, &json!("unreachable")]);
    let probes: Vec<_> = found.of("path_mtu").map(|it| [&it["probes"], &it["took_ns"]]).collect();
    assert_eq!(probes[0], [&json!(26), &json!(12_001_400_000_u64)]);
    assert_eq!((found.of("path_mtu").all(|it| it["link_mtu"] == 1500), found.exit), (true, 1));
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
        ("scan -j -I wread-none -l", "link", 4),
        ("scan -j -l -I lab --arp --echo", "usage", 2),
        ("scan -j -x -I lab", "usage", 2),
        ("scan -j --known /nowhere/at.all -I lab", "usage", 2),
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
    assert_eq!(run.of("end").next().unwrap()["dropped"], 0);
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
