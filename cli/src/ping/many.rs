mod gather;
mod refuse;
mod rest;
mod tally;
mod times;
mod told;
mod view;

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use stack::{
    Shard, Sweep, Targets, What, arp, icmp,
    sweep::{Config, Ended, Event, Outcome, Rate},
};

use super::{linger::Linger, size};
use crate::{
    args::{Global, Ping},
    failure::Failure,
    html::Draft,
    open::Us,
    record::{Record, Summary},
    report::Report,
    session::Session,
    signals::Wish,
    targets::{self, LISTED, MANY, MOST_NEIGHBOURS, STAMPED},
    threshold::Owners,
};
use gather::Gather;
use refuse::{check_list, refuse};
use tally::Tally;
use view::View;

/// Asks many hosts for echoes, and tells who answers, as fping(8) does.
pub(super) fn run(global: &Global, args: &Ping, report: &mut Report) -> Result<u8, Failure> {
    refuse(global, args)?;
    let generated = args.many.generate.then(|| targets::generate(&args.targets)).transpose()?;
    let texts = generated.as_ref().unwrap_or(&args.targets);
    let named = targets::parse(texts)?;
    let capacity = named.len().clamp(4096, MOST_NEIGHBOURS) as usize;
    let arp = arp::Config { capacity, ..arp::Config::default() };
    let mut session = Session::open(global, named.nth(0), us(args, named.len()), arp)?;
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
    check_list(args, ours)?;
    let draft = args.many.html.as_deref().map(|path| Draft::begin("Ping", path, ours, &session));
    let gather = draft.transpose()?.map(Gather);
    session.start(report, "ping", texts)?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    let view = View::new(args, &targets);
    let sweep = Sweep::new(session.now(), targets, config, &mut session.stack);
    let rounds = args.rounds().unwrap_or(1);
    let everybody = sweep.len();
    let (tallies, contested) = (HashMap::new(), HashMap::new());
    let (passed, stopped, taken) = (0, false, false);
    let mut many = Many {
        session,
        args,
        view,
        sweep,
        apart,
        rounds,
        tallies,
        contested,
        passed,
        alive: 0,
        gather,
        stopped,
        taken,
        linger: Linger::default(),
        last_end: None,
    };
    report.gather();
    let ended = many.go(report);
    many.rest(report)?;
    let unless_said = if args.thresholds.are_given() { everybody } else { 1 };
    let wanted = args.many.reachable.or(args.many.fast_reachable).unwrap_or(unless_said);
    many.view.end(many.passed, wanted, report)?;
    report.flush()?;
    let Many { mut session, passed, gather, stopped, taken, .. } = many;
    let written = gather.map_or(Ok(()), |gather| gather.0.finish(stopped, &mut session));
    let closed = session.close(report);
    ended.and(written).and(closed)?;
    Ok(if stopped { 130 } else { u8::from(taken || passed < wanted) })
}

/// Whether each request's own stamp is worth its time, so many being asked.
fn us(args: &Ping, targets: u64) -> Us {
    let slow = match args.many.rate {
        Some(rate) => (1..=STAMPED).contains(&rate),
        None => args.interval.is_none_or(|interval| interval * STAMPED >= Duration::from_secs(1)),
    };
    if slow { Us::Host } else { Us::Sweeper { many: targets >= MANY } }
}

fn config(global: &Global, args: &Ping, targets: &Targets) -> Config {
    let many = &args.many;
    let interval = args.interval.unwrap_or(INTERVAL);
    // What is told of a series is when nothing came, of whatever cause.
    let patience =
        if args.rounds().is_some() { Duration::ZERO } else { Config::default().patience };
    let shuffled = many.shard.is_some() || global.seed.is_some() || targets.len() > LISTED;
    Config {
        rounds: Some(args.rounds().unwrap_or(1)),
        period: many.period(),
        rate: many.rate.map_or_else(|| Rate::every(interval), Rate::per_second),
        window: many.window.map_or(WINDOW, |window| window as usize),
        retries: retries(args),
        timeout: args.wait,
        backoff: many.backoff.unwrap_or(BACKOFF),
        patience,
        seed: shuffled.then(|| global.seed.unwrap_or_default()),
        shard: many.shard.unwrap_or(Shard::WHOLE),
        ttl: args.ttl,
        tos: args.tos,
        data: super::data(args),
        ..Config::default()
    }
}

fn retries(args: &Ping) -> u8 {
    let unless_said = if args.rounds().is_some() { 0 } else { RETRIES };
    args.many.retries.unwrap_or(unless_said)
}

