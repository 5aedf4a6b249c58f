use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;

use super::{
    pool::{Octets, Queues},
    trouble::Trouble,
};
use crate::{
    frame::{HEADER_LEN, TAG_LEN, Unsent},
    interface::State,
    io::Event,
};

/// What a switch knows of the station behind one of its ports.
pub(super) struct Station {
    pub(super) terms: Terms,
    /// What has arrived.
    pub(super) inbox: VecDeque<Arrived>,
    /// Whether it was named as woken and did not ask since.
    pub(super) woken: bool,
    /// The address that it spoke from last, and how many have been learned behind it.
    pub(super) last_src: u64,
    pub(super) learned: u32,
    trouble: Option<Box<Trouble>>,
}

impl Station {
    pub(super) fn new(terms: Terms) -> Self {
        let (inbox, trouble) = (VecDeque::new(), None);
        Self { terms, inbox, woken: false, last_src: 0, learned: 0, trouble }
    }

    /// Takes in a frame, if there is room; an older one is never lost for it.
    pub(super) fn take_in(&mut self, arrived: Arrived, queues: &mut Queues) {
        if let Some(trouble) = &mut self.trouble {
            if trouble.state != State::Up {
                return;
            }
            if self.inbox.len() >= trouble.room {
                trouble.overflowed += 1;
                return;
            }
        }
        if self.inbox.capacity() == 0 {
            self.inbox = queues.take();
        }
        self.inbox.push_back(arrived);
    }

    pub(super) fn has_news(&self) -> bool {
        !self.inbox.is_empty() || self.trouble.as_ref().is_some_and(|trouble| trouble.has_news())
    }

    pub(super) fn state(&self) -> State {
        self.trouble.as_ref().map_or(State::Up, |trouble| trouble.state)
    }

    pub(super) fn set_state(&mut self, state: State) {
        let trouble = self.trouble();
        match (trouble.state == State::Up, state == State::Up) {
            (true, false) => trouble.events.push_back(Event::Down),
            (false, true) => trouble.events.push_back(Event::Up),
            _ => {}
        }
        trouble.state = state;
    }

    pub(super) fn set_mac(&mut self, mac: MacAddr6) {
        if self.terms.mac != mac {
            self.terms.mac = mac;
            self.trouble().events.push_back(Event::Mac(mac));
        }
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        let before = self.terms.mtu();
        self.terms.set_mtu(mtu);
        if self.terms.mtu() != before {
            let event = Event::Mtu(self.terms.mtu());
            self.trouble().events.push_back(event);
        }
    }

    /// What was done to its line, to do more.
    pub(super) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// What has happened to its line.
    pub(super) fn event(&mut self) -> Option<Event> {
        self.trouble.as_mut()?.events.pop_front()
    }

    pub(super) fn overflowed(&self) -> u64 {
        self.trouble.as_ref().map_or(0, |trouble| trouble.overflowed)
    }

    /// Whether nothing leaves at `at`.
    pub(super) fn is_jammed(&self, at: Instant) -> bool {
        let jammed = self.trouble.as_ref().and_then(|trouble| trouble.jammed);
        jammed.is_some_and(|until| at < until)
    }

    /// # Errors
    /// NotConnected if the link was deleted; what a test asked for, once.
    pub(super) fn check_receive(&mut self) -> io::Result<()> {
        let Some(trouble) = &mut self.trouble else { return Ok(()) };
        trouble.check()?;
        trouble.error.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// # Errors
    /// NotConnected if the link was deleted.
    pub(super) fn check(&self) -> io::Result<()> {
        self.trouble.as_ref().map_or(Ok(()), |trouble| trouble.check())
    }
}

/// What a station knows of its own line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) mac: MacAddr6,
    /// Whether a frame may have the octets of a tag beyond the MTU.
    pub(super) tagged: bool,
    mtu: u32,
    slots: u32,
}

impl Terms {
    pub(super) fn new(mac: MacAddr6) -> Self {
        Self { mac, tagged: false, mtu: 1500, slots: SLOTS }
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu.try_into().unwrap_or(u32::MAX);
    }

    /// How many frames can be queued until a flush.
    pub(super) fn set_slots(&mut self, slots: usize) {
        self.slots = slots.try_into().unwrap_or(u32::MAX);
    }

    /// Octets that a frame may have after its header.
    pub(super) fn mtu(&self) -> usize {
        self.mtu as usize + if self.tagged { TAG_LEN } else { 0 }
    }

    /// Whether so many frames are all that can be queued.
    pub(super) fn is_full(&self, queued: usize) -> bool {
        queued >= self.slots as usize
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
const SLOTS: u32 = 256;
