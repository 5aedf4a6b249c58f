use std::{
    fmt::{self, Display},
    net::Ipv4Addr,
    time::Duration,
};

use macaddr::MacAddr6;

use super::record::HostFound;
use crate::{
    record::{Mac, Time, nanoseconds},
    vendor::vendor,
};

/// What is told of one owner of one address.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) addr: Ipv4Addr,
    pub(super) state: State,
    /// Of the address's owner; unknown behind a router.
    pub(super) mac: Option<MacAddr6>,
    /// The router that it is behind.
    pub(super) via: Option<Ipv4Addr>,
    pub(super) name: Option<String>,
    pub(super) arp: Arp,
    pub(super) echo: Echo,
    /// How many have been seen to have this address.
    pub(super) owners: usize,
    /// Whether they have it at the same time.
    pub(super) conflict: bool,
    /// Who had it a moment ago.
    pub(super) moved_from: Option<MacAddr6>,
    /// Another address of the same station's.
    pub(super) same_mac: Option<Ipv4Addr>,
    /// Against an earlier scan.
    pub(super) change: Option<Change>,
    /// Whether it was cut before all answers could have come.
    pub(super) interrupted: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Up,
    Silent,
    /// Silent, and it was there in an earlier scan.
    Gone,
}

/// What came of asking where it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Arp {
    #[default]
    NotAsked,
    Silent,
    /// After so long, if that is known.
    Answered(Option<Duration>),
}

/// What came of asking for an echo.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Echo {
    #[default]
    NotAsked,
    /// It may still come.
    Awaited,
    Silent,
    Answered {
        round_trip: Duration,
        ttl: u8,
    },
    /// Somebody said why there will be none.
    Error(&'static str),
}

/// What is not as it was in an earlier scan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    New,
    Gone,
    /// It had another MAC address.
    Changed(MacAddr6),
    Same,
}

impl Row {
    pub(super) fn of(addr: Ipv4Addr, state: State) -> Self {
        Self {
            addr,
            state,
            mac: None,
            via: None,
            name: None,
            arp: Arp::default(),
            echo: Echo::default(),
            owners: 0,
            conflict: false,
            moved_from: None,
            same_mac: None,
            change: None,
            interrupted: false,
        }
    }

    /// For programs.
    pub(super) fn record(&self, ts: Time) -> HostFound<'_> {
        let arp = match self.arp {
            Arp::NotAsked => None,
            Arp::Silent => Some(false),
            Arp::Answered(_) => Some(true),
        };
        let echo = match self.echo {
            Echo::NotAsked | Echo::Awaited => None,
            Echo::Silent | Echo::Error(_) => Some(false),
            Echo::Answered { .. } => Some(true),
        };
        HostFound {
            ts,
            ip: self.addr,
            state: match self.state {
                State::Up => "up",
                State::Silent => "silent",
                State::Gone => "gone",
            },
            mac: self.mac.map(Mac),
            vendor: self.mac.and_then(vendor),
            via: self.via,
            name: self.name.as_deref(),
            arp,
            arp_ns: match self.arp {
                Arp::Answered(time) => time.map(nanoseconds),
                _ => None,
            },
            echo,
            echo_ns: match self.echo {
                Echo::Answered { round_trip, .. } => Some(nanoseconds(round_trip)),
                _ => None,
            },
            ttl: self.ttl(),
            owners: self.owners,
            conflict: self.conflict,
            moved_from: self.moved_from.map(Mac),
            same_mac: self.same_mac,
            change: self.change.map(|change| match change {
                Change::New => "new",
                Change::Gone => "gone",
                Change::Changed(_) => "changed",
                Change::Same => "same",
            }),
            old_mac: match self.change {
                Some(Change::Changed(old)) => Some(Mac(old)),
                _ => None,
            },
            interrupted: self.interrupted,
        }
    }

    pub(super) fn mac_text(&self) -> OrDash<Mac> {
        OrDash(self.mac.map(Mac))
    }

    pub(super) fn vendor_text(&self) -> OrDash<Whose> {
        OrDash(match (self.mac, self.via) {
            (Some(mac), _) => Some(Whose::Vendor(vendor(mac).unwrap_or("(unknown)"))),
            (None, via) => via.map(Whose::Via),
        })
    }

    /// How long the answer by ARP took.
    pub(super) fn arp_time(&self) -> Option<Duration> {
        match self.arp {
            Arp::Answered(time) => time,
            Arp::NotAsked | Arp::Silent => None,
        }
    }

    /// After how long, if it was asked and has answered.
    pub(super) fn arp_text(&self) -> OrDash<Answer> {
        OrDash(match self.arp {
            Arp::Answered(Some(time)) => Some(Answer::After(time)),
            Arp::Answered(None) => Some(Answer::Else("heard")),
            Arp::NotAsked | Arp::Silent => None,
        })
    }

    /// After how long, if it was asked and has answered, or what was said instead.
    pub(super) fn echo_text(&self) -> OrDash<Answer> {
        OrDash(match self.echo {
            Echo::Answered { round_trip, .. } => Some(Answer::After(round_trip)),
            Echo::Error(what) => Some(Answer::Else(what)),
            Echo::Awaited => Some(Answer::Else("?")),
            Echo::NotAsked | Echo::Silent => None,
        })
    }

    /// Hops that were left of the reply's.
    pub(super) fn ttl(&self) -> Option<u8> {
        match self.echo {
            Echo::Answered { ttl, .. } => Some(ttl),
            _ => None,
        }
    }

    /// What is remarkable, the worst first.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> {
        let change = match self.change {
            Some(Change::New) => Some(Note::New),
            Some(Change::Gone) => Some(Note::Gone),
            Some(Change::Changed(old)) => Some(Note::Changed(Mac(old))),
            Some(Change::Same) | None => None,
        };
        let notes = [
            self.conflict.then_some(Note::Conflict(self.owners)),
            self.moved_from.map(|old| Note::Moved(Mac(old))),
            change,
            self.same_mac.map(Note::SameMac),
        ];
        notes.into_iter().flatten()
    }
}

/// What may not be known, and then is a dash.
pub(super) struct OrDash<T>(pub(super) Option<T>);

impl<T: Display> Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => text.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// Who made it, or where it is.
pub(super) enum Whose {
    Vendor(&'static str),
    Via(Ipv4Addr),
}

impl Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vendor(name) => f.write_str(name),
            Self::Via(router) => write!(f, "via {router}"),
        }
    }
}

/// What came back.
pub(super) enum Answer {
    After(Duration),
    Else(&'static str),
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Milliseconds, to ten microseconds.
            Self::After(time) => {
                let hundredths = (time.as_nanos() + 5_000) / 10_000;
                write!(f, "{}.{:02} ms", hundredths / 100, hundredths % 100)
            }
            Self::Else(what) => f.write_str(what),
        }
    }
}

/// A remark on a host.
#[derive(Clone, Copy)]
pub(super) enum Note {
    /// So many have its address.
    Conflict(usize),
    Moved(Mac),
    New,
    Gone,
    Changed(Mac),
    SameMac(Ipv4Addr),
}

impl Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(owners) => write!(f, "CONFLICT {owners} owners"),
            Self::Moved(old) => write!(f, "MOVED from {old}"),
            Self::New => f.write_str("NEW"),
            Self::Gone => f.write_str("GONE"),
            Self::Changed(old) => write!(f, "CHANGED from {old}"),
            Self::SameMac(other) => write!(f, "same MAC as {other}"),
        }
    }
}
