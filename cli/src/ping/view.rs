use std::{
    fmt::Display,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;
use stack::{
    arp,
    icmp::{Ended, Outcome, SendError, Stray, Straying},
    link::{FrameTx, Source},
};

use super::{HEADERS, recorded::options};
use crate::{
    args::Ping,
    failure::Failure,
    record::{Mac, Record, Stamps, corrupt_name, unsent},
    report::Report,
    session::Session,
    text::{Maybe, Ms},
    threshold::Owners,
};

/// What people and programs see of a run: ping(8)'s lines, with what is new at their end.
pub(super) struct View<'a> {
    pub(super) args: &'a Ping,
    pub(super) verbose: bool,
    pub(super) dst: Ipv4Addr,
    next_hop: Ipv4Addr,
    /// Where the next hop is, how long its answer took, and after how many requests.
    pub(super) resolved: Option<(MacAddr6, Option<Duration>, u32)>,
    /// The time of an ARP exchange, for the next reply's line.
    arp_time: Option<Duration>,
    pub(super) conflict: Option<MacAddr6>,
    /// Who said to be the next hop.
    pub(super) owners: Owners,
    /// What was recorded on the way, for the next reply.
    pub(super) way: Vec<String>,
    /// Who stamped requests that were answered, and their answers.
    pub(super) stamped: [Vec<Source>; 2],
}

impl<'a> View<'a> {
    pub(super) fn new(args: &'a Ping, verbose: bool, dst: Ipv4Addr, next_hop: Ipv4Addr) -> Self {
        let (resolved, arp_time, conflict) = (None, None, None);
        let (owners, way, stamped) = (Owners::default(), Vec::new(), [Vec::new(), Vec::new()]);
        Self { args, verbose, dst, next_hop, resolved, arp_time, conflict, owners, way, stamped }
    }

    pub(super) fn header(&self, session: &Session, report: &mut Report) -> Result<(), Failure> {
        let Self { args, dst, next_hop, .. } = self;
        let (src, size) = (session.identity.network.ip(), args.size);
        report.line(format_args!(
            "PING {} ({dst}) from {src} {}: {size}({}) bytes of data.",
            args.targets[0],
            session.name,
            size + HEADERS + options(args).octets().len()
        ))?;
        if !self.verbose {
            return Ok(());
        }
        let Stamps { tx, rx } = session.stamps();
        let (mac, mtu) = (Mac(session.mac()), session.stack.link().mtu());
        report.line(format_args!(
            "next hop {next_hop}, our MAC {mac}, MTU {mtu}, stamps asked for: tx={tx} rx={rx}"
        ))?;
        if let Some(octets) = session.receive_buffer {
            report.line(format_args!("receive buffer {octets} bytes"))?;
        }
        if size < 8 {
            report.line("data too short for a cookie: identifier, sequence and data must do")?;
        }
        Ok(())
    }

    /// An echo that was refused before it could leave.
    pub(super) fn refused(
        &self,
        session: &Session,
        at: Instant,
        seq: u16,
        error: &SendError,
        report: &mut Report,
    ) -> Result<(), Failure> {
        self.unsent(session, at, seq, error, report)?;
        let (ts, dst, reason) = (session.time(at), self.dst, unsent::refusal(error));
        self.record(&Record::Unsent { ts, dst, seq, reason }, report)
    }

    pub(super) fn ended(
        &mut self,
        session: &Session,
        (at, from_mac): (Instant, Option<MacAddr6>),
        ended: &Ended,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &Ended { dst, sequence: seq, outcome } = ended;
        match outcome {
            Outcome::Reply { len, ttl, round_trip, reordered, tx, rx } => {
                for (stamped, source) in self.stamped.iter_mut().zip([tx, rx]) {
                    if !stamped.contains(&source) {
                        stamped.push(source);
                    }
                }
                if self.dst == self.next_hop {
                    from_mac.into_iter().for_each(|mac| self.owners.add(mac));
                }
                let arp = Maybe(self.arp_time.take().map(|time| format!(" arp={} ms", Ms(time))));
                let order = if reordered { " (REORDERED)" } else { "" };
                let bell = if self.args.many.alive { "\x07" } else { "" };
                let text = format_args!(
                    "{bell}{len} bytes from {dst}: icmp_seq={seq} ttl={ttl} time={} ms{arp}{order}",
                    Ms(round_trip)
                );
                self.say(session, at, text, report)?;
                self.way(report)?;
            }
            Outcome::Error(error) => {
                let text = format_args!("From {} icmp_seq={seq} {error}", error.from);
                self.say(session, at, text, report)?;
            }
            Outcome::TimedOut { waited } => {
                let ms = waited.as_secs_f64() * 1e3;
                let text = format_args!("no answer for icmp_seq={seq} within {ms} ms");
                self.say(session, at, text, report)?;
            }
            Outcome::Unresolved { .. } => {} // its ARP event has told why
            Outcome::Replaced => {
                let why = format_args!("{} has not answered ARP yet", self.next_hop);
                self.unsent(session, at, seq, why, report)?;
            }
            Outcome::Unsent(unsent) => {
                self.unsent(session, at, seq, unsent::link_words(unsent), report)?;
            }
            _ => self.unsent(session, at, seq, "the link did not send it", report)?,
        }
        if !report.is_for_programs() {
            return Ok(()); // to tell the time of day takes longer than all that
        }
        self.record(&Record::ended(session.time(at), dst, from_mac, seq, &outcome), report)
    }

