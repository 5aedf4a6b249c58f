//! Many targets, many rounds, one engine.
//!
//! ```
//! use sidestack_stack as stack;
//! use stack::{Lab, Sweep, Targets, icmp, sweep::{Config, Event, Outcome}};
//!
//! let mut lab = Lab::new();
//! let wire = lab.network();
//! let us = lab.host(wire, "10.0.0.1/24".parse()?, None);
//! for n in 2..12 {
//!     lab.host(wire, format!("10.0.0.{n}/24").parse()?, None);
//! }
//!
//! let targets: Targets = [[10, 0, 0, 2].into()..=[10, 0, 0, 20].into()].into_iter().collect();
//! let mut sweep = Sweep::new(lab.now(), targets, Config::default(), lab.stack(us));
//! let mut answered = 0;
//! while !sweep.is_over() {
//!     while sweep.poll(lab.now(), lab.stack(us))? {}
//!     while let Some(event) = sweep.event() {
//!         if let Event::Ended(ended) = event
//!             && let Outcome::Echo(icmp::Outcome::Reply { .. }) = ended.outcome
//!         {
//!             answered += 1;
//!         }
//!     }
//!     lab.step(None)?;
//! }
//! assert_eq!(answered, 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod event;
mod hops;
mod input;
mod outage;
mod permutation;
mod request;
mod rounds;
mod schedule;
mod shard;
mod targets;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use link::{FrameIo, MacAddr6};

pub use config::{Config, Method};
pub use event::{Ended, Event, Outcome};
pub use permutation::Permutation;
pub use schedule::Rate;
pub use shard::{NoShard, Shard};
pub use targets::Targets;

use crate::host::Stack;
use hops::Hops;
use outage::Outage;
use request::{Probe, Requested};
use rounds::Rounds;
use schedule::Schedule;

/// Probes any number of targets, round after round, through a [`Stack`] that it drives.
///
/// While the link is down nothing is sent, and what could not leave, or was unanswered when it went
/// down, is asked again when it is up; the rounds are put off by as much. That is waited for as long
/// as [`Config::patience`] says, and not where the link was down from the start. Nor is anything sent
/// while our address is probed for anew.
///
/// Of a target that is not being probed it keeps nothing. [`poll`](Sweep::poll) it instead of the
/// stack, take its [`event`](Sweep::event)s until `None`; then, unless it
/// [`is_over`](Sweep::is_over), wait until [`deadline`](Sweep::deadline), and begin again.
pub struct Sweep {
    config: Config,
    rounds: Rounds,
    /// Who is not to be asked where it is.
    pinned: BTreeMap<Ipv4Addr, MacAddr6>,
    /// How long each try is waited for.
    timeouts: Vec<Duration>,
    schedule: Schedule,
    /// To be sent before any new target is begun with: next tries, and second halves.
    again: VecDeque<Probe>,
    /// Who is asked by ARP, and in which round.
    asked: HashMap<Ipv4Addr, u64>,
    /// Echo requests that have not ended.
    in_flight: usize,
    hops: Hops,
    outage: Outage,
    events: VecDeque<Event>,
    /// Nothing can be sent before something has happened.
    stalled: bool,
    /// Our address is being probed for.
    is_mute: bool,
    /// More has arrived than could be taken in: that comes first.
    crowded: bool,
}

