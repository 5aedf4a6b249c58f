use std::{collections::VecDeque, num::NonZeroU32, time::Instant};

use super::{pool::Octets, port::PortId};

/// What is on its way to stations, soonest first.
#[derive(Default)]
pub(super) struct Wires(VecDeque<InFlight>);

impl Wires {
    /// Sends one more on its way; what is due at the same instant arrives in the order it left.
    #[inline]
    pub(super) fn depart(&mut self, at: Instant, to: To, octets: Option<Octets>) {
        let in_flight = InFlight { at, to, octets };
        if self.0.back().is_none_or(|last| last.at <= at) {
            self.0.push_back(in_flight);
        } else {
            let place = self.0.partition_point(|other| other.at <= at);
            self.0.insert(place, in_flight);
        }
    }

    /// Takes off what has arrived by `now`, one at a time.
    #[inline]
    pub(super) fn arrived(&mut self, now: Instant) -> Option<InFlight> {
        self.0.pop_front_if(|in_flight| in_flight.at <= now)
    }

    /// When the next arrives.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.front().map(|in_flight| in_flight.at)
    }

    /// Forgets what is for nobody any more: time need not pass for that.
    pub(super) fn retain(&mut self, is_there: impl Fn(To) -> bool) {
        self.0.retain(|in_flight| is_there(in_flight.to));
    }
}

pub(super) struct InFlight {
    pub(super) at: Instant,
    pub(super) to: To,
    /// `None` if the port is merely to be woken.
    pub(super) octets: Option<Octets>,
}

/// Whom a frame is on its way to; in 8 octets, since each frame bears it.
#[derive(Clone, Copy)]
pub(super) struct To {
    /// The station, or the one that it is not for.
    pub(super) port: PortId,
    /// If it is for all but one: how many ports there were.
    pub(super) among: Option<NonZeroU32>,
}

impl To {
    pub(super) fn one(port: PortId) -> Self {
        Self { port, among: None }
    }

    /// Those on the first `among` ports, but not the one at `port`.
    pub(super) fn all_but(port: PortId, among: u32) -> Self {
        Self { port, among: NonZeroU32::new(among) }
    }
}
