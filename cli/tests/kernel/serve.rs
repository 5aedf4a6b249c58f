//! Hosts that the program is, as a kernel sees them.

use std::{net::Ipv4Addr, process::Command};

use libtest_mimic::{Failed, Trial};
use link::namespace::Namespace;
use nix::sys::signal::Signal;

use crate::{
    net::{FAR, Net},
    run::{Form, Run, Said, Tested, run},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("a_kernel_pings_each_address_that_we_serve_and_no_other", two_addresses),
        Trial::test("each_host_has_a_mac_address_of_its_own_if_so_wished", own_macs),
        Trial::test("an_address_that_somebody_has_is_left_alone", taken),
        Trial::test("where_all_addresses_are_taken_there_is_nothing_to_serve", all_taken),
        Trial::test("the_hosts_own_addresses_are_its_kernels", hosts_own),
        Trial::test("an_address_that_becomes_the_hosts_own_is_its_kernels", hosts_own_later),
        Trial::test("who_loses_the_last_address_to_the_kernel_ends_with_1", last_to_kernel),
        Trial::test("who_loses_the_last_address_after_an_outage_ends_with_1", last_to_other),
        Trial::test("serving_goes_on_after_an_outage", outage),
        Trial::test("a_link_deleted_while_we_serve_ends_with_4_after_the_summary", deleted),
        Trial::test("hosts_are_silent_unreachable_or_lossy_as_they_are_told", ills),
        Trial::test("a_path_of_routers_has_a_hop_for_each_time_to_live", path),
        Trial::test("what_is_said_of_nobody_who_is_served_is_refused", in_vain),
        Trial::test("the_figures_are_kept_as_prometheus_reads_them", metrics),
        Trial::test("figures_that_cannot_be_kept_end_nothing_once_it_serves", metrics_lost),
        Trial::test("a_vlan_is_served_inside_its_tag_and_nowhere_else", vlan),
    ]
}

fn two_addresses() -> Tested {
    let net = Net::new()?;
    let program = serve(&net, "-S 10.77.0.3/24 -S 10.77.0.13/24")?;
    assert!(ping(&net.far, "10.77.0.3")?.is_answered());
    assert!(ping(&net.far, "10.77.0.13")?.is_answered());
    assert!(!ping(&net.far, "10.77.0.4")?.is_answered());
    let said = stop(program, 0)?;
    let served = last(&said)?;
    assert_eq!((&served["hosts"], &served["ours"]), (&2.into(), &2.into()));
    assert_eq!((&served["echo_replies"], &served["lost"]), (&2.into(), &0.into()));
    Ok(())
}

fn own_macs() -> Tested {
    let net = Net::new()?;
    let program = serve(&net, "--mac-per-host 10.77.0.0/24")?;
    let mut tap = net.tap()?;
    // Its network has another prefix here: to our kernel these are addresses like others.
    for dst in ["10.77.0.2", "10.77.0.254"] {
        assert!(ping(&net.far, dst)?.is_answered());
    }
    let mut macs: Vec<_> =
        tap.seen()?.iter().filter(|seen| seen.is_ipv4()).map(|seen| seen.src()).collect();
    macs.dedup();
    let macs: Vec<[u8; 6]> = macs.into_iter().map(|mac| mac.into_array()).collect();
    assert_eq!(macs, [[2, 0, 10, 77, 0, 2], [2, 0, 10, 77, 0, 254]]);
    let said = stop(program, 0)?;
    let left: Vec<_> = said.of("adopt").map(|is| (&is["ip"], &is["state"])).collect();
    assert_eq!(left, [(&FAR.to_string().into(), &"taken".into())], "the pinger's own");
    Ok(())
}

fn taken() -> Tested {
    let net = Net::new()?;
    let args = "serve -I v0 -S 10.77.0.3/24 10.77.0.0/30 -w 7.5 --mac-per-host";
    let said = run(&net.here, Form::Json, args, 0)?;
    let adopted: Vec<_> = said.of("adopt").map(|is| (&is["ip"], &is["state"])).collect();
    let taken = (&FAR.to_string().into(), &"taken".into());
    let ours = (&"10.77.0.3".into(), &"ours".into());
    assert_eq!(adopted, [taken, ours]);
    let states: Vec<_> = said.of("served").map(|is| (&is["state"], &is["ours"])).collect();
    assert_eq!(states[0], (&"probing".into(), &0.into()));
    assert_eq!(states[1], (&"serving".into(), &3.into()));
    assert_eq!(last(&said)?["left_alone"], 1);
    Ok(())
}

