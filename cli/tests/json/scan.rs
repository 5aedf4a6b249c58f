//! What scan says.

use serde_json::json;

use crate::said::run;

#[test]
fn a_scan_has_a_host_for_each_target_and_what_it_came_to() {
    let run = run("scan -j -r 0 -I lab:pace=0 10.0.0.2 10.0.0.99 10.0.1.2 172.16.0.1");
    let states: Vec<_> = run.of("host").map(|host| (&host["ip"], &host["state"])).collect();
    let state = |ip: &str| states.iter().find(|host| *host.0 == ip).map(|host| host.1);
    assert_eq!(states.len(), 4);
    assert_eq!((state("10.0.0.2"), state("10.0.1.2")), (Some(&json!("up")), Some(&json!("up"))));
    assert_eq!(state("10.0.0.99"), Some(&json!("silent")));
    assert_eq!(state("172.16.0.1"), Some(&json!("silent")));
    assert_eq!(run.one("icmp_error")["dst"], "172.16.0.1");
    let scanned = run.one("scanned");
    assert_eq!(
        (&scanned["targets"], &scanned["probed"], &scanned["up"]),
        (&json!(4), &json!(4), &json!(2))
    );
    assert_eq!(run.exit, 0);
}

#[test]
fn a_scan_that_cannot_ask_says_so_of_each_target() {
    let run = run("scan -j --arp -I lab:pace=0 10.0.1.2-3");
    assert_eq!(run.types(), ["start", "unsent", "unsent", "scanned", "end"]);
    assert!(run.of("unsent").all(|unsent| unsent["reason"] == "no-route"));
    assert_eq!((&run.one("scanned")["unsent"], run.exit), (&json!(2), 1));
    let run = crate::said::run("scan -j --arp -I lab:pace=0 10.0.0.2@02:00:0a:00:00:02");
    assert_eq!(run.one("unsent")["reason"], "pinned");
}
