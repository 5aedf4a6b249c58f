//! Addresses with several owners, one after the other or at once, and owners of several addresses.

use serde_json::{Value, json};

use crate::{Lines, records, run};

#[test]
fn two_owners_of_one_address_have_a_line_each_and_exit_code_1() {
    let (exit, lines, errors) = run("scan -I lab:pace=0,twins=1 10.0.0.2-3");
    let expected = [
        "10.0.0.2\t02:00:0a:00:00:02\t(local)\tarp 0.10 ms\techo 0.10 ms ttl 64\tCONFLICT 2 owners",
        "10.0.0.2\t02:00:00:00:00:02\t(local)\tarp 0.10 ms\techo -\tCONFLICT 2 owners",
        "10.0.0.3\t02:00:0a:00:00:03\t(local)\tarp 0.10 ms\techo 0.10 ms ttl 64",
    ];
    assert_eq!((exit, lines), (Some(1), expected.map(str::to_owned).into()));
    assert!(errors.contains("2 addresses, 3 owners, 1 conflict"), "{errors}");
    let (_, lines, _) = run("scan -j -I lab:pace=0,twins=1 10.0.0.2-3");
    let earlier = Lines::of("twins", &lines);
    let (exit, _, _) = run(&format!("scan --resume {} -I lab:pace=0 10.0.0.2-9", earlier.0));
    assert_eq!(exit, Some(1), "the conflict of before is one");
}

#[test]
fn two_owners_heard_while_only_an_echo_is_asked_for_are_told_as_well() {
    let echo = |keys| format!("scan --echo -I lab:pace=0,twins=1{keys} 10.0.0.2-3");
    let (exit, lines, errors) = run(&echo(""));
    let expected = [
        "10.0.0.2\t02:00:0a:00:00:02\t(local)\techo 0.10 ms ttl 64\tCONFLICT 2 owners",
        "10.0.0.2\t02:00:00:00:00:02\t(local)\techo -\tCONFLICT 2 owners",
        "10.0.0.3\t02:00:0a:00:00:03\t(local)\techo 0.10 ms ttl 64",
    ];
    assert_eq!((exit, lines), (Some(1), expected.map(str::to_owned).into()));
    assert!(errors.contains("2 addresses, 3 owners, 1 conflict; 2 probed"), "{errors}");
    let (exit, lines, errors) = run(&echo(",silent=ip"));
    let expected = [
        "10.0.0.2\t02:00:0a:00:00:02\t(local)\techo -\tCONFLICT 2 owners",
        "10.0.0.2\t02:00:00:00:00:02\t(local)\techo -\tCONFLICT 2 owners",
    ];
    assert_eq!((exit, lines), (Some(1), expected.map(str::to_owned).into()));
    assert!(errors.contains("1 address, 2 owners, 1 conflict; 2 probed"), "{errors}");
}

#[test]
fn an_address_that_moves_and_comes_back_is_a_conflict() {
    let scan = "-r 4 --arp -I lab:pace=0,moves=2 10.0.0.2 10.0.0.99";
    let (exit, lines, _) = run(&format!("scan {scan}"));
    let expected = [
        "10.0.0.2\t02:00:0a:00:00:02\t(local)\tarp 0.10 ms",
        "10.0.0.2\t02:00:00:00:00:02\t(local)\tarp heard\tMOVED from 02:00:0a:00:00:02",
        "10.0.0.2\t02:00:0a:00:00:02\t(local)\tarp heard\tCONFLICT 2 owners\tMOVED from \
         02:00:00:00:00:02",
    ];
    assert_eq!((exit, lines), (Some(1), expected.map(str::to_owned).into()));
    let (exit, lines, _) = run(&format!("scan -j {scan}"));
    assert_eq!((exit, records(&lines, "pairing").len()), (Some(1), 2));
    assert_eq!(records(&lines, "scanned")[0]["conflicts"], 1);
}

#[test]
fn one_station_with_many_addresses_is_named_at_each() {
    let scan = "-I lab:pace=0,hosts=1,proxy=2 10.0.0.2 10.0.0.128-130";
    let (exit, lines, errors) = run(&format!("scan {scan}"));
    let proxied = |last: u8| {
        format!("10.0.0.{last}\t02:00:0a:00:00:80\t(local)\tarp 0.10 ms\techo 0.10 ms ttl 64")
    };
    assert_eq!(lines[1..], [proxied(128), proxied(129) + "\tsame MAC as 10.0.0.128"]);
    assert!(errors.contains("02:00:0a:00:00:80 is at 2 addresses"), "{errors}");
    assert_eq!(exit, Some(0));
    let (_, lines, _) = run(&format!("scan -j {scan}"));
    let same: Vec<Value> =
        records(&lines, "host").into_iter().map(|host| host["same_mac"].clone()).collect();
    assert_eq!(same, [Value::Null, Value::Null, json!("10.0.0.128"), Value::Null]);
}

#[test]
fn two_owners_heard_of_an_address_that_was_told_to_be_silent_count_like_any() {
    for how in ["--arp", "--echo -W 500ms"] {
        // They answer after 1.4 s, when somebody else is still asked.
        let lab = "-I lab:pace=0,twins=2,delay=700ms 10.0.0.2-40";
        let args = format!("scan {how} -r 0 --rate 20 {lab}");
        let (exit, lines, errors) = run(&args);
        assert_eq!(exit, Some(1), "{how}");
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines.iter().all(|line| line.ends_with("\tCONFLICT 2 owners")), "{lines:?}");
        assert!(errors.contains("2 addresses, 4 owners, 2 conflicts; 39 probed"), "{errors}");
        let (exit, lines, _) = run(&format!("{args} -j"));
        let scanned = &records(&lines, "scanned")[0];
        let figures = ["up", "owners", "conflicts", "probed"].map(|key| scanned[key].as_u64());
        assert_eq!((exit, figures), (Some(1), [2, 4, 2, 39].map(Some)), "{how}");
    }
}
