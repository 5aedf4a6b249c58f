use std::net::Ipv4Addr;

use super::{Many, tally::Tally};
use crate::{
    failure::Failure,
    record::{Record, Summary},
    report::Report,
};

impl Many<'_> {
    /// Tells of those who were still being asked when it was over, or are told of only then; and
    /// programs of those who never were.
    pub(super) fn rest(&mut self, report: &mut Report) -> Result<(), Failure> {
        if report.is_for_programs() {
            for (addr, awaited) in self.sweep.awaited(&self.session.stack) {
                if !self.apart.contains(addr) {
                    let tally = self.tallies.entry(addr).or_insert_with(|| Tally::new(self.args));
                    tally.awaited = awaited;
                }
            }
        }
        let mut rest: Vec<_> = std::mem::take(&mut self.tallies).into_iter().collect();
        rest.sort_unstable_by_key(|(addr, _)| *addr);
        for (addr, tally) in rest {
            self.conclude(addr, tally, report)?;
        }
        if report.is_for_programs() { self.unbegun(report) } else { Ok(()) }
    }

    /// A summary of each who was not asked at all.
    fn unbegun(&self, report: &mut Report) -> Result<(), Failure> {
        if self.sweep.len() > MOST_UNBEGUN {
            return Ok(());
        }
        let unbegun = self.sweep.unbegun().filter(|addr| !self.apart.contains(*addr));
        let mut unbegun: Vec<Ipv4Addr> = unbegun.collect();
        unbegun.sort_unstable();
        unbegun.into_iter().try_for_each(|addr| {
            let summary = Tally::new(self.args).summary(addr, self.args);
            report.record(&Record::Summary(Summary { interrupted: self.stopped, ..summary }))
        })
    }
}

/// Targets of which each has a summary, whether it was asked or not.
const MOST_UNBEGUN: u64 = 1 << 16;
