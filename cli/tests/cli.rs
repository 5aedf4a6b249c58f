//! What a user meets: exit codes and their messages, flags, help, signals and closed pipes.

mod common;

use std::{
    io::{BufRead, BufReader, Read, Result},
    process::{Child, ChildStdout, Output},
};

use common::{ended, sidestack, start, within_patience};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

#[test]
fn a_reply_is_exit_0_and_none_is_exit_1() {
    assert_eq!(run("ping -c 1 -I lab:pace=0 10.0.0.2").exit, 0);
    let dead = run("ping -c 1 -I lab:pace=0 10.0.0.99");
    assert_eq!(dead.exit, 1);
    assert!(dead.out.contains(
        "10.0.0.99: no ARP reply on lab after 3 requests (3000 ms): host down, or not on this \
         segment or VLAN\n"
    ));
    assert_eq!(run("ping -c 1 -t 1 -I lab:pace=0 10.0.1.2").exit, 1);
    assert_eq!(run("ping -c 3 -I lab:pace=0,loss=100% 10.0.0.2").exit, 1);
    assert_eq!(run("arp -I lab:pace=0 10.0.0.99").exit, 1);
    assert_eq!(run("arp -c 2 -I lab:pace=0 10.0.0.99").exit, 1);
    assert_eq!(run("arp -D -I lab:pace=0 10.0.0.2").exit, 1);
    assert_eq!(run("route -I lab:pace=0 10.0.0.2 10.0.0.99").exit, 1);
}

#[test]
fn what_cannot_be_understood_is_exit_2_and_says_what() {
    for (args, says) in [
        ("ping -I lab 10.0.0.300", "10.0.0.300 is no IPv4 address"),
        ("ping -I lab 10.0.0", "10.0.0 is no IPv4 address"),
        ("ping -I lab 127.0.0.1", "127.0.0.1 is this host itself"),
        ("ping -I lab 0.0.0.0", "0.0.0.0 is nobody's address"),
        ("ping -I lab 10.0.0.1", "10.0.0.1 is our own address on lab"),
        ("ping -I lab 10.0.0.255", "10.0.0.255 is not one host's address"),
        ("ping -I lab 224.0.0.1", "224.0.0.1 is not one host's address"),
        (
            "ping -I lab nosuch.invalid",
            "nosuch.invalid: cannot be resolved: such names never exist",
        ),
        ("ping -I lab -S 192.168.1.1/24 10.0.0.2", "name a router of that network by --gateway"),
        ("sniff -I lab --bpf /dev/null", "--bpf needs a kernel to run it"),
        ("sniff -I lo --bpf /dev/null", "--bpf /dev/null: "),
        ("ping -I lab --gateway 192.168.1.1 10.0.1.2", "must be another host of our network"),
        (
            "ping -I lab --via 192.168.1.1 10.0.1.2",
            "--via 192.168.1.1 is no other host of 10.0.0.0/24",
        ),
        ("ping -I lab -S 10.0.0.255 10.0.0.2", "10.0.0.255 is everybody's address"),
        ("ping -I lab -S 127.0.0.1 10.0.0.2", "no host can have the address 127.0.0.1"),
        ("ping -I lab --source-mac ff:ff:ff:ff:ff:ff 10.0.0.2", "no station can have the MAC"),
        ("ping -I lab --vlan 4095 10.0.0.2", "4095 is no number from 0 to 4094"),
        ("ping -I lab -c 0 10.0.0.2", "0 is not in 1.."),
        ("ping -I lab -t 0 10.0.0.2", "0 is not in 1.."),
        ("ping -I lab -t 256 10.0.0.2", "256 is not in 1..=255"),
        ("ping -I lab -i 0 10.0.0.2", "must be more than nothing"),
        ("ping -I lab -i 1parsec 10.0.0.2", "parsec is no unit of time"),
        ("ping -I lab -Q 256 10.0.0.2", "256 is no number from 0 to 255"),
        ("ping -I lab -p xyz 10.0.0.2", "'x' at character 1 is no hexadecimal digit"),
        ("ping -I lab -p 123 10.0.0.2", "an odd number of digits: 3"),
        ("ping -I lab:colour=1 10.0.0.2", "no such key; there are hosts, loss"),
        ("ping -I lab:loss=2 10.0.0.2", "a probability such as 5% or 0.05"),
        ("ping -I lab:hosts=253 10.0.0.2", "a number from 0 to 252"),
        ("arp -I lab 10.0.0.1", "10.0.0.1 is our own address on lab"),
        ("arp -I lab -i 0.5 10.0.0.2", "one address is asked for at most once a second"),
        ("arp -I lab -D 10.0.0.2 10.0.0.3", "one address at a time"),
        ("send -I lab 48454c4c4f", "5 octets are no frame: an Ethernet header alone has 14"),
        ("send -I lab HELLO", "'H' at character 1 is no hexadecimal digit"),
        ("send -I lab --ethertype 0x05ff 00", "types begin at 0x0600"),
    ] {
        let refused = run(args);
        assert_eq!(refused.exit, 2, "{args}: {}", refused.err);
        assert!(refused.err.contains(says), "{args}: {}", refused.err);
        assert_eq!(refused.out, "", "{args}");
    }
}