    pub(super) fn stray(
        &self,
        session: &Session,
        (at, from_mac): (Instant, Option<MacAddr6>),
        stray: &Stray,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &Stray { from, sequence: seq, len: bytes, ttl, straying } = stray;
        let other = from_mac.filter(|mac| self.resolved.is_some_and(|(known, ..)| known != *mac));
        let other = Maybe(other.map(|mac| format!(" from {}", Mac(mac))));
        let rest = format!("{from}: icmp_seq={seq} ttl={ttl}");
        let text = match straying {
            Straying::Duplicate { round_trip } => {
                format!("{bytes} bytes from {rest} time={} ms (DUP!){other}", Ms(round_trip))
            }
            Straying::Late { round_trip } => {
                let ms = Ms(round_trip);
                format!("late answer, not counted, from {rest} time={ms} ms{other}")
            }
            Straying::Corrupt(corrupt) => {
                let what = corrupt_name(corrupt);
                format!("corrupt answer ({what}), not counted, from {rest}{other}")
            }
            Straying::Elsewhere { asked } => {
                format!("answer from {from} for icmp_seq={seq}, but {asked} was asked{other}")
            }
            _ => format!("answer from {from} for icmp_seq={seq}, which was not asked for{other}"),
        };
        self.say(session, at, text, report)?;
        self.record(&Record::stray(session.time(at), self.dst, from_mac, seq, stray), report)
    }

    pub(super) fn arp(
        &mut self,
        session: &Session,
        at: Instant,
        event: &arp::Event,
        report: &mut Report,
    ) -> Result<(), Failure> {
        match *event {
            arp::Event::Resolved { addr, mac, round_trip, requests } if addr == self.next_hop => {
                self.resolved = Some((mac, round_trip, requests));
                self.arp_time = round_trip;
                self.owners.add(mac);
            }
            arp::Event::Conflict { addr, other, .. } if addr == self.next_hop => {
                self.conflict = Some(other);
                self.owners.add(other);
            }
            arp::Event::Moved { addr, new, .. } if addr == self.next_hop => {
                self.owners.add(new);
                self.resolved = self.resolved.map(|(_, time, requests)| (new, time, requests));
            }
            _ => {}
        }
        let gateway = (self.dst != self.next_hop).then_some(self.dst);
        if let Some(text) = crate::arp::line(&session.name, event, gateway) {
            self.say(session, at, text, report)?;
        }
        crate::arp::record(session, at, event, report)
    }

    /// An echo that never left.
    fn unsent(
        &self,
        session: &Session,
        at: Instant,
        seq: u16,
        why: impl Display,
        report: &mut Report,
    ) -> Result<(), Failure> {
        self.say(session, at, format_args!("icmp_seq={seq} not sent: {why}"), report)
    }

    /// The one before is not answered, and the next is due.
    pub(super) fn outstanding(
        &self,
        session: &Session,
        at: Instant,
        seq: u16,
        report: &mut Report,
    ) -> Result<(), Failure> {
        self.say(session, at, format_args!("no answer yet for icmp_seq={seq}"), report)
    }

    /// The same for programs.
    fn record(&self, record: &Record<'_>, report: &mut Report) -> Result<(), Failure> {
        if self.args.quiet { Ok(()) } else { report.record(record) }
    }

    /// A line about one request.
    fn say(
        &self,
        session: &Session,
        at: Instant,
        text: impl Display,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if self.args.quiet || self.args.letters.flood {
            return Ok(());
        }
        if !self.args.timestamps {
            return report.line(text);
        }
        let time = session.time(at).since_epoch();
        report.line(format_args!("[{}.{:06}] {text}", time.as_secs(), time.subsec_micros()))
    }
}
