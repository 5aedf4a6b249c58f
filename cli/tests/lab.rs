//! What the keys of `-I lab` do to a ping.

mod common;

use common::sidestack;

#[test]
fn a_frame_beyond_the_mtu_vanishes_and_one_of_the_mtu_does_not() {
    assert_eq!(ping("mtu=600", "-s 572"), (3, 0));
    assert_eq!(ping("mtu=600", "-s 573"), (0, 1));
}

#[test]
fn a_host_that_is_silent_to_ip_is_resolved_and_does_not_answer() {
    let (out, _) = run("-I lab:pace=0,silent=ip 10.0.0.2");
    assert!(out.contains("arp 02:00:0a:00:00:02 in"), "{out}");
    assert_eq!(ping("silent=ip", ""), (0, 1));
}

#[test]
fn a_host_that_is_silent_to_arp_is_not_resolved() {
    let (out, exit) = run("-I lab:pace=0,silent=arp 10.0.0.2");
    assert!(out.contains("no ARP reply"), "{out}");
    assert_eq!(exit, 1);
}

#[test]
fn junk_after_the_end_is_no_fault_and_a_cut_end_is_one() {
    assert_eq!(ping("pad=100%", ""), (3, 0));
    assert_eq!(ping("truncate=100%", ""), (0, 1));
}

#[test]
fn a_burst_loses_neighbours() {
    let lost = |keys: &str| {
        let (out, _) = run(&format!("-c 200 -i 10ms -I lab:pace=0,seed=5,{keys} 10.0.0.2"));
        200 - replies(&out)
    };
    assert!(lost("loss=2%,burst=8") > lost("loss=2%") * 2);
}

#[test]
fn a_value_without_meaning_is_refused_with_what_would_have_one() {
    for (pair, says) in [
        ("moves=101", "a number from 0 to 100"),
        ("proxy=127", "a number from 0 to 126"),
        ("burst=0", "a number of frames, 1 or more"),
        ("mtu=huge", "a number of octets, as 1400"),
        ("silent=udp", "arp or ip"),
        ("truncate=2", "a probability such as 5% or 0.05"),
        ("pad=-1", "a probability such as 5% or 0.05"),
    ] {
        let refused = sidestack(&format!("ping -I lab:{pair} 10.0.0.2"));
        let err = String::from_utf8_lossy(&refused.stderr);
        assert!(err.contains(&format!("{pair}: {says}")), "{err}");
        assert_eq!(refused.status.code(), Some(2));
    }
}

/// How many of three requests are answered under that fault, and the exit code.
fn ping(fault: &str, options: &str) -> (usize, i32) {
    let (out, exit) = run(&format!("{options} -c 3 -I lab:pace=0,seed=1,{fault} 10.0.0.2"));
    (replies(&out), exit)
}

fn replies(out: &str) -> usize {
    out.lines().filter(|line| line.contains(" bytes from ")).count()
}

fn run(args: &str) -> (String, i32) {
    let count = if args.contains("-c ") { "" } else { "-c 1 " };
    let output = sidestack(&format!("ping {count}{args}"));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    (out, output.status.code().expect("it ends by itself"))
}
