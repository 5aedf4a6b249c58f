mod held;
mod tally;

use std::{
    io, mem,
    net::Ipv4Addr,
    os::fd::BorrowedFd,
    time::{Duration, Instant, SystemTime},
};

use etherparse::{EtherType, checksum::Sum16BitWords};
use ipnetwork::Ipv4Network;
use link::{
    Event, Frame, FrameIo, FrameTx, HEADER_LEN, MacAddr6, SendError, Wait,
    memory::{Fate, Faults},
};

use self::held::Held;
pub use self::tally::Tally;

/// A link over which what some hosts send fares ill: what they answer comes late, twice, changed,
/// or not at all.
///
/// Only IPv4 is impaired, by its source; ARP passes as it is. A frame that is held back is sent by
/// [`FrameIo::recv`] when its time has come, and [`Wait::wait`] wakes up for it.
pub struct Impaired<L> {
    below: L,
    ills: Ills,
}

/// How that what a prefix sends fares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Whose datagrams; of two prefixes that cover a source, the first in the list.
    pub prefix: Ipv4Network,
    /// What happens to them on the way.
    pub faults: Faults,
    /// The time to live that they leave with, if not their own.
    pub ttl: Option<u8>,
}

impl<L> Impaired<L> {
    /// `below`, impaired by chance; the same for the same `seed`.
    pub fn new(now: Instant, below: L, impairments: &[Impairment], seed: u64) -> Self {
        let seeds = (0..).map(|nth| seed.wrapping_add(nth));
        let rules = impairments.iter().zip(seeds).map(|(impairment, seed)| Rule {
            prefix: impairment.prefix,
            ttl: impairment.ttl,
            judge: Box::new(impairment.faults.judge(seed)),
        });
        let rules = rules.collect();
        let (held, spare, tally) = (Held::default(), Vec::new(), Tally::default());
        Self { below, ills: Ills { rules, held, spare, tally, now } }
    }

    /// What has left, and how it fared.
    pub fn tally(&self) -> &Tally {
        &self.ills.tally
    }

    /// When to poll again, for a frame that is held back.
    pub fn deadline(&self) -> Option<Instant> {
        self.ills.held.deadline()
    }

    /// The link.
    pub fn below(&self) -> &L {
        &self.below
    }
}

impl<L: FrameTx> FrameTx for Impaired<L> {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.ills.transmit(&mut self.below, len, write)
    }
}

impl<L: FrameIo> FrameIo for Impaired<L> {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let Self { below, ills } = self;
        ills.now = now;
        if ills.release(below) > 0 {
            below.flush()?;
        }
        below.recv(now, &mut |frame, tx| each(frame, &mut Egress { ills, below: tx }))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.below.flush()
    }

    fn event(&mut self) -> Option<Event> {
        self.below.event()
    }

    fn returns_sent(&self) -> bool {
        self.below.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.below.dropped()
    }
}

impl<L: Wait> Wait for Impaired<L> {
    fn now(&self) -> Instant {
        self.below.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.below.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.below.wait(until.into_iter().chain(self.ills.held.deadline()).min(), wake)
    }
}

/// The transmit half, for the length of one callback.
struct Egress<'a> {
    ills: &'a mut Ills,
    below: &'a mut dyn FrameTx,
}

impl FrameTx for Egress<'_> {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.ills.transmit(self.below, len, write)
    }
}

/// All but the link itself.
struct Ills {
    rules: Vec<Rule>,
    held: Held,
    /// An empty frame, to be filled anew.
    spare: Vec<u8>,
    tally: Tally,
    /// When it was last polled.
    now: Instant,
}

struct Rule {
    prefix: Ipv4Network,
    ttl: Option<u8>,
    judge: Judge,
}

type Judge = Box<dyn FnMut(&[u8]) -> Fate + Send>;

impl Ills {
    fn transmit(
        &mut self,
        below: &mut dyn FrameTx,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), SendError> {
        if self.rules.is_empty() {
            let tally = &mut self.tally;
            return below.transmit(len, &mut |slot| {
                write(slot);
                tally.count(slot);
            });
        }
        SendError::check(len, below.mtu())?;
        let mut frame = mem::take(&mut self.spare);
        frame.clear();
        frame.resize(len, 0);
        write(&mut frame);
        self.tally.count(&frame);
        self.send(below, frame);
        Ok(())
    }

    /// Lets a frame meet its fate.
    fn send(&mut self, below: &mut dyn FrameTx, mut frame: Vec<u8>) {
        let src = source(&frame);
        let rule = src.and_then(|src| self.rules.iter_mut().find(|rule| rule.prefix.contains(src)));
        let Some(rule) = rule else { return self.part(below, frame, Duration::ZERO) };
        if let Some(ttl) = rule.ttl {
            set_ttl(&mut frame, ttl);
        }
        let fate = (rule.judge)(&frame);
        if fate.lost {
            self.tally.lost += 1;
            self.spare = frame;
            return;
        }
        self.tally.corrupted += u64::from(fate.inverted.is_some());
        self.tally.delayed += u64::from(!fate.late.is_zero());
        fate.alter(&mut frame);
        if let Some(after) = fate.again {
            self.tally.duplicated += 1;
            self.part(below, frame.clone(), fate.late);
            return self.part(below, frame, fate.late + after);
        }
        self.part(below, frame, fate.late);
    }

    /// Sends a frame, or holds it back.
    fn part(&mut self, below: &mut dyn FrameTx, frame: Vec<u8>, late: Duration) {
        if late.is_zero() && hand_over(below, &frame).is_ok() {
            self.spare = frame;
            return;
        }
        let late = if late.is_zero() { RETRY } else { late };
        if !self.held.push(self.now + late, frame) {
            self.tally.overflowed += 1;
        }
    }

    /// Sends what was held back long enough, as far as the link takes it; returns how much.
    fn release(&mut self, below: &mut dyn FrameTx) -> usize {
        let mut released = 0;
        while let Some(frame) = self.held.due(self.now) {
            if hand_over(below, frame) == Err(SendError::Full) {
                self.held.postpone(self.now + RETRY);
                break;
            }
            self.spare = self.held.pop();
            released += 1;
        }
        released
    }
}

fn hand_over(below: &mut dyn FrameTx, frame: &[u8]) -> Result<(), SendError> {
    below.transmit(frame.len(), &mut |slot| slot.copy_from_slice(frame))
}

/// Who sends what is in a frame, if that is IPv4.
fn source(frame: &[u8]) -> Option<Ipv4Addr> {
    let ether_type = frame.get(HEADER_LEN - 2..HEADER_LEN)?;
    let source: [u8; 4] = frame.get(SOURCE..SOURCE + 4)?.try_into().ok()?;
    (ether_type == EtherType::IPV4.0.to_be_bytes()).then(|| source.into())
}

/// Writes another time to live, and the header checksum that goes with it (RFC 791 §3.1).
fn set_ttl(frame: &mut [u8], ttl: u8) {
    let Some(packet) = frame.get_mut(HEADER_LEN..) else { return };
    let header_len = packet.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    let Some(header) = packet.get_mut(..header_len).filter(|header| header.len() >= 20) else {
        return;
    };
    header[8] = ttl;
    header[10..12].fill(0);
    let sum = Sum16BitWords::new().add_slice(header).ones_complement();
    header[10..12].copy_from_slice(&sum.to_be().to_be_bytes());
}

/// Where the source stands in a frame with an IPv4 packet.
const SOURCE: usize = HEADER_LEN + 12;

/// Until the next try on a link whose queue was full.
const RETRY: Duration = Duration::from_millis(1);
