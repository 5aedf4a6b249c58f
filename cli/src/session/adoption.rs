use std::net::Ipv4Addr;

use link::State;
use macaddr::MacAddr6;
use stack::{What, arp};

use super::Session;
use crate::{
    args::Global,
    failure::Failure,
    identity::Standing,
    open::Us,
    record::{Mac, Record},
    report::Report,
    signals::Wish,
};

impl Session {
    /// Sees to it that the address is ours to use, and says so: 4 to 7 seconds for one that we
    /// adopt. The exit code if it is taken, or if somebody wants an end first.
    pub(crate) fn settle(
        &mut self,
        global: &Global,
        report: &mut Report,
    ) -> Result<Option<u8>, Failure> {
        let addr = self.identity.network.ip();
        if self.identity.standing == Standing::Hosts {
            report.note(format_args!(
                "{addr} is the host's own: its kernel answers ARP and echo for it, we do not"
            ));
        }
        if self.identity.standing != Standing::Adopted {
            return Ok(None);
        }
        if !global.no_probe {
            let now = self.now();
            match self.us {
                Us::Claimant(_) => self.stack.probe(now, addr), // its owner announces it himself
                _ => self.stack.adopt(now),
            }
            report.note(format_args!(
                "probing {addr} on {}: 4 to 7 s until it is ours (--no-probe skips this)",
                self.name
            ));
            self.note_if_down(report);
            self.adoption(report, addr, "probing", None)?;
            match self.probed(addr, report)? {
                Probed::Free => {}
                Probed::Taken(owner) => {
                    let name = &self.name;
                    report.note(format_args!("{addr} is in use on {name} by {}", Mac(owner)));
                    self.adoption(report, addr, "taken", Some(owner))?;
                    return Ok(Some(1));
                }
                Probed::Stopped => return Ok(Some(130)),
            }
        }
        self.adoption(report, addr, "ours", Some(self.mac()))?;
        Ok(None)
    }

    /// How far the adoption of `addr` has come, for programs.
    pub(crate) fn adoption(
        &self,
        report: &mut Report,
        addr: Ipv4Addr,
        state: &str,
        mac: Option<MacAddr6>,
    ) -> Result<(), Failure> {
        let ts = self.time(self.now());
        report.record(&Record::Adopt { ts, ip: addr, state, mac: mac.map(Mac) })
    }

    /// Says that nothing can leave yet, where that is so.
    pub(crate) fn note_if_down(&self, report: &mut Report) {
        if self.lab.is_none() && link::interface(&self.name).is_ok_and(|is| is.state != State::Up) {
            report.note(format_args!("{} is down: it begins when the link is up", self.name));
        }
    }

    /// Waits for what comes of probing for `addr`.
    pub(crate) fn probed(
        &mut self,
        addr: Ipv4Addr,
        report: &mut Report,
    ) -> Result<Probed, Failure> {
        loop {
            let polled = self.poll();
            let more = self.or_gone(polled, report)?;
            while let Some(event) = self.stack.event() {
                match event.what {
                    What::Arp(arp::Event::Free { addr: free }) if free == addr => {
                        return Ok(Probed::Free);
                    }
                    What::Arp(arp::Event::Taken { addr: taken, mac }) if taken == addr => {
                        return Ok(Probed::Taken(mac));
                    }
                    What::Link(change) => self.link_changed(report, event.at, change)?,
                    _ => {}
                }
            }
            if !more {
                self.wait(None)?;
            }
            if self.wish() == Some(Wish::Stop) {
                return Ok(Probed::Stopped);
            }
        }
    }
}

/// What came of probing for an address.
pub(crate) enum Probed {
    Free,
    Taken(MacAddr6),
    /// Somebody wanted an end first.
    Stopped,
}
