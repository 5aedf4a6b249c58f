mod gather;
mod tally;
mod told;

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use stack::{
    Shard, Sweep, Targets, What, arp, icmp,
    sweep::{Config, Ended, Event, Outcome, Rate},
};

use super::size;
use crate::{
    args::{Global, Ping},
    failure::Failure,
    html::Draft,
    open::Us,
    record::Record,
    report::Report,
    session::Session,
    signals::Wish,
    targets,
    text::{Maybe, Ms},
};
use gather::Gather;
use tally::Tally;

/// Asks many hosts for echoes, and tells who answers, as fping(8) does.
pub(super) fn run(global: &Global, args: &Ping, report: &mut Report) -> Result<u8, Failure> {
    refuse(global, args)?;
    let named = targets::parse(&args.targets)?;
    let capacity = named.len().clamp(4096, MOST_NEIGHBOURS) as usize;
    let arp = arp::Config { capacity, ..arp::Config::default() };
    let mut session = Session::open(global, named.nth(0), us(args), arp)?;
    let network = session.identity.network;
    let everybodys = (network.prefix() < 31).then(|| [network.network(), network.broadcast()]);
    let apart = everybodys.into_iter().flatten().chain([network.ip()]);
    let apart: Targets = apart.map(|addr| addr..=addr).collect();
    let others = named.without(&apart);
    if others.is_empty() {
        let (name, addr) = (&session.name, network.ip());
        return Err(Failure::usage(format!("no targets: {addr} is our own address on {name}")));
    }
    let dont_fragment = match others.nth(0) {
        Some(first) => {
            size::check(&mut session, first, args)?;
            size::dont_fragment(&mut session, first, args)
        }
        None => false,
    };
    // Machines that share them must all number them alike, whoever they are.
    let targets = if args.many.shard.is_some() { named } else { others };
    let config = Config { dont_fragment, ..config(global, args, &targets) };
    let ours = config.shard.len(targets.len());
    let draft = args.many.html.as_deref().map(|path| Draft::begin("Ping", path, ours, &session));
    let gather = draft.transpose()?.map(Gather);
    session.start(report, "ping", &args.targets)?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    let sweep = Sweep::new(session.now(), targets, config, &mut session.stack);
    let rounds = args.count.unwrap_or(1);
    let everybody = sweep.len();
    let (tallies, passed) = (HashMap::new(), 0);
    let stopped = false;
    let mut many = Many { session, args, sweep, apart, rounds, tallies, passed, gather, stopped };
    report.gather();
    let ended = many.go(report);
    many.rest(report)?;
    report.flush()?;
    let Many { mut session, passed, gather, stopped, .. } = many;
    let written = gather.map_or(Ok(()), |gather| gather.0.finish(stopped, &mut session));
    let closed = session.close(report);
    ended.and(written).and(closed)?;
    let unless_said = if args.thresholds.are_given() { everybody } else { 1 };
    let wanted = args.many.reachable.or(args.many.fast_reachable).unwrap_or(unless_said);
    Ok(if stopped { 130 } else { u8::from(passed < wanted) })
}

fn refuse(global: &Global, args: &Ping) -> Result<(), Failure> {
    let none = |flag: &str, hint: &str| {
        Err(Failure::usage(format!("{flag} means nothing to many targets")).hint(hint))
    };
    if let Some(letter) = args.letters.given() {
        return none(letter, "give one target");
    }
    match (args.timestamps, global.via) {
        (true, _) => none("-D", "each line of -j has its time"),
        (_, Some(_)) => none("--via", "name a router by --gateway, or a neighbour as IP@MAC"),
        _ => Ok(()),
    }
}

/// Whether each request's own stamp is worth its time.
fn us(args: &Ping) -> Us {
    let slow = match args.many.rate {
        Some(rate) => (1..=STAMPED).contains(&rate),
        None => args.interval.is_none_or(|interval| interval * STAMPED >= Duration::from_secs(1)),
    };
    if slow { Us::Host } else { Us::Sweeper }
}

