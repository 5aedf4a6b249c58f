use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Display, Write},
    net::Ipv4Addr,
};

use stack::{
    Targets,
    icmp::{self, Stray, Straying},
    sweep::{Ended, Outcome},
};

use super::tally::Tally;
use crate::{
    args::Ping,
    failure::Failure,
    record::{RoundTrips, Time, unsent},
    report::Report,
    text::{Maybe, Ms},
    threshold::Missed,
};

/// What people see: fping(8)'s lines, with what is new at their end.
pub(super) struct View<'a> {
    args: &'a Ping,
    /// Characters of the longest address, in a series.
    width: usize,
    /// What the targets came to, in their order, where they are few enough to wait for the end.
    held: Option<BTreeMap<Ipv4Addr, String>>,
    /// Lines of a series stand above.
    spoke: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(args: &'a Ping, targets: &Targets) -> Self {
        let (is_series, are_few) = (args.rounds().is_some(), targets.len() <= HELD);
        let length = |addr: Ipv4Addr| addr.to_string().len();
        let width = match (is_series, are_few) {
            (true, true) => targets.iter().map(length).max().unwrap_or_default(),
            (true, false) => WIDEST,
            (false, _) => 0,
        };
        Self { args, width, held: (is_series && are_few).then(BTreeMap::new), spoke: false }
    }

    /// How a probe ended; `tally` knows already.
    pub(super) fn ended(
        &mut self,
        ended: &Ended,
        tally: &Tally,
        time: impl Fn() -> Time,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &Ended { addr, round, outcome, .. } = ended;
        if !self.args.shows_each() {
            self.aside(addr, &outcome, report);
            return Ok(());
        }
        let so_far = SoFar(tally);
        let came = match outcome {
            Outcome::Echo(icmp::Outcome::Reply { len, round_trip, .. }) => {
                format!("{len} bytes, {} ms {so_far}", Ms(round_trip))
            }
            Outcome::Echo(icmp::Outcome::TimedOut { .. }) => format!("timed out {so_far}"),
            Outcome::Echo(icmp::Outcome::Unresolved { .. }) => {
                format!("timed out {so_far}, no ARP reply")
            }
            Outcome::Echo(icmp::Outcome::Replaced) => {
                format!("timed out {so_far}, no ARP reply yet")
            }
            Outcome::Echo(icmp::Outcome::Error(error)) => {
                format!("{error} from {} {so_far}", error.from)
            }
            _ => format!("not sent {so_far}, {}", Maybe(why(&outcome))),
        };
        let stamp = Maybe(self.args.timestamps.then(|| stamp(time())));
        let width = self.width;
        self.spoke = true;
        report.line(format_args!("{stamp}{addr:width$} : [{round}], {came}"))
    }

    /// What has no line of its own, unless nobody wants to know.
    fn aside(&self, addr: Ipv4Addr, outcome: &Outcome, report: &mut Report) {
        if self.args.is_quiet() {
            return;
        }
        if let Outcome::Echo(icmp::Outcome::Error(error)) = outcome {
            let from = error.from;
            report.note(format_args!("ICMP {error} from {from} for ICMP Echo sent to {addr}"));
        } else if let Some(why) = why(outcome) {
            report.note(format_args!("{addr}: {why}"));
        }
    }

    /// An answer that ended no probe.
    pub(super) fn stray(&self, stray: &Stray, round: u64, report: &mut Report) {
        let &Stray { from, len, straying, .. } = stray;
        let (what, round_trip) = match straying {
            Straying::Duplicate { round_trip } => ("duplicate", round_trip),
            Straying::Late { round_trip } => ("late answer", round_trip),
            _ => return,
        };
        if self.args.rounds().is_some() && !self.args.is_quiet() {
            let (width, ms) = (self.width, Ms(round_trip));
            report.note(format_args!("{from:width$} : {what} for [{round}], {len} bytes, {ms} ms"));
        }
    }

    /// Whether what the targets came to is told when all is over.
    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// All rounds of a target are over, or there are no more of them.
    pub(super) fn over(
        &self,
        addr: Ipv4Addr,
        tally: &Tally,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (many, is_alive) = (&self.args.many, tally.received > 0);
        let is_series = self.args.rounds().is_some();
        let time = tally.times.last().filter(|_| many.elapsed);
        let time = Maybe(time.map(|nanos| format!(" ({} ms)", Ms::of_nanos(nanos))));
        match (many.alive, many.unreachable) {
            (false, false) if is_series || self.args.is_quiet() => Ok(()),
            (false, false) if is_alive => report.line(format_args!("{addr} is alive{time}")),
            (false, false) => report.line(format_args!("{addr} is unreachable")),
            (alive, _) if alive == is_alive => report.line(format_args!("{addr}{time}")),
            _ => Ok(()),
        }
    }

    /// What a target came to.
    pub(super) fn concluded(
        &mut self,
        addr: Ipv4Addr,
        tally: &Tally,
        missed: &[Missed],
        report: &mut Report,
    ) {
        let mut lines = String::new();
        if self.args.rounds().is_some() {
            let _ = writeln!(lines, "{}", self.sum(addr, tally)); // into memory
        }
        for missed in missed {
            let _ = writeln!(lines, "{addr} : {missed}"); // so is this
        }
        match &mut self.held {
            Some(held) => drop(held.insert(addr, lines)),
            None if lines.is_empty() => {}
            None => report.note(lines.trim_end()),
        }
    }

    /// What is to be said when all is over: `passed` of the targets that `wanted` have to.
    pub(super) fn end(
        &mut self,
        passed: u64,
        wanted: u64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let held = self.held.take().unwrap_or_default();
        if self.spoke && !held.is_empty() {
            report.note("");
        }
        for lines in held.values() {
            report.note(lines.trim_end());
        }
        if !self.args.many.is_by_count() {
            return Ok(());
        }
        let enough = if passed >= wanted { "Enough" } else { "Not enough" };
        let what = if self.args.thresholds.are_given() { "passed" } else { "reachable" };
        report.line(format_args!("{enough} hosts {what} (required: {wanted}, {what}: {passed})"))
    }

    /// Running figures, on stderr.
    pub(super) fn figures(
        &self,
        tallies: &HashMap<Ipv4Addr, Tally>,
        (alive, passed, under_way): (u64, u64, usize),
        report: &mut Report,
    ) {
        if self.args.rounds().is_some() {
            let mut shown: Vec<_> = tallies.iter().collect();
            shown.sort_unstable_by_key(|(addr, _)| **addr);
            for (addr, tally) in shown.into_iter().take(SHOWN) {
                report.aside(self.sum(*addr, tally));
            }
        }
        let passed = self.args.thresholds.are_given().then(|| format!(", {passed} passed"));
        report.aside(format_args!("{alive} alive{}, {under_way} asked", Maybe(passed)));
    }

    /// As fping(8) sums up a target.
    fn sum(&self, addr: Ipv4Addr, tally: &Tally) -> String {
        let width = self.width;
        if self.args.many.vcount.is_some() {
            let listed = tally.list.iter().map(|nanos| match nanos {
                Some(nanos) => format!(" {}", Ms::of_nanos(*nanos)),
                None => " -".to_owned(),
            });
            return format!("{addr:width$} :{}", listed.collect::<String>());
        }
        let (&Tally { ended, received, .. }, loss) = (tally, loss(tally));
        let outage = self.args.many.outage.then(|| tally.outage(self.args.many.period()));
        let outage = Maybe(outage.map(|time| format!(", outage(ms) = {}", time.as_millis())));
        let times = tally.times.round_trips().map(|times| {
            let RoundTrips { min, avg, max, p50, p90, p99, .. } = times;
            let [min, avg, max, p50, p90, p99] = [min, avg, max, p50, p90, p99].map(Ms::of_nanos);
            format!(", min/avg/max = {min}/{avg}/{max}, p50/p90/p99 = {p50}/{p90}/{p99}")
        });
        let times = Maybe(times);
        let unsent = Some(tally.held_back()).filter(|unsent| *unsent > 0);
        let unsent = Maybe(unsent.map(|unsent| format!(", {unsent} not sent")));
        format!("{addr:width$} : xmt/rcv/%loss = {ended}/{received}/{loss}%{outage}{times}{unsent}")
    }
}

