use std::{io, time::Instant};

use macaddr::MacAddr6;

use super::{Network, PortId, station::Station};
use crate::interface::State;

/// The line between a port and its network, to be meddled with while the port is in use.
///
/// Each change happens at once on the network; the port comes to know of it as a socket would,
/// with its next event, receive or flush, and is woken for that. Once the port was dropped, nothing
/// has an effect any more.
#[derive(Clone, Debug)]
pub struct Line {
    network: Network,
    port: PortId,
}

impl Line {
    pub(super) fn new(network: Network, port: PortId) -> Self {
        Self { network, port }
    }

    /// Whether frames can pass. While they cannot, those that leave come back as
    /// [`Unsent`](crate::Unsent), and those that arrive are lost.
    pub fn set_state(&self, state: State) {
        self.change(|station| station.set_state(state));
    }

    /// The station's own address from now on.
    pub fn set_mac(&self, mac: MacAddr6) {
        self.change(|station| station.set_mac(mac));
    }

    /// The MTU from now on. What was queued before, and exceeds it, comes back as unsent.
    pub fn set_mtu(&self, mtu: usize) {
        self.change(|station| station.set_mtu(mtu));
    }

    /// How many frames can be queued until a flush; with 0, every attempt meets
    /// [`SendError::Full`](crate::SendError::Full).
    pub fn set_slots(&self, slots: usize) {
        self.change(|station| station.terms.set_slots(slots));
    }

    /// The wire is busy, or has no buffers, until then: what is flushed stays queued, and the port
    /// is woken when it may leave.
    pub fn jam(&self, until: Instant) {
        self.change(|station| station.trouble().jammed = Some(until));
        self.network.switch().wake_at(until, self.port);
    }

    /// How many received frames are kept until they are taken; without a limit unless said so.
    pub fn set_inbox(&self, frames: usize) {
        self.change(|station| station.trouble().room = frames);
    }

    /// How many frames were lost because as many as [`Line::set_inbox`] says were waiting already.
    pub fn overflowed(&self) -> u64 {
        self.network.switch().station(self.port).map_or(0, |station| station.overflowed())
    }

    /// The next receive fails so, once.
    pub fn fail(&self, error: io::ErrorKind) {
        self.change(|station| station.trouble().error = Some(error));
    }

    /// The link is gone, for ever: each receive and each flush fails.
    pub fn delete(&self) {
        self.change(|station| station.trouble().is_gone = true);
    }

    fn change(&self, change: impl FnOnce(&mut Station)) {
        let mut switch = self.network.switch();
        if let Some(station) = switch.station(self.port) {
            change(station);
            let now = switch.now;
            switch.wake_at(now, self.port);
        }
    }
}
