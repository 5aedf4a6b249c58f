use std::{net::Ipv4Addr, time::Duration};

use macaddr::MacAddr6;

use crate::clock::Tick;

/// What is known of one neighbour.
pub(crate) struct Entry {
    pub(crate) state: State,
    /// Packets to it that went unanswered since it was last reached.
    pub(crate) unanswered: u8,
    /// Whether it ever answered us, or was reached.
    pub(crate) confirmed: bool,
    /// How often in a row it was given up on.
    pub(crate) failures: u8,
    /// Requests sent in this state; once failed, in the last attempt.
    pub(crate) requests: u16,
    /// Where it is, or was; nil if nobody ever told.
    pub(crate) mac: MacAddr6,
    /// In whose name it is asked for.
    pub(crate) from: Ipv4Addr,
    /// When it last said itself where it is, or was reached; once failed, when it may be asked
    /// for again.
    pub(crate) heard: Tick,
    /// When the last request for it left.
    pub(crate) asked: Tick,
    /// What few neighbours have.
    pub(crate) extra: Option<Box<Extra>>,
}

impl Entry {
    pub(crate) fn new(state: State, mac: MacAddr6, from: Ipv4Addr, heard: Tick) -> Self {
        Self {
            state,
            unanswered: 0,
            confirmed: false,
            failures: 0,
            requests: 0,
            mac,
            from,
            heard,
            asked: Tick::NEVER,
            extra: None,
        }
    }

    /// Takes note that it was asked for.
    pub(crate) fn note_request(&mut self, tick: Tick) {
        self.asked = tick;
        self.requests = self.requests.saturating_add(1);
    }

    /// The earliest moment for another request (RFC 1122 §2.3.2.1: one a second).
    pub(crate) fn may_ask(&self, tick: Tick) -> Tick {
        if self.was_asked(tick) { self.asked + REQUEST_INTERVAL } else { tick }
    }

    /// Whether a request for it left within the last second.
    pub(crate) fn was_asked(&self, tick: Tick) -> bool {
        self.asked != Tick::NEVER && tick < self.asked + REQUEST_INTERVAL
    }

    pub(crate) fn rival(&self) -> Option<MacAddr6> {
        self.extra.as_ref()?.rival
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Takes out the packets that wait for it, first fragment first.
    pub(crate) fn take_kept(&mut self) -> Vec<Vec<u8>> {
        let Some(extra) = &mut self.extra else { return Vec::new() };
        let kept = std::mem::take(&mut extra.kept);
        if extra.rival.is_none() {
            self.extra = None;
        }
        kept
    }

    /// Takes out who else claims its address.
    pub(crate) fn take_rival(&mut self) -> Option<MacAddr6> {
        let extra = self.extra.as_mut()?;
        let rival = extra.rival.take();
        if extra.kept.is_empty() {
            self.extra = None;
        }
        rival
    }
}

/// What only a neighbour has that is waited for, or fought over.
#[derive(Default)]
pub(crate) struct Extra {
    /// The latest datagram for it: all its fragments so far.
    pub(crate) kept: Vec<Vec<u8>>,
    /// Who else claims its address, while it is polled for at its own MAC.
    pub(crate) rival: Option<MacAddr6>,
}

/// How far a neighbour is known and to be believed (as RFC 4861 §7.3.2 has it for IPv6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// Asked for by broadcast, and not answered yet: the latest datagram waits.
    Incomplete,
    /// It answered, or was reached, not long ago.
    Reachable,
    /// Nothing is known against its MAC address, which is used at once, and polled for later.
    Stale,
    /// Used while stale: unless it turns out to be reached, it is polled for soon.
    Delay,
    /// It is polled for at the MAC address that we know, which is used meanwhile.
    Probe,
    /// It did not answer: until it may be asked again, packets to it are handed back at once.
    Failed,
    /// Pinned: it never changes or ages.
    Static,
}

/// Between two requests for one address; also how long a claim to another MAC address than the
/// one just confirmed is doubted.
pub const REQUEST_INTERVAL: Duration = Duration::from_secs(1);
