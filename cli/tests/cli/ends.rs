//! How runs end, on their own, by a signal and with a closed pipe.

use std::{
    io::{BufRead, BufReader, Read, Result},
    process::{Child, ChildStdout, Output},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    Ran,
    common::{ended, start, within_patience},
    ran, run,
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
            ("ping -c 99 --period 20ms -I lab 10.0.0.2-3", ", p50/p90/p99 = 0.100/0.100/0.100"),
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

#[test]
fn running_figures_count_whoever_has_answered_though_not_all_rounds_are_over() {
    for (flags, figures) in
        [("-C 99", "3 alive, 0 asked"), ("-c 99 --max-loss 5", "3 alive, 0 passed, 0 asked")]
    {
        let mut child = start(&format!("ping {flags} --period 9 -I lab 10.0.0.2-4"));
        let mut reader = Reader::of(&mut child);
        reader.lines(3);
        send(&child, Signal::SIGQUIT);
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let last = within_patience(child.id(), move || errors.nth(3).transpose());
        assert_eq!(last.expect("stderr can be read").as_deref(), Some(figures), "{flags}");
        send(&child, Signal::SIGINT);
        reader.rest();
        assert_eq!(ended(child).status.code(), Some(130), "{flags}");
    }
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
