use std::time::Instant;

use link::{FrameIo, MacAddr6};

use super::{Ended, Event, Method, Outcome, Sweep, request::Probe};
use crate::{event::What, host::Stack};

impl Sweep {
    /// Ends the probe that `event` is about, makes its next request due, or passes it on.
    pub(super) fn take_in<L: FrameIo>(&mut self, event: crate::Event, stack: &Stack<L>) {
        let crate::Event { at, from_mac, ref what } = event;
        match *what {
            What::Icmp(icmp::Event::Ended(ended)) => self.echo_ended(at, from_mac, ended, stack),
            What::Arp(ref arp) => self.arp_event(at, arp, &event),
            What::Link(link) => {
                match link {
                    link::Event::Down => self.outage.begin(at),
                    link::Event::Up => {
                        let waited = self.outage.end(at);
                        self.rounds.put_off(waited);
                    }
                    _ => {}
                }
                self.events.push_back(Event::Other(event));
            }
            _ => self.events.push_back(Event::Other(event)),
        }
    }

    fn echo_ended<L: FrameIo>(
        &mut self,
        at: Instant,
        from_mac: Option<MacAddr6>,
        ended: icmp::Ended,
        stack: &Stack<L>,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let (round, tried) = self.rounds.request(ended.sequence);
        let addr = ended.dst;
        let probe = Probe { addr, round, tried, by_arp: false, is_new: false };
        if let icmp::Outcome::Reply { .. } = ended.outcome {
            self.outage.passed();
        }
        match ended.outcome {
            icmp::Outcome::TimedOut { waited } if self.outage.spoilt(at, waited) => {
                self.again.push_back(probe);
            }
            icmp::Outcome::Unresolved { .. } if self.outage.spoilt(at, arp::REQUEST_INTERVAL) => {
                self.again.push_back(probe);
            }
            icmp::Outcome::TimedOut { .. } if usize::from(tried) + 1 < self.timeouts.len() => {
                self.again.push_back(Probe { tried: tried + 1, ..probe });
            }
            icmp::Outcome::Replaced if self.hops.displaced(addr, stack) => {
                self.again.push_back(probe);
            }
            icmp::Outcome::Unsent(reason) if self.outage.keeps(at, reason) => {
                self.again.push_back(probe);
            }
            outcome => self.end(at, probe, u32::from(tried) + 1, from_mac, Outcome::Echo(outcome)),
        }
    }

    fn arp_event(&mut self, at: Instant, arp: &arp::Event, event: &crate::Event) {
        let (addr, tries, outcome) = match *arp {
            arp::Event::Resolved { addr, mac, round_trip, requests } => {
                self.hops.known(addr);
                self.outage.passed();
                (addr, requests, Outcome::At { mac, round_trip })
            }
            arp::Event::Unresolved { addr, requests, .. } => {
                match self.outage.spoilt(at, arp::REQUEST_INTERVAL) {
                    true => self.hops.forget(addr),
                    false => self.hops.silent(addr, requests),
                }
                (addr, requests, Outcome::Silent)
            }
            arp::Event::Unsent { addr, reason, .. } => {
                self.hops.forget(addr);
                (addr, 0, Outcome::Unsent(reason))
            }
            _ => return self.events.push_back(Event::Other(event.clone())),
        };
        let Some(round) = self.asked.remove(&addr) else {
            return self.events.push_back(Event::Other(event.clone()));
        };
        let probe = Probe { addr, round, tried: 0, by_arp: true, is_new: false };
        match outcome {
            Outcome::At { .. } => self.follow(probe),
            Outcome::Unsent(reason) if self.outage.keeps(at, reason) => {
                return self.again.push_back(probe);
            }
            Outcome::Silent if self.outage.spoilt(at, arp::REQUEST_INTERVAL) => {
                return self.again.push_back(probe);
            }
            _ => {}
        }
        let from_mac = match outcome {
            Outcome::At { mac, .. } => Some(mac),
            _ => None,
        };
        self.events.push_back(Event::Ended(Ended { at, addr, round, tries, from_mac, outcome }));
    }

    /// After the ARP answer comes the echo, if both are wanted.
    pub(super) fn follow(&mut self, probe: Probe) {
        if self.config.method == Method::Both {
            self.again.push_back(Probe { by_arp: false, is_new: false, ..probe });
        }
    }

    /// Ends `probe`, of which so many requests were made.
    pub(super) fn end(
        &mut self,
        at: Instant,
        probe: Probe,
        tries: u32,
        from_mac: Option<MacAddr6>,
        outcome: Outcome,
    ) {
        let Probe { addr, round, .. } = probe;
        self.events.push_back(Event::Ended(Ended { at, addr, round, tries, from_mac, outcome }));
    }
}