#[test]
fn an_interface_that_is_not_there_is_exit_4_and_the_message_says_where_to_look() {
    let refused = run("ping -I wread-none 10.0.0.2");
    assert_eq!(refused.exit, 4);
    assert_eq!(
        refused.err,
        "sidestack: wread-none: no such interface\n  \
         `sidestack interfaces` lists those there are\n"
    );
}

#[test]
fn loopback_has_no_neighbours_to_ping() {
    let refused = run("ping -I lo 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert!(refused.err.contains("carries no ARP"), "{}", refused.err);
}

#[test]
fn a_combination_without_meaning_is_refused_and_never_ignored() {
    for args in [
        "interfaces -I lab",
        "interfaces --pcap none",
        "send -S 10.0.0.9 --ethertype 0x0801 --text hi -I lab",
        "send --gateway 10.0.0.254 --ethertype 0x0801 --text hi -I lab",
        "send --via 10.0.0.3 --ethertype 0x0801 --text hi -I lab",
        "send --no-probe --ethertype 0x0801 --text hi -I lab",
        "send --text hi -I lab",
        "send --to 02:00:00:00:00:01 48454c4c4f -I lab",
        "send --ethertype 0x0801 --text hi 4849 -I lab",
        "arp --via 10.0.0.3 10.0.0.2 -I lab",
        "arp -D -U 10.0.0.99 -I lab",
        "arp -D -c 2 10.0.0.99 -I lab",
        "arp -D -i 2 10.0.0.99 -I lab",
        "arp -D -w 2 10.0.0.99 -I lab",
        "arp -D -f 10.0.0.99 -I lab",
        "arp -D -S 10.0.0.9 10.0.0.99 -I lab",
        "arp -U -A 10.0.0.99 -I lab",
        "arp -U -f 10.0.0.99 -I lab",
        "arp -U -S 10.0.0.9 10.0.0.99 -I lab",
    ] {
        let refused = run(args);
        assert_eq!(refused.exit, 2, "{args}: {}", refused.out);
        assert_ne!(refused.err, "", "{args}");
    }
}

#[test]
fn data_beyond_the_mtu_is_refused_with_the_most_that_fits() {
    let refused = run("ping -c 1 -M do -s 1473 -I lab:pace=0 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert_eq!(
        refused.err,
        "sidestack: -s 1473: with headers 1501 octets, beyond the MTU of 1500 on lab, and -M do \
         forbids fragments: at most -s 1472\n"
    );
    let refused = run("ping -c 1 -s 65508 -I lab:pace=0 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert_eq!(
        refused.err,
        "sidestack: -s 65508: with headers 65536 octets, and no datagram is longer than 65535: \
         at most -s 65507\n"
    );
    let fits = run("ping -c 1 -s 1472 -I lab:pace=0 10.0.0.2");
    assert!(fits.out.contains("1480 bytes from 10.0.0.2"), "{}", fits.out);
}

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
    let captured = std::fs::read(capture).expect("the capture");
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
fn a_capture_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let refused = run("ping -c 1 --pcap /nowhere/at/all.pcapng -I lab:pace=0 10.0.0.2");
    assert_eq!((refused.exit, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("--pcap /nowhere/at/all.pcapng: cannot be written"));
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

#[test]
fn a_closed_pipe_is_quiet() {
    for args in ["ping -i 10ms -I lab 10.0.0.2", "ping -j -i 10ms -I lab 10.0.0.2"] {
        let mut child = start(args);
        drop(Reader::of(&mut child).line());
        let Output { status, stderr, .. } = ended(child);
        assert_eq!(String::from_utf8_lossy(&stderr), "", "{args}");
        assert_eq!(status.code(), Some(0), "{args}");
    }
}

#[test]
fn an_endless_run_ends_on_sigint_with_its_summary_and_exit_0() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let cut = cut(signal, "ping -i 10ms -I lab 10.0.0.2");
        assert_eq!(cut.exit, 0, "{signal}: {}", cut.err);
        assert!(cut.out.contains("--- 10.0.0.2 ping statistics ---\n"), "{}", cut.out);
        assert!(cut.out.contains(", 0% packet loss, "), "{}", cut.out);
        assert_eq!(cut.err, "");
    }
}

#[test]
fn a_bounded_run_ends_on_sigint_with_its_summary_and_exit_130() {
    let cut = cut(Signal::SIGINT, "ping -c 1000000 -i 10ms -I lab 10.0.0.2");
    assert_eq!(cut.exit, 130, "{}", cut.err);
    assert!(cut.out.contains("rtt min/avg/max/mdev = "), "{}", cut.out);
}

