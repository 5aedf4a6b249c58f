use std::{net::Ipv4Addr, path::Path};

use stack::{
    arp, icmp,
    sweep::{Ended, Outcome},
};

use crate::{
    failure::Failure,
    html::{Findings, MOST_HOSTS, Owner, Page, State},
    session::Session,
};

/// What is found, for a page.
pub(super) struct Gather {
    page: Page,
    findings: Findings,
}

impl Gather {
    /// Of a run with so many targets; its page is to be written to `path`.
    pub(super) fn new(path: &Path, targets: u64, session: &Session) -> Result<Self, Failure> {
        if targets > MOST_HOSTS as u64 {
            let message = format!("--html: a page tells of {MOST_HOSTS} targets, not of {targets}");
            return Err(Failure::usage(message).hint("-j tells of any number"));
        }
        let (from, began) = (session.identity.network.ip(), session.time(session.now()));
        let mut findings = Findings::new("Ping", &session.name, from, began);
        findings.targets = targets;
        Ok(Self { page: Page::open(path)?, findings })
    }

    pub(super) fn ended(&mut self, ended: &Ended) {
        let &Ended { addr, outcome, .. } = ended;
        match outcome {
            Outcome::Echo(icmp::Outcome::Reply { round_trip, ttl, .. }) => {
                self.findings.answered(addr, round_trip, ttl);
            }
            Outcome::Echo(icmp::Outcome::Error(_)) => {
                self.findings.unanswered(addr);
                self.findings.mark(addr, State::Unreachable);
            }
            _ => self.findings.unanswered(addr),
        }
    }

    /// Takes note of who is where, if it is one of those that `is_asked`.
    pub(super) fn arp(&mut self, event: &arp::Event, is_asked: impl Fn(Ipv4Addr) -> bool) {
        match *event {
            arp::Event::Resolved { addr, mac, round_trip, .. } if is_asked(addr) => {
                self.findings.at(addr, Owner::of(mac), round_trip);
            }
            arp::Event::Conflict { addr, kept, other } if is_asked(addr) => {
                for mac in [kept, other] {
                    self.findings.at(addr, Owner::of(mac), None);
                }
            }
            _ => {}
        }
    }

    /// Writes the page of a run that is over.
    pub(super) fn write(self, interrupted: bool, session: &mut Session) -> Result<(), Failure> {
        let Self { page, mut findings } = self;
        findings.interrupted = interrupted;
        findings.ended = session.time(session.now());
        findings.dropped = session.stack.link_mut().dropped();
        page.write(&findings)
    }
}
