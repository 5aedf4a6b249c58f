use std::time::Duration;

use etherparse::EtherType;

use super::fate::{Fate, Part, Transit, ether_type, exceeds};
use crate::frame::HEADER_LEN;

/// Faults by probability, each between 0 and 1 a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// Frames that never arrive.
    pub loss: f64,
    /// How many frames in a row are lost each time; 1 unless said otherwise.
    pub burst: u32,
    /// Frames that arrive twice.
    pub duplicate: f64,
    /// Frames that are held back for `hold`, so that later ones overtake them.
    pub reorder: f64,
    /// Frames of which one bit is inverted.
    pub corrupt: f64,
    /// Where that bit lies.
    pub part: Part,
    /// Frames that are cut off somewhere after the Ethernet header.
    pub truncate: f64,
    /// Frames that have 1 to 40 octets of [`JUNK`](super::JUNK) after their end.
    pub pad: f64,
    /// Added to every frame's way.
    pub delay: Duration,
    /// Added besides: evenly distributed between nothing and this.
    pub jitter: Duration,
    /// How long a reordered frame is held back.
    pub hold: Duration,
    /// Frames whose payload is longer than this never arrive, and nobody is told.
    pub mtu: Option<usize>,
    /// Frames of this type never arrive.
    pub silent: Option<EtherType>,
}

impl Faults {
    /// These faults as a fate for [`Network::set_fate`](super::Network::set_fate), the same for
    /// the same `seed`.
    pub fn fate(self, seed: u64) -> impl FnMut(&Transit<'_>) -> Fate + Send + 'static {
        let mut judge = self.judge(seed);
        move |transit| judge(transit.octets)
    }

    /// The same over frames that pass no network of ours, which are any octets with an Ethernet
    /// header.
    pub fn judge(self, seed: u64) -> impl FnMut(&[u8]) -> Fate + Send + 'static {
        // What came later has dice of its own, so that a seed means what it meant before.
        let (mut dice, mut later) = (Dice(seed), Dice(!seed));
        let mut losing = 0;
        move |octets| {
            let len = octets.len();
            // Every die is cast for every frame, so that one fault does not shift another's.
            if dice.chance(self.loss) {
                losing = self.burst.max(1);
            }
            let again = dice.chance(self.duplicate).then_some(Duration::from_micros(10));
            let held = dice.chance(self.reorder);
            let corrupt = dice.chance(self.corrupt);
            let part = self.part.octets(len);
            let bit = part.start * 8 + dice.below(part.len().max(1) * 8);
            let late = self.delay
                + self.jitter.mul_f64(dice.unit())
                + if held { self.hold } else { Duration::ZERO };
            let cut = later.chance(self.truncate);
            let end = HEADER_LEN + later.below(len.saturating_sub(HEADER_LEN).max(1));
            let padded = later.chance(self.pad);
            let junk = 1 + later.below(40);

            let lost = losing > 0
                || self.mtu.is_some_and(|mtu| exceeds(octets, mtu))
                || self.silent.is_some_and(|silent| silent == ether_type(octets));
            losing = losing.saturating_sub(1);
            Fate {
                lost,
                late,
                again,
                inverted: corrupt.then_some(bit),
                cut: cut.then_some(end),
                padded: if padded { junk } else { 0 },
                ..Fate::arrives()
            }
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            loss: 0.0,
            burst: 1,
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            part: Part::Whole,
            truncate: 0.0,
            pad: 0.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            hold: Duration::from_millis(300),
            mtu: None,
            silent: None,
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every machine for ever.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }

    /// Evenly distributed over [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}
