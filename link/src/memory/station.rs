use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;

use super::pool::Octets;
use crate::{
    frame::{HEADER_LEN, Unsent},
    interface::State,
    io::Event,
};

/// What a switch knows of the station behind one of its ports.
pub(super) struct Station {
    pub(super) terms: Terms,
    /// What has arrived.
    pub(super) inbox: VecDeque<Arrived>,
    /// How many frames that may hold.
    pub(super) room: usize,
    /// How many it could not.
    pub(super) overflowed: u64,
    /// What has happened to the line.
    pub(super) events: VecDeque<Event>,
    /// Whether it was named as woken and did not ask since.
    pub(super) woken: bool,
    /// Until when nothing leaves.
    pub(super) jammed: Option<Instant>,
    /// What the next receive ends with.
    pub(super) error: Option<io::ErrorKind>,
    /// The address that it spoke from last, and how many have been learned behind it.
    pub(super) last_src: u64,
    pub(super) learned: u32,
    pub(super) state: State,
    is_gone: bool,
}

impl Station {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            inbox: VecDeque::new(),
            room: usize::MAX,
            overflowed: 0,
            events: VecDeque::new(),
            woken: false,
            jammed: None,
            error: None,
            last_src: 0,
            learned: 0,
            state: State::Up,
            is_gone: false,
        }
    }

    /// Takes in a frame, if there is room; an older one is never lost for it.
    pub(super) fn take_in(&mut self, arrived: Arrived) {
        if self.state != State::Up {
            return;
        }
        if self.inbox.len() < self.room {
            self.inbox.push_back(arrived);
        } else {
            self.overflowed += 1;
        }
    }

    pub(super) fn has_news(&self) -> bool {
        !self.inbox.is_empty() || !self.events.is_empty() || self.error.is_some() || self.is_gone
    }

    pub(super) fn set_state(&mut self, state: State) {
        match (self.state == State::Up, state == State::Up) {
            (true, false) => self.events.push_back(Event::Down),
            (false, true) => self.events.push_back(Event::Up),
            _ => {}
        }
        self.state = state;
    }

    pub(super) fn set_mac(&mut self, mac: MacAddr6) {
        if self.terms.mac != mac {
            self.terms.mac = mac;
            self.events.push_back(Event::Mac(mac));
        }
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        if self.terms.mtu != mtu {
            self.terms.mtu = mtu;
            self.events.push_back(Event::Mtu(self.terms.mtu()));
        }
    }

    pub(super) fn delete(&mut self) {
        self.is_gone = true;
    }

    /// # Errors
    /// NotConnected if the link was deleted; what a test asked for, once.
    pub(super) fn check_receive(&mut self) -> io::Result<()> {
        self.check()?;
        self.error.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// # Errors
    /// NotConnected if the link was deleted.
    pub(super) fn check(&self) -> io::Result<()> {
        if !self.is_gone {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::NotConnected, "the link was deleted"))
    }
}

/// What a station knows of its own line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) mac: MacAddr6,
    pub(super) mtu: usize,
    /// Octets that a frame may have beyond the MTU.
    pub(super) tag: usize,
    /// Frames queued until a flush.
    pub(super) slots: usize,
}

impl Terms {
    pub(super) fn new(mac: MacAddr6) -> Self {
        Self { mac, mtu: 1500, tag: 0, slots: SLOTS }
    }

    /// Octets that a frame may have after its header.
    pub(super) fn mtu(&self) -> usize {
        self.mtu + self.tag
    }

    /// Why a frame of `len` octets cannot leave through a line in that state.
    pub(super) fn bar(&self, state: State, len: usize) -> Option<Unsent> {
        match state {
            State::Up if len > HEADER_LEN + self.mtu() => Some(Unsent::TooLong),
            State::Up => None,
            State::NoCarrier => Some(Unsent::NoCarrier),
            State::Down => Some(Unsent::Down),
        }
    }
}

/// A frame that has arrived, or has left.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) at: Instant,
    /// The time of day then.
    pub(super) since_epoch: Duration,
    pub(super) octets: Octets,
}

/// Frames queued until a flush, unless said otherwise.
const SLOTS: usize = 256;
