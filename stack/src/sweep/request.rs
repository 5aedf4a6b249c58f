use std::{net::Ipv4Addr, time::Instant};

use icmp::{Echo, SendError};
use link::FrameIo;

use super::{Method, Outcome, Sweep, hops::Way};
use crate::host::Stack;

impl Sweep {
    /// Makes the next request of `probe`, if that is possible now.
    pub(super) fn request<L: FrameIo>(
        &mut self,
        now: Instant,
        probe: Probe,
        stack: &mut Stack<L>,
    ) -> Requested {
        let addr = probe.addr;
        let no_route = Requested::Ended(Outcome::Refused(ipv4::SendError::NoRoute(addr).into()));
        match (self.hops.way(addr, stack), self.config.method) {
            (Way::None, _) | (Way::Through | Way::Later | Way::Silent { .. }, Method::Arp) => {
                no_route
            }
            (Way::Direct, _) if probe.by_arp => self.ask(now, probe, stack),
            (Way::Direct | Way::Through, _) => self.echo(now, probe, stack),
            (Way::Later, _) => Requested::Not,
            (Way::Silent { requests }, _) => {
                Requested::Ended(Outcome::Echo(icmp::Outcome::Unresolved { requests }))
            }
        }
    }

    fn ask<L: FrameIo>(&mut self, now: Instant, probe: Probe, stack: &mut Stack<L>) -> Requested {
        let addr = probe.addr;
        if let Some(&mac) = self.pinned.get(&addr) {
            self.follow(probe);
            return Requested::Ended(Outcome::At { mac, round_trip: None });
        }
        if self.asked.contains_key(&addr) {
            return Requested::Not;
        }
        match stack.resolve(now, addr) {
            Ok(()) => {
                self.asked.insert(addr, probe.round);
                Requested::Left
            }
            Err(link::SendError::Full) => Requested::Not,
            Err(error) => {
                let error = ipv4::SendError::Link(error);
                Requested::Ended(Outcome::Refused(error.into()))
            }
        }
    }

    fn echo<L: FrameIo>(&mut self, now: Instant, probe: Probe, stack: &mut Stack<L>) -> Requested {
        let sequence = self.rounds.sequence(probe.round, probe.tried);
        let echo = Echo {
            ttl: self.config.ttl,
            tos: self.config.tos,
            dont_fragment: self.config.dont_fragment,
            timeout: self.timeouts[usize::from(probe.tried)],
            ..Echo::new(probe.addr, sequence, &self.config.data)
        };
        match stack.echo(now, &echo) {
            Ok(()) => {
                self.in_flight += 1;
                Requested::Left
            }
            Err(error) if error.is_full() => Requested::Not,
            Err(SendError::InFlight { .. }) => Requested::Not, // 65,536 requests ago, still awaited
            Err(error) => Requested::Ended(Outcome::Refused(error)),
        }
    }
}

/// One request, to be made.
#[derive(Clone, Copy)]
pub(super) struct Probe {
    pub(super) addr: Ipv4Addr,
    pub(super) round: u64,
    /// Requests that were made before it.
    pub(super) tried: u8,
    pub(super) by_arp: bool,
    /// Whether it is not one of [`Sweep::again`].
    pub(super) is_new: bool,
}

pub(super) enum Requested {
    Left,
    Ended(Outcome),
    Not,
}
