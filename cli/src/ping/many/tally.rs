use std::{
    fmt::{self, Display},
    net::Ipv4Addr,
    time::Duration,
};

use stack::{icmp, sweep::Outcome};

use crate::{
    args::Thresholds,
    record::{RoundTrips, Summary, nanoseconds},
    statistics::percentile,
    text::{Ms, Percent},
    threshold::{Measured, Missed, Owners},
    value::Figure,
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
    times: Times,
    /// The last round trip.
    pub(super) last: Option<Duration>,
    /// Who answered as it, or as its next hop.
    pub(super) owners: Owners,
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

    /// Whether it passes, and what it missed.
    pub(super) fn judge(&self, thresholds: &Thresholds) -> (bool, Vec<Missed>) {
        thresholds.judge(&Measured {
            received: self.received,
            loss: self.loss(),
            round_trip: &|figure| self.times.figure(figure),
            owners: &self.owners,
        })
    }

    pub(super) fn summary(&self, dst: Ipv4Addr, interrupted: bool, pass: bool) -> Summary {
        Summary {
            sent: self.ended - self.unsent,
            received: self.received,
            errors: self.errors,
            unsent: self.unsent,
            loss_pct: self.loss(),
            rtt_ns: self.times.round_trips(),
            interrupted,
            pass,
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
        let Some(RoundTrips { min, avg, max, .. }) = self.times.round_trips() else {
            return Ok(());
        };
        let [min, avg, max] = [min, avg, max].map(Ms::of_nanos);
        write!(f, ", min/avg/max = {min}/{avg}/{max}")
    }
}

/// Round-trip times in nanoseconds: all of them where they are few, else an even sample for the
/// percentiles, and the rest exactly.
#[derive(Default)]
struct Times {
    sample: Vec<u64>,
    /// One of so many, as a power of two, is in the sample.
    thinned: u32,
    count: u64,
    sum: f64,
    squares: f64,
    extremes: Option<(u64, u64)>,
}

impl Times {
    fn push(&mut self, nanos: u64) {
        if self.count.trailing_zeros() >= self.thinned {
            self.sample.push(nanos);
        }
        self.count += 1;
        self.sum += nanos as f64;
        self.squares += (nanos as f64).powi(2);
        let (min, max) = self.extremes.unwrap_or((nanos, nanos));
        self.extremes = Some((min.min(nanos), max.max(nanos)));
        if self.sample.len() > SAMPLE {
            let mut n = 0;
            self.sample.retain(|_| {
                n += 1;
                n % 2 == 1
            });
            self.thinned += 1;
        }
    }

    /// In nanoseconds.
    fn figure(&self, figure: Figure) -> Option<u64> {
        match figure {
            Figure::Mean => Some(self.round_trips()?.avg),
            Figure::Percentile(100.0) => Some(self.extremes?.1),
            Figure::Percentile(percent) => percentile(self.sample.clone(), percent),
        }
    }

    fn round_trips(&self) -> Option<RoundTrips> {
        let sampled = RoundTrips::of(self.sample.clone())?;
        let (min, max) = self.extremes?;
        let mean = self.sum / self.count as f64;
        let variance = (self.squares / self.count as f64 - mean * mean).max(0.0);
        let (avg, mdev) = (mean.round() as u64, variance.sqrt().round() as u64);
        Some(RoundTrips { min, avg, max, mdev, ..sampled })
    }
}

/// Times that are kept of one target.
const SAMPLE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_times_a_bounded_even_sample_is_kept() {
        let mut times = Times::default();
        (0..1_000_000).for_each(|nanos| times.push(nanos));
        assert!((SAMPLE / 2..=SAMPLE).contains(&times.sample.len()), "{}", times.sample.len());
        let apart = times.sample[1] - times.sample[0];
        assert!(times.sample.windows(2).all(|pair| pair[1] - pair[0] == apart));
        let RoundTrips { min, avg, max, p50, .. } = times.round_trips().expect("there are some");
        assert_eq!((min, avg, max), (0, 500_000, 999_999));
        assert!(p50.abs_diff(500_000) <= 2 * apart, "{p50}");
    }
}
