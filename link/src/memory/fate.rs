use std::time::{Duration, Instant};

use super::PortId;

/// One passage of a frame from the station that sent it to one that may receive it.
#[derive(Clone, Copy, Debug)]
pub struct Transit<'a> {
    /// The frame, header first, padded to Ethernet's minimum.
    pub octets: &'a [u8],
    /// Who sent it.
    pub from: PortId,
    /// Who may receive it.
    pub to: PortId,
    /// When it was sent.
    pub at: Instant,
}

/// What happens to a frame on one passage; by default it arrives after the network's latency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fate {
    /// It never arrives, whatever else is said.
    pub lost: bool,
    /// It arrives that much later than the latency.
    pub late: Duration,
    /// A second copy arrives that long after the first.
    pub again: Option<Duration>,
    /// This bit of it, counted from the first octet's highest, arrives inverted.
    pub inverted: Option<usize>,
}

impl Fate {
    /// It arrives.
    pub fn arrives() -> Self {
        Self::default()
    }

    /// It never arrives.
    pub fn lost() -> Self {
        Self { lost: true, ..Self::default() }
    }

    /// It arrives that much later.
    pub fn late(late: Duration) -> Self {
        Self { late, ..Self::default() }
    }

    /// It arrives, and once more `after` that.
    pub fn again(after: Duration) -> Self {
        Self { again: Some(after), ..Self::default() }
    }

    /// It arrives with one bit inverted.
    pub fn inverted(bit: usize) -> Self {
        Self { inverted: Some(bit), ..Self::default() }
    }
}

/// Faults by probability, each between 0 and 1 a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// Frames that never arrive.
    pub loss: f64,
    /// Frames that arrive twice.
    pub duplicate: f64,
    /// Frames that are held back for `hold`, so that later ones overtake them.
    pub reorder: f64,
    /// Frames of which one bit is inverted.
    pub corrupt: f64,
    /// Added to every frame's way.
    pub delay: Duration,
    /// Added besides: evenly distributed between nothing and this.
    pub jitter: Duration,
    /// How long a reordered frame is held back.
    pub hold: Duration,
}

impl Faults {
    /// These faults as a fate for [`Network::set_fate`](super::Network::set_fate), the same for
    /// the same `seed`.
    pub fn fate(self, seed: u64) -> impl FnMut(&Transit<'_>) -> Fate + Send + 'static {
        let mut dice = Dice(seed);
        move |transit| {
            // Every die is cast for every frame, so that one fault does not shift another's.
            let lost = dice.chance(self.loss);
            let again = dice.chance(self.duplicate).then_some(Duration::from_micros(10));
            let held = dice.chance(self.reorder);
            let corrupt = dice.chance(self.corrupt);
            let bit = dice.next() as usize % (transit.octets.len() * 8);
            let late = self.delay
                + self.jitter.mul_f64(dice.unit())
                + if held { self.hold } else { Duration::ZERO };
            Fate { lost, late, again, inverted: corrupt.then_some(bit) }
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            hold: Duration::from_millis(300),
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

    /// Evenly distributed over [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}
