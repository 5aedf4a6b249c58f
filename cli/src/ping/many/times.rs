use std::time::Duration;

use hdrhistogram::Histogram;

use crate::{
    record::{RoundTrips, nanoseconds},
    statistics::percentile,
    value::Figure,
};

/// Round trips to one of many targets: each of them where they are few, then a histogram, which
/// stays small however many there are. Mean, deviation and extremes are always exact.
#[derive(Default)]
pub(super) struct Times {
    few: Vec<u64>,
    many: Option<Box<Histogram<u32>>>,
    count: u64,
    sum: f64,
    squares: f64,
    extremes: Option<(u64, u64)>,
    last: Option<u64>,
    /// All differences between one and the next.
    wander: u64,
}

impl Times {
    pub(super) fn push(&mut self, round_trip: Duration) {
        let nanos = nanoseconds(round_trip);
        self.count += 1;
        self.sum += nanos as f64;
        self.squares += (nanos as f64).powi(2);
        let (min, max) = self.extremes.unwrap_or((nanos, nanos));
        self.extremes = Some((min.min(nanos), max.max(nanos)));
        self.wander += self.last.map_or(0, |last| last.abs_diff(nanos));
        self.last = Some(nanos);
        if self.many.is_none() && self.few.len() < FEW {
            return self.few.push(nanos);
        }
        let few = std::mem::take(&mut self.few);
        let many = self.many.get_or_insert_with(|| {
            Box::new(Histogram::new(DIGITS).expect("two significant digits are allowed"))
        });
        for nanos in few.into_iter().chain([nanos]) {
            let _ = many.record(nanos); // it grows with what it is given
        }
    }

    /// The last one, in nanoseconds.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    /// In nanoseconds.
    pub(super) fn mean(&self) -> Option<u64> {
        (self.count > 0).then(|| (self.sum / self.count as f64).round() as u64)
    }

    /// The mean difference between one and the next, in nanoseconds.
    pub(super) fn jitter(&self) -> Option<u64> {
        self.wander.checked_div(self.count.saturating_sub(1))
    }

    /// In nanoseconds; a percentile of a histogram is up to a hundredth of itself too long, never
    /// too short.
    pub(super) fn figure(&self, figure: Figure) -> Option<u64> {
        let (min, max) = self.extremes?;
        match (figure, &self.many) {
            (Figure::Mean, _) => self.mean(),
            (Figure::Percentile(100.0), _) => Some(max),
            (Figure::Percentile(percent), None) => percentile(self.few.clone(), percent),
            (Figure::Percentile(percent), Some(many)) => {
                Some(many.value_at_percentile(percent).clamp(min, max))
            }
        }
    }

    pub(super) fn round_trips(&self) -> Option<RoundTrips> {
        let ((min, max), avg) = (self.extremes?, self.mean()?);
        let mean = self.sum / self.count as f64;
        let mdev = (self.squares / self.count as f64 - mean * mean).max(0.0).sqrt().round() as u64;
        let percentile = |percent| self.figure(Figure::Percentile(percent));
        let (p50, p90, p99) = (percentile(50.0)?, percentile(90.0)?, percentile(99.0)?);
        Some(RoundTrips { min, avg, max, mdev, p50, p90, p99 })
    }
}

/// Round trips of one target that are kept as they are.
const FEW: usize = 1024;

/// Significant digits of a histogram: with two it takes 1 KiB for each doubling of the times.
const DIGITS: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nanos: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        nanos.into_iter().for_each(|nanos| times.push(Duration::from_nanos(nanos)));
        times
    }

    #[test]
    fn of_a_few_times_the_percentiles_are_exact() {
        let times = of(1..=1000);
        let RoundTrips { p50, p90, p99, .. } = times.round_trips().expect("there are some");
        assert_eq!((p50, p90, p99), (500, 900, 990));
        assert_eq!(times.figure(Figure::Percentile(99.9)), Some(999));
        assert_eq!((times.last(), times.jitter()), (Some(1000), Some(1)));
    }

    #[test]
    fn of_very_many_times_the_percentiles_are_a_hundredth_too_long_at_most_and_none_is_kept() {
        let times = of(0..1_000_000);
        assert_eq!(times.few.capacity(), 0);
        let many = times.many.as_ref().expect("they are many");
        assert!(many.distinct_values() <= 2048, "{}", many.distinct_values());
        let RoundTrips { min, avg, max, p50, p90, p99, .. } =
            times.round_trips().expect("there are some");
        assert_eq!((min, avg, max), (0, 500_000, 999_999));
        for (figure, exact) in [(p50, 500_000), (p90, 900_000), (p99, 990_000)] {
            assert!((exact - 1..=exact + exact / 100).contains(&figure), "{figure}, not {exact}");
        }
    }

    #[test]
    fn of_no_times_there_is_no_figure() {
        let times = of([]);
        assert!(times.round_trips().is_none() && times.figure(Figure::Mean).is_none());
        assert_eq!((times.last(), times.jitter(), of([7]).jitter()), (None, None, None));
    }
}