fn all_taken() -> Tested {
    let net = Net::new()?;
    let said = run(&net.here, Form::Text, "serve -I v0 -S 10.77.0.1/24", 1)?;
    assert!(said.says("10.77.0.1 is left to 02:00:00:4d:00:01"), "{said:#?}");
    Ok(())
}

fn hosts_own() -> Tested {
    let net = Net::new()?;
    net.here.add_address("v0", Ipv4Addr::new(10, 77, 0, 10), 24)?;
    let said = run(&net.here, Form::Text, "serve -I v0 -S 10.77.0.10/24", 2)?;
    assert!(said.errors.contains("10.77.0.10 is the host's own address"), "{said:#?}");
    let program = serve(&net, "10.77.0.8/29")?;
    let mut tap = net.tap()?;
    assert!(ping(&net.far, "10.77.0.10")?.is_answered(), "by the kernel");
    let answers = tap.seen()?.iter().filter(|seen| seen.is_ipv4()).count();
    assert_eq!(answers, 1);
    let served = stop(program, 0)?;
    assert_eq!((&last(&served)?["left_alone"], &last(&served)?["ours"]), (&1.into(), &7.into()));
    assert_eq!(last(&served)?["echo_replies"], 0);
    Ok(())
}

fn hosts_own_later() -> Tested {
    let net = Net::new()?;
    let mut program = serve(&net, "10.77.0.8/29")?;
    net.here.add_address("v0", Ipv4Addr::new(10, 77, 0, 10), 24)?;
    program.until(r#""ip":"10.77.0.10","state":"taken""#)?;
    assert!(ping(&net.far, "10.77.0.10")?.is_answered(), "by the kernel");
    let said = stop(program, 0)?;
    assert_eq!((&last(&said)?["ours"], &last(&said)?["echo_replies"]), (&7.into(), &0.into()));
    Ok(())
}

fn last_to_kernel() -> Tested {
    let net = Net::new()?;
    let args = "serve -I v0 --no-probe -S 10.77.0.3/24 10.77.0.4";
    let mut program = Run::start(&net.here, Form::Text, args)?;
    program.until("SERVE 2 addresses on v0")?;
    net.here.add_address("v0", Ipv4Addr::new(10, 77, 0, 4), 24)?;
    program.until("10.77.0.4 is left to the host itself")?;
    net.here.add_address("v0", Ipv4Addr::new(10, 77, 0, 3), 24)?;
    let said = program.ends(1)?;
    assert!(said.says("2 addresses on v0, 0 ours, 2 left alone"), "{said:#?}");
    assert!(said.errors.contains("there is nobody left to be"), "{said:#?}");
    Ok(())
}

fn last_to_other() -> Tested {
    let net = Net::new()?;
    let mut program = Run::start(&net.here, Form::Json, "serve -I v0 -S 10.77.0.3/24")?;
    program.until(r#""state":"serving""#)?;
    net.here.down("v0")?;
    net.far.add_address("f0", Ipv4Addr::new(10, 77, 0, 3), 24)?;
    net.here.up("v0")?;
    let said = program.ends(1)?;
    let adopted: Vec<_> = said.of("adopt").map(|is| &is["state"]).collect();
    assert_eq!(adopted, ["ours", "taken"]);
    assert_eq!((&last(&said)?["ours"], &last(&said)?["left_alone"]), (&0.into(), &1.into()));
    Ok(())
}

fn outage() -> Tested {
    let net = Net::new()?;
    let mut program = serve(&net, "-S 10.77.0.3/24")?;
    assert!(ping(&net.far, "10.77.0.3")?.is_answered());
    net.here.down("v0")?;
    program.until(r#""state":"down""#)?;
    net.here.up("v0")?;
    program.until(r#""state":"up""#)?;
    assert!(ping(&net.far, "10.77.0.3")?.is_answered());
    stop(program, 0)?;
    Ok(())
}

fn deleted() -> Tested {
    let net = Net::new()?;
    let program = serve(&net, "-S 10.77.0.3/24")?;
    net.here.delete("v0")?;
    let said = program.ends(4)?;
    assert_eq!(said.of("link").last().ok_or("no word of it")?["state"], "gone");
    assert_eq!(last(&said)?["state"], "ended");
    assert_eq!(said.of("error").count(), 1);
    Ok(())
}

fn ills() -> Tested {
    let net = Net::new()?;
    let args = "10.77.0.16/28 --silent 10.77.0.17/32 --unreachable 10.77.0.18/32:13 \
                --loss 10.77.0.19/32=100% --ttl 10.77.0.20/32=33 --delay 10.77.0.21/32=50ms";
    let program = serve(&net, args)?;
    let mut tap = net.tap()?;
    assert!(!ping(&net.far, "10.77.0.17")?.is_answered());
    assert!(tap.seen()?.is_empty(), "no ARP either");
    let refused = ping(&net.far, "10.77.0.18")?;
    assert!(refused.0.contains("Packet filtered") && !refused.is_answered(), "{}", refused.0);
    assert!(!ping(&net.far, "10.77.0.19")?.is_answered());
    let low = ping(&net.far, "10.77.0.20")?;
    assert!(low.0.contains("ttl=33"), "{}", low.0);
    assert!(ping(&net.far, "10.77.0.21")?.is_answered());
    let said = stop(program, 0)?;
    let served = last(&said)?;
    assert_eq!((&served["unreachable"], &served["lost"]), (&1.into(), &1.into()));
    assert_eq!((&served["echo_replies"], &served["delayed"]), (&3.into(), &1.into()));
    let hosts = ["hosts", "ours", "left_alone", "silent"].map(|key| served[key].as_u64());
    assert_eq!(hosts, [Some(16), Some(15), Some(0), Some(1)], "who is silent is nobody else's");
    Ok(())
}

fn path() -> Tested {
    let net = Net::new()?;
    for (net_of, len) in [(Ipv4Addr::new(10, 99, 0, 0), 16), (Ipv4Addr::new(172, 31, 255, 0), 24)] {
        net.far.add_route(net_of, len, Ipv4Addr::new(10, 77, 0, 254))?;
    }
    let args = "-S 10.77.0.254/24 --routers 3 10.99.0.0/16 --ttl 10.99.8.0/24=33";
    let program = serve(&net, args)?;
    for (ttl, from) in [(1, "10.77.0.254"), (2, "172.31.255.2"), (3, "172.31.255.3")] {
        let expired = command(&net.far, &format!("ping -n -c 1 -W 2 -t {ttl} 10.99.7.7"))?;
        let told = format!("From {from} icmp_seq=1 Time to live exceeded");
        assert!(expired.0.contains(&told), "{ttl}: {}", expired.0);
    }
    let reached = command(&net.far, "ping -n -c 1 -W 2 -t 4 10.99.7.7")?;
    assert!(reached.0.contains("64 bytes from 10.99.7.7: icmp_seq=1 ttl=61"), "{}", reached.0);
    for (dst, ttl) in [("10.99.8.8", 30), ("172.31.255.3", 62), ("10.77.0.254", 64)] {
        let reached = ping(&net.far, dst)?;
        assert!(reached.0.contains(&format!("ttl={ttl} ")), "{ttl}: {}", reached.0);
    }
    let said = stop(program, 0)?;
    assert_eq!(last(&said)?["time_exceeded"], 3);
    Ok(())
}

fn in_vain() -> Tested {
    let net = Net::new()?;
    let behind = "-S 10.77.0.254/24 --routers 3 10.99.0.0/16";
    for (args, told) in [
        ("10.77.0.16/28 --silent 10.78.0.0/16", "--silent 10.78.0.0/16"),
        ("10.77.0.16/28 --loss 10.77.0.15/32=5%", "--loss 10.77.0.15/32"),
        ("10.77.0.16/28 --ttl 10.77.0.32/28=3", "--ttl 10.77.0.32/28"),
        ("-S 10.77.0.3/24 --delay 10.77.0.4/32=1s", "--delay 10.77.0.4/32"),
        (&format!("{behind} --jitter 172.31.255.4/32=1s"), "--jitter 172.31.255.4/32"),
        (&format!("{behind} --silent 172.31.255.3/32"), "--silent 172.31.255.3/32"),
        (&format!("{behind} --ttl 3"), "never get past 3 routers"),
        (&format!("{behind} --ttl 172.31.255.3/32=2"), "never get past 2 routers"),
    ] {
        let args = format!("serve -I v0 --no-probe -w 0.1 {args}");
        let said = run(&net.here, Form::Text, &args, 2)?;
        assert!(said.errors.contains(told), "{args}: {said:#?}");
    }
    for (args, told) in [
        (format!("{behind} --loss 172.31.255.3/32=1 --ttl 4"), false),
        ("10.77.0.16/28 --unreachable 10.77.0.16/30".into(), false),
        ("10.77.0.16/28 --unreachable 10.99.0.0/16".into(), true),
    ] {
        let said = run(&net.here, Form::Text, &format!("serve -I v0 -w 0.1 --no-probe {args}"), 0)?;
        assert_eq!(said.errors.contains("no host of ours"), told, "{args}: {said:#?}");
    }
    Ok(())
}

fn metrics() -> Tested {
    let net = Net::new()?;
    let path = std::env::temp_dir().join(format!("serve-{}.prom", std::process::id()));
    let path = path.display();
    let program = serve(&net, &format!("-S 10.77.0.3/24 --metrics {path}"))?;
    assert!(ping(&net.far, "10.77.0.3")?.is_answered());
    stop(program, 0)?;
    let text = std::fs::read_to_string(path.to_string())?;
    std::fs::remove_file(path.to_string())?;
    for line in [
        r#"sidestack_addresses{state="ours"} 1"#,
        r#"sidestack_frames_answered_total{type="echo_reply"} 1"#,
        r#"sidestack_addresses{state="silent"} 0"#,
        "# TYPE sidestack_frames_discarded_total counter",
        "# TYPE sidestack_answers_undelivered_total counter",
    ] {
        assert!(text.lines().any(|is| is == line), "{line}: {text}");
    }
    Ok(())
}

fn metrics_lost() -> Tested {
    let net = Net::new()?;
    let nowhere = "serve -I v0 --no-probe -S 10.77.0.3/24 --metrics /nowhere/at.all";
    let said = Run::start(&net.here, Form::Json, nowhere)?.ends(2)?;
    assert_eq!(said.of("start").count(), 0, "refused before it begins");
    let dir = std::env::temp_dir().join(format!("serve-gone-{}", std::process::id()));
    std::fs::create_dir(&dir)?;
    let args = format!("-I v0 --no-probe -S 10.77.0.3/24 --metrics {}/figures", dir.display());
    let mut program = Run::start(&net.here, Form::Text, &format!("serve {args}"))?;
    program.until("SERVE 1 address")?;
    std::fs::remove_dir_all(&dir)?;
    let answered = command(&net.far, "ping -n -c 5 -i 0.5 -W 2 10.77.0.3")?;
    assert!(answered.0.contains(" 5 received"), "{}", answered.0);
    program.signal(Signal::SIGINT)?;
    let said = program.ends(2)?;
    assert!(said.errors.contains("cannot be written"), "{}", said.errors);
    Ok(())
}

fn vlan() -> Tested {
    let net = Net::bare()?;
    net.far.add_address("f0", FAR, 24)?;
    let program = serve(&net, "-S 10.77.0.3/24 --vlan 42")?;
    assert!(!ping(&net.far, "10.77.0.3")?.is_answered());
    let said = stop(program, 0)?;
    assert_eq!(last(&said)?["arp_replies"], 0);
    Ok(())
}

/// The program at work on our end, all its addresses its own already.
fn serve(net: &Net, args: &str) -> Result<Run, Failed> {
    let args = format!("serve -I v0 --no-probe {args}");
    let mut program = Run::start(&net.here, Form::Json, &args)?;
    program.until(r#""state":"serving""#)?;
    Ok(program)
}

fn stop(program: Run, code: i32) -> Result<Said, Failed> {
    program.signal(Signal::SIGINT)?;
    program.ends(code)
}

fn last(said: &Said) -> Result<&serde_json::Value, Failed> {
    Ok(said.of("served").last().ok_or("no figures")?)
}

/// One echo by a kernel's own.
fn ping(namespace: &Namespace, dst: &str) -> Result<Printed, Failed> {
    command(namespace, &format!("ping -n -c 1 -W 2 {dst}"))
}

fn command(namespace: &Namespace, line: &str) -> Result<Printed, Failed> {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().ok_or("an empty command")?);
    command.args(words);
    let output = namespace.run(|| command.output())?;
    Ok(Printed(String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// What a command printed.
struct Printed(String);

impl Printed {
    fn is_answered(&self) -> bool {
        self.0.contains(" 1 received")
    }
}
