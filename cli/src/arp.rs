use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use stack::{
    Event, Pace, What,
    arp::{self, Operation},
};

use crate::{
    args::{Arp, Global},
    failure::Failure,
    open::Us,
    ping::Ms,
    record::{Mac, Record, nanoseconds},
    report::Report,
    session::{Probed, Session},
    signals::Wish,
    target,
};

/// Resolves addresses; or probes for one, or announces one.
pub(crate) fn run(global: &Global, args: &Arp, report: &mut Report) -> Result<u8, Failure> {
    let targets: Vec<Ipv4Addr> =
        args.targets.iter().map(|text| target::resolve(text)).collect::<Result<_, _>>()?;
    let alone = match targets.as_slice() {
        [target] => Ok(*target),
        _ => Err(Failure::usage("one address at a time can be probed for or announced")),
    };
    if args.probe {
        probe(global, alone?, report)
    } else if args.announce || args.advertise {
        announce(global, args, alone?, report)
    } else {
        resolve(global, args, &targets, report)
    }
}

/// What an ARP event has to say to people; `beyond` is whom the neighbour is the gateway to.
pub(crate) fn line(name: &str, event: &arp::Event, beyond: Option<Ipv4Addr>) -> Option<String> {
    Some(match event {
        arp::Event::Unresolved { addr, requests, .. } => {
            let (ms, who) = (requests * 1000, gateway_to(beyond));
            format!(
                "{addr}{who}: no ARP reply on {name} after {requests} requests ({ms} ms): \
                 host down, or not on this segment or VLAN"
            )
        }
        arp::Event::Unsent { addr, .. } => {
            format!("{addr}{}: cannot be asked for: {name} is down", gateway_to(beyond))
        }
        arp::Event::Conflict { addr, kept, other } => {
            format!("CONFLICT: {addr} is at {}, and {} claims it too", Mac(*kept), Mac(*other))
        }
        arp::Event::Moved { addr, old, new } => {
            format!("{addr} moved from {} to {}", Mac(*old), Mac(*new))
        }
        _ => return None,
    })
}

/// What an ARP event has to say to programs.
pub(crate) fn record(
    session: &Session,
    at: Instant,
    event: &arp::Event,
    report: &mut Report,
) -> Result<(), Failure> {
    let (ts, conflict) = (session.time(at), None);
    report.record(&match *event {
        arp::Event::Resolved { addr: ip, mac, round_trip, requests: tries } => {
            let rtt_ns = Some(nanoseconds(round_trip));
            Record::Arp { ts, ip, mac: Some(Mac(mac)), rtt_ns, tries, conflict }
        }
        arp::Event::Unresolved { addr: ip, requests: tries, .. } => {
            Record::Arp { ts, ip, mac: None, rtt_ns: None, tries, conflict }
        }
        arp::Event::Conflict { addr: ip, kept, other } => {
            Record::Conflict { ts, ip, mac: Mac(kept), other: Mac(other) }
        }
        arp::Event::Moved { addr: ip, old, new } => {
            Record::Pairing { ts, ip, old_mac: Mac(old), mac: Mac(new) }
        }
        _ => return Ok(()),
    })
}

/// RFC 5227 §2.1: is the address free?
fn probe(global: &Global, addr: Ipv4Addr, report: &mut Report) -> Result<u8, Failure> {
    let mut session = Session::open(global, Some(addr), Us::Nobody, arp::Config::default())?;
    session.start(report, "arp", &[addr])?;
    let say = |session: &Session, report: &mut Report, state, mac| {
        let ts = session.time(session.now());
        report.record(&Record::Adopt { ts, ip: addr, state, mac })
    };
    if session.host_owns(addr) {
        let mac = Mac(session.mac());
        report.line(format_args!("{addr} is in use by {mac}, this host itself"))?;
        say(&session, report, "taken", Some(mac))?;
        session.close()?;
        return Ok(1);
    }
    let now = session.now();
    session.stack.probe(now, addr);
    report.note(format_args!("probing {addr} on {}: 4 to 7 s", session.name));
    say(&session, report, "probing", None)?;
    let code = match session.probed(addr)? {
        Probed::Free => {
            report.line(format_args!("{addr} is free"))?;
            say(&session, report, "free", None)?;
            0
        }
        Probed::Taken(mac) => {
            report.line(format_args!("{addr} is in use by {}", Mac(mac)))?;
            say(&session, report, "taken", Some(Mac(mac)))?;
            1
        }
        Probed::Stopped => 130,
    };
    session.close()?;
    Ok(code)
}

