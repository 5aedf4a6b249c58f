use std::{
    fmt::Display,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;

use super::{
    args::Scan,
    earlier::Earlier,
    figures::Figures,
    host::{Arp, Echo, Row, State},
    line::View,
    names::Names,
    page, plan,
    progress::Progress,
    roll::Roll,
};
use crate::{failure::Failure, html::Draft, record::Record, report::Report, session::Session};

/// Tells of each host once there is nothing more to wait for, its name included.
pub(super) struct Teller {
    pub(super) roll: Roll,
    view: View,
    draft: Option<Draft>,
    names: Option<Names>,
    progress: Progress,
}

impl Teller {
    pub(super) fn new(
        args: &Scan,
        known: Option<Earlier>,
        draft: Option<Draft>,
        total: u64,
    ) -> Self {
        Self {
            roll: Roll::new(known, args.wait),
            view: View::new(args, plan::method(args)),
            draft,
            names: args.resolve.then(Names::of_system),
            progress: Progress::of(total),
        }
    }

    pub(super) fn located(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        mac: MacAddr6,
        time: Option<Duration>,
        is_all: bool,
    ) {
        self.want_name(addr);
        self.roll.located(at, addr, mac, time, is_all);
    }

    /// Two claim `addr` by ARP, of which the echo is still to come.
    pub(super) fn awaited(&mut self, at: Instant, addr: Ipv4Addr, mac: MacAddr6, other: MacAddr6) {
        self.want_name(addr);
        self.roll.awaited(at, addr, mac, other);
    }

    /// Says whether it is a host that has answered at all.
    pub(super) fn echoed(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        echo: Echo,
        from_mac: Option<MacAddr6>,
        via: Option<Ipv4Addr>,
    ) -> bool {
        if !self.roll.is_open(addr) && matches!(echo, Echo::Answered { .. }) {
            self.want_name(addr);
        }
        self.roll.echoed(at, addr, echo, from_mac, via)
    }

    pub(super) fn silent(
        &mut self,
        session: &Session,
        at: Instant,
        addr: Ipv4Addr,
        asked: (Arp, Echo),
        report: &mut Report,
    ) -> Result<(), Failure> {
        let row = self.roll.silent(addr, asked.0, asked.1);
        self.tell(session, at, &row, report)
    }

    /// Tells of those who can be told of by now.
    pub(super) fn settle(
        &mut self,
        now: Instant,
        session: &Session,
        report: &mut Report,
    ) -> Result<(), Failure> {
        while let Some((due, addr)) = self.roll.settled(now) {
            let name = match &mut self.names {
                None => None,
                Some(names) => match names.take(addr) {
                    None if now < due + NAME => break,
                    name => name.flatten(),
                },
            };
            self.tell_all(session, addr, name.as_deref(), report)?;
        }
        Ok(())
    }

    /// How far it has come, so many being asked.
    pub(super) fn show(&self, asked: u64, took: Duration) {
        let Figures { probed, unsent, up, .. } = self.figures();
        let begun = probed + unsent + asked + self.roll.settling();
        self.progress.update(begun, up, took);
    }

    /// A line for people that is no result.
    pub(super) fn note(&self, text: impl Display, report: &mut Report) {
        self.progress.aside(|| report.note(text));
    }

    /// Lets something be told that is no result.
    pub(super) fn aside<T>(&self, tell: impl FnOnce() -> T) -> T {
        self.progress.aside(tell)
    }

    /// Tells of all who have answered anything.
    pub(super) fn rest(&mut self, session: &Session, report: &mut Report) -> Result<(), Failure> {
        for addr in self.roll.untold() {
            let name = self.names.as_mut().and_then(|names| names.take(addr).flatten());
            self.tell_all(session, addr, name.as_deref(), report)?;
        }
        self.progress.clear();
        Ok(())
    }

    pub(super) fn tell(
        &mut self,
        session: &Session,
        at: Instant,
        row: &Row,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if report.is_for_programs() {
            let ts = session.time(at);
            self.progress.aside(|| report.record(&Record::Host(row.record(ts))))?;
        }
        if let Some(draft) = &mut self.draft {
            page::add(&mut draft.findings, row);
        }
        if row.state == State::Silent || report.is_for_programs() {
            return Ok(());
        }
        self.progress.aside(|| report.line(self.view.line(row)))
    }

    /// The page, with all that was told.
    pub(super) fn draft(&mut self) -> Option<Draft> {
        self.draft.take()
    }

    /// Whether everybody who answered was told of.
    pub(super) fn is_idle(&self) -> bool {
        self.roll.due().is_none()
    }

    /// When there is something to tell.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        // What is due and was not told of waits for a name.
        let soonest = self.names.as_ref().map_or(now, |_| now + A_WHILE);
        let due = self.roll.due().map(|due| if due <= now { soonest } else { due });
        let live = self.progress.is_shown().then(|| now + A_WHILE);
        due.into_iter().chain(live).min()
    }

    pub(super) fn figures(&self) -> Figures {
        self.roll.figures
    }

    fn tell_all(
        &mut self,
        session: &Session,
        addr: Ipv4Addr,
        name: Option<&str>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let Some((at, rows)) = self.roll.tell(addr, name) else { return Ok(()) };
        rows.iter().try_for_each(|row| self.tell(session, at, row, report))
    }

    fn want_name(&mut self, addr: Ipv4Addr) {
        if let Some(names) = &mut self.names {
            names.want(addr);
        }
    }
}

/// How long a name is waited for beyond all else.
const NAME: Duration = Duration::from_secs(2);

/// Until names or the terminal are looked after again.
const A_WHILE: Duration = Duration::from_millis(100);
