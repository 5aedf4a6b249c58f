//! How long a packet a path takes, found out by probes that nobody needs to complain about
//! (RFC 8899).
//!
//! ```
//! use sidestack_stack as stack;
//! use stack::{Lab, MtuSearch, link::memory::Faults, path_mtu::{Config, Event}};
//!
//! let mut lab = Lab::new();
//! let wire = lab.network();
//! let us = lab.host(wire, "10.0.0.1/24".parse()?, None);
//! lab.host(wire, "10.0.0.2/24".parse()?, None);
//! let black_hole = Faults { mtu: Some(1400), ..Faults::default() };
//! lab.wire(wire).set_fate(black_hole.fate(1));
//!
//! let (now, them) = (lab.now(), "10.0.0.2".parse()?);
//! let mut search = MtuSearch::new(now, them, Config::default(), lab.stack(us));
//! let found = loop {
//!     while search.poll(lab.now(), lab.stack(us))? {}
//!     if let Some(event) = search.event() {
//!         if let Event::Over(found) = event {
//!             break found?;
//!         }
//!         continue;
//!     }
//!     let deadline = search.deadline(lab.stack(us));
//!     lab.step(deadline)?;
//! };
//! assert_eq!(found, 1400);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chance;
mod config;
mod event;
mod range;
mod search;

