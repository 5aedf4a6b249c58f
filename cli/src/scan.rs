//! `scan`: who is there, by ARP and by echo, side by side.

pub(crate) mod args;
mod earlier;
mod few;
mod figures;
mod heard;
mod host;
mod line;
mod names;
mod page;
mod plan;
mod progress;
pub(crate) mod record;
mod refuse;
mod requests;
mod roll;
mod template;
mod told;
mod unsent;

use std::{cell::Cell, net::Ipv4Addr, rc::Rc, time::Instant};

use ipv4::NextHop;
use stack::{
    Sweep, Targets, arp, icmp, ipv4,
    sweep::{Ended, Event, Method, Outcome},
};

use crate::{
    args::Global,
    failure::Failure,
    html::Draft,
    record::{Mac, Record, Stamps, nanoseconds},
    report::Report,
    session::Session,
    signals::Wish,
    targets,
    text::Maybe,
};
pub(crate) use args::Scan;
use earlier::Earlier;
use host::{Arp, Echo};
use plan::Plan;
use record::Scanned;
use refuse::refuse;
use requests::Counted;
use told::Teller;

/// Finds who is there.
pub(crate) fn run(global: &Global, args: &Scan, report: &mut Report) -> Result<u8, Failure> {
    refuse(global, args)?;
    let known = args.known.as_deref().map(Earlier::read).transpose()?;
    let is_against = known.is_some();
    let earlier = args.resume.as_deref().map(Earlier::read).transpose()?;
    let texts = match &earlier {
        Some(earlier) if args.targets.is_empty() => &earlier.targets,
        _ => &args.targets,
    };
    let named = if texts.is_empty() { None } else { Some(targets::parse(texts)?) };
    let most = named.as_ref().map_or(targets::MOST_NEIGHBOURS, Targets::len);
    let config = arp::Config {
        capacity: most.clamp(4096, targets::MOST_NEIGHBOURS) as usize,
        requests: u32::from(args.retries) + 1,
        ..arp::Config::default()
    };
    let first = named.as_ref().and_then(|named| named.nth(0));
    let requests = Rc::new(Cell::new(0));
    let mut session = Session::over(global, first, plan::us(args, most), config, |link| {
        Box::new(Counted::new(link, Rc::clone(&requests)))
    })?;
    let named = named.map(|named| (texts.clone(), named));
    let plan = Plan::new(global, args, named, earlier.as_ref(), &session)?;
    let Plan { texts, targets, apart, config, found_before, conflicts_before } = plan;
    let ours = config.shard.len(targets.len());
    let draft = args.html.as_deref().map(|path| Draft::begin("Scan", path, ours, &session));
    let draft = draft.transpose()?;
    session.start(report, "scan", &texts)?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    requests.set(0); // those were for an address of our own
    let began = session.now();
    let sweep = Sweep::new(began, targets, config, &mut session.stack);
    let teller = Teller::new(args, known, draft, sweep.len());
    let (verbose, contested, stopped) = (global.verbose, false, false);
    let mut scan =
        Run { session, args, verbose, sweep, apart, teller, requests, began, contested, stopped };
    scan.header(&texts, report);
    report.gather();
    let ended = scan.go(report);
    scan.teller.rest(&scan.session, report)?;
    scan.summary(is_against, found_before, report)?;
    let Run { mut session, mut teller, stopped, .. } = scan;
    let draft = teller.draft();
    let written = draft.map_or(Ok(()), |draft| draft.finish(stopped, &mut session));
    let closed = session.close(report);
    ended.and(written).and(closed)?;
    let figures = teller.figures();
    let enough = figures.up + found_before >= args.min_replies;
    let peace = figures.conflicts + conflicts_before == 0;
    Ok(if stopped { 130 } else { u8::from(!(enough && peace)) })
}

struct Run<'a> {
    session: Session,
    args: &'a Scan,
    verbose: bool,
    sweep: Sweep,
    apart: Targets,
    teller: Teller,
    /// Requests that have left.
    requests: Rc<Cell<u64>>,
    began: Instant,
    /// Somebody else claims our own address.
    contested: bool,
    stopped: bool,
}

