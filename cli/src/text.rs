//! Parts of lines for people.

use std::{
    fmt::{self, Display},
    time::Duration,
};

/// Milliseconds, to the microsecond.
#[derive(Clone, Copy)]
pub(crate) struct Ms(pub(crate) Duration);

impl Ms {
    pub(crate) fn of_nanos(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }
}

impl Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0.as_secs_f64() * 1e3)
    }
}

/// At most four decimals, and none where there is nothing to tell by them.
pub(crate) struct Percent(pub(crate) f64);

impl Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (self.0 * 1e4).round() / 1e4)
    }
}

/// A part that is not always there.
pub(crate) struct Maybe(pub(crate) Option<String>);

impl Display for Maybe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().map_or(Ok(()), |text| f.write_str(text))
    }
}
