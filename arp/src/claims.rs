use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use etherparse::ArpOperation;
use macaddr::MacAddr6;

use crate::{
    claim::{
        ANNOUNCE_NUM, Claim, MAX_CONFLICTS, PROBE_MIN, PROBE_NUM, PROBE_WAIT, RATE_LIMIT_INTERVAL,
        Step,
    },
    clock::{Tick, fraction},
    packet::View,
    timed::{Item, Timed},
};

/// The addresses that are being probed for, or announced.
pub(crate) struct Claims {
    pub(crate) all: Timed<Claim>,
    /// When the next frame may leave.
    pub(crate) pace: Tick,
    /// How many of them are not ours to use yet.
    pub(crate) pending: usize,
    /// Stations whose claims were contested since one of them last came through.
    unlucky: HashMap<MacAddr6, Unlucky>,
}

impl Claims {
    pub(crate) fn new() -> Self {
        Self { all: Timed::new(), pace: Tick::NEVER, pending: 0, unlucky: HashMap::new() }
    }

    /// Begins to probe for `wanted`, spread evenly over the first second, or over as long as
    /// `rate` frames in a second demand.
    pub(crate) fn probe(
        &mut self,
        tick: Tick,
        wanted: &[(Ipv4Addr, MacAddr6)],
        adopt: bool,
        (rate, seed): (u32, u64),
    ) {
        let count = wanted.len() as f64;
        let spread = spread(rate, wanted.len(), adopt);
        for (nth, &(addr, mac)) in wanted.iter().enumerate() {
            let begin = self.unlucky.get_mut(&mac).map_or(tick, |unlucky| unlucky.begin(tick));
            let wait = spread.mul_f64((nth as f64 + fraction(seed, addr, 0)) / count);
            self.put(addr, begin + wait, Claim { mac, step: Step::Probe(0), adopt });
        }
    }

    /// Begins to announce `ours`, one after the other.
    pub(crate) fn announce(
        &mut self,
        tick: Tick,
        ours: impl Iterator<Item = (Ipv4Addr, MacAddr6)>,
        rate: u32,
    ) {
        let mut due = tick;
        for (addr, mac) in ours {
            self.put(addr, due, Claim { mac, step: Step::Announce(0), adopt: false });
            due = due + gap(rate);
        }
    }

    /// Nobody can have answered what was probed so far: begins again a second later.
    pub(crate) fn begin_again(&mut self, tick: Tick, addr: Ipv4Addr) {
        if let Some(slot) = self.all.find(addr)
            && self.all.item(slot).value.is_probing()
        {
            self.go_on(slot, Step::Probe(0), tick + PROBE_MIN);
        }
    }

    /// Goes on in the name of whoever `mac` says.
    pub(crate) fn renew(&mut self, tick: Tick, mac: impl Fn(Ipv4Addr) -> MacAddr6) {
        for slot in 0..self.all.len() {
            let addr = self.all.item(slot).addr;
            self.all.value_mut(slot).mac = mac(addr);
            self.begin_again(tick, addr);
        }
    }

    pub(crate) fn remove(&mut self, addr: Ipv4Addr) -> Option<Item<Claim>> {
        self.all.find(addr).map(|slot| self.take_out(slot))
    }

    pub(crate) fn take_out(&mut self, slot: usize) -> Item<Claim> {
        let item = self.all.remove(slot);
        self.pending -= usize::from(item.value.forbids_use());
        item
    }

    /// Goes on to `step`, which is due then.
    pub(crate) fn go_on(&mut self, slot: usize, step: Step, due: Tick) {
        let claim = self.all.value_mut(slot);
        self.pending -= usize::from(claim.forbids_use());
        claim.step = step;
        self.pending += usize::from(claim.forbids_use());
        self.all.set_due(slot, due);
    }

    fn put(&mut self, addr: Ipv4Addr, due: Tick, claim: Claim) {
        self.pending -= usize::from(self.forbid(addr));
        self.pending += usize::from(claim.forbids_use());
        self.all.insert(addr, due, claim);
    }

    /// Takes note that a claim of `mac` was contested (RFC 5227 §2.1.1).
    pub(crate) fn note_conflict(&mut self, tick: Tick, mac: MacAddr6) {
        let unlucky =
            self.unlucky.entry(mac).or_insert(Unlucky { conflicts: 0, next: Tick::NEVER });
        unlucky.conflicts = unlucky.conflicts.saturating_add(1);
        unlucky.next = unlucky.next.max(tick + RATE_LIMIT_INTERVAL);
    }

    /// Takes note that a claim of `mac` came through.
    pub(crate) fn note_success(&mut self, mac: MacAddr6) {
        self.unlucky.remove(&mac);
    }

    /// What `packet` contests: the address that it claims, or wants too.
    pub(crate) fn contested_by(&self, packet: &View) -> Option<Ipv4Addr> {
        let addr = wanted_by(packet);
        let claim = self.all.get(addr)?;
        let contested = claim.forbids_use() && packet.sender_mac != claim.mac;
        contested.then_some(addr)
    }

    /// Whether `packet` is a probe or an announcement of ours.
    pub(crate) fn are_by(&self, packet: &View) -> bool {
        self.all.get(wanted_by(packet)).is_some_and(|claim| claim.mac == packet.sender_mac)
    }

    pub(crate) fn forbid(&self, addr: Ipv4Addr) -> bool {
        !self.all.is_empty() && self.all.get(addr).is_some_and(Claim::forbids_use)
    }

    pub(crate) fn due(&self) -> Option<Tick> {
        let (due, slot) = self.all.first()?;
        let speaks = self.all.item(slot).value.step != Step::Wait;
        Some(if speaks { due.max(self.pace) } else { due })
    }

    /// Takes note that a frame has left.
    pub(crate) fn note_frame(&mut self, tick: Tick, rate: u32) {
        let earliest = Tick(tick.0.saturating_sub(BURST.as_nanos() as u64));
        self.pace = self.pace.max(earliest) + gap(rate);
    }
}

/// A station that met [`MAX_CONFLICTS`] may try one address in [`RATE_LIMIT_INTERVAL`].
struct Unlucky {
    conflicts: u32,
    /// When it may try again.
    next: Tick,
}

impl Unlucky {
    /// When an attempt that is wanted now may begin.
    fn begin(&mut self, tick: Tick) -> Tick {
        if self.conflicts < MAX_CONFLICTS {
            return tick;
        }
        let begin = self.next.max(tick);
        self.next = begin + RATE_LIMIT_INTERVAL;
        begin
    }
}

/// The address that the sender claims; if it is a probe's, the address that it wants.
fn wanted_by(packet: &View) -> Ipv4Addr {
    let probe = packet.sender.is_unspecified() && packet.operation == ArpOperation::REQUEST;
    if probe { packet.target } else { packet.sender }
}

/// How long the first probes for so many addresses take, so that all frames of theirs leave at
/// the rate that is allowed.
pub(crate) fn spread(rate: u32, count: usize, adopt: bool) -> Duration {
    let frames = f64::from(PROBE_NUM) + if adopt { f64::from(ANNOUNCE_NUM) } else { 0.0 };
    PROBE_WAIT.max(gap(rate).mul_f64(count as f64 * frames))
}

/// Between two frames of claims.
fn gap(rate: u32) -> Duration {
    Duration::from_secs(1) / rate.max(1)
}

/// How long a pace that was held up may be caught up with at once.
const BURST: Duration = Duration::from_millis(10);
