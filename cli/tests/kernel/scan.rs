//! Networks that are scanned: with two owners, none, mute, slow and unreachable ones.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::mpsc::channel, time::Duration};

use libtest_mimic::{Failed, Trial};
use link::MacAddr6;
use serde_json::{Value, json};

use crate::{
    net::{FAR_MAC, Net, OUR_MAC, US as OURS},
    others::{Flapper, behind_proxy_arp, serve, stop, sysctl},
    run::{Form, Run, Said, Tested, run},
    tap::{Arp, Seen},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("a_scan_finds_a_kernel_and_does_not_ask_for_the_hosts_own", own_address),
        Trial::test("two_owners_of_one_address_are_two_lines_and_exit_code_1", two_owners),
        Trial::test("an_address_that_moves_back_and_forth_is_a_conflict", flapping),
        Trial::test("behind_proxy_arp_one_station_has_many_addresses", proxy),
        Trial::test("a_host_that_ignores_echoes_is_found_by_arp", mute),
        Trial::test("a_slow_host_is_late_and_a_silent_one_is_silent", slow_and_silent),
        Trial::test("a_network_that_nothing_leads_to_cannot_be_probed", unreachable),
        Trial::test("nobody_is_missed_for_a_link_that_is_down_for_a_while_in_mid_scan", outage),
        Trial::test(
            "nobody_is_asked_while_our_address_is_probed_for_after_an_outage",
            outage_of_ours,
        ),
        Trial::test("a_link_deleted_in_mid_scan_ends_with_4_after_what_was_found", deleted),
    ]
}

fn own_address() -> Tested {
    let net = Net::new()?;
    net.here.add_address("v0", Ipv4Addr::new(10, 77, 0, 10), 24)?;
    let said = run(&net.here, Form::Text, "scan -r 0 -l -I v0", 0)?;
    let [line] = &said.out[..] else { panic!("{said:#?}") };
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!(fields[..3], ["10.77.0.1", "02:00:00:4d:00:01", "(local)"]);
    assert!(fields[3].starts_with("arp ") && fields[4].ends_with(" ttl 64"), "{line}");
    assert!(said.errors.contains("SCAN 10.77.0.0/24 from 10.77.0.10 on v0: 253 to probe"));
    assert!(said.errors.contains("1 address, 1 owner, 0 conflicts; 253 probed"), "{said:#?}");
    assert!(said.errors.contains(", 0 dropped by the kernel"), "{said:#?}");
    Ok(())
}

fn two_owners() -> Tested {
    let net = Net::new()?;
    let serve = |mac| serve(&net.far, &format!("-S 10.77.0.5/24 --source-mac {mac}"));
    let (one, other) = (serve("02:00:00:00:00:aa")?, serve("00:50:56:00:00:0c")?);
    let said = scan(&net, Form::Json, "10.77.0.1-8", 1)?;
    let owners: BTreeMap<&str, &Value> = hosts(&said, "up")
        .filter(|host| host["ip"] == "10.77.0.5")
        .filter_map(|host| Some((host["mac"].as_str()?, host)))
        .collect();
    let macs: Vec<&str> = owners.keys().copied().collect();
    assert_eq!(macs, ["00:50:56:00:00:0c", "02:00:00:00:00:aa"]);
    assert!(owners.values().all(|host| host["conflict"] == true && host["owners"] == 2));
    assert!(owners.values().all(|host| host["arp"] == true));
    let answered = owners.values().filter(|host| host["echo"] == true).count();
    assert_eq!(answered, 1, "the echo was sent to one of them");
    assert_eq!(owners["00:50:56:00:00:0c"]["vendor"], "VMware, Inc.");
    let scanned = scanned(&said)?;
    assert_eq!(
        (&scanned["up"], &scanned["owners"], &scanned["conflicts"]),
        (&json!(2), &json!(3), &json!(1))
    );
    let conflict = said.of("conflict").next().ok_or("no conflict")?;
    assert_eq!(conflict["ip"], "10.77.0.5");
    let said = scan(&net, Form::Text, "10.77.0.1-8", 1)?;
    let told = said.out.iter().filter(|line| line.ends_with("\tCONFLICT 2 owners")).count();
    assert_eq!(told, 2, "{said:#?}");
    assert!(said.errors.contains("2 addresses, 3 owners, 1 conflict; 8 probed"), "{said:#?}");
    stop(one)?;
    stop(other)
}

