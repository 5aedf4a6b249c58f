use std::{net::Ipv4Addr, time::Duration};

use stack::{
    icmp::{self, Straying},
    sweep::{Ended, Outcome},
};

use super::times::Times;
use crate::{
    args::{Ping, Thresholds},
    record::{Summary, nanoseconds},
    threshold::{Measured, Missed, Owners},
};

/// What came of asking one of many targets.
#[derive(Default)]
pub(super) struct Tally {
    /// Probes that have ended.
    pub(super) ended: u64,
    /// Of those that have not, how many had left when it was all over.
    pub(super) awaited: u64,
    pub(super) received: u64,
    errors: u64,
    /// Probes that never left; but those whose next hop is silent are as lost as any.
    unsent: u64,
    unresolved: u64,
    reordered: u64,
    duplicates: u64,
    late: u64,
    corrupt: u64,
    foreign: u64,
    pub(super) times: Times,
    /// The round trip of each round, in nanoseconds, if they are to be listed.
    pub(super) list: Vec<Option<u64>>,
    /// Who answered as it, or as its next hop.
    pub(super) owners: Owners,
    /// Whether it passed when all its rounds were over, if it is told of later.
    pub(super) passed: Option<bool>,
}

impl Tally {
    /// Of a target that is asked as `args` say.
    pub(super) fn new(args: &Ping) -> Self {
        let listed = args.many.vcount.unwrap_or_default() as usize;
        Self { list: vec![None; listed], ..Self::default() }
    }

    pub(super) fn count(&mut self, ended: &Ended) {
        self.ended += 1;
        match ended.outcome {
            Outcome::Echo(icmp::Outcome::Reply { round_trip, reordered, .. }) => {
                self.received += 1;
                self.reordered += u64::from(reordered);
                self.times.push(round_trip);
                if let Some(listed) = self.list.get_mut(ended.round as usize) {
                    *listed = Some(nanoseconds(round_trip));
                }
            }
            Outcome::Echo(icmp::Outcome::Error(_)) => self.errors += 1,
            Outcome::Echo(icmp::Outcome::TimedOut { .. }) => {}
            Outcome::Echo(icmp::Outcome::Unresolved { .. } | icmp::Outcome::Replaced) => {
                self.unsent += 1;
                self.unresolved += 1;
            }
            _ => self.unsent += 1,
        }
    }

    /// Counts an answer that ended no probe.
    pub(super) fn stray(&mut self, straying: Straying) {
        match straying {
            Straying::Duplicate { .. } => self.duplicates += 1,
            Straying::Late { .. } => self.late += 1,
            Straying::Corrupt(_) => self.corrupt += 1,
            _ => self.foreign += 1,
        }
    }

    /// Whether it passes, which `others` may claim to be, too, and what it missed.
    pub(super) fn judge(
        &mut self,
        thresholds: &Thresholds,
        others: Option<&Owners>,
    ) -> (bool, Vec<Missed>) {
        if let Some(others) = others {
            self.owners.join(others.clone());
        }
        thresholds.judge(&Measured {
            received: self.received,
            loss: self.loss(),
            round_trip: &|figure| self.times.figure(figure),
            owners: &self.owners,
        })
    }

    /// Probes that never left, though nothing says that nobody is there.
    pub(super) fn held_back(&self) -> u64 {
        self.unsent - self.unresolved
    }

    /// For how long nothing came, as far as one can know who asks once each `period`.
    pub(super) fn outage(&self, period: Duration) -> Duration {
        let lost = self.ended - self.received;
        period.saturating_mul(lost.try_into().unwrap_or(u32::MAX))
    }

    pub(super) fn summary(&self, dst: Ipv4Addr, args: &Ping) -> Summary {
        let is_series = args.rounds().is_some();
        Summary {
            sent: self.ended - self.unsent + self.awaited,
            received: self.received,
            dup: self.duplicates,
            late: self.late,
            corrupt: self.corrupt,
            foreign: self.foreign,
            errors: self.errors,
            unsent: self.unsent,
            reordered: self.reordered,
            loss_pct: self.loss(),
            rtt_ns: self.times.round_trips(),
            jitter_ns: self.times.jitter(),
            outage_ns: is_series.then(|| nanoseconds(self.outage(args.many.period()))),
            rtts_ns: args.many.vcount.map(|_| self.list.clone()),
            ..Summary::of_nothing(dst)
        }
    }

    /// Percent that no reply came to, of those that left or whose next hop is silent.
    fn loss(&self) -> Option<f64> {
        match self.ended - self.unsent + self.unresolved {
            0 if self.ended == 0 => None,
            0 => Some(100.0),
            asked => Some((asked - self.received) as f64 * 100.0 / asked as f64),
        }
    }
}