#[test]
fn an_endless_run_without_a_reply_ends_on_sigint_with_exit_1() {
    let cut = cut(Signal::SIGINT, "ping -i 10ms -I lab 10.0.0.99");
    assert_eq!(cut.exit, 1, "{}", cut.err);
    assert!(cut.out.contains("0 received, "), "{}", cut.out);
}

#[test]
fn the_summary_in_json_says_that_it_was_interrupted() {
    let cut = cut(Signal::SIGINT, "ping -j -i 10ms -I lab 10.0.0.2");
    let mut last = cut.out.lines().rev();
    assert_eq!(last.next(), Some(r#"{"v":1,"type":"end","exit":0,"dropped":0}"#));
    let summary = last.next().expect("a summary");
    assert!(summary.contains(r#""type":"summary""#) && summary.contains(r#""interrupted":true"#));
}

#[test]
fn bounded_runs_of_the_other_commands_end_on_sigint_with_exit_130() {
    for args in [
        "send -c 1000000 -i 10ms --ethertype 0x0801 --text hi -I lab",
        "arp -c 1000000 -I lab 10.0.0.2",
        "arp -U -c 1000000 -I lab 10.0.0.50",
        "route --mtu -v -W 9 -I lab:mtu=1400 10.0.0.2",
    ] {
        assert_eq!(cut(Signal::SIGINT, args).exit, 130, "{args}");
    }
}

#[test]
fn running_figures_come_on_stderr_and_the_run_goes_on() {
    for signal in [Signal::SIGQUIT, Signal::SIGUSR1] {
        for (args, figures) in [
            ("ping -i 10ms -I lab 10.0.0.2", ", 0% loss, min/avg/max = 0.100/0.100/0.100 ms"),
            ("send -c 1000000 -i 10ms --ethertype 0x0801 --text hi -I lab", ", of 1000000"),
        ] {
            let mut child = start(args);
            let mut reader = Reader::of(&mut child);
            reader.lines(3);
            send(&child, signal);
            let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
            let said = within_patience(child.id(), move || {
                let mut said = String::new();
                errors.read_line(&mut said).map(|_| said)
            });
            let said = said.expect("stderr can be read");
            assert!(said.trim_end().ends_with(figures), "{said}");
            reader.lines(3);
            send(&child, Signal::SIGINT);
            reader.rest();
            let code = ended(child).status.code();
            assert!(matches!(code, Some(0 | 130)), "{args}: {code:?}");
        }
    }
}

/// What a run said, and its exit code.
struct Ran {
    out: String,
    err: String,
    exit: i32,
}

fn run(args: &str) -> Ran {
    ran(sidestack(args), String::new())
}

/// Starts a run, lets it say two lines, sends it `signal`, and waits for its end.
fn cut(signal: Signal, args: &str) -> Ran {
    let mut child = start(args);
    let mut reader = Reader::of(&mut child);
    let begin = reader.lines(2);
    send(&child, signal);
    let rest = reader.rest();
    ran(ended(child), begin + &rest)
}

fn ran(output: Output, mut out: String) -> Ran {
    let text = |octets| String::from_utf8(octets).expect("UTF-8");
    out.push_str(&text(output.stdout));
    let exit = output.status.code().expect("it was not killed by a signal");
    Ran { out, err: text(output.stderr), exit }
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().expect("a process number"));
    kill(pid, signal).expect("it still runs");
}

/// What a running program says, line by line.
struct Reader {
    pid: u32,
    lines: Option<BufReader<ChildStdout>>,
}

impl Reader {
    fn of(child: &mut Child) -> Self {
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { pid: child.id(), lines: Some(lines) }
    }

    fn line(&mut self) -> String {
        self.read(|lines, said| lines.read_line(said))
    }

    fn lines(&mut self, count: usize) -> String {
        (0..count).map(|_| self.line()).collect()
    }

    fn rest(&mut self) -> String {
        self.read(|lines, said| lines.read_to_string(said))
    }

    fn read(
        &mut self,
        how: fn(&mut BufReader<ChildStdout>, &mut String) -> Result<usize>,
    ) -> String {
        let mut lines = self.lines.take().expect("it is put back");
        let (lines, said) = within_patience(self.pid, move || {
            let mut said = String::new();
            how(&mut lines, &mut said).map(|_| (lines, said))
        })
        .expect("stdout can be read");
        self.lines = Some(lines);
        said
    }
}

/// A file that is gone when the test is.
struct Scratch(String);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(format!("{}/{}-{name}", env!("CARGO_TARGET_TMPDIR"), std::process::id()))
    }

    fn path(&self) -> &str {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0); // it may never have been made
    }
}