/// RFC 5227 §2.3 and §3: tells everybody where the address is, once we know that it is ours.
fn announce(
    global: &Global,
    args: &Arp,
    addr: Ipv4Addr,
    report: &mut Report,
) -> Result<u8, Failure> {
    let us = Us::Claimant(addr);
    let mut session = Session::open(global, Some(addr), us, arp::Config::default())?;
    if let Some(code) = session.settle(global, report)? {
        session.close()?;
        return Ok(code);
    }
    session.start(report, "arp", &[addr])?;
    let operation = if args.advertise { Operation::REPLY } else { Operation::REQUEST };
    let (name, kind) = (session.name.clone(), if args.advertise { "reply" } else { "request" });
    let count = args.count.unwrap_or(ANNOUNCE_NUM);
    let mut pace = Pace::new(session.now(), args.interval.max(ANNOUNCE_INTERVAL));
    let (mut said, mut code) = (0, 0);
    let mac = Mac(session.mac());
    let deadline = args.deadline.map(|deadline| session.now() + deadline);
    loop {
        let now = session.now();
        if said < count && pace.next() <= now && session.stack.announce(addr, operation).is_ok() {
            said += 1;
            pace.done(now);
            report.line(format_args!(
                "announced {addr} at {mac} on {name} by {kind}, {said} of {count}"
            ))?;
        }
        let more = session.poll()?;
        while let Some(Event { at, what: What::Arp(event), .. }) = session.stack.event() {
            if matches!(event, arp::Event::Conflict { .. }) {
                code = 1;
            }
            if let Some(text) = line(&name, &event, None) {
                report.line(text)?;
            }
            record(&session, at, &event, report)?;
        }
        if said == count || deadline.is_some_and(|deadline| deadline <= now) {
            break;
        }
        if !more {
            session.wait(Some(pace.next()).into_iter().chain(deadline).min())?;
        }
        if session.wish() == Some(Wish::Stop) {
            code = 130;
            break;
        }
    }
    session.close()?;
    Ok(code)
}

fn resolve(
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
    if let Some(code) = session.settle(global, report)? {
        session.close()?;
        return Ok(code);
    }
    session.start(report, "arp", targets)?;
    let (src, name) = (session.identity.network.ip(), session.name.clone());
    for target in targets {
        report.line(format_args!("ARPING {target} from {src} {name}"))?;
    }
    let mut round = Round {
        rounds: args.count.unwrap_or(1),
        pace: Pace::new(session.now(), args.interval),
        waiting: BTreeMap::new(),
        linger: session.now(),
        deadline: args.deadline.map(|deadline| session.now() + deadline),
        asked: 0,
        answered: 0,
        stopped: false,
        session,
        args,
        targets: targets.to_vec(),
    };
    let ended = round.go(report);
    let Round { asked, answered, stopped, session, .. } = round;
    report.line(format_args!("Sent {asked} probes ({asked} broadcast(s))"))?;
    report.line(format_args!("Received {answered} response(s)"))?;
    let closed = session.close();
    ended.and(closed)?;
    Ok(if stopped { 130 } else { u8::from(answered == 0) })
}

struct Round<'a> {
    session: Session,
    args: &'a Arp,
    /// Who is still to be asked in the next round.
    targets: Vec<Ipv4Addr>,
    /// Rounds still to be begun.
    rounds: u32,
    pace: Pace,
    /// Who has not answered in this round.
    waiting: BTreeMap<Ipv4Addr, ()>,
    /// Until when a second owner may still speak up.
    linger: Instant,
    deadline: Option<Instant>,
    asked: u32,
    answered: u32,
    stopped: bool,
}

impl Round<'_> {
    fn go(&mut self, report: &mut Report) -> Result<(), Failure> {
        loop {
            let now = self.session.now();
            if self.rounds > 0 && self.waiting.is_empty() && self.pace.next() <= now {
                self.begin(now)?;
            }
            let more = self.session.poll()?;
            while let Some(Event { at, what, .. }) = self.session.stack.event() {
                match what {
                    What::Arp(event) => self.tell(at, &event, report)?,
                    What::Link(event) => self.session.link_changed(report, at, event)?,
                    What::Icmp(_) => {}
                }
            }
            let now = self.session.now();
            let asking = self.rounds > 0 && !self.targets.is_empty();
            let idle = !asking && self.waiting.is_empty();
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
                self.session.wait(next.into_iter().chain(self.deadline).min())?;
            }
            self.stopped = self.session.wish() == Some(Wish::Stop);
        }
    }

    fn begin(&mut self, now: Instant) -> Result<(), Failure> {
        for &target in &self.targets {
            self.session
                .stack
                .resolve(now, target)
                .map_err(|error| Failure::link(format!("{}: {error}", self.session.name)))?;
            self.waiting.insert(target, ());
        }
        self.rounds -= 1;
        self.pace.done(now);
        Ok(())
    }

    fn tell(
        &mut self,
        at: Instant,
        event: &arp::Event,
        report: &mut Report,
    ) -> Result<(), Failure> {
        match *event {
            arp::Event::Resolved { addr, mac, round_trip, requests } => {
                self.waiting.remove(&addr);
                self.asked += requests;
                self.answered += 1;
                self.linger = self.session.now() + LINGER;
                if self.args.first {
                    self.targets.retain(|target| *target != addr);
                }
                if !self.args.quiet {
                    report.line(format_args!(
                        "Unicast reply from {addr} [{}]  {}ms",
                        Mac(mac),
                        Ms(round_trip)
                    ))?;
                }
            }
            arp::Event::Unresolved { addr, requests, .. } => {
                self.waiting.remove(&addr);
                self.asked += requests;
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

fn gateway_to(beyond: Option<Ipv4Addr>) -> String {
    beyond.map_or_else(String::new, |dst| format!(" (the gateway to {dst})"))
}

/// How long after an answer another owner of the same address may still speak up.
const LINGER: Duration = Duration::from_millis(200);

// RFC 5227 §1.1.
const ANNOUNCE_NUM: u32 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
