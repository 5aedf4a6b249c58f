//! The way to a target, and what it takes.

mod common;

use common::sidestack;

#[test]
fn the_path_mtu_is_told_after_the_way_and_each_probe_where_more_is_to_be_said() {
    let (out, exit) = route("--mtu -I lab:pace=0,mtu=1400 10.0.0.2 10.0.1.2");
    let told: Vec<&str> = out.lines().filter(|line| line.contains("path MTU")).collect();
    assert_eq!(
        told,
        ["10.0.0.2", "10.0.1.2"]
            .map(|to| format!("{to}: path MTU 1400 of 1500 on lab, 26 probes in 12.0 s"))
    );
    assert_eq!((out.lines().count(), exit), (4, 0));

    let (out, exit) = route("-v --mtu -I lab:pace=0,mtu=1400 10.0.0.2");
    assert_eq!((out.matches(" octets: no answer\n").count(), exit), (12, 0));
    assert_eq!(out.matches(" octets: answered\n").count(), 14);
}

#[test]
fn each_probe_is_waited_for_as_long_as_was_said() {
    let (out, _) = route("--mtu -W 15 -I lab:pace=0,mtu=1400 10.0.0.2");
    assert!(out.ends_with("path MTU 1400 of 1500 on lab, 26 probes in 180.0 s\n"), "{out}");
}

#[test]
fn what_is_lost_by_chance_makes_no_path_narrower() {
    for seed in 0..9 {
        let (out, exit) =
            route(&format!("--mtu -I lab:pace=0,seed={seed},loss=20%,mtu=1400 10.0.0.2"));
        assert!(out.contains("path MTU 1400 of 1500"), "{seed}: {out}");
        assert_eq!(exit, 0);
    }
}

#[test]
fn where_no_path_mtu_is_found_it_is_told_why_and_the_exit_code_is_1() {
    let (out, exit) = route("--mtu -I lab:pace=0 10.0.1.9");
    let why = "10.0.1.9: path MTU not found: nothing is answered, not even packets of 68 octets, \
               6 probes in 6.0 s\n";
    assert!(out.ends_with(why), "{out}");
    assert_eq!(exit, 1);
    let (out, exit) = route("--mtu -I lab:pace=0 10.0.0.99 10.0.0.2");
    assert!(out.contains("no ARP reply") && out.ends_with("2 probes in 0.0 s\n"), "{out}");
    assert_eq!((out.lines().count(), exit), (3, 1), "whoever is silent to ARP is not probed");
}

#[test]
fn what_is_no_path_to_another_host_has_no_mtu() {
    for to in ["10.0.0.1", "10.0.0.255", "224.0.0.1"] {
        assert_eq!(route(&format!("--mtu -I lab:pace=0 {to}")), (String::new(), 2), "{to}");
    }
    assert_eq!(route("-W 2 -I lab:pace=0 10.0.0.2").1, 2, "-W is that of --mtu");
}

/// What is said, and the exit code.
fn route(args: &str) -> (String, i32) {
    let output = sidestack(&format!("route {args}"));
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    (out, output.status.code().expect("no signal"))
}