struct Many<'a> {
    session: Session,
    args: &'a Ping,
    view: View<'a>,
    sweep: Sweep,
    /// Whom nobody asks: ourselves, and everybody at once.
    apart: Targets,
    rounds: u64,
    /// Of those whose rounds have begun and not all ended; of all that have begun, if what they came
    /// to is told at the end.
    tallies: HashMap<Ipv4Addr, Tally>,
    /// Who else claims to be a target.
    contested: HashMap<Ipv4Addr, Owners>,
    /// How many of those whose rounds have ended have passed: by answering, or by the thresholds.
    passed: u64,
    /// How many have answered.
    alive: u64,
    gather: Option<Gather>,
    stopped: bool,
    /// Our address has turned out to be somebody else's.
    taken: bool,
    linger: Linger,
    /// When the last probe ended.
    last_end: Option<Instant>,
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
            let lingers = self.lingers().filter(|end| self.sweep.is_over() && *end > now);
            let over = self.sweep.is_over() && lingers.is_none();
            if self.stopped || self.taken || enough || late || over {
                return Ok(());
            }
            if !more {
                report.flush()?;
                let next = self.sweep.deadline(&self.session.stack);
                self.session.wait(next.into_iter().chain(deadline).chain(lingers).min())?;
            }
            match self.session.wish() {
                Some(Wish::Stop) => self.stopped = true,
                Some(Wish::Figures) => {
                    let so_far = (self.alive, self.passed, self.sweep.under_way());
                    self.view.figures(&self.tallies, so_far, report);
                }
                None => {}
            }
        }
    }

    /// Until when the last answers may still be late or doubled, where they still count.
    fn lingers(&self) -> Option<Instant> {
        let linger = self.linger.after_all(self.args.wait).filter(|_| self.view.is_holding());
        self.last_end?.checked_add(linger?)
    }

    fn ended(&mut self, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
        let addr = ended.addr;
        if self.apart.contains(addr) {
            return Ok(());
        }
        if report.is_for_programs() && !self.args.quiet {
            self.record(ended, report)?;
        }
        if let Some(gather) = &mut self.gather {
            gather.ended(ended);
        }
        let tally = self.tallies.entry(addr).or_insert_with(|| Tally::new(self.args));
        self.last_end = Some(ended.at);
        if let Outcome::Echo(icmp::Outcome::TimedOut { .. }) = ended.outcome {
            self.linger.timed_out += 1;
        }
        let was_mute = tally.received == 0;
        tally.count(ended);
        self.alive += u64::from(was_mute && tally.received > 0);
        ended.from_mac.into_iter().for_each(|mac| tally.owners.add(mac));
        let session = &self.session;
        self.view.ended(ended, tally, || session.time(ended.at), report)?;
        if tally.ended < self.rounds {
            return Ok(());
        }
        if !self.view.is_holding() {
            let tally = self.tallies.remove(&addr);
            return tally.map_or(Ok(()), |tally| self.conclude(addr, tally, report));
        }
        let (pass, _) = tally.judge(&self.args.thresholds, self.contested.get(&addr));
        tally.passed = Some(pass);
        self.passed += u64::from(pass);
        if report.is_for_programs() { Ok(()) } else { self.view.over(addr, tally, report) }
    }

    /// What a target came to.
    fn conclude(
        &mut self,
        addr: Ipv4Addr,
        mut tally: Tally,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (pass, missed) = tally.judge(&self.args.thresholds, self.contested.get(&addr));
        // Another owner may have turned up since its rounds were over.
        self.passed -= u64::from(tally.passed == Some(true));
        self.passed += u64::from(pass);
        if report.is_for_programs() {
            let interrupted = self.stopped && tally.ended < self.rounds;
            let summary = tally.summary(addr, self.args);
            return report.record(&Record::Summary(Summary { interrupted, pass, ..summary }));
        }
        if tally.passed.is_none() {
            self.view.over(addr, &tally, report)?;
        }
        self.view.concluded(addr, &tally, &missed, report);
        Ok(())
    }

    fn other(&mut self, event: stack::Event, report: &mut Report) -> Result<(), Failure> {
        let stack::Event { at, from_mac, what } = event;
        match what {
            What::Link(event) => self.session.link_noted(report, at, event),
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
                if let arp::Event::Taken { addr, .. } | arp::Event::Lost { addr, .. } = event {
                    self.taken |= addr == self.session.identity.network.ip();
                }
                if let arp::Event::Conflict { addr, other: mac, .. }
                | arp::Event::Moved { addr, new: mac, .. } = event
                    && self.sweep.targets().contains(addr)
                    && (self.contested.contains_key(&addr) || self.contested.len() < CONTESTED)
                {
                    self.contested.entry(addr).or_default().add(mac);
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

/// How much longer each repetition is waited for, unless said.
const BACKOFF: f64 = 1.5;

/// Requests under way at once, unless said.
const WINDOW: usize = 1 << 16;

/// Targets with several owners that are remembered at most.
const CONTESTED: usize = 4096;
