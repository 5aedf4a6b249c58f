//! Networks of many targets: with two owners of an address, one that moves, and mute, slow and
//! unreachable ones.

use std::{collections::BTreeMap, process::Command};

use libtest_mimic::{Failed, Trial};
use link::MacAddr6;
use serde_json::{Value, json};

use crate::{
    net::{FAR_MAC, Net, US},
    others::{Flapper, behind_proxy_arp, serve, stop, sysctl},
    peers::left_out,
    run::{Form, Run, Said, Tested, run},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("of_many_targets_one_with_two_owners_is_a_conflict_that_is_told", two_owners),
        Trial::test("of_many_targets_one_that_moves_is_told_each_time", flapping),
        Trial::test("of_many_targets_those_behind_proxy_arp_answer_from_one_station", proxy),
        Trial::test("of_many_targets_a_mute_one_times_out_and_a_silent_one_is_never_asked", silent),
        Trial::test("of_many_targets_a_slow_one_is_late", slow),
        Trial::test("many_targets_that_nothing_leads_to_are_told_why", unreachable),
        Trial::test("many_targets_on_a_link_that_is_down_are_told_why", down),
        Trial::test("a_link_deleted_under_many_targets_ends_with_4_after_their_summaries", deleted),
        Trial::test("the_lines_for_many_targets_are_those_of_fping", as_fping),
    ]
}

fn two_owners() -> Tested {
    let net = Net::new()?;
    let serve = |mac| serve(&net.far, &format!("-S 10.77.0.5/24 --source-mac {mac}"));
    let (one, other) = (serve("02:00:00:00:00:aa")?, serve("02:00:00:00:00:bb")?);
    let series = "-c 2 --period 0.2 10.77.0.1 10.77.0.5";
    let said = ping(&net, Form::Json, series, 0)?;
    let conflict = said.of("conflict").next().ok_or("no conflict")?;
    let mut macs =
        [&conflict["mac"], &conflict["other"]].map(|mac| mac.as_str().unwrap_or_default());
    macs.sort_unstable();
    assert_eq!(
        (&conflict["ip"], macs),
        (&json!("10.77.0.5"), ["02:00:00:00:00:aa", "02:00:00:00:00:bb"])
    );
    assert_eq!(received(&said), [("10.77.0.1", 2), ("10.77.0.5", 2)].into());
    let said = ping(&net, Form::Text, series, 0)?;
    assert!(said.errors.contains("CONFLICT: 10.77.0.5 is at 02:00:00:00:00:"), "{said:#?}");
    let args = format!("{series} --expect-mac 02:00:00:00:00:aa");
    let said = ping(&net, Form::Text, &args, 1)?;
    let missed =
        "10.77.0.5 : MISSED --expect-mac 02:00:00:00:00:aa: also 02:00:00:00:00:bb answered";
    assert!(said.errors.contains(missed), "{said:#?}");
    stop(one)?;
    stop(other)
}

/// It is at one place, 1.3 s later at another, and after the same time where it was before.
fn flapping() -> Tested {
    for form in [Form::Text, Form::Json] {
        let net = Net::bare()?;
        let places = [2, 3, 2].map(|last| MacAddr6::new(2, 0, 0, 0, 0, last));
        let flapper = Flapper::start(&net, places)?;
        let said = ping(&net, form, "-c 4 -W 0.3 10.77.0.5 10.77.0.9", 1)?;
        flapper.stop()?;
        let (here, there) = ("02:00:00:00:00:02", "02:00:00:00:00:03");
        if form == Form::Text {
            for (from, to) in [(here, there), (there, here)] {
                let told = format!("10.77.0.5 moved from {from} to {to}");
                assert_eq!(said.errors.matches(&told).count(), 1, "{said:#?}");
            }
            continue;
        }
        let moves: Vec<_> = said.of("pairing").map(|is| (&is["old_mac"], &is["mac"])).collect();
        let (here, there) = (json!(here), json!(there));
        assert_eq!(moves, [(&here, &there), (&there, &here)]);
    }
    Ok(())
}

