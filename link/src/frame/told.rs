use std::time::{Duration, Instant};

use macaddr::MacAddr6;
use nix::libc;

use super::{Cast, Checksum, Direction, Facts, Source, Stamp};

/// What is known of a frame besides its octets, and how.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'a> {
    Facts(Facts),
    Kernel(Said<'a>),
}

impl Told<'_> {
    /// All of it, for a frame to `dst`.
    pub(super) fn facts(&self, dst: MacAddr6) -> Facts {
        match self {
            Self::Facts(facts) => *facts,
            Self::Kernel(said) => Facts {
                direction: said.direction,
                cast: said.cast(dst),
                at: said.at(),
                stamp: said.stamp(),
                checksum: said.checksum(),
            },
        }
    }

    #[inline]
    pub(super) fn direction(&self) -> Direction {
        match self {
            Self::Facts(facts) => facts.direction,
            Self::Kernel(said) => said.direction,
        }
    }

    #[inline]
    pub(super) fn cast(&self, dst: MacAddr6) -> Cast {
        match self {
            Self::Facts(facts) => facts.cast,
            Self::Kernel(said) => said.cast(dst),
        }
    }

    #[inline]
    pub(super) fn at(&self) -> Instant {
        match self {
            Self::Facts(facts) => facts.at,
            Self::Kernel(said) => said.at(),
        }
    }

    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        match self {
            Self::Facts(facts) => facts.stamp,
            Self::Kernel(said) => said.stamp(),
        }
    }
}

/// What the kernel said of a frame. To understand it takes as long as to receive the frame, so it
/// is put off until somebody asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) direction: Direction,
    /// `TP_STATUS_` flags.
    pub(crate) status: u32,
    /// When: seconds, then nanoseconds since the epoch; zeros if it did not say.
    pub(crate) stamp: [u8; 8],
    pub(crate) batch: &'a Batch,
}

impl Said<'_> {
    fn cast(&self, dst: MacAddr6) -> Cast {
        Cast::of(dst, self.batch.mac)
    }

    fn at(&self) -> Instant {
        self.batch.span.instant(self.since_epoch()).unwrap_or(self.batch.at)
    }

    fn stamp(&self) -> Stamp {
        match self.since_epoch() {
            Duration::ZERO => Stamp { since_epoch: self.batch.wall, source: Source::User },
            stamp => Stamp { since_epoch: stamp, source: Source::Kernel },
        }
    }

    fn since_epoch(&self) -> Duration {
        let [a, b, c, d, e, f, g, h] = self.stamp;
        let (seconds, nanoseconds) = ([a, b, c, d], [e, f, g, h]);
        Duration::new(u32::from_ne_bytes(seconds).into(), u32::from_ne_bytes(nanoseconds))
    }

    fn checksum(&self) -> Checksum {
        match self.status & libc::TP_STATUS_CSUMNOTREADY {
            0 => Checksum::Complete,
            _ => Checksum::Unfinished,
        }
    }
}

/// What the frames that were taken in at once have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// The address of our station.
    pub(crate) mac: MacAddr6,
    /// When they were taken in.
    pub(crate) at: Instant,
    /// The time of day then, since the epoch.
    pub(crate) wall: Duration,
    pub(crate) span: Span,
}

/// From when to when the times of day of the kernel's stamps run like the layers' clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) since: Instant,
    /// The time of day at `since`, since the epoch.
    pub(crate) dawn: Duration,
    pub(crate) until: Instant,
}

impl Span {
    /// The instant of `stamp`, since the epoch, if it lies in the span.
    pub(crate) fn instant(&self, stamp: Duration) -> Option<Instant> {
        let instant = self.since.checked_add(stamp.checked_sub(self.dawn)?)?;
        (instant <= self.until).then_some(instant)
    }
}
