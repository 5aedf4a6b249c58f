use std::{
    collections::BTreeMap,
    fmt::{Debug, Write},
};

use link::{FrameIo, Link};
use stack::{Census, Impaired, Stack, Tally};

use crate::record::{Record, Served, Time};

/// What serving has come to.
pub(super) struct Figures {
    pub(super) hosts: usize,
    pub(super) ours: usize,
    pub(super) left_alone: usize,
    silent: usize,
    received: u64,
    /// Frames that the kernel had no room for.
    dropped: u64,
    /// Lines that nobody took in time, or that there were too many of.
    untold: u64,
    tally: Tally,
    /// Answers that never left, by reason.
    undelivered: BTreeMap<String, u64>,
    /// By reason; datagrams, where they were given up in reassembly.
    discarded: BTreeMap<String, u64>,
}

impl Figures {
    pub(super) fn of(stack: &mut Stack<Impaired<Box<dyn Link>>>, untold: u64) -> Self {
        let dropped = stack.link_mut().dropped();
        let Census { ours, claimed, left_alone, silent } = stack.census();
        let counters = stack.counters();
        let mut discarded = by_name(counters.reasons());
        let given_up = stack.reassembling();
        let given_up = [("evicted", given_up.evicted), ("timed_out", given_up.timed_out)];
        for (reason, datagrams) in given_up.into_iter().filter(|(_, datagrams)| *datagrams > 0) {
            discarded.insert(format!("ipv4_reassembly_{reason}"), datagrams);
        }
        Self {
            hosts: ours + claimed + left_alone + silent,
            ours,
            left_alone,
            silent,
            received: counters.received(),
            dropped,
            untold,
            tally: *stack.link().tally(),
            undelivered: by_name(counters.losses()),
            discarded,
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
            untold: self.untold,
            undelivered: &self.undelivered,
            discarded: &self.discarded,
        })
    }

    /// For people.
    pub(super) fn lines(&self, name: &str) -> String {
        let Self { hosts, ours, left_alone, silent, received, dropped, untold, tally, .. } = self;
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
        if *dropped > 0 {
            lines += &format!("{dropped} frames dropped by the kernel, which had no room\n");
        }
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
        for (what, reasons) in [("never left", &self.undelivered), ("discarded", &self.discarded)] {
            let counts: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            if !counts.is_empty() {
                lines += &format!("{what} {}\n", counts.join(", "));
            }
        }
        if *untold > 0 {
            lines += &format!("{untold} lines not told: nobody took them, or they were too many\n");
        }
        lines
    }

    /// As Prometheus reads them (text format 0.0.4).
    pub(super) fn prometheus(&self) -> String {
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
        let dropped = [(String::new(), self.dropped)];
        let help = "Frames that the kernel had no room for.";
        family("frames_dropped_total", "counter", help, &dropped);
        let untold = [(String::new(), self.untold)];
        family("lines_untold_total", "counter", "Lines of output that were lost.", &untold);
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
        let help = "Frames discarded, some of which an ICMP error was sent about.";
        family("frames_discarded_total", "counter", help, &reasons);
        text
    }
}

/// How often each of a few names was meant.
fn by_name<T: Debug>(counts: impl Iterator<Item = (T, u64)>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (what, count) in counts {
        *sums.entry(snake_case(&format!("{what:?}"))).or_default() += count;
    }
    sums
}

/// `Arp(NotForUs)` as `arp_not_for_us`; what came on the wire, in braces, is no part of a name.
fn snake_case(debug: &str) -> String {
    let mut snake = String::new();
    let name = debug.split(" {").next().unwrap_or_default();
    for c in name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '(') {
        if c == '(' || (c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_')) {
            snake.push('_');
        }
        snake.extend(c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()));
    }
    snake
}

#[cfg(test)]
mod tests {
    use stack::{Discard, ipv4};

    use super::*;

    #[test]
    fn what_never_left_and_what_was_discarded_is_told_by_reason() {
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
        };
        let mut figures = Figures {
            hosts: 9,
            ours: 5,
            left_alone: 2,
            silent: 1,
            received: 7,
            dropped: 0,
            untold: 0,
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
        assert!(text.lines().any(|is| is == "sidestack_frames_dropped_total 0"), "{text}");
        figures.dropped = 3;
        let lines = figures.lines("v0");
        let told = "3 frames dropped by the kernel, which had no room";
        assert_eq!(lines.lines().nth(2), Some(told), "{lines}");
        let text = figures.prometheus();
        assert!(text.lines().any(|is| is == "sidestack_frames_dropped_total 3"), "{text}");
    }

    #[test]
    fn a_reason_has_one_name_whatever_came_on_the_wire() {
        let bad = |pointer| Discard::Ipv4(ipv4::Discard::BadOption { pointer });
        let counts = [(bad(21), 2), (Discard::EtherType, 1), (bad(22), 3)];
        let sums = [("ether_type".to_owned(), 1), ("ipv4_bad_option".to_owned(), 5)];
        assert_eq!(by_name(counts.into_iter()), BTreeMap::from(sums));
    }

    #[test]
    fn every_reason_has_a_name_of_letters_with_no_figure_in_it() {
        let layers = [
            ("Arp", include_str!("../../../arp/src/packet.rs"), 13),
            ("Ipv4", include_str!("../../../ipv4/src/discard.rs"), 22),
            ("Icmp", include_str!("../../../icmp/src/discard.rs"), 24),
        ];
        let mut all = vec!["Ipv4(BadOption { pointer: 21 })".to_owned()];
        for (layer, source, least) in layers {
            let variants = variants(source);
            assert!(variants.len() >= least, "{layer}: {variants:?}");
            all.extend(variants.iter().map(|variant| format!("{layer}({variant})")));
        }
        all.extend(variants(include_str!("../../../stack/src/counters.rs")));
        for debug in all {
            let name = snake_case(&debug);
            let rest = name.strip_prefix("ipv4").unwrap_or(&name);
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(!name.is_empty() && rest.chars().all(is_plain), "{debug}: {name}");
        }
    }

    /// The names of the variants of `enum Discard`, and that a field of theirs would be shown.
    fn variants(source: &str) -> Vec<String> {
        let (_, body) = source.split_once("pub enum Discard {").expect("it is there");
        let (body, _) = body.split_once("\n}").expect("it ends");
        let lines = body.lines().map(|line| line.strip_prefix("    ").unwrap_or_default());
        let variants = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
        variants
            .map(|line| match line.split_once([' ', '(', ',']) {
                Some((name, "{")) => format!("{name} {{ octet: 21 }}"),
                Some((name, _)) => name.to_owned(),
                None => line.to_owned(),
            })
            .collect()
    }

    #[test]
    fn reasons_are_named_as_prometheus_has_it() {
        assert_eq!(snake_case("Arp(NotForUs)"), "arp_not_for_us");
        assert_eq!(snake_case("EtherType"), "ether_type");
    }
}
