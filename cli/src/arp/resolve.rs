use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use stack::{Event, Pace, What, arp};

use super::{line, record};
use crate::{
    args::{Arp, Global},
    failure::Failure,
    open::Us,
    record::{Mac, Record, RoundTrips, Summary, nanoseconds},
    report::Report,
    session::Session,
    signals::Wish,
    statistics::percentile,
    target,
    text::{Maybe, Ms},
    threshold::{Measured, Owners},
    value::Figure,
};

/// Asks for each of `targets`, and tells where it is.
pub(super) fn resolve(
    global: &Global,
    args: &Arp,
    targets: &[Ipv4Addr],
    report: &mut Report,
) -> Result<u8, Failure> {
    let requests = if args.count.is_some() { 1 } else { arp::Config::default().requests };
    let config = arp::Config { requests, ..arp::Config::default() };
    let mut session = Session::open(global, targets.first().copied(), Us::Host, config)?;
    if let Some(target) = targets.iter().find(|target| **target == session.identity.network.ip()) {
        return Err(Failure::usage(format!("{target} is our own address on {}", session.name)));
    }
    for target in targets {
        target::check_host(*target, session.identity.network)?;
    }
    session.start(report, "arp", targets)?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    let (src, name) = (session.identity.network.ip(), session.name.clone());
    for target in targets {
        report.line(format_args!("ARPING {target} from {src} {name}"))?;
    }
    let mut round = Round {
        rounds: args.count.unwrap_or(1),
        pace: Pace::new(session.now(), args.interval.unwrap_or(arp::REQUEST_INTERVAL)),
        unasked: VecDeque::new(),
        waiting: BTreeSet::new(),
        linger: session.now(),
        deadline: args.deadline.map(|deadline| session.now() + deadline),
        asked: 0,
        answered: 0,
        tallies: targets.iter().map(|target| (*target, Tally::default())).collect(),
        stopped: false,
        session,
        args,
        targets: targets.to_vec(),
    };
    let ended = round.go(report);
    let passed = round.summary(report)?;
    let Round { asked, answered, stopped, session, .. } = round;
    report.line(format_args!("Sent {asked} probes ({asked} broadcast(s))"))?;
    report.line(format_args!("Received {answered} response(s)"))?;
    let closed = session.close(report);
    ended.and(closed)?;
    let wanted = if args.thresholds.are_given() { targets.len() } else { 1 };
    Ok(if stopped { 130 } else { u8::from(passed < wanted) })
}

struct Round<'a> {
    session: Session,
    args: &'a Arp,
    /// Who is still to be asked in the next round.
    targets: Vec<Ipv4Addr>,
    /// Who is still to be asked in this round.
    unasked: VecDeque<Ipv4Addr>,
    /// Rounds still to be begun.
    rounds: u32,
    pace: Pace,
    /// Who has not answered in this round.
    waiting: BTreeSet<Ipv4Addr>,
    /// Until when a second owner may still speak up.
    linger: Instant,
    deadline: Option<Instant>,
    asked: u32,
    answered: u32,
    tallies: BTreeMap<Ipv4Addr, Tally>,
    stopped: bool,
}

