//! Sweeps so large that a second thread sends as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
    thread,
    time::Duration,
};

use libtest_mimic::{Failed, Trial};
use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::Value;

use crate::{
    net::{FAR_MAC, Net},
    run::{Form, PATIENCE, PROGRAM, Run, Said, Tested, run},
    stopped::pause,
};

/// Only where the kernel lets us have a large buffer is there a second thread for certain.
pub(crate) fn tests(is_root: bool) -> Vec<Trial> {
    let tests: [(_, fn(_) -> _); 7] = [
        ("two_threads_scan_for_all_who_are_there_and_nobody_else", all_by_arp),
        ("two_threads_ping_all_who_are_there_and_nobody_else", all_by_echo),
        ("two_threads_scan_until_interrupted_and_the_rest_is_gone_on_with", interrupted),
        ("two_owners_are_seen_whichever_thread_has_asked", owners),
        ("two_threads_scan_over_a_link_that_is_deleted", deleted),
        ("two_threads_scan_inside_a_vlan", in_vlan),
        ("one_thread_scans_where_there_is_no_second_socket", alone),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(name, move || test(is_root))).collect()
}

fn all_by_arp(is_root: bool) -> Tested {
    let net = network()?;
    let said = by_two(&net, is_root, Form::Json, &scan("10.9.0.0/18 10.9.160.0/22"), 0)?;
    assert_eq!(ips(&said, |host| host["state"] == "up"), addresses(64));
    assert_eq!(said.of("host").filter(|host| host["state"] == "silent").count(), 1024);
    let scanned = said.of("scanned").next().ok_or("no figures")?;
    assert_eq!((&scanned["probed"], &scanned["dropped"]), (&(17 * 1024).into(), &0.into()));
    Ok(())
}

fn all_by_echo(is_root: bool) -> Tested {
    let net = network()?;
    let args = format!("ping {US} -a -r 2 --rate 0 10.9.0.0/18 10.9.160.0/22");
    let said = by_two(&net, is_root, Form::Text, &args, 0)?;
    let found: BTreeSet<String> = said.out.iter().cloned().collect();
    assert_eq!((said.out.len(), found), (addresses(64).len(), addresses(64)));
    Ok(())
}

