use std::{net::Ipv4Addr, time::Duration};

use etherparse::ArpOperation;
use link::{FrameTx, SendError};
use macaddr::MacAddr6;

use crate::{
    clock::{Tick, fraction},
    packet::View,
};

/// An address that we want, from the first probe to the last announcement (RFC 5227 §2).
pub(crate) struct Claim {
    pub(crate) mac: MacAddr6,
    pub(crate) step: Step,
    /// Whether it is announced when it turns out to be free.
    pub(crate) adopt: bool,
}

impl Claim {
    /// Whether it is not known yet that nobody else uses it.
    pub(crate) fn is_probing(&self) -> bool {
        matches!(self.step, Step::Probe(_) | Step::Wait)
    }

    /// Whether the address is not ours yet: its use may begin after the first announcement.
    pub(crate) fn forbids_use(&self) -> bool {
        self.is_probing() || self.adopt && self.step == Step::Announce(0)
    }

    /// Sends what the step demands, for `addr`.
    ///
    /// # Errors
    /// When the link does not take it.
    pub(crate) fn speak(&self, addr: Ipv4Addr, below: &mut dyn FrameTx) -> Result<(), SendError> {
        match self.step {
            Step::Wait => Ok(()),
            Step::Probe(_) => say(Ipv4Addr::UNSPECIFIED, addr, self.mac, below),
            Step::Announce(_) => say(addr, addr, self.mac, below),
        }
    }

    /// What follows, and when.
    pub(crate) fn next(&self, tick: Tick, addr: Ipv4Addr, seed: u64) -> Next {
        match self.step {
            Step::Probe(sent) if sent + 1 == PROBE_NUM => {
                Next::Step(Step::Wait, tick + ANNOUNCE_WAIT)
            }
            Step::Probe(sent) => {
                let gap =
                    (PROBE_MAX - PROBE_MIN).mul_f64(fraction(seed, addr, u64::from(sent) + 1));
                Next::Step(Step::Probe(sent + 1), tick + PROBE_MIN + gap)
            }
            Step::Wait => Next::Free,
            Step::Announce(sent) if u32::from(sent) + 1 == ANNOUNCE_NUM => Next::Over,
            Step::Announce(sent) => Next::Step(Step::Announce(sent + 1), tick + ANNOUNCE_INTERVAL),
        }
    }
}

/// Announces `addr`, or probes for it if `sender` is nobody.
pub(crate) fn say(
    sender: Ipv4Addr,
    addr: Ipv4Addr,
    mac: MacAddr6,
    below: &mut dyn FrameTx,
) -> Result<(), SendError> {
    let packet = View {
        operation: ArpOperation::REQUEST,
        sender_mac: mac,
        sender,
        target_mac: MacAddr6::nil(),
        target: addr,
    };
    packet.send(MacAddr6::broadcast(), below)
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Step {
    /// So many probes are sent.
    Probe(u8),
    /// All probes are sent; an answer may still come.
    Wait,
    /// So many announcements are sent.
    Announce(u8),
}

/// What a claim comes to.
pub(crate) enum Next {
    Step(Step, Tick),
    Free,
    Over,
}

// RFC 5227 §1.1.
pub(crate) const PROBE_WAIT: Duration = Duration::from_secs(1);
pub(crate) const PROBE_NUM: u8 = 3;
pub(crate) const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(2);
const ANNOUNCE_WAIT: Duration = Duration::from_secs(2);

/// The longest from the first probe for an address to the first announcement.
pub(crate) const LONGEST: Duration =
    PROBE_MAX.saturating_mul(PROBE_NUM as u32 - 1).saturating_add(ANNOUNCE_WAIT);

pub(crate) const MAX_CONFLICTS: u32 = 10;
pub(crate) const RATE_LIMIT_INTERVAL: Duration = Duration::from_secs(60);
pub(crate) const DEFEND_INTERVAL: Duration = Duration::from_secs(10);

/// How often an address is announced (RFC 5227 §1.1).
pub const ANNOUNCE_NUM: u32 = 2;

/// Between two announcements (RFC 5227 §1.1).
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
