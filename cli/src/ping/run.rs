use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use stack::{
    Event, What, arp,
    icmp::{self, Echo, Outcome, SendError, Straying},
    ipv4::Options,
};

use super::{
    data,
    dots::Dots,
    linger::Linger,
    recorded::options,
    rhythm::{Rhythm, SEQUENCES},
    size,
    view::View,
};
use crate::{
    args::Ping, explain, failure::Failure, report::Report, session::Session, signals::Wish,
    statistics::Statistics,
};

/// One target, and what came of it so far.
pub(super) struct Run<'a> {
    pub(super) session: Session,
    args: &'a Ping,
    dst: Ipv4Addr,
    pub(super) view: View<'a>,
    data: Vec<u8>,
    options: Options,
    /// As the path was known to be when the latest request was due.
    dont_fragment: bool,
    explain: bool,
    rhythm: Rhythm,
    dots: Dots,
    pub(super) began: Instant,
    /// Requests made so far, whether they left or not.
    asked: u64,
    /// Sequence numbers passed over, since their last requests still may be answered.
    skipped: u64,
    /// How many of those in a row.
    in_use: usize,
    /// The last request, while it has not ended.
    open: Option<u16>,
    /// When somebody stopped us.
    pub(super) stopped: Option<Instant>,
    /// Until when answers are still taken in, once the deadline has passed.
    last: Option<Instant>,
    /// Our address has turned out to be somebody else's.
    pub(super) taken: bool,
    /// The link had no room for the request that is due, or no sequence number was free.
    full: bool,
    pub(super) statistics: Statistics,
    /// When the last request ended.
    last_end: Option<Instant>,
}

impl<'a> Run<'a> {
    /// Nothing asked yet; the time runs.
    pub(super) fn new(
        session: Session,
        args: &'a Ping,
        dst: Ipv4Addr,
        view: View<'a>,
        explain: bool,
        watched: bool,
    ) -> Self {
        Self {
            data: data(args),
            options: options(args),
            dont_fragment: false,
            explain,
            rhythm: Rhythm::new(session.now(), args),
            dots: Dots::new(watched && args.letters.flood && !args.quiet),
            began: session.now(),
            asked: 0,
            skipped: 0,
            in_use: 0,
            open: None,
            stopped: None,
            last: None,
            taken: false,
            full: false,
            statistics: Statistics::new(),
            last_end: None,
            session,
            args,
            dst,
            view,
        }
    }

