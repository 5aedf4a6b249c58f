use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;

/// What is known of one neighbour.
pub(crate) struct Entry {
    pub(crate) state: State,
    /// When the state ends, or the next request is due.
    pub(crate) deadline: Instant,
    /// When the last request for it left.
    pub(crate) asked: Option<Instant>,
    /// Tells it from earlier entries for the same address.
    pub(crate) serial: u32,
}

impl Entry {
    /// Takes note that it was asked for.
    pub(crate) fn note_request(&mut self, now: Instant) {
        self.asked = Some(now);
        if let State::Incomplete { requests, .. } = &mut self.state {
            *requests += 1;
        }
    }

    /// The earliest moment for another request (RFC 1122 §2.3.2.1: one a second).
    pub(crate) fn may_ask(&self, now: Instant) -> Instant {
        self.asked.map_or(now, |asked| now.max(asked + REQUEST_INTERVAL))
    }
}

pub(crate) enum State {
    /// Asked for, so many times.
    Incomplete { from: Ipv4Addr, requests: u32, packet: Option<Vec<u8>> },
    /// It said so itself, last at `confirmed`; so many packets to it went unanswered since.
    Reachable { mac: MacAddr6, confirmed: Instant, unanswered: u32 },
    /// We were told by our owner.
    Static(MacAddr6),
}

/// Between two requests for one address; also how long a second, differing answer is taken for a
/// conflict rather than a move.
pub const REQUEST_INTERVAL: Duration = Duration::from_secs(1);
