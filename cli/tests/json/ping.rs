//! What ping says, whatever the network does to it.

use serde_json::{Value, json};

use crate::said::run;

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
fn of_many_targets_too_the_true_reason_is_told_why_a_request_never_left() {
    let run = run("ping -j -r 0 -I lab:pace=0 -S 192.168.1.1/24 192.168.1.2 10.0.0.3");
    let reasons: Vec<_> = run.of("unsent").map(|is| (&is["dst"], &is["reason"])).collect();
    let (silent, beyond) = (json!("192.168.1.2"), json!("10.0.0.3"));
    assert_eq!(reasons, [(&beyond, &json!("no-route")), (&silent, &json!("unresolved"))]);
    assert_eq!(run.exit, 1);
}

#[test]
fn of_many_targets_whoever_is_still_asked_at_the_end_has_a_summary_too() {
    let summaries = |args: &str| -> Vec<(Value, Value, Value)> {
        let run = run(args);
        let parts = |it: &Value| (it["dst"].clone(), it["sent"].clone(), it["loss_pct"].clone());
        run.of("summary").map(parts).collect()
    };
    // One has answered, and ARP is still asked for two.
    let waiting = summaries("ping -j -w 140ms -i 50ms -I lab:pace=0 10.0.0.2 10.0.0.50 10.0.0.51");
    let summary = |dst: &str, sent, loss| (json!(dst), json!(sent), loss);
    assert_eq!(
        waiting,
        [
            summary("10.0.0.2", 1, json!(0.0)),
            summary("10.0.0.50", 0, Value::Null),
            summary("10.0.0.51", 0, Value::Null),
        ]
    );
    let mute = summaries("ping -j -w 70ms -i 50ms -I lab:pace=0,silent=ip 10.0.0.2 10.0.0.3");
    let (first, second) =
        (summary("10.0.0.2", 1, Value::Null), summary("10.0.0.3", 1, Value::Null));
    assert_eq!(mute, [first, second]);
}

#[test]
fn of_many_targets_whoever_was_not_asked_by_the_early_end_has_a_summary_too() {
    for (flags, sent) in [
        ("-w 25ms", vec![1, 1, 1, 0, 0, 0, 0, 0]),
        ("-X 2", vec![1, 1, 0, 0, 0, 0, 0, 0]),
        ("-C 3 -w 25ms", vec![1, 1, 1, 0, 0, 0, 0, 0]),
        ("-X 2 --min-replies 0", vec![1, 1, 0, 0, 0, 0, 0, 0]),
    ] {
        let targets: Vec<String> = (2..10).map(|n| format!("10.0.0.{n}")).collect();
        let run = run(&format!("ping -j {flags} -I lab:pace=0 {}", targets.join(" ")));
        let dst = run.of("summary").map(|it| it["dst"].clone());
        assert_eq!(dst.collect::<Vec<_>>(), targets, "{flags}");
        assert_eq!(run.of("summary").map(|it| it["sent"].clone()).collect::<Vec<_>>(), sent);
        let unasked: Vec<_> = run.of("summary").filter(|it| it["sent"] == 0).collect();
        assert!(unasked.iter().all(|it| it["pass"] == false && it["loss_pct"].is_null()));
    }
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