fn interrupted(is_root: bool) -> Tested {
    let net = network()?;
    let path = std::env::temp_dir().join(format!("threads-{}.jsonl", std::process::id()));
    let args = scan("10.9.0.0/17 10.9.160.0/22"); // it waits for the last for two seconds
    let mut program = Run::start(&net.here, Form::Json, &args)?;
    program.until(r#""type":"host""#)?;
    two(&program, is_root)?;
    program.signal(Signal::SIGINT)?;
    let first = program.ends(130)?;
    let scanned = first.of("scanned").next().ok_or("no figures")?;
    assert_eq!(scanned["interrupted"], true);
    fs::write(&path, first.out.join("\n") + "\n")?;
    let path = path.display().to_string();
    let rest = run(&net.here, Form::Json, &scan(&format!("--resume {path}")), 0)?;
    fs::remove_file(&path)?;
    let whole = |said: &Said| ips(said, |host| host["interrupted"] == false);
    assert!(whole(&first).is_disjoint(&whole(&rest)), "nobody is probed again");
    assert_eq!(whole(&first).len() + whole(&rest).len(), 132 * 256);
    let up = |said: &Said| ips(said, |host| host["state"] == "up");
    let found: BTreeSet<String> = up(&first).union(&up(&rest)).cloned().collect();
    assert_eq!(found, addresses(128));
    Ok(())
}

/// Who is silent is waited for, and so is the second owner of each.
fn owners(is_root: bool) -> Tested {
    let net = network()?;
    let args = "serve -I f0 -S 10.77.0.2/8 --source-mac 02:00:00:00:00:aa --no-probe 10.9.33.0/29";
    let mut other = Run::start(&net.far, Form::Json, args)?;
    other.until(r#""state":"serving""#)?;
    let said = by_two(&net, is_root, Form::Json, &scan("10.9.0.0/18 10.9.160.1"), 1)?;
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for host in said.of("host").filter(|host| host["state"] == "up") {
        let mac = host["mac"].as_str().ok_or("no MAC address")?;
        owners.entry(host["ip"].as_str().ok_or("no address")?).or_default().insert(mac);
    }
    let far = FAR_MAC.to_string().to_lowercase();
    let both = BTreeSet::from(["02:00:00:00:00:aa", &far]);
    let shared: Vec<_> = owners.iter().filter(|(_, macs)| **macs == both).collect();
    assert_eq!(shared.len(), 8, "{shared:?}");
    assert!(shared.iter().all(|(ip, _)| ip.starts_with("10.9.33.")), "{shared:?}");
    assert_eq!(owners.values().filter(|macs| macs.len() > 1).count(), 8);
    let scanned = said.of("scanned").next().ok_or("no figures")?;
    assert_eq!((&scanned["up"], &scanned["conflicts"]), (&(64 * 256).into(), &8.into()));
    other.signal(Signal::SIGINT)?;
    other.ends(0).map(drop)
}

fn deleted(is_root: bool) -> Tested {
    let net = network()?;
    let mut program = Run::start(&net.here, Form::Json, &scan("10.9.0.0/16"))?;
    program.until(r#""type":"host""#)?;
    two(&program, is_root)?;
    net.here.delete("v0")?;
    let said = program.ends(4)?;
    assert_eq!(said.of("link").last().ok_or("no word of it")?["state"], "gone");
    assert_eq!((said.of("scanned").count(), said.of("error").count()), (1, 1));
    Ok(())
}

/// So many that our own far end, which is no kernel, can keep all that it is asked.
fn in_vlan(is_root: bool) -> Tested {
    let net = Net::bare()?;
    let args = "serve -I f0 --vlan 7 -S 10.77.0.2/8 --no-probe 10.9.0.0/20";
    let mut far = Run::start(&net.far, Form::Json, args)?;
    far.until(r#""state":"serving""#)?;
    let said = by_two(&net, is_root, Form::Json, &scan("--vlan 7 10.9.0.0/20"), 0)?;
    assert_eq!(ips(&said, |host| host["state"] == "up"), addresses(16));
    far.signal(Signal::SIGINT)?;
    far.ends(0).map(drop)
}

/// With too few descriptors for a second socket, but enough for one.
fn alone(_: bool) -> Tested {
    let net = network()?;
    let few = format!("scan {US} --arp 10.9.0.0/28");
    let most = (4..64).find(|most| limited(&net, *most, &few).is_ok());
    let many = limited(&net, most.ok_or("it never suffices")?, &scan("10.9.0.0/18"))?;
    assert_eq!(many.lines().count(), 64 * 256);
    Ok(())
}

/// What it says if it may open so many descriptors.
fn limited(net: &Net, most: u64, args: &str) -> Result<String, Failed> {
    let mut command = Command::new("prlimit");
    command.args([&format!("--nofile={most}"), PROGRAM]).args(args.split_whitespace());
    let done = net.here.run(|| command.output())?;
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout)?),
        false => Err(String::from_utf8_lossy(&done.stderr).into_owned().into()),
    }
}

/// Runs it to its end, and looks meanwhile whether there is a second thread.
fn by_two(net: &Net, is_root: bool, form: Form, args: &str, code: i32) -> Result<Said, Failed> {
    let program = Run::start(&net.here, form, args)?;
    two(&program, is_root)?;
    program.ends(code)
}

/// Waits for the second thread, if there is one for certain.
fn two(program: &Run, is_root: bool) -> Tested {
    if !is_root || thread::available_parallelism()?.get() < 2 {
        return Ok(());
    }
    let mut names = Vec::new();
    for _ in 0..PATIENCE.as_millis() {
        names = threads(program.pid())?;
        if names == ["sender", "sidestack"] {
            return Ok(());
        }
        pause(Duration::from_millis(1));
    }
    Err(format!("its threads are {names:?}").into())
}

/// The far kernel is all of 10.9.0.0/17.
fn network() -> Result<Net, Failed> {
    let net = Net::new()?;
    ip(&net, "route add local 10.9.0.0/17 dev lo")?;
    Ok(net)
}

fn ip(net: &Net, args: &str) -> Tested {
    let mut command = Command::new("ip");
    let done = net.far.run(|| command.args(args.split_whitespace()).output())?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("ip {args}: {}", String::from_utf8_lossy(&done.stderr)).into()),
    }
}

/// By two requests: a kernel that is busy with other tests may lose some of so many.
fn scan(what: &str) -> String {
    format!("scan {US} --arp -r 1 --rate 0 {what}")
}

/// The addresses of those that `are`.
fn ips(said: &Said, are: fn(&Value) -> bool) -> BTreeSet<String> {
    let hosts = said.of("host").filter(|host| are(host));
    hosts.filter_map(|host| host["ip"].as_str()).map(str::to_owned).collect()
}

/// All of the first so many networks of 256.
fn addresses(networks: u32) -> BTreeSet<String> {
    let of = |third| (0..256).map(move |fourth| format!("10.9.{third}.{fourth}"));
    (0..networks).flat_map(of).collect()
}

/// The names of a process's threads, sorted.
fn threads(pid: Pid) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        names.push(fs::read_to_string(task?.path().join("comm"))?.trim().to_owned());
    }
    names.sort();
    Ok(names)
}

/// Who scans, and where.
const US: &str = "-I v0 -S 10.77.0.10/8 --no-probe";
