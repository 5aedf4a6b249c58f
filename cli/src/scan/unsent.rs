use stack::{
    icmp,
    sweep::{Ended, Outcome},
};

use super::Run;
use crate::{
    failure::Failure,
    record::{Record, unsent},
    report::Report,
};

impl Run<'_> {
    /// A target that cannot be probed.
    pub(super) fn unsent(&mut self, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
        let &Ended { at, addr: dst, round, outcome, .. } = ended;
        let (reason, why) = match outcome {
            Outcome::Refused(error) => (unsent::refusal(&error), error.to_string()),
            Outcome::Unsent(why) | Outcome::Echo(icmp::Outcome::Unsent(why)) => {
                (unsent::link_reason(why), unsent::link_words(why).to_owned())
            }
            Outcome::At { .. } => ("pinned", "IP@MAC says where it is".to_owned()),
            Outcome::Echo(never) => (
                unsent::reason(&never),
                "another packet for its next hop took its place".to_owned(),
            ),
            Outcome::Silent => return Ok(()), // it was asked
        };
        let figures = &mut self.teller.roll.figures;
        figures.unsent += 1;
        if figures.unsent == 1 && !self.args.plain {
            self.teller.note(format_args!("{dst}: cannot be probed: {why}"), report);
        }
        let (ts, seq) = (self.session.time(at), round as u16);
        report.record(&Record::Unsent { ts, dst, seq, reason })
    }
}
