//! What flags change: what is shown, and what stands in the frame.

use std::{fs, process};

use crate::run;

#[test]
fn quiet_leaves_the_header_and_the_summary() {
    let quiet = run("ping -q -c 3 -I lab:pace=0,loss=30%,seed=2 10.0.0.2");
    let begins: Vec<&str> =
        quiet.out.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(begins, ["PING", "", "---", "3", "rtt", "rtt", "arp"]);
}

#[test]
fn verbose_tells_next_hop_mac_mtu_and_stamps() {
    let verbose = run("ping -v -c 1 -s 4 -I lab:pace=0 10.0.1.2");
    let mut lines = verbose.out.lines().skip(1);
    assert_eq!(
        lines.next(),
        Some(
            "next hop 10.0.0.254, our MAC 02:00:0a:00:00:01, MTU 1500, stamps asked for: \
             tx=virtual rx=virtual"
        )
    );
    assert_eq!(
        lines.next(),
        Some("data too short for a cookie: identifier, sequence and data must do")
    );
}

#[test]
fn time_stamps_begin_each_line_about_a_request() {
    let stamped = run("ping -D -c 2 -I lab:pace=0 10.0.0.2");
    let times: Vec<&str> = stamped.out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(times[1..3], ["[1767225600.000200]", "[1767225601.000100]"]);
}

#[test]
fn the_pattern_the_time_to_live_and_the_type_of_service_stand_in_the_frame() {
    let scratch = Scratch::new("flags.pcapng");
    let capture = scratch.path();
    let ping = format!("ping -c 1 -s 16 -p c0ffee -t 9 -Q 0x28 --pcap {capture} -I lab:pace=0");
    assert_eq!(run(&format!("{ping} 10.0.0.2")).exit, 0);
    let captured = fs::read(capture).expect("the capture");
    // Past the 8 octets of the cookie the pattern goes on where it would be.
    let has = |octets: &[u8]| captured.windows(octets.len()).any(|window| window == octets);
    assert!(has(&[0xee, 0xc0, 0xff, 0xee, 0xc0, 0xff, 0xee, 0xc0]), "the pattern");
    assert!(has(&[0x08, 0x00, 0x45, 0x28, 0, 44]), "the type of service, and the length");
    let ttl = [9, 1]; // and ICMP
    let header = captured.windows(6).position(|w| w == [0x08, 0x00, 0x45, 0x28, 0, 44]);
    let header = header.expect("an IPv4 header") + 2;
    assert_eq!(captured[header + 8..header + 10], ttl);
}

#[test]
fn the_old_names_of_arp_still_work() {
    for name in ["arp", "arping", "resolve"] {
        let answered = run(&format!("{name} -c 1 -I lab:pace=0 10.0.0.2"));
        assert!(answered.out.contains("Unicast reply from 10.0.0.2 [02:00:0a:00:00:02]"));
        assert_eq!(answered.exit, 0);
    }
    assert_eq!(run("if").exit, 0);
}

#[test]
fn the_help_of_every_command_lists_the_exit_codes() {
    for command in ["", "interfaces", "ping", "arp", "send", "route"] {
        let help = run(&format!("{command} --help"));
        assert_eq!((help.exit, help.err.as_str()), (0, ""), "{command}");
        let codes = help.out.split_once("Exit codes:\n").expect("a list of exit codes").1;
        let codes: Vec<&str> = codes.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        assert_eq!(codes, ["0", "1", "2", "3", "4", "130"], "{command}");
    }
}

/// A file that is gone when the test is.
struct Scratch(String);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(format!("{}/{}-{name}", env!("CARGO_TARGET_TMPDIR"), process::id()))
    }

    fn path(&self) -> &str {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // it may never have been made
    }
}

#[test]
fn as_fping_one_target_is_asked_once_too() {
    for (args, exit, said) in [
        ("10.0.0.2", 0, "10.0.0.2 is alive\n"),
        ("-r 0 10.0.0.99", 1, "10.0.0.99 is unreachable\n"),
        ("-a -e 10.0.0.2", 0, "10.0.0.2 (0.100 ms)\n"),
        ("-c 1 10.0.0.2", 0, "10.0.0.2 : [0], 64 bytes, 0.100 ms (0.100 avg, 0% loss)\n"),
    ] {
        let ran = run(&format!("fping -I lab:pace=0 {args}"));
        assert_eq!((ran.exit, ran.out.as_str()), (exit, said), "{args}");
    }
    let refused = run("fping -f -I lab:pace=0 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert!(refused.err.contains("-f means nothing to fping\n"), "{}", refused.err);
}

#[test]
fn a_word_before_an_address_is_the_letter_that_it_stands_for() {
    for (word, letter, exit) in [
        ("-q probe 10.0.0.2", "-q -D 10.0.0.2", 1),
        ("probe 10.0.0.99 -j", "-D 10.0.0.99 -j", 0),
        ("announce 10.0.0.99", "-U 10.0.0.99", 0),
        ("announce -j -c 3 -i 3 -S 10.0.0.99", "-U -j -c 3 -i 3 10.0.0.99", 0),
        ("announce -A 10.0.0.99", "-A 10.0.0.99", 0),
    ] {
        let by = |args: &str| {
            let ran = run(&format!("arp -I lab:pace=0 --seed 1 {args}"));
            (ran.exit, ran.out, ran.err)
        };
        assert_eq!(by(word), by(letter), "{word}");
        assert_eq!(by(word).0, exit, "{word}");
    }
}
