//! What stands in many lines, and how it is written there.

use std::{
    fmt::{self, Display},
    time::{Duration, SystemTime},
};

use macaddr::MacAddr6;
use serde::{Serialize, Serializer};
use stack::link::{Source, Tag};

/// An 802.1Q tag.
#[derive(Serialize)]
pub(crate) struct VlanTag {
    prio: u8,
    id: u16,
}

impl From<Tag> for VlanTag {
    fn from(tag: Tag) -> Self {
        Self { prio: tag.priority, id: tag.id }
    }
}

/// Who stamps what leaves, and what arrives.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Stamps {
    pub(crate) tx: &'static str,
    pub(crate) rx: &'static str,
}

pub(crate) fn source_name(source: Source) -> &'static str {
    match source {
        Source::Hardware => "hardware",
        Source::Kernel => "kernel",
        Source::User => "user",
        Source::Virtual => "virtual",
    }
}

/// A MAC address in lower case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Mac(pub(crate) MacAddr6);

impl Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Mac {
    fn text(self) -> [u8; 17] {
        let mut text = [b':'; 17];
        for (octet, pair) in self.0.into_array().into_iter().zip(text.chunks_mut(3)) {
            pair[0] = HEX[usize::from(octet >> 4)];
            pair[1] = HEX[usize::from(octet & 0x0f)];
        }
        text
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// A time of day, as RFC 3339 has it, to the nanosecond.
#[derive(Clone, Copy)]
pub(crate) struct Time(pub(crate) SystemTime);

impl Time {
    pub(crate) fn since_epoch(self) -> Duration {
        self.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_nanos(self.0).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The time of day where no link has a clock to ask.
#[expect(clippy::disallowed_methods, reason = "for the time of an error without a link")]
pub(crate) fn wall_clock() -> Time {
    Time(SystemTime::now())
}

/// Nanoseconds, as far as they fit.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

const HEX: &[u8; 16] = b"0123456789abcdef";