/// What a series came to until now.
struct SoFar<'a>(&'a Tally);

impl Display for SoFar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loss = loss(self.0);
        match self.0.times.mean() {
            Some(mean) => write!(f, "({} avg, {loss}% loss)", Ms::of_nanos(mean)),
            None => write!(f, "(NaN avg, {loss}% loss)"),
        }
    }
}

/// In whole percent, as fping(8) has it.
fn loss(tally: &Tally) -> u64 {
    let &Tally { ended, received, .. } = tally;
    ((ended - received) * 100).checked_div(ended).unwrap_or_default()
}

/// Why a request never left, if it did not, and where nothing else tells it.
fn why(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Refused(error) => Some(error.to_string()),
        Outcome::Echo(icmp::Outcome::Unsent(why)) => Some(unsent::link_words(*why).to_owned()),
        _ => None,
    }
}

fn stamp(time: Time) -> String {
    let time = time.since_epoch();
    format!("[{}.{:06}] ", time.as_secs(), time.subsec_micros())
}

/// Targets whose ends wait for the last of them, to be told in their order.
const HELD: u64 = 1 << 16;

/// Characters of the longest address there is.
const WIDEST: usize = "255.255.255.255".len();

/// Targets that running figures tell of one by one.
const SHOWN: usize = 256;