fn proxy() -> Tested {
    let net = Net::new()?;
    let _beyond = behind_proxy_arp(&net)?;
    let said = ping(&net, Form::Json, "10.77.0.1-2 10.77.0.130-131", 0)?;
    let mac = json!(FAR_MAC.to_string().to_lowercase());
    assert!(said.of("reply").all(|reply| reply["from_mac"] == mac));
    let hops = said.of("reply").map(|is| (is["dst"].as_str(), is["ttl"].as_u64()));
    let hops: BTreeMap<_, _> = hops.collect();
    let (near, far) = (Some(64), Some(63));
    let expected = [("10.77.0.1", near), ("10.77.0.130", far), ("10.77.0.131", far)]
        .map(|(ip, n)| (Some(ip), n));
    assert_eq!(hops, expected.into());
    let said = ping(&net, Form::Text, "-a 10.77.0.1-2 10.77.0.130-131", 0)?;
    assert_eq!(said.out, ["10.77.0.1", "10.77.0.130", "10.77.0.131"]);
    Ok(())
}

fn silent() -> Tested {
    let net = Net::new()?;
    sysctl(&net.far, "net/ipv4/icmp_echo_ignore_all", "1")?;
    let series = "-c 1 -W 0.2 10.77.0.1 10.77.0.9";
    let said = ping(&net, Form::Json, series, 1)?;
    let (timeout, unsent) = (said.of("timeout").next(), said.of("unsent").next());
    let timeout = timeout.ok_or("no timeout")?;
    assert_eq!(
        (&timeout["dst"], &timeout["waited_ns"]),
        (&json!("10.77.0.1"), &json!(200_000_000))
    );
    let unsent = unsent.ok_or("all were sent")?;
    assert_eq!((&unsent["dst"], &unsent["reason"]), (&json!("10.77.0.9"), &json!("unresolved")));
    let said = ping(&net, Form::Text, series, 1)?;
    let expected = [
        "10.77.0.1 : [0], timed out (NaN avg, 100% loss)",
        "10.77.0.9 : [0], timed out (NaN avg, 100% loss), no ARP reply",
    ];
    assert_eq!(said.out, expected);
    let said = ping(&net, Form::Text, "-r 0 -W 0.2 10.77.0.1 10.77.0.9", 1)?;
    assert_eq!(said.out, ["10.77.0.1 is unreachable", "10.77.0.9 is unreachable"]);
    Ok(())
}

fn slow() -> Tested {
    let net = Net::new()?;
    let served = serve(&net.far, "-S 10.77.0.5/24 10.77.0.7 --delay 10.77.0.7/32=600ms")?;
    let series = "-c 2 --period 0.8 -W 0.3 10.77.0.5 10.77.0.7";
    let said = ping(&net, Form::Json, series, 0)?;
    let late: Vec<&Value> = said.of("late").collect();
    assert!(late.iter().all(|late| late["dst"] == "10.77.0.7"), "{late:?}");
    // Its delay is counted from when its poll began, a moment before the request came.
    assert!(late[0]["rtt_ns"].as_u64() >= Some(590_000_000), "{late:?}");
    assert_eq!(received(&said), [("10.77.0.5", 2), ("10.77.0.7", 0)].into());
    let said = ping(&net, Form::Text, series, 0)?;
    assert!(said.errors.contains("10.77.0.7 : late answer for [0], 64 bytes, "), "{said:#?}");
    stop(served)
}

fn unreachable() -> Tested {
    let net = Net::new()?;
    let said = ping(&net, Form::Json, "192.168.99.1-2", 1)?;
    let reasons: Vec<&Value> = said.of("unsent").map(|unsent| &unsent["reason"]).collect();
    assert_eq!(reasons, ["no-route"; 2]);
    net.far.forward()?;
    let args = "--gateway 10.77.0.1 -r 0 10.77.0.1 192.168.99.1";
    let said = ping(&net, Form::Json, args, 0)?;
    let error = said.of("icmp_error").next().ok_or("no error")?;
    assert_eq!((&error["dst"], &error["icmp_type"]), (&json!("192.168.99.1"), &json!(3)));
    let net = Net::new()?;
    net.far.forward()?;
    let said = ping(&net, Form::Text, args, 0)?;
    assert_eq!(said.out, ["10.77.0.1 is alive", "192.168.99.1 is unreachable"]);
    let told = "Unreachable from 10.77.0.1 for ICMP Echo sent to 192.168.99.1";
    assert!(said.errors.contains(told), "{said:#?}");
    Ok(())
}

