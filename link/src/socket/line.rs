use std::{
    cell::Cell,
    collections::VecDeque,
    io,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use macaddr::MacAddr6;

use crate::{
    frame::{TAG_LEN, Unsent},
    interface::State,
    io::Event,
    monitor::{Change, Condition, Monitor},
};

/// What a socket knows of the interface that it is bound to.
pub(crate) struct Line {
    monitor: Monitor,
    /// Somebody saw that there are news.
    rung: Cell<bool>,
    /// When the news were last taken in.
    heard: Instant,
    name: String,
    condition: Condition,
    adopted: Option<MacAddr6>,
    /// Octets that a frame may have beyond the MTU.
    extra: usize,
    gone: bool,
    events: VecDeque<Event>,
}

impl Line {
    pub(crate) fn new(
        monitor: Monitor,
        name: String,
        condition: Condition,
        adopted: Option<MacAddr6>,
        tagged: bool,
        now: Instant,
    ) -> Self {
        Self {
            monitor,
            rung: Cell::new(false),
            heard: now,
            name,
            condition,
            adopted,
            extra: if tagged { TAG_LEN } else { 0 },
            gone: false,
            events: VecDeque::new(),
        }
    }

    /// Says that there are news: whoever waits for frames waits for them too.
    pub(super) fn ring(&self) {
        self.rung.set(true);
    }

    /// Takes in the news if there are any, or may be some by now: to ask each time would double
    /// the system calls of who never waits.
    pub(super) fn follow(&mut self, now: Instant) {
        if self.rung.take() || now >= self.heard + LAG {
            self.heard = now;
            self.listen();
        }
    }

    /// Takes in the news.
    pub(crate) fn listen(&mut self) {
        while let Some(change) = self.monitor.read() {
            self.turn(change);
        }
    }

    /// Takes in how things are right now, which the news may not tell yet.
    pub(crate) fn ask(&mut self) {
        self.listen(); // they are older, and must not be told after it
        if let Ok(change) = self.monitor.now() {
            self.turn(change);
        }
    }

    /// Knows that the interface is gone.
    pub(crate) fn cut(&mut self) {
        self.gone = true;
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The address of our station.
    pub(crate) fn mac(&self) -> MacAddr6 {
        self.adopted.or(self.condition.mac).unwrap_or_default()
    }

    /// Octets that a frame may have after its header.
    pub(crate) fn mtu(&self) -> usize {
        self.condition.mtu + self.extra
    }

    /// Why no frame can leave at present.
    pub(crate) fn bar(&self) -> Option<Unsent> {
        match self.condition.state {
            _ if self.gone => Some(Unsent::Down),
            State::Up => None,
            State::NoCarrier => Some(Unsent::NoCarrier),
            State::Down => Some(Unsent::Down),
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// # Errors
    /// NotConnected if the interface is gone.
    pub(crate) fn check(&self) -> io::Result<()> {
        if !self.gone {
            return Ok(());
        }
        let name = &self.name;
        Err(io::Error::new(io::ErrorKind::NotConnected, format!("interface {name} is gone")))
    }

    fn turn(&mut self, change: Change) {
        let (mac, mtu, up) = (self.mac(), self.mtu(), self.condition.state == State::Up);
        match change {
            Change::Gone => return self.cut(),
            Change::Is(condition) => self.condition = condition,
        }
        let is_up = self.condition.state == State::Up;
        let link = if is_up { Event::Up } else { Event::Down };
        let events = [
            (is_up != up).then_some(link),
            (self.mtu() != mtu).then(|| Event::Mtu(self.mtu())),
            (self.mac() != mac).then(|| Event::Mac(self.mac())),
        ];
        self.events.extend(events.into_iter().flatten());
        let old = self.events.len().saturating_sub(MAX_EVENTS);
        self.events.drain(..old); // nobody listens; the latest say how it is
    }
}

/// How long news may lie unheard while nobody waits.
const LAG: Duration = Duration::from_millis(1);

/// Events kept for whoever does not take them.
const MAX_EVENTS: usize = 64;

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.monitor.as_fd()
    }
}
