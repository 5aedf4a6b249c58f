use std::time::Instant;

use macaddr::MacAddr6;
use stack::{
    icmp::{self, Straying},
    sweep::{Ended, Outcome},
};

use super::Many;
use crate::{
    failure::Failure,
    record::{Record, unsent},
    report::Report,
};

impl Many<'_> {
    /// How a probe ended, for programs.
    pub(super) fn record(&self, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
        let &Ended { at, addr: dst, round, from_mac, outcome, .. } = ended;
        let (ts, seq) = (self.session.time(at), round as u16);
        let reason = match outcome {
            Outcome::Echo(outcome) => {
                return report.record(&Record::ended(ts, dst, from_mac, seq, &outcome));
            }
            Outcome::Refused(error) => unsent::refusal(&error),
            _ => "unsent",
        };
        report.record(&Record::Unsent { ts, dst, seq, reason })
    }

    /// An answer that ended no probe.
    pub(super) fn stray(
        &mut self,
        at: Instant,
        from_mac: Option<MacAddr6>,
        stray: &icmp::Stray,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (from, round) = (stray.from, self.sweep.round_of(stray.sequence));
        if let Some(tally) = self.tallies.get_mut(&from) {
            match stray.straying {
                Straying::Duplicate { .. } => self.linger.duplicates += 1,
                Straying::Late { .. } => self.linger.late += 1,
                _ => {}
            }
            tally.stray(stray.straying);
        }
        self.view.stray(stray, round, report);
        if !report.is_for_programs() || self.args.quiet {
            return Ok(());
        }
        let ts = self.session.time(at);
        report.record(&Record::stray(ts, from, from_mac, round as u16, stray))
    }
}
