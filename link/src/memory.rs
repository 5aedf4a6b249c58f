//! An Ethernet in memory: any number of stations, virtual time, faults by seed.
//!
//! Nothing here sleeps or reads a clock: whoever owns the loop moves the time, by
//! [`Network::advance_to`] or by [`Wait`] on a [`Port`]. The same program with the same seed
//! sees the same frames at the same instants.
//!
//! # Test your own protocol on it
//!
//! Write the protocol over [`FrameIo`](crate::FrameIo), with the time as an argument, and it
//! cannot tell a [`Port`] from a [`PacketSocket`](crate::PacketSocket). This one asks once a
//! second until it is answered; the test loses the first question, waits for nothing, and knows
//! the very nanosecond of the answer.
//!
//! ```
//! # use sidestack_link as link;
//! use std::{io, time::{Duration, Instant}};
//! use link::{Direction, EtherType, FrameIo, MacAddr6, memory::{Fate, LATENCY, Network}};
//!
//! struct Asker<L> { link: L, due: Instant, answered: Option<Instant> }
//!
//! impl<L: FrameIo> Asker<L> {
//!     fn poll(&mut self, now: Instant) -> io::Result<()> {
//!         self.link.recv(now, &mut |frame, _| match frame.direction() {
//!             Direction::Received => self.answered = Some(frame.at()),
//!             _ => {} // our own, which has left or could not
//!         })?;
//!         if self.answered.is_none() && self.due <= now {
//!             self.due = now + Duration::from_secs(1);
//!             let all = MacAddr6::broadcast();
//!             self.link.send(all, QUESTION, 5, &mut |out| out.copy_from_slice(b"Hello"))
//!                 .expect("one frame fits the queue");
//!         }
//!         self.link.flush()
//!     }
//! }
//! const QUESTION: EtherType = EtherType(0x88b5); // for local experiments (IEEE 802)
//!
//! let network = Network::new();
//! let [link, mut host] = [1, 2].map(|n| network.attach(MacAddr6::new(2, 0, 0, 0, 0, n)));
//! let start = network.now();
//! network.set_fate(move |transit| if transit.at == start { Fate::lost() } else { Fate::arrives() });
//!
//! let mut asker = Asker { link, due: start, answered: None };
//! while asker.answered.is_none() {
//!     asker.poll(network.now())?;
//!     host.recv(network.now(), &mut |frame, tx| if frame.direction() == Direction::Received {
//!         tx.send(frame.src(), QUESTION, 0, &mut |_| ()).expect("one frame fits the queue");
//!     })?;
//!     host.flush()?;
//!     network.advance_to(network.next_arrival().unwrap_or(asker.due));
//! }
//! assert_eq!(asker.answered, Some(start + Duration::from_secs(1) + 2 * LATENCY));
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # What can go wrong, and how to make it
//!
//! | fault | how |
//! |---|---|
//! | loss, delay, jitter, reordering, duplicates, corruption, by probability | [`Faults`] and a seed |
//! | the same of one frame, station, direction, type or time | [`Network::set_fate`] and a look at the [`Transit`] |
//! | a frame cut off, padded with junk, with a tag put in | [`Fate::cut`], [`Fate::padded`], [`Fate::tagged`] |
//! | a lower MTU on the way: silent, or told to the sender | [`Transit::exceeds`] and [`Fate::lost`], or [`Fate::refused`] |
//! | a partition, one way or both; silence to ARP only, or to IP only | [`Fate::lost`] by [`Transit::from`], or by [`Transit::ether_type`] |
//! | the link down and up, without carrier, deleted; its address or MTU changed | the [`Line`] of the port |
//! | the queue full, the wire busy; a receive that fails; an inbox that overflows | the [`Line`] of the port |
//! | the clock on the wall jumps | [`Network::set_wall`] |
//! | everybody hears everything | [`Network::hub`] |
//! | what somebody else sends: forged answers, two owners of an address, a router that moves | another port, which speaks as anybody by [`As`](crate::As) |

mod fate;
mod faults;
mod line;
mod pool;
mod port;
mod station;
mod switch;
mod trouble;
mod wires;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;

pub use fate::{Fate, JUNK, Part, Transit};
pub use faults::Faults;
pub use line::Line;
pub use port::{Port, PortId};

use station::Terms;
use switch::Switch;

#[cfg(doc)]
use crate::Wait;

/// A switched Ethernet. Clones name the same network.
#[derive(Clone)]
pub struct Network(Arc<Mutex<Switch>>);

impl Network {
    /// A network without stations or faults, whose frames take [`LATENCY`] to arrive.
    #[expect(clippy::disallowed_methods, reason = "an arbitrary origin; never read again")]
    pub fn new() -> Self {
        Self::at(Instant::now())
    }

    /// As [`Network::new`], with its clock standing at `now`: two networks with the same `now`
    /// can be moved through time together.
    pub fn at(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(Switch::new(now, true))))
    }

    /// As [`Network::new`], with a hub instead of the switch: every frame reaches every station.
    #[expect(clippy::disallowed_methods, reason = "an arbitrary origin; never read again")]
    pub fn hub() -> Self {
        Self(Arc::new(Mutex::new(Switch::new(Instant::now(), false))))
    }

    /// Plugs in a station, with an MTU of 1,500 octets, that gets each frame it sent back.
    pub fn attach(&self, mac: MacAddr6) -> Port {
        let terms = Terms::new(mac);
        let id = self.switch().plug(terms);
        Port::new(self.clone(), id, terms)
    }

    /// The line of a port, to meddle with while the port is in use.
    pub fn line(&self, port: PortId) -> Line {
        Line::new(self.clone(), port)
    }

    /// Lets `fate` decide over every passage of a frame to a station from now on; it is called with
    /// the network locked, and must not use it.
    pub fn set_fate(&self, fate: impl FnMut(&Transit<'_>) -> Fate + Send + 'static) {
        self.switch().fate = Some(Box::new(fate));
    }

    /// How long every frame takes from now on; fates add to it.
    pub fn set_latency(&self, latency: Duration) {
        self.switch().latency = latency;
    }

    /// Sets the clock on the wall, which stamps are read from, forward or back; the time that
    /// frames and deadlines go by is not touched. A time before 1970 counts as 1970.
    pub fn set_wall(&self, wall: SystemTime) {
        let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.switch().set_wall(since_epoch);
    }

    /// Moves the clock to `now`, never back; frames due by then can be received.
    pub fn advance_to(&self, now: Instant) {
        self.switch().advance_to(now);
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.switch().now
    }

    /// When the next frame arrives anywhere.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.switch().next_arrival()
    }

    /// A station that something came in for since this last named it; call until `None`.
    pub fn woken(&self) -> Option<PortId> {
        self.switch().woken()
    }

    /// Frames that stations have sent since the network was made.
    pub fn sent(&self) -> u64 {
        self.switch().sent
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        // A panic elsewhere leaves the switch whole: no method stops half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("sent", &self.sent()).finish_non_exhaustive()
    }
}

/// How long a frame takes from one station to another.
pub const LATENCY: Duration = Duration::from_micros(50);