fn down() -> Tested {
    let net = Net::new()?;
    net.here.down("v0")?;
    let said = ping(&net, Form::Json, "-r 0 10.77.0.1-2", 1)?;
    let reasons: Vec<&Value> = said.of("unsent").map(|unsent| &unsent["reason"]).collect();
    assert_eq!(reasons, ["link-down"; 2]);
    let said = ping(&net, Form::Text, "-r 0 10.77.0.1-2", 1)?;
    assert!(said.errors.contains("10.77.0.1: link down\n10.77.0.2: link down\n"), "{said:#?}");
    Ok(())
}

fn deleted() -> Tested {
    let net = Net::new()?;
    let args = format!("{PING} -c 99 --period 0.01 10.77.0.1-2");
    let mut program = Run::start(&net.here, Form::Json, &args)?;
    program.until(r#""type":"reply""#)?;
    net.here.delete("v0")?;
    let said = program.ends(4)?;
    assert!(said.of("summary").any(|summary| summary["dst"] == "10.77.0.1"));
    assert_eq!(said.of("link").last().ok_or("no word of it")?["state"], "gone");
    assert_eq!(said.of("error").count(), 1);
    Ok(())
}

/// Of what fping says every word is ours, too, but for the times; what is ours alone comes after.
fn as_fping() -> Tested {
    let net = Net::new()?;
    net.here.add_address("v0", US, 24)?;
    net.far.add_address("f0", "10.77.0.102".parse()?, 24)?;
    let targets = ["10.77.0.1", "10.77.0.102", "10.77.0.3"];
    for (theirs, ours, exit) in [
        ("-e -r0 -t100", "-e -r 0 -W 0.1", 0),
        ("-u -r0 -t100", "-u -r 0 -W 0.1", 0),
        ("-c3 -o -p100", "-c 3 -o --period 0.1", 0),
        ("-C3 -p100", "-C 3 --period 0.1", 0),
        ("-q -C3 -p100", "-q -C 3 --period 0.1", 0),
        ("-q -x2 -r0 -t100", "-q -x 2 -r 0 -W 0.1", 0),
        ("-a -x3 -r0 -t100", "-a -x 3 -r 0 -W 0.1", 1),
        ("-D -c1 -t100", "-D -c 1 -W 0.1", 0),
    ] {
        let fping =
            net.here.run(|| Command::new("fping").args(theirs.split(' ')).args(targets).output());
        let Ok(fping) = fping else { return left_out("fping") };
        let args = format!("ping -I v0 {ours} {}", targets.join(" "));
        let said = run(&net.here, Form::Text, &args, exit)?;
        let theirs = |text: &[u8]| shape(String::from_utf8_lossy(text).lines());
        let ours = (shape(said.out.iter().map(String::as_str)), shape(said.errors.lines()));
        assert_eq!(ours, (theirs(&fping.stdout), theirs(&fping.stderr)), "{args}: {said:#?}");
    }
    Ok(())
}

/// Lines in the order of letters, with `T` for each time, and without what is ours alone.
fn shape<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_ours = |line: &&str| line.contains("is the host's own");
    let mut shape: Vec<String> = lines
        .filter(|line| !is_ours(line))
        .map(|line| {
            let line = line.split(", p50/p90/p99").next().unwrap_or_default();
            let line = line.split(", no ARP reply").next().unwrap_or_default();
            let words = line.split_inclusive([' ', '/', '(', '[']);
            let masked = words.map(|word| {
                let number = word.trim_end_matches([' ', '/', '(', '[', ']', ')']);
                let is_time = number.matches('.').count() == 1 && number.parse::<f64>().is_ok();
                if is_time { word.replace(number, "T") } else { word.to_owned() }
            });
            masked.collect()
        })
        .collect();
    shape.sort();
    shape
}

fn ping(net: &Net, form: Form, args: &str, code: i32) -> Result<Said, Failed> {
    run(&net.here, form, &format!("{PING} {args}"), code)
}

/// Replies of each target, as the summaries have them.
fn received(said: &Said) -> BTreeMap<&str, u64> {
    let summaries = said.of("summary");
    summaries.filter_map(|is| Some((is["dst"].as_str()?, is["received"].as_u64()?))).collect()
}

const PING: &str = "ping -I v0 -S 10.77.0.10/24 --no-probe";
