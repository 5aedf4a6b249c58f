use std::{borrow::Cow, time::Duration};

use hdrhistogram::Histogram;

use crate::{
    record::{RoundTrips, nanoseconds},
    value::Figure,
};

/// What came of the requests to one target.
pub(crate) struct Statistics {
    /// Requests that left.
    pub(crate) sent: u64,
    /// Of those, answered by whom we asked, whole and in time.
    pub(crate) received: u64,
    pub(crate) duplicates: u64,
    pub(crate) late: u64,
    pub(crate) corrupt: u64,
    pub(crate) foreign: u64,
    /// Requests that an ICMP error came back for.
    pub(crate) errors: u64,
    /// Requests that left, and that nothing came back for in time.
    pub(crate) timed_out: u64,
    /// Requests that never left.
    pub(crate) unsent: u64,
    /// Of those, the ones whose next hop never answered ARP: as lost as those that left.
    pub(crate) unresolved: u64,
    /// Replies that came after one to a later request.
    pub(crate) reordered: u64,
    round_trips: Histogram<u64>,
    /// Those that are not in the histogram yet: the memory answers for the places of many at once
    /// as soon as for that of one.
    fresh: Vec<u64>,
    /// The shortest and the longest, which the histogram would round.
    extremes: Option<(u64, u64)>,
    sum: f64,
    squares: f64,
    last: Option<u64>,
    wander: u64,
}

impl Statistics {
    pub(crate) fn new() -> Self {
        let round_trips = Histogram::new_with_bounds(FINEST, 2 * FINEST, 4);
        let mut round_trips = round_trips.expect("four significant digits are allowed");
        round_trips.auto(true);
        Self {
            sent: 0,
            received: 0,
            duplicates: 0,
            late: 0,
            corrupt: 0,
            foreign: 0,
            errors: 0,
            timed_out: 0,
            unsent: 0,
            unresolved: 0,
            reordered: 0,
            round_trips,
            fresh: Vec::new(),
            extremes: None,
            sum: 0.0,
            squares: 0.0,
            last: None,
            wander: 0,
        }
    }

    /// Counts a reply.
    pub(crate) fn reply(&mut self, round_trip: Duration) {
        let nanos = nanoseconds(round_trip);
        self.sent += 1;
        self.received += 1;
        self.fresh.push(nanos);
        if self.fresh.len() >= FRESH {
            self.settle();
        }
        self.sum += nanos as f64;
        self.squares += (nanos as f64).powi(2);
        self.wander += self.last.map_or(0, |last| last.abs_diff(nanos));
        self.last = Some(nanos);
        let (min, max) = self.extremes.unwrap_or((nanos, nanos));
        self.extremes = Some((min.min(nanos), max.max(nanos)));
    }

    /// Puts all round trips in the histogram; without it each figure of them has to.
    pub(crate) fn settle(&mut self) {
        put(&mut self.round_trips, &self.fresh);
        self.fresh.clear();
    }

    /// Percent of the requests that no reply came to. What the link itself did not send is not
    /// lost, unless nothing was sent at all.
    pub(crate) fn loss(&self) -> Option<f64> {
        match (self.sent + self.unresolved, self.unsent) {
            (0, 0) => None,
            (0, _) => Some(100.0),
            (asked, _) => Some((asked - self.received) as f64 * 100.0 / asked as f64),
        }
    }

    /// A figure of the round-trip times, in nanoseconds.
    pub(crate) fn round_trip(&self, figure: Figure) -> Option<u64> {
        let (min, max) = self.extremes?;
        Some(match figure {
            Figure::Mean => (self.sum / self.received as f64).round() as u64,
            Figure::Percentile(percent) => {
                self.distribution().value_at_percentile(percent).clamp(min, max)
            }
        })
    }

    /// The longest round trip.
    pub(crate) fn longest(&self) -> Option<Duration> {
        self.extremes.map(|(_, max)| Duration::from_nanos(max))
    }

    pub(crate) fn round_trips(&self) -> Option<RoundTrips> {
        let (min, max) = self.extremes?;
        let mean = self.sum / self.received as f64;
        let variance = (self.squares / self.received as f64 - mean * mean).max(0.0);
        let distribution = self.distribution();
        let percentile = |p| distribution.value_at_quantile(p).clamp(min, max);
        let (p50, p90, p99) = (percentile(0.5), percentile(0.9), percentile(0.99));
        let (avg, mdev) = (mean.round() as u64, variance.sqrt().round() as u64);
        Some(RoundTrips { min, avg, max, mdev, p50, p90, p99 })
    }

    /// How all round trips are distributed.
    fn distribution(&self) -> Cow<'_, Histogram<u64>> {
        let mut distribution = Cow::Borrowed(&self.round_trips);
        if !self.fresh.is_empty() {
            put(distribution.to_mut(), &self.fresh);
        }
        distribution
    }

    /// The mean difference between one round trip and the next.
    pub(crate) fn jitter(&self) -> Option<u64> {
        Some(self.wander / self.received.checked_sub(1).filter(|pairs| *pairs > 0)?)
    }
}

fn put(distribution: &mut Histogram<u64>, round_trips: &[u64]) {
    for nanos in round_trips {
        let _ = distribution.record(*nanos); // it grows with what it is given
    }
}

/// The time, of a few, that so many percent of them do not exceed.
pub(crate) fn percentile(mut times: Vec<u64>, percent: f64) -> Option<u64> {
    times.sort_unstable();
    let rank = (times.len() as f64 * percent / 100.0).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied()
}

/// Round trips that are put in their places at once.
const FRESH: usize = 32;

/// Nanoseconds that percentiles do not tell apart: much less than stamps are true, and so coarse
/// that the counts which a flood goes to and fro between stay in the processor's cache.
const FINEST: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_of_all_round_trips_whether_they_are_in_the_histogram_or_not() {
        for count in [1, 2, 31, 32, 33, 100] {
            let mut statistics = Statistics::new();
            (1..=count).for_each(|n| statistics.reply(Duration::from_micros(n)));
            let median = statistics.round_trip(Figure::Percentile(50.0));
            let p50 = statistics.round_trips().map(|times| times.p50);
            statistics.settle();
            assert_eq!(statistics.round_trip(Figure::Percentile(50.0)), median, "of {count}");
            assert_eq!((statistics.round_trips().map(|times| times.p50), p50), (median, median));
            assert_eq!(statistics.round_trips.len(), count);
        }
    }
}