    /// Asks until all have answered, or time is up; whatever comes of it, each request is counted.
    pub(super) fn go(&mut self, report: &mut Report) -> Result<(), Failure> {
        let result = self.turns(report).and_then(|()| report.draw(&self.dots.rest()));
        self.statistics.settle();
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
        let mut idle = 0;
        for turn in 0_u64.. {
            let now = self.session.now();
            if self.last.is_none() && deadline.is_some_and(|deadline| deadline <= now) {
                self.last = Some(now + self.grace());
            }
            if self.last.is_some_and(|last| last <= now || self.session.stack.under_way() == 0) {
                return Ok(());
            }
            let (mut stirs, more_due) = self.ask_all(now, report)?;
            let polled = self.session.poll();
            while let Some(event) = self.session.stack.event() {
                self.tell(event, report)?;
                stirs = true;
            }
            let more = self.session.or_gone(polled, report)? || more_due;
            let over = !self.has_more() && self.session.stack.in_flight() == 0;
            let lingers = self.linger().filter(|end| over && *end > self.session.now());
            if self.is_cut() || self.taken || (over && lingers.is_none()) {
                return Ok(());
            }
            if let Some(dots) = self.dots.due(now) {
                report.draw(&dots)?;
            }
            idle = if stirs { 0 } else { idle + 1 };
            let waits = !more && idle >= self.rhythm.patience();
            if waits {
                // A full link says when it has room again.
                let next = self.has_room().then(|| self.rhythm.next(self.is_resolving())).flatten();
                let cut = self.stopped.map(|at| at + LAST);
                let end = self.last.or(deadline);
                let until = next.into_iter().chain(end).chain(lingers).chain(cut);
                self.session.wait(until.chain(self.dots.deadline()).min())?;
            }
            if waits || turn.is_multiple_of(TURNS) {
                match self.session.wish() {
                    Some(Wish::Stop) => self.stopped = Some(self.session.now()),
                    Some(Wish::Figures) => self.view.figures(&self.statistics, report),
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Until when the last answers may still be late or doubled, where others were.
    fn linger(&self) -> Option<Instant> {
        let Statistics { duplicates, late, timed_out, .. } = self.statistics;
        let linger = Linger { timed_out, late, duplicates };
        self.last_end?.checked_add(linger.after_all(self.args.wait)?)
    }

    /// For how long what is under way at the deadline may still be answered: a little, and as long
    /// as answers were seen to take twice over, but no longer than each is waited for.
    fn grace(&self) -> Duration {
        let longest = self.statistics.longest().unwrap_or_default();
        (2 * longest).max(LAST).min(self.args.wait)
    }

    /// Whether a request waits for ARP; another would take its place.
    fn is_resolving(&self) -> bool {
        self.session.stack.in_flight() > self.session.stack.under_way()
    }

    fn has_more(&self) -> bool {
        let is_over = self.stopped.is_some() || self.last.is_some();
        !is_over && self.args.count.is_none_or(|count| self.asked < count)
    }

    /// Whether one more could be asked for, as far as is known.
    fn has_room(&self) -> bool {
        self.has_more() && !self.full
    }

    /// Whether somebody stopped us, and what was under way in a flood has had its time.
    fn is_cut(&self) -> bool {
        let in_flight = self.rhythm.is_flood() && self.session.stack.in_flight() > 0;
        self.stopped.is_some_and(|at| !in_flight || at + LAST <= self.session.now())
    }

    /// Makes the requests that are due; says whether any left, and whether there may be more.
    fn ask_all(&mut self, now: Instant, report: &mut Report) -> Result<(bool, bool), Failure> {
        self.full = false;
        let (before, mut tries) = (self.asked, 0);
        while tries < BURST && self.has_room() && self.rhythm.is_due(now, self.is_resolving()) {
            if tries == 0 {
                self.dont_fragment = size::dont_fragment(&mut self.session, self.dst, self.args);
            }
            self.ask(now, report)?;
            tries += 1;
        }
        Ok((self.asked > before, tries == BURST && !self.full))
    }

    fn ask(&mut self, now: Instant, report: &mut Report) -> Result<(), Failure> {
        let number = self.asked + self.skipped + 1;
        let sequence = number as u16; // it wraps, as the field does
        if let Some(open) = self.open.filter(|_| self.args.letters.outstanding) {
            self.view.outstanding(&self.session, now, open, report)?;
        }
        self.open = None;
        if self.explain {
            let what = format!("icmp_seq={sequence}");
            explain::tell_decision(&self.session, self.dst, &what, report)?;
        }
        let echo = Echo {
            ttl: self.args.ttl,
            tos: self.args.tos,
            dont_fragment: self.dont_fragment,
            options: self.options,
            timeout: self.args.wait,
            ..Echo::new(self.dst, sequence, &self.data)
        };
        match self.session.stack.echo(now, &echo) {
            Ok(()) => (self.open, self.in_use) = (Some(sequence), 0),
            Err(error) if error.is_full() => {
                self.full = true;
                return Ok(());
            }
            Err(SendError::InFlight { .. }) if self.rhythm.is_by_answers() => {
                self.skipped += 1;
                self.in_use += 1;
                self.full = self.in_use.is_multiple_of(SEQUENCES);
                return Ok(());
            }
            Err(error) => {
                self.statistics.unsent += 1;
                self.view.refused(&self.session, now, sequence, &error, report)?;
            }
        }
        self.asked += 1;
        self.rhythm.asked(now, number);
        self.dots.asked();
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
                self.open = self.open.filter(|open| *open != ended.sequence);
                match ended.outcome {
                    Outcome::Reply { round_trip, reordered, .. } => {
                        self.rhythm.answered(ended.sequence);
                        self.dots.answered();
                        self.statistics.reordered += u64::from(reordered);
                        self.statistics.reply(round_trip);
                    }
                    Outcome::Error(_) => {
                        self.dots.failed();
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
            What::Icmp(icmp::Event::Recorded(recorded)) => {
                self.view.recorded(&self.session, at, &recorded, report)
            }
            What::Icmp(_) => Ok(()),
        }
    }
}

/// In a flood, so many turns may pass before a signal is heard.
const TURNS: u64 = 64;

/// How long answers are waited for, at least at the deadline, and when a flood was stopped: what is
/// under way is not lost.
const LAST: Duration = Duration::from_millis(10);

/// Requests made before what has arrived is taken in again.
const BURST: usize = 64;