fn config(global: &Global, args: &Ping, targets: &Targets) -> Config {
    let many = &args.many;
    let interval = args.interval.unwrap_or(INTERVAL);
    let retries = if args.count.is_some() { 0 } else { RETRIES };
    let shuffled = many.shard.is_some() || global.seed.is_some() || targets.len() > LISTED;
    Config {
        rounds: Some(args.count.unwrap_or(1)),
        period: many.period,
        rate: many.rate.map_or_else(|| Rate::every(interval), Rate::per_second),
        window: many.window as usize,
        retries: many.retries.unwrap_or(retries),
        timeout: args.wait,
        backoff: many.backoff,
        seed: shuffled.then(|| global.seed.unwrap_or_default()),
        shard: many.shard.unwrap_or(Shard::WHOLE),
        ttl: args.ttl,
        tos: args.tos,
        data: super::data(args),
        ..Config::default()
    }
}

struct Many<'a> {
    session: Session,
    args: &'a Ping,
    sweep: Sweep,
    /// Whom nobody asks: ourselves, and everybody at once.
    apart: Targets,
    rounds: u64,
    /// Of those whose rounds have begun and not all ended.
    tallies: HashMap<Ipv4Addr, Tally>,
    /// How many of those whose rounds have ended have passed: by answering, or by the thresholds.
    passed: u64,
    gather: Option<Gather>,
    stopped: bool,
}

