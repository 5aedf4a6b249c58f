use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use link::Link;
use stack::{Census, Impaired, Stack, Tally};

use crate::{
    failure::Failure,
    record::{Record, Served, Time},
    report::Report,
};

/// What serving has come to.
pub(super) struct Figures {
    pub(super) hosts: usize,
    pub(super) ours: usize,
    pub(super) left_alone: usize,
    silent: usize,
    received: u64,
    tally: Tally,
    /// Answers that never left, by reason.
    undelivered: BTreeMap<String, u64>,
    /// By reason.
    discarded: BTreeMap<String, u64>,
}

impl Figures {
    pub(super) fn of(stack: &Stack<Impaired<Box<dyn Link>>>) -> Self {
        let Census { ours, claimed, left_alone, silent } = stack.census();
        let counters = stack.counters();
        let discarded =
            counters.reasons().map(|(reason, count)| (snake_case(&format!("{reason:?}")), count));
        let undelivered =
            counters.losses().map(|(reason, count)| (snake_case(&format!("{reason:?}")), count));
        Self {
            hosts: ours + claimed + left_alone + silent,
            ours,
            left_alone,
            silent,
            received: counters.received(),
            tally: *stack.link().tally(),
            undelivered: undelivered.collect(),
            discarded: discarded.collect(),
        }
    }

    /// How many are probed for when serving begins.
    pub(super) fn to_claim(&self) -> usize {
        self.hosts - self.left_alone - self.silent
    }

    /// For programs.
    pub(super) fn record<'a>(&'a self, ts: Time, state: &'a str) -> Record<'a> {
        let tally = &self.tally;
        Record::Served(Served {
            ts,
            state,
            hosts: self.hosts,
            ours: self.ours,
            left_alone: self.left_alone,
            silent: self.silent,
            received: self.received,
            arp_replies: tally.arp_replies,
            echo_replies: tally.echo_replies,
            unreachable: tally.unreachable,
            time_exceeded: tally.time_exceeded,
            lost: tally.lost,
            delayed: tally.delayed,
            duplicated: tally.duplicated,
            corrupted: tally.corrupted,
            overflowed: tally.overflowed,
            undelivered: &self.undelivered,
            discarded: &self.discarded,
        })
    }

    /// For people.
    pub(super) fn lines(&self, name: &str) -> String {
        let Self { hosts, ours, left_alone, silent, received, tally, undelivered, discarded } =
            self;
        let silent = match silent {
            0 => String::new(),
            silent => format!(", {silent} silent"),
        };
        let are = if *hosts == 1 { "address" } else { "addresses" };
        let mut lines = format!(
            "{hosts} {are} on {name}, {ours} ours, {left_alone} left alone{silent}\n\
             {received} frames received; answered {} ARP, {} echo; told {} unreachable, \
             {} time exceeded\n",
            tally.arp_replies, tally.echo_replies, tally.unreachable, tally.time_exceeded,
        );
        let chances = [
            ("lost", tally.lost),
            ("late", tally.delayed),
            ("twice", tally.duplicated),
            ("corrupted", tally.corrupted),
            ("too many to hold", tally.overflowed),
        ];
        if chances.iter().any(|(_, count)| *count > 0) {
            let chances = chances.map(|(what, count)| format!("{count} {what}"));
            lines += &format!("of the answers {}\n", chances.join(", "));
        }
        for (what, reasons) in [("never left", undelivered), ("discarded", discarded)] {
            let counts: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            if !counts.is_empty() {
                lines += &format!("{what} {}\n", counts.join(", "));
            }
        }
        lines
    }

