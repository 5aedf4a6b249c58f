//! What ends no probe: conflicts, late and doubled answers, changes of the link.

use std::{net::Ipv4Addr, time::Instant};

use macaddr::MacAddr6;
use stack::{What, arp, icmp, sweep::Method};

use super::{Run, host::Echo};
use crate::{
    failure::Failure,
    record::{Mac, Record},
    report::Report,
    text::Ms,
};

impl Run<'_> {
    pub(super) fn other(
        &mut self,
        event: stack::Event,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let stack::Event { at, from_mac, what } = event;
        match what {
            What::Link(event) => self.teller.aside(|| self.session.link_noted(report, at, event)),
            What::Arp(event) => self.arp(at, &event, report),
            What::Icmp(icmp::Event::Stray(stray)) => self.stray(at, from_mac, &stray, report),
            What::Icmp(_) => Ok(()),
        }
    }

    fn arp(&mut self, at: Instant, event: &arp::Event, report: &mut Report) -> Result<(), Failure> {
        let row = match *event {
            arp::Event::Conflict { addr, other, .. }
                if addr == self.session.identity.network.ip() =>
            {
                if !std::mem::replace(&mut self.contested, true) {
                    self.teller.roll.figures.conflicts += 1;
                    let other = Mac(other);
                    let text = format_args!("CONFLICT: {addr} is ours, and {other} claims it too");
                    self.teller.note(text, report);
                }
                None
            }
            arp::Event::Conflict { addr, kept, other } if self.is_echo_to_come(addr) => {
                self.teller.awaited(at, addr, kept, other);
                None
            }
            arp::Event::Conflict { addr, kept, other } if self.teller.roll.is_mute(addr) => {
                let asked_by_echo = self.method() == Method::Echo;
                let echo = if asked_by_echo { Echo::Silent } else { Echo::NotAsked };
                self.teller.roll.roused(at, addr, (kept, other), echo);
                None
            }
            arp::Event::Conflict { addr, other, .. } => self.teller.roll.contested(at, addr, other),
            arp::Event::Moved { addr, old, new } => self.teller.roll.moved(addr, old, new),
            _ => return Ok(()),
        };
        crate::arp::record(&self.session, at, event, report)?;
        row.map_or(Ok(()), |row| self.teller.tell(&self.session, at, &row, report))
    }

    /// An echo reply too late, or one too many.
    fn stray(
        &mut self,
        at: Instant,
        from_mac: Option<MacAddr6>,
        stray: &icmp::Stray,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &icmp::Stray { from: dst, sequence: seq, straying, .. } = stray;
        match straying {
            icmp::Straying::Late { round_trip } => {
                if !self.args.plain {
                    let ms = Ms(round_trip);
                    let text = format_args!("{dst} answers the echo late, after {ms} ms");
                    self.teller.note(text, report);
                }
                report.record(&Record::stray(self.session.time(at), dst, from_mac, seq, stray))
            }
            icmp::Straying::Duplicate { .. } if self.is_direct(dst) => {
                let row = from_mac.and_then(|mac| self.teller.roll.answered_too(dst, mac));
                row.map_or(Ok(()), |row| self.teller.tell(&self.session, at, &row, report))
            }
            _ => Ok(()),
        }
    }

    /// Whether only the echo to `addr` will end it, and has not yet.
    fn is_echo_to_come(&mut self, addr: Ipv4Addr) -> bool {
        self.method() == Method::Echo
            && self.sweep.targets().contains(addr)
            && !self.apart.contains(addr)
            && self.is_direct(addr)
            && self.teller.roll.is_unheard(addr)
    }
}
