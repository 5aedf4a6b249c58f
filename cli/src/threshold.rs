//! Pass or fail, by what a run measured.

use std::fmt::{self, Display};

use macaddr::MacAddr6;

use crate::{
    args::Thresholds,
    record::Mac,
    text::{Ms, Percent},
    value::{Figure, RttLimit},
};

/// What came of asking one target.
pub(crate) struct Measured<'a> {
    pub(crate) received: u64,
    /// In percent; `None` where nothing was asked.
    pub(crate) loss: Option<f64>,
    /// The figure of the round-trip times, in nanoseconds; `None` where there are none.
    pub(crate) round_trip: &'a dyn Fn(Figure) -> Option<u64>,
    /// Who said to be the target's next hop, the target's answers included.
    pub(crate) owners: &'a Owners,
}

/// Those who say to be one neighbour; the first few of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners(Vec<MacAddr6>);

impl Owners {
    pub(crate) fn add(&mut self, mac: MacAddr6) {
        if self.0.len() < OWNERS && !self.0.contains(&mac) {
            self.0.push(mac);
        }
    }

    /// Adds those of the same neighbour that were heard of elsewhere.
    pub(crate) fn join(&mut self, others: Self) {
        others.0.into_iter().for_each(|mac| self.add(mac));
    }
}

/// A threshold that was missed, and by how much.
pub(crate) struct Missed(String);

impl Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MISSED {}", self.0)
    }
}

impl Thresholds {
    /// Whether a target passes, and what it missed; without thresholds one reply is enough.
    pub(crate) fn judge(&self, measured: &Measured<'_>) -> (bool, Vec<Missed>) {
        if !self.are_given() {
            return (measured.received > 0, Vec::new());
        }
        let rtt = self.max_rtt.iter().filter_map(|limit| limit.missed_by(measured));
        let others = [self.loss(measured), self.replies(measured), self.mac(measured)];
        let missed: Vec<Missed> = rtt.chain(others.into_iter().flatten()).map(Missed).collect();
        (missed.is_empty(), missed)
    }

    fn loss(&self, measured: &Measured<'_>) -> Option<String> {
        let most = self.max_loss?;
        let limit = Percent(most);
        match measured.loss {
            None => Some(format!("--max-loss {limit}%: nothing was asked")),
            Some(loss) if loss > most => {
                let (loss, over) = (Percent(loss), Percent(loss - most));
                Some(format!("--max-loss {limit}%: lost {loss}%, {over} points too much"))
            }
            Some(_) => None,
        }
    }

    fn replies(&self, measured: &Measured<'_>) -> Option<String> {
        let (least, came) = (self.min_replies?, measured.received);
        let missing = least.checked_sub(came).filter(|missing| *missing > 0)?;
        Some(format!("--min-replies {least}: {came} came, {missing} too few"))
    }

    fn mac(&self, measured: &Measured<'_>) -> Option<String> {
        let expected = self.expect_mac?;
        let begin = format!("--expect-mac {}:", Mac(expected));
        let owners = &measured.owners.0;
        if owners.is_empty() {
            return Some(format!("{begin} nobody answered"));
        }
        let others = owners.iter().filter(|mac| **mac != expected);
        let others: Vec<String> = others.map(|mac| Mac(*mac).to_string()).collect();
        let also = if owners.contains(&expected) { "also " } else { "" };
        (!others.is_empty()).then(|| format!("{begin} {also}{} answered", others.join(" and ")))
    }
}

impl RttLimit {
    fn missed_by(&self, measured: &Measured<'_>) -> Option<String> {
        let (most, name) = (u64::try_from(self.most.as_nanos()).ok()?, self.figure);
        let limit = Ms(self.most);
        match (measured.round_trip)(self.figure) {
            None => Some(format!("--max-rtt {name}={limit} ms: no reply came")),
            Some(nanos) if nanos > most => {
                let (time, over) = (Ms::of_nanos(nanos), Ms::of_nanos(nanos - most));
                Some(format!("--max-rtt {name}={limit} ms: {time} ms, {over} ms too long"))
            }
            Some(_) => None,
        }
    }
}

/// Owners of one address that are told apart.
const OWNERS: usize = 8;
