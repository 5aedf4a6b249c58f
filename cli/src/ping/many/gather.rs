use std::net::Ipv4Addr;

use stack::{
    arp, icmp,
    sweep::{Ended, Outcome},
};

use crate::html::{Draft, Owner, State};

/// What is found, for a page.
pub(super) struct Gather(pub(super) Draft);

impl Gather {
    pub(super) fn ended(&mut self, ended: &Ended) {
        let &Ended { addr, outcome, .. } = ended;
        match outcome {
            Outcome::Echo(icmp::Outcome::Reply { round_trip, ttl, .. }) => {
                self.0.findings.answered(addr, round_trip, ttl);
            }
            Outcome::Echo(icmp::Outcome::Error(_)) => {
                self.0.findings.unanswered(addr);
                self.0.findings.mark(addr, State::Unreachable);
            }
            _ => self.0.findings.unanswered(addr),
        }
    }

    /// Takes note of who is where, if it is one of those that `is_asked`.
    pub(super) fn arp(&mut self, event: &arp::Event, is_asked: impl Fn(Ipv4Addr) -> bool) {
        match *event {
            arp::Event::Resolved { addr, mac, round_trip, .. } if is_asked(addr) => {
                self.0.findings.at(addr, Owner::of(mac), round_trip);
            }
            arp::Event::Conflict { addr, kept, other } if is_asked(addr) => {
                for mac in [kept, other] {
                    self.0.findings.at(addr, Owner::of(mac), None);
                }
            }
            _ => {}
        }
    }
}