/// It is at one place, 1.3 s later at another, and after the same time where it was before.
fn flapping() -> Tested {
    let net = Net::bare()?;
    let places = [2, 3, 2].map(|last| MacAddr6::new(2, 0, 0, 0, 0, last));
    let flapper = Flapper::start(&net, places)?;
    let said = scan(&net, Form::Json, "-r 4 --arp 10.77.0.5 10.77.0.9", 1)?;
    flapper.stop()?;
    let moves: Vec<_> = said.of("pairing").map(|is| (&is["old_mac"], &is["mac"])).collect();
    let (here, there) = (json!("02:00:00:00:00:02"), json!("02:00:00:00:00:03"));
    assert_eq!(moves, [(&here, &there), (&there, &here)]);
    let told: Vec<_> = hosts(&said, "up").map(|is| (&is["mac"], &is["conflict"])).collect();
    let (no, yes) = (json!(false), json!(true));
    assert_eq!(told, [(&here, &no), (&there, &no), (&here, &yes)]);
    assert_eq!(scanned(&said)?["conflicts"], 1);
    Ok(())
}

fn proxy() -> Tested {
    let net = Net::new()?;
    let _beyond = behind_proxy_arp(&net)?;
    let said = scan(&net, Form::Json, "10.77.0.1-2 10.77.0.130-131", 0)?;
    let found: Vec<_> =
        hosts(&said, "up").map(|is| (&is["ip"], &is["mac"], &is["same_mac"], &is["ttl"])).collect();
    let (ips, mac) =
        (["10.77.0.1", "10.77.0.130", "10.77.0.131"], json!(FAR_MAC.to_string().to_lowercase()));
    let [one, two, three] = ips.map(|ip| json!(ip));
    let (near, far) = (json!(64), json!(63));
    let expected =
        [(&one, &mac, &Value::Null, &near), (&two, &mac, &one, &far), (&three, &mac, &one, &far)];
    assert_eq!(found, expected);
    let said = scan(&net, Form::Text, "10.77.0.1-2 10.77.0.130-131", 0)?;
    assert!(said.errors.contains("02:00:00:4d:00:01 is at 3 addresses"), "{said:#?}");
    assert!(said.out[2].ends_with("\tsame MAC as 10.77.0.1"), "{said:#?}");
    Ok(())
}

fn mute() -> Tested {
    let net = Net::new()?;
    sysctl(&net.far, "net/ipv4/icmp_echo_ignore_all", "1")?;
    let said = scan(&net, Form::Text, "-r 0 -W 0.2 10.77.0.1", 0)?;
    assert!(said.out[0].ends_with("\techo -"), "{said:#?}");
    assert!(said.errors.contains("1 address answers ARP, and not the echo"), "{said:#?}");
    let said = scan(&net, Form::Text, "-r 0 -W 0.2 --echo 10.77.0.1", 1)?;
    assert_eq!(said.out.len(), 0);
    Ok(())
}

fn slow_and_silent() -> Tested {
    let net = Net::new()?;
    let hosts_of = "-S 10.77.0.5/24 10.77.0.6-7 --silent 10.77.0.6/32 --delay 10.77.0.7/32=600ms";
    let served = serve(&net.far, hosts_of)?;
    let said = scan(&net, Form::Json, "-r 0 -W 0.3 10.77.0.5-7", 0)?;
    let told: BTreeMap<_, _> = said
        .of("host")
        .filter_map(|is| Some((is["ip"].as_str()?, (&is["state"], &is["arp"], &is["echo"]))))
        .collect();
    let [up, silent, yes, no] = [json!("up"), json!("silent"), json!(true), json!(false)];
    assert_eq!(told["10.77.0.5"], (&up, &yes, &yes));
    assert_eq!(told["10.77.0.6"], (&silent, &no, &Value::Null));
    assert_eq!(told["10.77.0.7"], (&up, &yes, &no));
    let late = said.of("late").next().ok_or("nothing was late")?;
    assert_eq!(late["dst"], "10.77.0.7");
    assert!(late["rtt_ns"].as_u64() >= Some(600_000_000), "{late}");
    stop(served)
}

fn unreachable() -> Tested {
    let net = Net::new()?;
    let said = scan(&net, Form::Json, "192.168.99.0/30", 1)?;
    assert_eq!((said.of("unsent").count(), said.of("host").count()), (4, 0));
    net.far.forward()?;
    let said = scan(&net, Form::Json, "--gateway 10.77.0.1 192.168.99.1", 1)?;
    assert_eq!(hosts(&said, "silent").count(), 1);
    let error = said.of("icmp_error").next().ok_or("no error")?;
    assert_eq!((&error["from"], &error["icmp_type"]), (&json!("10.77.0.1"), &json!(3)));
    Ok(())
}