impl Round<'_> {
    fn go(&mut self, report: &mut Report) -> Result<(), Failure> {
        loop {
            let now = self.session.now();
            let over = self.waiting.is_empty() && self.unasked.is_empty();
            if self.rounds > 0 && over && self.pace.next() <= now {
                self.unasked.extend(&self.targets);
                self.rounds -= 1;
                self.pace.done(now);
            }
            let asked = self.session.ask(&mut self.unasked)?;
            for target in asked {
                self.note_requests(target, 1);
                self.waiting.insert(target);
            }
            let polled = self.session.poll();
            while let Some(Event { at, what, .. }) = self.session.stack.event() {
                match what {
                    What::Arp(event) => self.tell(at, &event, report)?,
                    What::Link(event) => self.session.link_changed(report, at, event)?,
                    What::Icmp(_) => {}
                }
            }
            let more = self.session.or_gone(polled, report)?;
            let now = self.session.now();
            let asking = self.rounds > 0 && !self.targets.is_empty();
            let idle = !asking && self.waiting.is_empty() && self.unasked.is_empty();
            if self.stopped
                || (idle && self.linger <= now)
                || self.deadline.is_some_and(|deadline| deadline <= now)
            {
                return Ok(());
            }
            if !more {
                let next = match (idle, self.waiting.is_empty()) {
                    (true, _) => Some(self.linger),
                    (false, true) => Some(self.pace.next()),
                    (false, false) => None,
                };
                let until = next.into_iter().chain(self.deadline).min();
                self.session.wait_for_room(&self.unasked, until)?;
            }
            self.stopped = self.session.wish() == Some(Wish::Stop);
        }
    }

    fn note_requests(&mut self, target: Ipv4Addr, requests: u32) {
        self.asked += requests;
        if let Some(tally) = self.tallies.get_mut(&target) {
            tally.requests += u64::from(requests);
        }
    }

    /// What it came to; returns how many targets passed.
    fn summary(&self, report: &mut Report) -> Result<usize, Failure> {
        let mut passed = 0;
        for (&dst, tally) in &self.tallies {
            let (pass, missed) = self.args.thresholds.judge(&Measured {
                received: tally.answers,
                loss: tally.loss(),
                round_trip: &|figure| tally.figure(figure),
                owners: &tally.owners,
            });
            passed += usize::from(pass);
            for missed in missed {
                report.line(format_args!("{dst}: {missed}"))?;
            }
            report.record(&Record::Summary(Summary {
                dst,
                sent: tally.requests,
                received: tally.answers,
                loss_pct: tally.loss(),
                rtt_ns: RoundTrips::of(tally.times.clone()),
                interrupted: self.stopped,
                pass,
                ..Summary::of_nothing(dst)
            }))?;
        }
        Ok(passed)
    }

    fn tell(
        &mut self,
        at: Instant,
        event: &arp::Event,
        report: &mut Report,
    ) -> Result<(), Failure> {
        match *event {
            arp::Event::Resolved { addr, mac, round_trip, requests } => {
                if !self.waiting.remove(&addr) {
                    return Ok(()); // somebody whom we only answered
                }
                self.note_requests(addr, requests.saturating_sub(1)); // one is counted already
                self.answered += 1;
                if let Some(tally) = self.tallies.get_mut(&addr) {
                    tally.answers += 1;
                    tally.times.extend(round_trip.map(nanoseconds));
                    tally.owners.add(mac);
                }
                self.linger = self.session.now() + LINGER;
                if self.args.first {
                    self.targets.retain(|target| *target != addr);
                }
                if !self.args.quiet {
                    let time = round_trip.map(|time| format!("  {}ms", Ms(time)));
                    let (mac, time) = (Mac(mac), Maybe(time));
                    report.line(format_args!("Unicast reply from {addr} [{mac}]{time}"))?;
                }
            }
            arp::Event::Unresolved { addr, requests, .. } => {
                self.waiting.remove(&addr);
                self.note_requests(addr, requests.saturating_sub(1)); // one is counted already
            }
            arp::Event::Conflict { addr, other: mac, .. }
            | arp::Event::Moved { addr, new: mac, .. } => {
                self.tallies.entry(addr).and_modify(|tally| tally.owners.add(mac));
            }
            arp::Event::Unsent { addr, .. } => drop(self.waiting.remove(&addr)),
            _ => {}
        }
        if let Some(text) = line(&self.session.name, event, None)
            && !self.args.quiet
        {
            report.line(text)?;
        }
        record(&self.session, at, event, report)
    }
}

/// What came of asking for one target.
#[derive(Default)]
struct Tally {
    requests: u64,
    answers: u64,
    /// In nanoseconds.
    times: Vec<u64>,
    owners: Owners,
}

impl Tally {
    /// Percent of the requests that nobody answered.
    fn loss(&self) -> Option<f64> {
        let lost = self.requests.saturating_sub(self.answers) as f64;
        (self.requests > 0).then(|| lost * 100.0 / self.requests as f64)
    }

    fn figure(&self, figure: Figure) -> Option<u64> {
        match figure {
            Figure::Mean => RoundTrips::of(self.times.clone()).map(|times| times.avg),
            Figure::Percentile(percent) => percentile(self.times.clone(), percent),
        }
    }
}

/// How long after an answer another owner of the same address may still speak up.
const LINGER: Duration = Duration::from_millis(200);
