mod many;
mod summary;
mod view;

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use stack::{
    Event, Pace, What, arp,
    icmp::{self, Echo, Outcome, Straying},
    ipv4::NextHop,
    link::FrameTx,
};

use crate::{
    args::{Global, MtuDiscovery, Ping},
    failure::Failure,
    open::Us,
    report::Report,
    session::Session,
    signals::Wish,
    statistics::Statistics,
    target, targets,
    threshold::Measured,
};
use summary::Verdict;
use view::View;

/// Asks one host for echoes, and tells what comes of each; or many, and tells who answers.
pub(crate) fn run(global: &Global, args: &Ping, report: &mut Report) -> Result<u8, Failure> {
    if args.many.is_wanted() || !targets::are_one(&args.targets) {
        return many::run(global, args, report);
    }
    let dst = target::resolve(&args.targets[0])?;
    let mut session = Session::open(global, Some(dst), Us::Host, arp::Config::default())?;
    let next_hop = next_hop(&session, dst)?;
    check_size(&mut session, dst, args.size)?;
    session.start(report, "ping", &[dst])?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    let view = View::new(args, global.verbose, dst, next_hop);
    let mut run = Run {
        data: data(args),
        pace: Pace::new(session.now(), args.interval.unwrap_or(INTERVAL)),
        began: session.now(),
        asked: 0,
        stopped: false,
        taken: false,
        full: false,
        statistics: Statistics::new(),
        last_end: None,
        session,
        args,
        dst,
        view,
    };
    run.view.header(&run.session, report)?;
    let ended = run.go(report);
    let statistics = &run.statistics;
    let (pass, missed) = args.thresholds.judge(&Measured {
        received: statistics.received,
        loss: statistics.loss(),
        round_trip: &|figure| statistics.round_trip(figure),
        owners: &run.view.owners,
    });
    let pass = pass && !run.taken;
    let verdict = Verdict { interrupted: run.stopped, pass, missed };
    run.view.summary(&run.session, &run.statistics, run.began, &verdict, report)?;
    let closed = run.session.close(report);
    ended.and(closed)?;
    let bounded = args.count.is_some() || args.deadline.is_some();
    Ok(if run.stopped && bounded { 130 } else { u8::from(!pass) })
}

struct Run<'a> {
    session: Session,
    args: &'a Ping,
    dst: Ipv4Addr,
    view: View<'a>,
    data: Vec<u8>,
    pace: Pace,
    began: Instant,
    /// Requests made so far, whether they left or not.
    asked: u64,
    stopped: bool,
    /// Our address has turned out to be somebody else's.
    taken: bool,
    /// The link had no room for the request that is due.
    full: bool,
    statistics: Statistics,
    /// When the last request ended.
    last_end: Option<Instant>,
}

