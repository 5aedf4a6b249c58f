use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use crate::frame::time;

/// The time of day as text, of one frame after another: a new second is formatted, the nanoseconds
/// in it only written over.
pub(crate) struct Moment {
    second: u64,
    text: [u8; LEN],
}

impl Moment {
    pub(crate) fn new() -> Self {
        let mut moment = Self { second: 0, text: [b'0'; LEN] };
        moment.begin(0);
        moment
    }

    /// That long after the epoch, as RFC 3339 has it.
    pub(crate) fn at(&mut self, since_epoch: Duration) -> &str {
        let second = since_epoch.as_secs();
        if second != self.second {
            self.begin(second);
        }
        let mut left = since_epoch.subsec_nanos();
        for digit in self.text[FRACTION..LEN - 1].iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    fn begin(&mut self, second: u64) {
        self.second = second;
        let at: SystemTime = time(Duration::from_secs(second)).0;
        let text = humantime::format_rfc3339_nanos(at);
        // A time after the year 9999, which no capture can hold, is shown as the one before it.
        let _ = write!(&mut self.text[..], "{text}");
    }
}

/// The part of such a text that tells the time of day.
pub(crate) fn of_day(text: &str) -> &str {
    text.get(DATE..LEN - 1).unwrap_or(text)
}

/// Octets of `1970-01-01T00:00:00.000000000Z`.
const LEN: usize = 30;

/// Where in it the nanoseconds begin.
const FRACTION: usize = 20;

/// Where in it the hours begin.
const DATE: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_is_written_as_its_own_second_and_fraction() {
        let mut moment = Moment::new();
        for since_epoch in [
            Duration::ZERO,
            Duration::new(5, 1),
            Duration::new(5, 999_999_999),
            Duration::new(1_795_343_755, 971_396_424),
            Duration::new(5, 0),
            Duration::from_nanos(u64::MAX),
        ] {
            let expected = humantime::format_rfc3339_nanos(time(since_epoch).0).to_string();
            assert_eq!(moment.at(since_epoch), expected);
            assert_eq!(of_day(moment.at(since_epoch)), &expected[11..29]);
        }
    }
}