use std::{
    collections::VecDeque,
    io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use icmp::{Echo, Outcome, SendError, Stray, Straying};
use link::FrameIo;

pub use config::Config;
pub use event::{Ended, Error, Event};

use crate::{event::What, host::Stack};
use search::{Came, Next, Search};

/// Searches for the path MTU to one host, by echo requests that nobody may fragment: Datagram
/// Packetization Layer Path MTU Discovery (RFC 8899 §5), through a [`Stack`] that it drives.
///
/// A size passes when it is answered, and else does not, whatever errors say: those that can be
/// believed only tell what to probe next (RFC 8899 §4.6.2). An answer is as long as its probe, so
/// what is found is what both ways take, unless answers come in fragments. It is the stack's
/// estimate of the path then ([`Stack::path_mtu`]); until then, errors lower that as ever.
///
/// [`poll`](MtuSearch::poll) it instead of the stack, take its [`event`](MtuSearch::event)s until
/// [`Event::Over`]; else wait until [`deadline`](MtuSearch::deadline), and begin again. One probe
/// is under way at a time, and never are more than 1,000 sent.
pub struct MtuSearch {
    dst: Ipv4Addr,
    config: Config,
    search: Search,
    /// What probes consist of, as long as the longest.
    data: Vec<u8>,
    in_flight: Option<Probe>,
    /// Of the latest probes, the number and the size.
    sent: VecDeque<(u16, u16)>,
    probes: u32,
    sequence: u16,
    /// Not before then is the next probe sent.
    due: Instant,
    /// How the last probe ended.
    last: Option<Outcome>,
    /// Of the latest answer.
    round_trip: Duration,
    /// Nothing can be sent before something has happened.
    stalled: bool,
    is_over: bool,
    events: VecDeque<Event>,
}

impl MtuSearch {
    /// Begins at `now`, and sends nothing yet.
    pub fn new<L: FrameIo>(now: Instant, dst: Ipv4Addr, config: Config, stack: &Stack<L>) -> Self {
        let max = config.max.min(link_mtu(stack));
        Self {
            dst,
            search: Search::new(config.base, max, config.max_probes),
            data: vec![0; data_len(max.max(range::MIN))],
            in_flight: None,
            sent: VecDeque::new(),
            probes: 0,
            sequence: config.sequence,
            due: now,
            last: None,
            round_trip: Duration::ZERO,
            stalled: false,
            is_over: false,
            events: VecDeque::new(),
            config,
        }
    }

    /// Sends what is due, polls `stack`, and takes in what it has to tell; never blocks.
    ///
    /// Returns whether to call again at once, with a later `now`.
    ///
    /// # Errors
    /// When the link is gone.
    pub fn poll<L: FrameIo>(&mut self, now: Instant, stack: &mut Stack<L>) -> io::Result<bool> {
        self.send(now, stack);
        let crowded = stack.poll(now)?;
        while let Some(event) = stack.event() {
            self.take_in(event);
        }
        // What was full may have been emptied just now, and nothing else would tell.
        let mut unflushed = false;
        if self.stalled {
            self.send(now, stack);
            unflushed = !self.stalled;
        }
        let due = self.deadline(stack).is_some_and(|due| due <= now);
        Ok(crowded || unflushed || due)
    }

    /// Returns what has happened until the last poll; call until it returns `None`.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to poll again even if nothing arrives; in the past only if the last poll said so.
    pub fn deadline<L: FrameIo>(&self, stack: &Stack<L>) -> Option<Instant> {
        let waits = self.is_over || self.stalled || self.in_flight.is_some();
        stack.deadline().into_iter().chain((!waits).then_some(self.due)).min()
    }

    /// Whether the search has ended; its last events may still wait.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Probes sent so far.
    pub fn probes(&self) -> u32 {
        self.probes
    }

    /// Sends the next probe, or ends the search, if it is time.
    fn send<L: FrameIo>(&mut self, now: Instant, stack: &mut Stack<L>) {
        self.stalled = false;
        for _ in 0..TRIES {
            if self.is_over || self.in_flight.is_some() || self.due > now || self.stalled {
                return;
            }
            match self.search.next() {
                Next::Found(mtu) if usize::from(mtu) > stack.link().mtu() => {
                    self.search.shrink(link_mtu(stack)); // since it was answered
                }
                Next::Found(mtu) => {
                    stack.tower.ipv4.measured(now, self.dst, mtu);
                    self.end(Ok(mtu));
                }
                Next::Unreachable => self.end_unreachable(),
                Next::Probe(_) if self.probes >= PROBES => {
                    self.end(Err(Error::Unsteady { mtu: self.search.confirmed() }));
                }
                Next::Probe(size) => self.probe(now, size, stack),
            }
        }
        self.stalled = true;
    }

    fn probe<L: FrameIo>(&mut self, now: Instant, size: u16, stack: &mut Stack<L>) {
        let sequence = self.sequence;
        let echo = Echo {
            ttl: self.config.ttl,
            tos: self.config.tos,
            probe: true,
            timeout: self.config.probe_timer,
            ..Echo::new(self.dst, sequence, &self.data[..data_len(size)])
        };
        match stack.echo(now, &echo) {
            Ok(()) => {
                self.in_flight = Some(Probe { sequence, size, at: now });
                self.probes += 1;
                self.sequence = sequence.wrapping_add(1);
                self.sent.truncate(REMEMBERED - 1);
                self.sent.push_front((sequence, size));
            }
            Err(error) if error.is_full() => self.stalled = true,
            // Somebody else's: the next may be free.
            Err(SendError::InFlight { .. }) => self.sequence = sequence.wrapping_add(1),
            Err(SendError::Ipv4(ipv4::SendError::TooLong { max, .. }))
                if size > range::MIN && max < usize::from(size) - IP_HEADER_LEN =>
            {
                self.search.shrink((max + IP_HEADER_LEN) as u16); // less than the size
            }
            Err(error) => self.end(Err(Error::Refused(error))),
        }
    }

    fn take_in(&mut self, event: crate::Event) {
        self.stalled = false;
        match (&event.what, self.in_flight) {
            (What::Icmp(icmp::Event::Ended(ended)), Some(probe))
                if (ended.dst, ended.sequence) == (self.dst, probe.sequence) =>
            {
                self.in_flight = None;
                self.last = Some(ended.outcome);
                let (at, from_mac, size) = (event.at, event.from_mac, probe.size);
                let outcome = ended.outcome;
                self.events.push_back(Event::Ended(Ended { at, size, from_mac, outcome }));
                self.ended(at, probe, ended);
            }
            (What::Icmp(icmp::Event::Stray(stray)), _) => {
                if let Some(size) = self.late(stray) {
                    self.search.came_late(size);
                    self.due = self.due.min(event.at);
                }
                self.events.push_back(Event::Other(event));
            }
            _ => self.events.push_back(Event::Other(event)),
        }
    }

    fn ended(&mut self, at: Instant, probe: Probe, ended: &icmp::Ended) {
        let (came, due) = match ended.outcome {
            Outcome::Reply { round_trip, .. } => {
                self.round_trip = round_trip;
                (Came::Answered, at)
            }
            Outcome::TimedOut { .. } => (Came::Lost, at),
            Outcome::Unresolved { .. } if self.search.confirmed().is_none() => {
                return self.end_unreachable(); // ARP has asked several times for us
            }
            _ => match ended.too_big() {
                // Nothing is sent again sooner than after a round trip (RFC 8899 §3, item 7).
                Some(big) => (Came::TooLong(big.mtu), probe.at + self.round_trip),
                None => (Came::Lost, probe.at + self.config.probe_timer),
            },
        };
        self.due = due.max(at);
        self.search.came(probe.size, came);
    }

    /// The size of the probe that an answer came to after it had ended.
    fn late(&self, stray: &Stray) -> Option<u16> {
        let is_late = matches!(stray.straying, Straying::Late { .. }) && stray.from == self.dst;
        let mut sent = self.sent.iter().filter(|_| is_late);
        sent.find(|(sequence, _)| *sequence == stray.sequence).map(|(_, size)| *size)
    }

    fn end_unreachable(&mut self) {
        let last = self.last.unwrap_or(Outcome::Replaced);
        self.end(Err(Error::Unreachable { last }));
    }

    fn end(&mut self, found: Result<u16, Error>) {
        self.is_over = true;
        self.events.push_back(Event::Over(found));
    }
}

/// The probe that is under way.
#[derive(Clone, Copy)]
struct Probe {
    sequence: u16,
    /// Octets of its packet.
    size: u16,
    /// When it was sent.
    at: Instant,
}

/// The longest packet that leaves.
fn link_mtu<L: FrameIo>(stack: &Stack<L>) -> u16 {
    stack.link().mtu().try_into().unwrap_or(u16::MAX)
}

/// Octets to be echoed of a packet of `size` octets.
fn data_len(size: u16) -> usize {
    usize::from(size).saturating_sub(IP_HEADER_LEN + icmp::HEADER_LEN)
}

/// Without options.
const IP_HEADER_LEN: usize = 20;

/// Probes, at most: many times what a search takes that loses half of them.
const PROBES: u32 = 1000;

/// Sequence numbers that are tried in one poll.
const TRIES: usize = 64;

/// Probes whose late answers still count.
const REMEMBERED: usize = 16;