impl Run<'_> {
    /// Asks until all have answered, or time is up; whatever comes of it, each request is counted.
    fn go(&mut self, report: &mut Report) -> Result<(), Failure> {
        let result = self.turns(report);
        let stack = &self.session.stack;
        let under_way = stack.under_way();
        self.statistics.sent += under_way as u64;
        let unresolved = (stack.in_flight() - under_way) as u64; // ARP still asks
        self.statistics.unsent += unresolved;
        self.statistics.unresolved += unresolved;
        self.statistics.foreign += self.session.foreign_errors();
        result
    }

    fn turns(&mut self, report: &mut Report) -> Result<(), Failure> {
        let deadline = self.args.deadline.map(|deadline| self.began + deadline);
        loop {
            let now = self.session.now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(());
            }
            self.full = false;
            if self.has_more() && self.pace.next() <= now {
                self.ask(now, report)?;
            }
            let polled = self.session.poll();
            while let Some(event) = self.session.stack.event() {
                self.tell(event, report)?;
            }
            let more = self.session.or_gone(polled, report)?;
            let over = !self.has_more() && self.session.stack.in_flight() == 0;
            let lingers = self.linger().filter(|end| over && *end > self.session.now());
            if self.stopped || self.taken || (over && lingers.is_none()) {
                return Ok(());
            }
            if !more {
                // A full link says when it has room again.
                let next = (self.has_more() && !self.full).then(|| self.pace.next());
                let until = next.into_iter().chain(deadline).chain(lingers).min();
                self.session.wait(until)?;
            }
            match self.session.wish() {
                Some(Wish::Stop) => self.stopped = true,
                Some(Wish::Figures) => self.view.figures(&self.statistics, report),
                None => {}
            }
        }
    }

    /// Until when the last answers may still be late or doubled, where others were.
    fn linger(&self) -> Option<Instant> {
        let Statistics { received, duplicates, late, timed_out, .. } = self.statistics;
        let for_late = (0 < late && late < timed_out).then_some(self.args.wait);
        let for_doubles = (0 < duplicates && duplicates < received).then_some(DOUBLES);
        Some(self.last_end? + for_late.max(for_doubles)?)
    }

    fn has_more(&self) -> bool {
        !self.stopped && self.args.count.is_none_or(|count| self.asked < count)
    }

    fn ask(&mut self, now: Instant, report: &mut Report) -> Result<(), Failure> {
        let sequence = (self.asked + 1) as u16; // it wraps, as the field does
        let echo = Echo {
            ttl: self.args.ttl,
            tos: self.args.tos,
            dont_fragment: self.args.mtu_discovery != MtuDiscovery::Dont,
            timeout: self.args.wait,
            ..Echo::new(self.dst, sequence, &self.data)
        };
        match self.session.stack.echo(now, &echo) {
            Ok(()) => {}
            Err(error) if error.is_full() => {
                self.full = true;
                return Ok(());
            }
            Err(error) => {
                self.statistics.unsent += 1;
                self.view.refused(&self.session, now, sequence, &error, report)?;
            }
        }
        self.asked += 1;
        self.pace.done(now);
        Ok(())
    }

    fn tell(&mut self, event: Event, report: &mut Report) -> Result<(), Failure> {
        let Event { at, from_mac, what } = event;
        match what {
            What::Link(event) => self.session.link_changed(report, at, event),
            What::Arp(event) => {
                if let arp::Event::Taken { addr, .. } | arp::Event::Lost { addr, .. } = event {
                    self.taken |= addr == self.session.identity.network.ip();
                }
                self.view.arp(&self.session, at, &event, report)
            }
            What::Icmp(icmp::Event::Ended(ended)) => {
                self.last_end = Some(at);
                match ended.outcome {
                    Outcome::Reply { round_trip, reordered, .. } => {
                        self.statistics.reordered += u64::from(reordered);
                        self.statistics.reply(round_trip);
                    }
                    Outcome::Error(_) => {
                        self.statistics.sent += 1;
                        self.statistics.errors += 1;
                    }
                    Outcome::TimedOut { .. } => {
                        self.statistics.sent += 1;
                        self.statistics.timed_out += 1;
                    }
                    Outcome::Unresolved { .. } | Outcome::Replaced => {
                        self.statistics.unsent += 1;
                        self.statistics.unresolved += 1;
                    }
                    _ => self.statistics.unsent += 1,
                }
                self.view.ended(&self.session, (at, from_mac), &ended, report)
            }
            What::Icmp(icmp::Event::Stray(stray)) => {
                let statistics = &mut self.statistics;
                match stray.straying {
                    Straying::Duplicate { .. } => statistics.duplicates += 1,
                    Straying::Late { .. } => statistics.late += 1,
                    Straying::Corrupt(_) => statistics.corrupt += 1,
                    _ => statistics.foreign += 1,
                }
                self.view.stray(&self.session, (at, from_mac), &stray, report)
            }
            What::Icmp(_) => Ok(()),
        }
    }
}

/// Whom frames for `dst` go to; refuses what cannot be asked at all.
fn next_hop(session: &Session, dst: Ipv4Addr) -> Result<Ipv4Addr, Failure> {
    let network = session.identity.network;
    if dst == network.ip() {
        return Err(Failure::usage(format!("{dst} is our own address on {}", session.name)));
    }
    match session.stack.route(dst).map(|route| route.next_hop) {
        Some(NextHop::Unicast(next_hop)) => Ok(next_hop),
        Some(_) => Err(Failure::usage(format!("{dst} is not one host's address"))),
        None => {
            let (ip, len) = (network.network(), network.prefix());
            Err(Failure::usage(format!("no route to {dst}: it is not in our network, {ip}/{len}"))
                .hint("name a router of that network by --gateway"))
        }
    }
}

fn check_size(session: &mut Session, dst: Ipv4Addr, size: usize) -> Result<(), Failure> {
    let (now, mtu) = (session.now(), session.stack.link().mtu());
    let most = session.stack.max_data(now, dst);
    if size <= most {
        return Ok(());
    }
    let (total, name) = (size.saturating_add(HEADERS), &session.name);
    Err(Failure::usage(format!(
        "-s {size}: with headers {total} octets, beyond the MTU of {mtu} on {name}; \
         fragments are not sent yet, so at most -s {most}"
    )))
}

/// What is to be echoed: the pattern again and again, or octets that count up.
fn data(args: &Ping) -> Vec<u8> {
    let counting = (0..args.size).map(|n| n as u8);
    match &args.pattern {
        Some(pattern) => pattern.0.iter().copied().cycle().take(args.size).collect(),
        None => counting.collect(),
    }
}

/// Between two requests to one host.
const INTERVAL: Duration = Duration::from_secs(1);

/// How far behind its first a second answer may come.
const DOUBLES: Duration = Duration::from_millis(200);

/// Octets of the IPv4 and ICMP headers.
const HEADERS: usize = 20 + 8;
