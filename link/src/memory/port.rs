use std::{
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;

use super::{Network, switch::Switch};
use crate::{
    Cast, Checksum, Direction, Facts, Frame, FrameIo, FrameTx, SendError, Source, Stamp, TAG_LEN,
    Wait,
};

/// A station's place on a [`Network`]; dropping it unplugs the station.
#[derive(Debug)]
pub struct Port {
    tx: PortTx,
    returns_sent: bool,
}

impl Port {
    pub(super) fn new(network: Network, id: PortId, mac: MacAddr6) -> Self {
        Self { tx: PortTx { network, id, mac, mtu: 1500 }, returns_sent: true }
    }

    /// With an MTU of that many octets.
    pub fn with_mtu(mut self, mtu: usize) -> Self {
        self.tx.mtu = mtu;
        self
    }

    /// Whose frames each carry an 802.1Q tag: its MTU, which knows of no tags, is 4 octets more.
    pub fn with_tag(mut self) -> Self {
        self.tx.mtu += TAG_LEN;
        self
    }

    /// Whose own frames do not come back once sent.
    pub fn without_sent(mut self) -> Self {
        self.returns_sent = false;
        self
    }

    /// Which place it is.
    pub fn id(&self) -> PortId {
        self.tx.id
    }

    /// Whether something has arrived that was not received yet.
    pub fn has_arrived(&self) -> bool {
        self.tx.network.switch().has_arrived(self.tx.id)
    }

    /// The network it is plugged into.
    pub fn network(&self) -> &Network {
        &self.tx.network
    }
}

impl FrameTx for Port {
    fn mac(&self) -> MacAddr6 {
        self.tx.mac()
    }

    fn mtu(&self) -> usize {
        self.tx.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.tx.transmit(len, write)
    }
}

impl FrameIo for Port {
    fn recv(
        &mut self,
        _now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let sent = self.tx.deliver(Direction::Sent, Switch::take_back, each);
        Ok(sent + self.tx.deliver(Direction::Received, Switch::receive, each))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tx.network.switch().flush(self.tx.id, self.returns_sent);
        Ok(())
    }

    fn returns_sent(&self) -> bool {
        self.returns_sent
    }
}

impl Wait for Port {
    fn now(&self) -> Instant {
        self.tx.network.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.tx.network.switch().since_epoch(at)
    }

    /// Jumps to the next arrival anywhere on the network, or to `until` if that is sooner. It
    /// stays where it is if something has arrived here, or if nothing will ever happen.
    fn wait(&mut self, until: Option<Instant>, _wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mut switch = self.tx.network.switch();
        if switch.has_arrived(self.tx.id) {
            return Ok(());
        }
        let next = switch.next_arrival();
        if let Some(at) = next.into_iter().chain(until).min() {
            switch.advance_to(at);
        }
        Ok(())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.tx.network.switch().unplug(self.tx.id);
    }
}

/// Which place on a network a station has.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PortId(pub(super) usize);

#[derive(Debug)]
struct PortTx {
    network: Network,
    id: PortId,
    mac: MacAddr6,
    mtu: usize,
}

impl PortTx {
    /// Hands at most [`BATCH`] of the frames that `take` gives to `each`, the switch unlocked.
    fn deliver(
        &mut self,
        direction: Direction,
        take: Take,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> usize {
        let mut used = None;
        for handed in 0..BATCH {
            let mut switch = self.network.switch();
            let Some((at, octets)) = take(&mut switch, self.id, used.take()) else {
                return handed;
            };
            let since_epoch = switch.since_epoch(at);
            drop(switch);
            let facts = Facts {
                direction,
                cast: Cast::Other,
                at,
                stamp: Stamp { since_epoch, source: Source::Virtual },
                checksum: Checksum::Complete,
            };
            if let Ok(frame) = Frame::new(&octets, facts) {
                let cast = Cast::of(frame.dst(), self.mac);
                each(frame.with_facts(Facts { cast, ..facts }), self);
            }
            used = Some(octets);
        }
        self.network.switch().reuse(used);
        BATCH
    }
}

impl FrameTx for PortTx {
    fn mac(&self) -> MacAddr6 {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        SendError::check(len, self.mtu)?;
        let mut switch = self.network.switch();
        if switch.queue(self.id).len() == SLOTS {
            return Err(SendError::Full);
        }
        let mut octets = switch.buffer(len);
        drop(switch); // `write` may be anything, even a look at the network
        write(&mut octets);
        self.network.switch().queue(self.id).push(octets);
        Ok(())
    }
}

impl Switch {
    fn since_epoch(&self, at: Instant) -> Duration {
        EPOCH + at.saturating_duration_since(self.origin)
    }
}

/// Gives a station its next frame, and takes the buffer of the last one back.
type Take = fn(&mut Switch, PortId, Option<Vec<u8>>) -> Option<(Instant, Vec<u8>)>;

/// Frames handed up by one `recv`, of each direction.
const BATCH: usize = 64;

/// Frames queued until a flush.
const SLOTS: usize = 256;

/// Where the time of day of every network begins: 2026-01-01 00:00:00 UTC.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);
