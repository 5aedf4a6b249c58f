use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::ArpOperation;
use link::{FrameTx, SendError};
use macaddr::MacAddr6;

use crate::{event::Event, packet::View};

/// An address that we want, from the first probe to the last announcement (RFC 5227 §2).
pub(crate) struct Claim {
    pub(crate) addr: Ipv4Addr,
    mac: MacAddr6,
    seed: u64,
    step: Step,
    due: Instant,
}

impl Claim {
    /// Probes for `addr`, from a random moment of the next second on.
    pub(crate) fn probe(now: Instant, addr: Ipv4Addr, mac: MacAddr6, seed: u64) -> Self {
        let claim = Self { addr, mac, seed, step: Step::Probe(0), due: now };
        Self { due: now + PROBE_WAIT.mul_f64(claim.fraction(0)), ..claim }
    }

    /// Announces `addr`, which is ours.
    pub(crate) fn announce(now: Instant, addr: Ipv4Addr, mac: MacAddr6) -> Self {
        Self { addr, mac, seed: 0, step: Step::Announce(0), due: now }
    }

    /// When [`Claim::poll`] next has something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        (!matches!(self.step, Step::Taken | Step::Over)).then_some(self.due)
    }

    /// Whether nothing more will come of it.
    pub(crate) fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// Whether the address is not ours yet, or not to be ours.
    pub(crate) fn forbids_use(&self) -> bool {
        matches!(self.step, Step::Probe(_) | Step::Wait | Step::Taken)
    }

    /// Nobody can have answered what was probed so far: begins again a second later.
    pub(crate) fn begin_again(&mut self, now: Instant) {
        if matches!(self.step, Step::Probe(_) | Step::Wait) {
            (self.step, self.due) = (Step::Probe(0), now + PROBE_MIN);
        }
    }

    /// Goes on in the name of `mac`.
    pub(crate) fn renew(&mut self, now: Instant, mac: MacAddr6) {
        self.mac = mac;
        self.begin_again(now);
    }

    /// Leaves the address to whoever has it.
    pub(crate) fn give_up(&mut self) {
        self.step = Step::Taken;
    }

    /// Whether `packet` says that somebody else has the address, or probes for it too.
    pub(crate) fn is_contested_by(&self, packet: &View) -> bool {
        let claimed = packet.sender == self.addr;
        let probed = packet.sender.is_unspecified()
            && packet.target == self.addr
            && packet.operation == ArpOperation::REQUEST;
        let probing = matches!(self.step, Step::Probe(_) | Step::Wait);
        probing && packet.sender_mac != self.mac && (claimed || probed)
    }

    /// Sends what is due by `now`; a full link merely postpones.
    pub(crate) fn poll(&mut self, now: Instant, below: &mut dyn FrameTx) -> Option<Event> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        let sender = match self.step {
            Step::Announce(_) => self.addr,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        if self.step != Step::Wait && self.speak(sender, below).is_err() {
            self.due = now + RETRY;
            return None;
        }
        match self.step {
            Step::Probe(sent) if sent + 1 == PROBE_NUM => {
                (self.step, self.due) = (Step::Wait, now + ANNOUNCE_WAIT);
            }
            Step::Probe(sent) => {
                let gap = PROBE_MIN + (PROBE_MAX - PROBE_MIN).mul_f64(self.fraction(sent + 1));
                (self.step, self.due) = (Step::Probe(sent + 1), now + gap);
            }
            Step::Wait => {
                self.step = Step::Over;
                return Some(Event::Free { addr: self.addr });
            }
            Step::Announce(sent) if sent + 1 == ANNOUNCE_NUM => self.step = Step::Over,
            Step::Announce(sent) => {
                (self.step, self.due) = (Step::Announce(sent + 1), now + ANNOUNCE_INTERVAL);
            }
            Step::Taken | Step::Over => {}
        }
        None
    }

    fn speak(&self, sender: Ipv4Addr, below: &mut dyn FrameTx) -> Result<(), SendError> {
        let packet = View {
            operation: ArpOperation::REQUEST,
            sender_mac: self.mac,
            sender,
            target_mac: MacAddr6::nil(),
            target: self.addr,
        };
        packet.send(MacAddr6::broadcast(), below)
    }

    /// Evenly distributed over [0, 1), and the same for the same seed.
    fn fraction(&self, nth: u32) -> f64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, self.addr, nth).hash(&mut hasher);
        (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Step {
    /// So many probes are sent.
    Probe(u32),
    /// All probes are sent; an answer may still come.
    Wait,
    /// So many announcements are sent.
    Announce(u32),
    /// Somebody else has the address.
    Taken,
    /// Nothing more will come of it.
    Over,
}

// RFC 5227 §1.1.
const PROBE_WAIT: Duration = Duration::from_secs(1);
const PROBE_NUM: u32 = 3;
const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(2);
const ANNOUNCE_WAIT: Duration = Duration::from_secs(2);

/// How often an address is announced (RFC 5227 §1.1).
pub const ANNOUNCE_NUM: u32 = 2;

/// Between two announcements (RFC 5227 §1.1).
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);

/// Until the next try on a link whose queue was full.
pub(crate) const RETRY: Duration = Duration::from_millis(10);
