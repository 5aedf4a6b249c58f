use std::time::Instant;

use macaddr::MacAddr6;
use stack::{
    icmp::{self, Straying},
    sweep::{Ended, Outcome},
};

use super::{super::view::name, Many};
use crate::{
    failure::Failure,
    record::{Mac, Record, nanoseconds, unsent},
    report::Report,
};

impl Many<'_> {
    /// How a probe ended, for programs.
    pub(super) fn record(&self, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
        let &Ended { at, addr: dst, round, from_mac, outcome, .. } = ended;
        let (ts, seq) = (self.session.time(at), round as u16);
        report.record(&match outcome {
            Outcome::Echo(icmp::Outcome::Reply { len, ttl, round_trip, reordered, .. }) => {
                Record::Reply {
                    ts,
                    dst,
                    from: dst,
                    from_mac: from_mac.map(Mac),
                    seq,
                    bytes: len,
                    ttl,
                    rtt_ns: Some(nanoseconds(round_trip)),
                    dup: false,
                    reordered,
                    corrupt: None,
                }
            }
            Outcome::Echo(icmp::Outcome::TimedOut { waited }) => {
                Record::Timeout { ts, dst, seq, waited_ns: nanoseconds(waited) }
            }
            Outcome::Echo(icmp::Outcome::Error(error)) => Record::icmp_error(ts, dst, seq, &error),
            Outcome::Echo(never) => Record::Unsent { ts, dst, seq, reason: unsent::reason(&never) },
            Outcome::Refused(error) => {
                Record::Unsent { ts, dst, seq, reason: unsent::refusal(&error) }
            }
            _ => Record::Unsent { ts, dst, seq, reason: "unsent" },
        })
    }

    /// An answer that ended no probe.
    pub(super) fn stray(
        &mut self,
        at: Instant,
        from_mac: Option<MacAddr6>,
        stray: &icmp::Stray,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &icmp::Stray { from, sequence, len: bytes, ttl, straying } = stray;
        let round = self.sweep.round_of(sequence);
        if let Some(tally) = self.tallies.get_mut(&from) {
            self.linger.stray(straying);
            tally.stray(straying);
        }
        self.view.stray(stray, round, report);
        if !report.is_for_programs() {
            return Ok(());
        }
        let (ts, seq, from_mac) = (self.session.time(at), round as u16, from_mac.map(Mac));
        let reply = |rtt_ns, dup, corrupt| Record::Reply {
            ts,
            dst: from,
            from,
            from_mac,
            seq,
            bytes,
            ttl,
            rtt_ns,
            dup,
            reordered: false,
            corrupt,
        };
        report.record(&match straying {
            Straying::Late { round_trip } => {
                let rtt_ns = nanoseconds(round_trip);
                Record::Late { ts, dst: from, from_mac, seq, bytes, ttl, rtt_ns }
            }
            Straying::Duplicate { round_trip } => reply(Some(nanoseconds(round_trip)), true, None),
            Straying::Corrupt(corrupt) => reply(None, false, Some(name(corrupt))),
            Straying::Elsewhere { asked } => {
                Record::Foreign { ts, from, from_mac, seq, asked: Some(asked) }
            }
            _ => Record::Foreign { ts, from, from_mac, seq, asked: None },
        })
    }
}