impl Run<'_> {
    fn go(&mut self, report: &mut Report) -> Result<(), Failure> {
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
            self.teller.settle(now, &self.session, report)?;
            let took = now.saturating_duration_since(self.began);
            self.teller.show(self.sweep.under_way() as u64, took);
            let more = self.session.or_gone(polled, report)?;
            if self.stopped || (self.sweep.is_over() && self.teller.is_idle()) {
                return Ok(());
            }
            if !more {
                report.flush()?;
                let next = self.sweep.deadline(&self.session.stack);
                let told = self.teller.deadline(self.session.now());
                self.session.wait(next.into_iter().chain(told).min())?;
            }
            match self.session.wish() {
                Some(Wish::Stop) => self.stopped = true,
                Some(Wish::Figures) => {
                    let (figures, all) = (self.teller.figures(), self.sweep.len());
                    let (up, probed) = (figures.up, figures.probed);
                    report.aside(format_args!("{up} found, {probed} of {all} probed"));
                }
                None => {}
            }
        }
    }

    fn ended(&mut self, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
        let &Ended { at, addr, tries, from_mac, outcome, .. } = ended;
        if self.apart.contains(addr) {
            return Ok(());
        }
        let is_all = self.method() == Method::Arp;
        let by_arp = if self.is_direct(addr) && self.method() != Method::Echo {
            Arp::Silent
        } else {
            Arp::NotAsked
        };
        let echo = match outcome {
            Outcome::At { .. } if tries == 0 && is_all => {
                return self.unsent(ended, report);
            }
            Outcome::At { .. } if tries == 0 => return Ok(()), // pinned: the echo decides
            Outcome::At { mac, round_trip } => {
                self.teller.located(at, addr, mac, round_trip, is_all);
                return Ok(());
            }
            Outcome::Silent => {
                return self.teller.silent(
                    &self.session,
                    at,
                    addr,
                    (Arp::Silent, Echo::NotAsked),
                    report,
                );
            }
            Outcome::Echo(icmp::Outcome::Reply { round_trip, ttl, .. }) => {
                Echo::Answered { round_trip, ttl }
            }
            Outcome::Echo(icmp::Outcome::TimedOut { .. } | icmp::Outcome::Unresolved { .. }) => {
                Echo::Silent
            }
            Outcome::Echo(icmp::Outcome::Error(error)) => {
                let (ts, seq) = (self.session.time(at), ended.round as u16);
                report.record(&Record::icmp_error(ts, addr, seq, &error))?;
                Echo::Error(error.name())
            }
            Outcome::Echo(_) | Outcome::Unsent(_) | Outcome::Refused(_) => {
                return self.unsent(ended, report);
            }
        };
        let via = self.router(addr);
        if self.teller.echoed(at, addr, echo, from_mac, via) {
            return Ok(());
        }
        self.teller.silent(&self.session, at, addr, (by_arp, echo), report)
    }

    fn header(&self, texts: &[String], report: &mut Report) {
        if self.args.plain {
            return;
        }
        let (from, name) = (self.session.identity.network.ip(), &self.session.name);
        let (n, how) = (self.sweep.len(), figures::method_name(self.method()));
        let mut what: Vec<&str> = texts.iter().take(NAMED).map(String::as_str).collect();
        what.extend((texts.len() > NAMED).then_some("..."));
        let what = what.join(" ");
        report.note(format_args!("SCAN {what} from {from} on {name}: {n} to probe by {how}"));
        if !self.verbose {
            return;
        }
        let Stamps { tx, rx } = self.session.stamps();
        let (mac, mtu) = (Mac(self.session.mac()), self.session.stack.link().mtu());
        let room = self.session.receive_buffer;
        let room = Maybe(room.map(|octets| format!(", receive buffer {octets} bytes")));
        report.note(format_args!("our MAC {mac}, MTU {mtu}, stamps tx={tx} rx={rx}{room}"));
    }

    fn summary(
        &mut self,
        is_against: bool,
        found_before: u64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let now = self.session.now();
        let took = now.saturating_duration_since(self.began);
        let dropped = link::FrameIo::dropped(self.session.stack.link_mut());
        self.teller.roll.figures.requests = self.requests.get();
        let figures = self.teller.figures();
        if !self.args.plain {
            report.note(figures.totals(self.method(), took, dropped));
            let stations = self.teller.roll.stations();
            for remark in figures.remarks(is_against, found_before, &stations) {
                report.note(remark);
            }
        }
        report.record(&Record::Scanned(Scanned {
            ts: self.session.time(now),
            targets: self.sweep.len(),
            probed: figures.probed,
            unsent: figures.unsent,
            up: figures.up,
            owners: figures.owners,
            conflicts: figures.conflicts,
            arp_only: figures.arp_only,
            new: figures.new,
            gone: figures.gone,
            changed: figures.changed,
            found_before,
            requests: figures.requests,
            took_ns: nanoseconds(took),
            dropped,
            interrupted: self.stopped,
        }))
    }

    fn method(&self) -> Method {
        plan::method(self.args)
    }

    /// Whether a packet to `addr` goes to its owner itself.
    fn is_direct(&self, addr: Ipv4Addr) -> bool {
        self.router(addr).is_none()
    }

    /// Who forwards what is for `addr`.
    fn router(&self, addr: Ipv4Addr) -> Option<Ipv4Addr> {
        match self.session.stack.route(addr)?.next_hop {
            NextHop::Unicast(hop) => Some(hop).filter(|hop| *hop != addr),
            _ => None,
        }
    }
}

/// Targets that the header names.
const NAMED: usize = 4;