fn outage() -> Tested {
    for form in [Form::Text, Form::Json] {
        let net = Net::new()?;
        let served = serve(&net.far, "-S 10.77.0.2/24 10.77.0.64/27")?;
        // The far end may hear of the link a moment later than we do, and lose a first answer.
        let args = format!("scan {US} -r 1 --rate 50 10.77.0.64-95");
        let mut program = Run::start(&net.here, form, &args)?;
        program.until("10.77.0.64")?;
        net.here.down("v0")?;
        let (_open, nothing) = channel::<()>();
        let _ = nothing.recv_timeout(A_WHILE); // nobody says anything
        net.here.up("v0")?;
        let said = program.ends(0)?;
        if form == Form::Text {
            let all = "32 addresses, 32 owners, 0 conflicts; 32 probed";
            assert!(said.errors.contains(all), "{said:#?}");
            assert!(said.errors.contains("v0: link down\nv0: link up\n"), "{said:#?}");
            assert_eq!(said.out.len(), 32, "each line is a host's");
        } else {
            let scanned = scanned(&said)?;
            assert_eq!((&scanned["up"], &scanned["unsent"]), (&json!(32), &json!(0)));
            assert_eq!(said.of("unsent").count(), 0);
            let states: Vec<_> = said.of("link").map(|is| &is["state"]).collect();
            assert_eq!(states, ["down", "up"]);
        }
        stop(served)?;
    }
    Ok(())
}

/// Ours is probed for anew after it, and nobody is asked in its name meanwhile.
fn outage_of_ours() -> Tested {
    let net = Net::new()?;
    let served = serve(&net.far, "-S 10.77.0.2/24 10.77.0.64/27")?;
    let args = "scan -I v0 -S 10.77.0.10/24 -r 1 --rate 20 10.77.0.64-95";
    let mut program = Run::start(&net.here, Form::Json, args)?;
    program.until("10.77.0.64")?;
    net.here.down("v0")?;
    let (_open, nothing) = channel::<()>();
    let _ = nothing.recv_timeout(A_WHILE); // nobody says anything
    net.here.up("v0")?;
    let mut tap = net.tap()?;
    let said = program.ends(0)?;
    let scanned = scanned(&said)?;
    assert_eq!((&scanned["up"], &scanned["unsent"]), (&json!(32), &json!(0)));
    let probe = Some(Arp::probe(OURS));
    let is_probe = |seen: &&Seen| seen.arp() == probe;
    let of_ours: Vec<_> = tap.seen()?.into_iter().filter(|seen| seen.src() == OUR_MAC).collect();
    let probes = of_ours.iter().take_while(is_probe).count();
    assert!(probes >= 2, "the first may have left before we looked: {probes}");
    assert!(!of_ours[probes..].iter().any(|seen| is_probe(&seen)));
    stop(served)?;
    Ok(())
}

fn deleted() -> Tested {
    let net = Net::new()?;
    let mut program = Run::start(&net.here, Form::Json, &format!("scan {US} 10.77.0.0/24"))?;
    program.until(r#""state":"up""#)?;
    net.here.delete("v0")?;
    let said = program.ends(4)?;
    assert_eq!(hosts(&said, "up").count(), 1);
    assert_eq!(said.of("link").last().ok_or("no word of it")?["state"], "gone");
    assert_eq!((said.of("scanned").count(), said.of("error").count()), (1, 1));
    Ok(())
}

fn scan(net: &Net, form: Form, args: &str, code: i32) -> Result<Said, Failed> {
    run(&net.here, form, &format!("scan {US} {args}"), code)
}

fn hosts<'a>(said: &'a Said, state: &'a str) -> impl Iterator<Item = &'a Value> {
    said.of("host").filter(move |host| host["state"] == state)
}

fn scanned(said: &Said) -> Result<&Value, Failed> {
    Ok(said.of("scanned").next().ok_or("no figures")?)
}

/// Who scans, and where.
pub(crate) const US: &str = "-I v0 -S 10.77.0.10/24 --no-probe";

/// How long the link is down, while more than ten requests are due.
const A_WHILE: Duration = Duration::from_millis(300);