impl Many<'_> {
    fn go(&mut self, report: &mut Report) -> Result<(), Failure> {
        let deadline = self.args.deadline.map(|deadline| self.session.now() + deadline);
        loop {
            let now = self.session.now();
            let polled = self.sweep.poll(now, &mut self.session.stack);
            let polled = polled.map_err(|error| Failure::gone(&self.session.name, &error));
            while let Some(event) = self.sweep.event() {
                match event {
                    Event::Ended(ended) => self.ended(&ended, report)?,
                    Event::Other(event) => self.other(event, report)?,
                }
            }
            let more = self.session.or_gone(polled, report)?;
            let enough = self.args.many.fast_reachable.is_some_and(|most| most <= self.passed);
            let late = deadline.is_some_and(|deadline| deadline <= now);
            if self.stopped || enough || late || self.sweep.is_over() {
                return Ok(());
            }
            if !more {
                report.flush()?;
                let next = self.sweep.deadline(&self.session.stack);
                self.session.wait(next.into_iter().chain(deadline).min())?;
            }
            match self.session.wish() {
                Some(Wish::Stop) => self.stopped = true,
                Some(Wish::Figures) => {
                    let (passed, under_way) = (self.passed, self.sweep.under_way());
                    let what = if self.args.thresholds.are_given() { "passed" } else { "alive" };
                    report.aside(format_args!("{passed} {what}, {under_way} asked"));
                }
                None => {}
            }
        }
    }

    fn ended(&mut self, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
        if self.apart.contains(ended.addr) {
            return Ok(());
        }
        if report.is_for_programs() {
            self.record(ended, report)?;
        }
        if let Some(gather) = &mut self.gather {
            gather.ended(ended);
        }
        let &Ended { addr, round, outcome, from_mac, .. } = ended;
        let rounds = self.rounds;
        let tally = self.tallies.entry(addr).or_default();
        tally.count(&outcome);
        from_mac.into_iter().for_each(|mac| tally.owners.add(mac));
        let over = tally.ended == rounds;
        let many = &self.args.many;
        let each = rounds > 1 && !(self.args.quiet || many.alive || many.unreachable);
        match outcome {
            Outcome::Echo(icmp::Outcome::Reply { len, round_trip, .. }) if each => {
                let time = Ms(round_trip);
                report.line(format_args!("{addr} : [{round}], {len} bytes, {time} ms"))?;
            }
            Outcome::Echo(icmp::Outcome::Error(error)) => {
                report.note(format_args!("ICMP {error} from {} for {addr}", error.from));
            }
            Outcome::Refused(error) => report.note(format_args!("{addr}: {error}")),
            _ if each => report.line(format_args!("{addr} : [{round}], no answer"))?,
            _ => {}
        }
        if over && let Some(tally) = self.tallies.remove(&addr) {
            self.conclude(addr, &tally, false, report)?;
        }
        Ok(())
    }

    /// What became of a target, for people.
    fn verdict(&self, addr: Ipv4Addr, tally: &Tally, report: &mut Report) -> Result<(), Failure> {
        let (many, is_alive) = (&self.args.many, tally.received > 0);
        let time = tally.last.filter(|_| many.elapsed);
        let time = Maybe(time.map(|time| format!(" ({} ms)", Ms(time))));
        match (many.alive, many.unreachable) {
            (false, false) if self.rounds > 1 => report.note(format_args!("{addr} : {tally}")),
            (false, false) if self.args.quiet => {}
            (false, false) if is_alive => report.line(format_args!("{addr} is alive{time}"))?,
            (false, false) => report.line(format_args!("{addr} is unreachable"))?,
            (alive, _) if alive == is_alive => report.line(format_args!("{addr}{time}"))?,
            _ => {}
        }
        Ok(())
    }

    /// What a target came to.
    fn conclude(
        &mut self,
        addr: Ipv4Addr,
        tally: &Tally,
        interrupted: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        self.verdict(addr, tally, report)?;
        let (pass, missed) = tally.judge(&self.args.thresholds);
        self.passed += u64::from(pass);
        for missed in missed {
            report.note(format_args!("{addr} : {missed}"));
        }
        if report.is_for_programs() {
            report.record(&Record::Summary(tally.summary(addr, interrupted, pass)))?;
        }
        Ok(())
    }

    /// Those who were still being asked when it was over.
    fn rest(&mut self, report: &mut Report) -> Result<(), Failure> {
        for (addr, tally) in std::mem::take(&mut self.tallies) {
            self.conclude(addr, &tally, self.stopped, report)?;
        }
        Ok(())
    }

    fn other(&mut self, event: stack::Event, report: &mut Report) -> Result<(), Failure> {
        let stack::Event { at, from_mac, what } = event;
        match what {
            What::Link(event) => self.session.link_changed(report, at, event),
            What::Arp(event) => {
                if let Some(gather) = &mut self.gather {
                    gather.arp(&event, |addr| self.sweep.targets().contains(addr));
                }
                if let arp::Event::Conflict { .. }
                | arp::Event::Moved { .. }
                | arp::Event::Taken { .. }
                | arp::Event::Lost { .. } = event
                    && let Some(text) = crate::arp::line(&self.session.name, &event, None)
                {
                    report.note(text);
                }
                if let arp::Event::Conflict { addr, other: mac, .. }
                | arp::Event::Moved { addr, new: mac, .. } = event
                    && let Some(tally) = self.tallies.get_mut(&addr)
                {
                    tally.owners.add(mac);
                }
                crate::arp::record(&self.session, at, &event, report)
            }
            What::Icmp(icmp::Event::Stray(stray)) => self.stray(at, from_mac, &stray, report),
            What::Icmp(_) => Ok(()),
        }
    }
}

/// Between two requests, whoever they are for.
const INTERVAL: Duration = Duration::from_millis(10);

/// How often silence is answered by another request, unless there is a count.
const RETRIES: u8 = 3;

/// So many targets are asked in their order, unless a seed is given; more are not, so that no
/// network of theirs has to take it all at once.
const LISTED: u64 = 256;

/// Requests a second whose leaving the kernel is asked to stamp.
const STAMPED: u32 = 1000;

/// Neighbours that are remembered at most: a /16 of them.
const MOST_NEIGHBOURS: u64 = 1 << 16;
