use std::time::Instant;

use stack::link::Source;

use super::view::View;
use crate::{
    failure::Failure,
    record::{Mac, Record, RoundTrips, Summary, source_name},
    report::Report,
    session::Session,
    statistics::Statistics,
    text::{Maybe, Ms, Percent},
    threshold::Missed,
    vendor::vendor,
};

/// How a run ended.
pub(super) struct Verdict {
    pub(super) interrupted: bool,
    pub(super) pass: bool,
    pub(super) missed: Vec<Missed>,
}

impl View<'_> {
    /// Running figures, on stderr.
    pub(super) fn figures(&self, statistics: &Statistics, report: &mut Report) {
        let Statistics { sent, received, .. } = *statistics;
        let loss = Percent(statistics.loss().unwrap_or_default());
        let times = statistics.round_trips().map(|RoundTrips { min, avg, max, .. }| {
            let [min, avg, max] = [min, avg, max].map(Ms::of_nanos);
            format!(", min/avg/max = {min}/{avg}/{max} ms")
        });
        report.aside(format_args!("{received}/{sent} packets, {loss}% loss{}", Maybe(times)));
    }

    pub(super) fn summary(
        &self,
        session: &Session,
        statistics: &Statistics,
        began: Instant,
        verdict: &Verdict,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let time = session.now().saturating_duration_since(began).as_millis();
        let counts = counts(statistics);
        report.line(format_args!("\n--- {} ping statistics ---", self.args.targets[0]))?;
        report.line(format_args!("{counts}, time {time}ms"))?;
        self.times(statistics, report)?;
        if let Some((mac, time, requests)) = self.resolved {
            let plural = if requests == 1 { "" } else { "s" };
            let also = self.conflict.map(|mac| format!(", CONFLICT: also {}", Mac(mac)));
            let time = Maybe(time.map(|time| format!(" in {} ms", Ms(time))));
            let maker = vendor(mac).filter(|_| self.verbose).map(|maker| format!(", {maker}"));
            let (mac, also, maker) = (Mac(mac), Maybe(also), Maybe(maker));
            report
                .line(format_args!("arp {mac}{time}, {requests} request{plural}{also}{maker}"))?;
        }
        for missed in &verdict.missed {
            report.line(missed)?;
        }
        report.record(&Record::Summary(Summary {
            sent: statistics.sent,
            received: statistics.received,
            dup: statistics.duplicates,
            late: statistics.late,
            corrupt: statistics.corrupt,
            foreign: statistics.foreign,
            errors: statistics.errors,
            unsent: statistics.unsent,
            reordered: statistics.reordered,
            loss_pct: statistics.loss(),
            rtt_ns: statistics.round_trips(),
            jitter_ns: statistics.jitter(),
            interrupted: verdict.interrupted,
            pass: verdict.pass,
            ..Summary::of_nothing(self.dst)
        }))
    }

    fn times(&self, statistics: &Statistics, report: &mut Report) -> Result<(), Failure> {
        let Some(times) = statistics.round_trips() else { return Ok(()) };
        let RoundTrips { min, avg, max, mdev, p50, p90, p99 } = times;
        let [min, avg, max, mdev, p50, p90, p99] =
            [min, avg, max, mdev, p50, p90, p99].map(Ms::of_nanos);
        let jitter = Ms::of_nanos(statistics.jitter().unwrap_or_default());
        let reordered = statistics.reordered;
        let [tx, rx] = [0, 1].map(|way| names(&self.stamped[way]));
        report.line(format_args!("rtt min/avg/max/mdev = {min}/{avg}/{max}/{mdev} ms"))?;
        report.line(format_args!(
            "rtt p50/p90/p99 = {p50}/{p90}/{p99} ms, jitter {jitter} ms, reordered {reordered}, \
             stamps tx={tx} rx={rx}"
        ))
    }
}

fn counts(statistics: &Statistics) -> String {
    let &Statistics { sent, received, duplicates, late, corrupt, foreign, errors, unsent, .. } =
        statistics;
    let mut counts = format!("{sent} packets transmitted, {received} received");
    let rare = [
        (duplicates, "duplicates"),
        (late, "late"),
        (corrupt, "corrupted"),
        (foreign, "foreign"),
        (errors, "errors"),
        (unsent, "not sent"),
    ];
    for (count, what) in rare.into_iter().filter(|(count, _)| *count > 0) {
        counts += &format!(", +{count} {what}");
    }
    if let Some(loss) = statistics.loss() {
        counts += &format!(", {}% packet loss", Percent(loss));
    }
    counts
}

/// All who stamped, in the order in which they first did.
fn names(sources: &[Source]) -> String {
    let names: Vec<&str> = sources.iter().copied().map(source_name).collect();
    names.join("+")
}
