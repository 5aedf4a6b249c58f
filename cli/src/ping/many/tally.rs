use std::{
    fmt::{self, Display},
    net::Ipv4Addr,
    time::Duration,
};

use stack::{icmp, sweep::Outcome};

use crate::{
    record::{RoundTrips, Summary, nanoseconds},
    text::{Ms, Percent},
};

/// What came of asking one of many targets.
#[derive(Default)]
pub(super) struct Tally {
    /// Probes that have ended.
    pub(super) ended: u64,
    pub(super) received: u64,
    errors: u64,
    /// Probes that never left; but those whose next hop is silent are as lost as any.
    unsent: u64,
    unresolved: u64,
    /// In nanoseconds.
    times: Vec<u64>,
    /// The last round trip.
    pub(super) last: Option<Duration>,
}

impl Tally {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        self.ended += 1;
        match outcome {
            Outcome::Echo(icmp::Outcome::Reply { round_trip, .. }) => {
                self.received += 1;
                self.last = Some(*round_trip);
                self.times.push(nanoseconds(*round_trip));
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

    pub(super) fn summary(&self, dst: Ipv4Addr, interrupted: bool) -> Summary {
        Summary {
            sent: self.ended - self.unsent,
            received: self.received,
            errors: self.errors,
            unsent: self.unsent,
            loss_pct: self.loss(),
            rtt_ns: RoundTrips::of(self.times.clone()),
            interrupted,
            pass: self.received > 0,
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

/// As fping(8) sums up a target.
impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, received) = (self.ended, self.received);
        let loss = Percent(self.loss().unwrap_or_default());
        write!(f, "xmt/rcv/%loss = {sent}/{received}/{loss}%")?;
        let Some(RoundTrips { min, avg, max, .. }) = RoundTrips::of(self.times.clone()) else {
            return Ok(());
        };
        let [min, avg, max] = [min, avg, max].map(Ms::of_nanos);
        write!(f, ", min/avg/max = {min}/{avg}/{max}")
    }
}