    /// As Prometheus reads them (text format 0.0.4).
    fn prometheus(&self) -> String {
        let tally = &self.tally;
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
            let _ =
                write!(text, "# HELP sidestack_{name} {help}\n# TYPE sidestack_{name} {kind}\n");
            for (labels, value) in samples {
                let _ = writeln!(text, "sidestack_{name}{labels} {value}"); // into memory
            }
        };
        let label = |key: &str, value: &str| format!("{{{key}=\"{value}\"}}");
        let state = |state: &str, count: usize| (label("state", state), count as u64);
        family(
            "addresses",
            "gauge",
            "Addresses that we were told to be.",
            &[
                state("ours", self.ours),
                state("left_alone", self.left_alone),
                state("silent", self.silent),
                state("probing", self.to_claim().saturating_sub(self.ours)),
            ],
        );
        let received = [(String::new(), self.received)];
        family("frames_received_total", "counter", "Frames taken in.", &received);
        let kinds = [
            ("arp_reply", tally.arp_replies),
            ("arp_other", tally.arp_others),
            ("echo_reply", tally.echo_replies),
            ("unreachable", tally.unreachable),
            ("time_exceeded", tally.time_exceeded),
            ("other", tally.others),
        ];
        let kinds = kinds.map(|(kind, count)| (label("type", kind), count));
        family("frames_answered_total", "counter", "Frames sent, before any impairment.", &kinds);
        let fates = [
            ("lost", tally.lost),
            ("delayed", tally.delayed),
            ("duplicated", tally.duplicated),
            ("corrupted", tally.corrupted),
            ("overflowed", tally.overflowed),
        ];
        let fates = fates.map(|(fate, count)| (label("fate", fate), count));
        family("frames_impaired_total", "counter", "Frames that fared ill by chance.", &fates);
        let by_reason = |counts: &BTreeMap<String, u64>| -> Vec<_> {
            counts.iter().map(|(reason, count)| (label("reason", reason), *count)).collect()
        };
        let reasons = by_reason(&self.undelivered);
        family("answers_undelivered_total", "counter", "Answers that never left.", &reasons);
        let reasons = by_reason(&self.discarded);
        family("frames_discarded_total", "counter", "Frames silently discarded.", &reasons);
        text
    }
}

/// The file that the figures are kept in.
pub(super) struct Metrics {
    path: PathBuf,
    next: Instant,
    written: Option<String>,
    /// It could not be written the last time.
    failing: bool,
}

impl Metrics {
    pub(super) fn new(path: PathBuf, now: Instant) -> Self {
        Self { path, next: now, written: None, failing: false }
    }

    /// Writes them if it is time. What cannot be written now ends nothing: it is told once.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        stack: &Stack<Impaired<Box<dyn Link>>>,
        report: &mut Report,
    ) {
        if now < self.next {
            return;
        }
        let failed = self.write(now, stack);
        let before = std::mem::replace(&mut self.failing, failed.is_err());
        if let (Err(failure), false) = (failed, before) {
            report.aside(format_args!("sidestack: {failure}"));
        }
    }

    /// When it is time again.
    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Puts a whole file in the place of the one before, if anything has changed.
    pub(super) fn write(
        &mut self,
        now: Instant,
        stack: &Stack<Impaired<Box<dyn Link>>>,
    ) -> Result<(), Failure> {
        self.next = now + EVERY;
        let text = Figures::of(stack).prometheus();
        if self.written.as_ref() == Some(&text) {
            return Ok(());
        }
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let written = fs::write(&beside, &text).and_then(|()| fs::rename(&beside, &self.path));
        written.map_err(|error| {
            Failure::usage(format!("--metrics {}: cannot be written: {error}", self.path.display()))
        })?;
        self.written = Some(text);
        Ok(())
    }
}

/// `Arp(NotForUs)` as `arp_not_for_us`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '(') {
        if c == '(' || (c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_')) {
            snake.push('_');
        }
        snake.extend(c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()));
    }
    snake
}

/// How often the file is written, at most.
const EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_left_and_what_was_discarded_is_told_by_reason() {
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
        };
        let figures = Figures {
            hosts: 9,
            ours: 5,
            left_alone: 2,
            silent: 1,
            received: 7,
            tally: Tally::default(),
            undelivered: counts(&[("unresolved", 1), ("replaced", 4)]),
            discarded: counts(&[("ether_type", 2)]),
        };
        assert_eq!(figures.to_claim(), 6);
        assert_eq!(
            figures.lines("v0"),
            "9 addresses on v0, 5 ours, 2 left alone, 1 silent\n\
             7 frames received; answered 0 ARP, 0 echo; told 0 unreachable, 0 time exceeded\n\
             never left 4 replaced, 1 unresolved\n\
             discarded 2 ether_type\n"
        );
        let text = figures.prometheus();
        for line in [
            r#"sidestack_addresses{state="silent"} 1"#,
            r#"sidestack_addresses{state="probing"} 1"#,
            r#"sidestack_answers_undelivered_total{reason="replaced"} 4"#,
        ] {
            assert!(text.lines().any(|is| is == line), "{line}: {text}");
        }
    }

    #[test]
    fn reasons_are_named_as_prometheus_has_it() {
        assert_eq!(snake_case("Arp(NotForUs)"), "arp_not_for_us");
        assert_eq!(snake_case("EtherType"), "ether_type");
    }
}