impl Sweep {
    /// Begins at `now`: tells `stack` what is pinned, and sends nothing yet.
    pub fn new<L: FrameIo>(
        now: Instant,
        targets: Targets,
        config: Config,
        stack: &mut Stack<L>,
    ) -> Self {
        for (&addr, &mac) in targets.pins() {
            stack.pin(now, addr, mac);
        }
        let pinned = stack.neighbours().filter(|neighbour| neighbour.state == arp::State::Static);
        Self {
            pinned: pinned.filter_map(|it| Some((it.addr, it.mac?))).collect(),
            rounds: Rounds::new(now, targets, &config),
            timeouts: config.timeouts(),
            schedule: Schedule::new(now, config.rate),
            again: VecDeque::new(),
            asked: HashMap::new(),
            in_flight: 0,
            hops: Hops::default(),
            outage: Outage::new(config.patience),
            events: VecDeque::new(),
            stalled: false,
            is_mute: false,
            crowded: false,
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
        if !self.crowded {
            self.send(now, stack);
        }
        self.crowded = stack.poll(now)?;
        while let Some(event) = stack.event() {
            self.stalled = false;
            self.take_in(event, stack);
        }
        // What was full may have been emptied just now, and nothing else would tell.
        let unflushed = self.stalled && self.send(now, stack);
        self.heed(stack);
        // That may have let what was kept leave, which is still to be told.
        let due = self.deadline(stack).is_some_and(|due| due <= now);
        Ok(self.crowded || unflushed || due)
    }

    /// Returns what has happened until the last poll; call until it returns `None`.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to poll again even if nothing arrives; in the past only if the last poll said so.
    pub fn deadline<L: FrameIo>(&self, stack: &Stack<L>) -> Option<Instant> {
        stack.deadline().into_iter().chain(self.due()).min()
    }

    /// Whether every probe has ended, and none is to follow.
    pub fn is_over(&self) -> bool {
        self.under_way() == 0 && self.rounds.is_over()
    }

    /// Probes that have begun and not ended.
    pub fn under_way(&self) -> usize {
        self.in_flight + self.asked.len() + self.again.len()
    }

    /// Whose probes are under way, and how many of each have left: by ARP requests, none.
    pub fn awaited<L: FrameIo>(&self, stack: &Stack<L>) -> BTreeMap<Ipv4Addr, u64> {
        let again = self.again.iter().map(|probe| (probe.addr, probe.round, probe.tried > 0));
        let asked = self.asked.iter().map(|(&addr, &round)| (addr, round, false));
        let in_flight = stack.awaited().map(|echo| {
            let round = self.rounds.request(echo.sequence).0;
            (echo.dst, round, echo.has_left)
        });
        let mut awaited = BTreeMap::new();
        let probes: BTreeMap<_, _> = again
            .chain(asked)
            .chain(in_flight)
            .map(|(addr, round, left)| ((addr, round), left))
            .collect();
        for ((addr, _), has_left) in probes {
            *awaited.entry(addr).or_default() += u64::from(has_left);
        }
        awaited
    }

    /// Whom nothing was asked yet, nor is about to be, though it is our part to.
    pub fn unbegun(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.rounds.unbegun()
    }

    /// How many of the targets are ours, and so probed in each round.
    pub fn len(&self) -> u64 {
        self.rounds.len()
    }

    /// Whether there is nothing to probe.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which round a request of that number was of: the latest that there can have been.
    pub fn round_of(&self, sequence: u16) -> u64 {
        self.rounds.request(sequence).0
    }

    /// What is probed, all shards together.
    pub fn targets(&self) -> &Targets {
        self.rounds.targets()
    }

    /// Makes the requests that are due; says whether there were any.
    fn send<L: FrameIo>(&mut self, now: Instant, stack: &mut Stack<L>) -> bool {
        self.stalled = false;
        self.heed(stack);
        let mut made = 0;
        while made < BURST {
            if self.due().is_none_or(|due| due > now) {
                break;
            }
            let Some(probe) = self.next() else { break };
            match self.request(now, probe, stack) {
                Requested::Left => self.schedule.take(now),
                Requested::Ended(outcome) => {
                    self.end(now, probe, probe.tried.into(), None, outcome)
                }
                Requested::Not => {
                    self.stalled = made == 0; // or else there may be room when these have left
                    break;
                }
            }
            self.done_with(probe);
            made += 1;
        }
        made > 0
    }

    /// Sends nothing while our address may turn out to be somebody else's: not so the rounds that
    /// keep time.
    fn heed<L: FrameIo>(&mut self, stack: &Stack<L>) {
        self.is_mute = !self.config.patience.is_zero() && stack.claiming() > 0;
    }

    /// When there is something to send; `None` while nothing can be.
    fn due(&self) -> Option<Instant> {
        if self.stalled || self.is_mute {
            return None;
        }
        let due = if self.again.is_empty() { self.next_begins()? } else { self.schedule.due()? };
        Some(self.outage.until().map_or(due, |until| due.max(until)))
    }

    /// When a new probe may begin; `None` while none can.
    fn next_begins(&self) -> Option<Instant> {
        let has_room = self.under_way() < self.config.window.max(1);
        if self.rounds.is_over() || !has_room {
            return None;
        }
        Some(self.schedule.due()?.max(self.rounds.begins()?))
    }

    /// The probe that is due.
    fn next(&mut self) -> Option<Probe> {
        if let Some(probe) = self.again.front() {
            return Some(*probe);
        }
        let (addr, round) = self.rounds.next()?;
        if self.rounds.is_at_start() {
            self.schedule.not_before(self.rounds.begins()?);
            self.hops.give_another_chance();
        }
        let by_arp = self.config.method != Method::Echo;
        Some(Probe { addr, round, tried: 0, by_arp, is_new: true })
    }

    /// Takes note that `probe`, which was next, has left or ended.
    fn done_with(&mut self, probe: Probe) {
        if probe.is_new {
            self.rounds.advance();
        } else {
            self.again.pop_front();
        }
    }
}

/// Requests sent by one poll: few enough that an answer is not kept waiting.
const BURST: usize = 64;
