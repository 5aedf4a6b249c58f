use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use link::{As, FrameTx, SendError};

use crate::hosts::Hosts;

/// Claims many addresses at once as RFC 5227 §2 wants it for one: three probes, a silence, two
/// announcements.
///
/// Each of its five steps passes over all addresses at the same pace, [`LAGS`] after the first
/// one; so nothing is kept for an address but whether it is ours or left alone.
pub(crate) struct Survey {
    hosts: Hosts,
    start: Instant,
    /// Which address was the first when it began, or began again.
    from: usize,
    /// Which address each step comes to next.
    steps: [usize; STEPS],
    /// When to try again, the link having been full.
    retry: Option<Instant>,
}

impl Survey {
    pub(crate) fn new(now: Instant, hosts: Hosts) -> Self {
        Self { hosts, start: now, from: 0, steps: [0; STEPS], retry: None }
    }

    /// Takes every step that is due, and tells `settled` which addresses have become ours.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        below: &mut dyn FrameTx,
        mut settled: impl FnMut(Ipv4Addr),
    ) {
        self.retry = None;
        self.make_up(now);
        // The latest step first: none overtakes the one before it.
        for step in (0..STEPS).rev() {
            while let Some(at) = self.due(step)
                && at <= now
            {
                let Some(addr) = self.hosts.nth(self.steps[step]) else { break };
                if self.hosts.is_wanted(addr) {
                    if self.take(step, addr, below).is_err() {
                        self.retry = Some(now + RETRY);
                        return;
                    }
                    if step == CLAIM && self.hosts.claim(addr) {
                        settled(addr);
                    }
                }
                self.steps[step] += 1;
            }
        }
    }

    /// Puts all that is still to come off by as much as it is late already, if that is so much that
    /// steps would come too close together (RFC 5227 §1.1): who was suspended heard no answers.
    fn make_up(&mut self, now: Instant) {
        let due = (0..STEPS).filter_map(|step| self.due(step)).min();
        let late = due.map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
        if late > LATE_MAX {
            self.start += late;
        }
    }

    /// Nobody can have heard the latest probes: begins again a second later with what is not ours
    /// yet.
    pub(crate) fn begin_again(&mut self, now: Instant) {
        let claimed = self.steps[CLAIM];
        self.start = now + Duration::from_secs(1);
        self.from = claimed;
        self.steps[..CLAIM].fill(claimed);
    }

    /// Whether some address is neither ours nor left alone yet.
    pub(crate) fn is_claiming(&self) -> bool {
        self.steps[CLAIM] < self.hosts.len()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.steps[STEPS - 1] >= self.hosts.len()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.retry.or_else(|| (0..STEPS).filter_map(|step| self.due(step)).min())
    }

    /// When `step` is to come to its next address.
    fn due(&self, step: usize) -> Option<Instant> {
        let n = self.steps[step];
        let before = if step == 0 { self.hosts.len() } else { self.steps[step - 1] };
        let group = n.saturating_sub(self.from) / GROUP;
        (n < before).then(|| self.start + LAGS[step] + TICK * group as u32)
    }

    fn take(&self, step: usize, addr: Ipv4Addr, below: &mut dyn FrameTx) -> Result<(), SendError> {
        let mut below = As { mac: self.hosts.mac_of(addr), below };
        match step {
            0..CLAIM => arp::probe(addr, &mut below),
            _ => arp::announce(addr, arp::Operation::REQUEST, &mut below),
        }
    }
}

/// The longest that it takes for so many addresses to be ours, once the link is up.
pub(crate) fn duration(len: usize) -> Duration {
    LAGS[CLAIM] + TICK * (len.saturating_sub(1) / GROUP) as u32
}

const STEPS: usize = 5;

/// The step with which an address becomes ours.
const CLAIM: usize = 3;

/// After the first step, within the bounds of RFC 5227 §1.1: probes 1 to 2 s apart, 2 s of silence,
/// announcements 2 s apart.
const LAGS: [Duration; STEPS] = [
    Duration::ZERO,
    Duration::from_millis(1_500),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(7),
];

/// How late steps may be and still be a second apart, the least by which probes are.
const LATE_MAX: Duration = Duration::from_millis(500);

/// Addresses that each step comes to in one [`TICK`]: 4,000 a second.
const GROUP: usize = 40;
const TICK: Duration = Duration::from_millis(10);

/// Until the next try on a link whose queue was full.
const RETRY: Duration = Duration::from_millis(1);
