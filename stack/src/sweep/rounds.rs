use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use super::{Config, Permutation, Rate, Shard, Targets};

/// Which target is next, and in which round; nothing is kept of any one of them.
pub(super) struct Rounds {
    targets: Targets,
    order: Option<Permutation>,
    shard: Shard,
    /// Requests of one probe, at most.
    tries: u64,
    /// `None`: no end.
    count: Option<u64>,
    period: Rate,
    began: Instant,
    round: u64,
    /// Targets of this round that had their turn; never all of them.
    begun: u64,
}

impl Rounds {
    pub(super) fn new(now: Instant, targets: Targets, config: &Config) -> Self {
        Self {
            order: config.seed.map(|seed| Permutation::new(targets.len(), seed)),
            shard: config.shard,
            tries: u64::from(config.retries) + 1,
            count: config.rounds,
            period: Rate::every(config.period),
            began: now,
            round: 0,
            begun: 0,
            targets,
        }
    }

    /// Whose turn it is, in which round; `None` when all had theirs.
    pub(super) fn next(&self) -> Option<(Ipv4Addr, u64)> {
        if self.is_over() {
            return None;
        }
        Some((self.nth(self.begun)?, self.round))
    }

    /// Those that never had a turn, in the order in which they would have it.
    pub(super) fn unbegun(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        let first = if self.round == 0 { self.begun } else { self.len() };
        (first..self.len()).filter_map(|n| self.nth(n))
    }

    /// That one had its turn.
    pub(super) fn advance(&mut self) {
        self.begun += 1;
        if self.begun == self.len() {
            self.begun = 0;
            self.round += 1;
        }
    }

    /// Has all that is still to begin do so that much later.
    pub(super) fn put_off(&mut self, by: Duration) {
        self.began = self.began.checked_add(by).unwrap_or(self.began);
    }

    /// Whether all had their turn.
    pub(super) fn is_over(&self) -> bool {
        self.len() == 0 || self.count.is_some_and(|count| self.round >= count)
    }

    /// Whether the next one is the first of its round.
    pub(super) fn is_at_start(&self) -> bool {
        self.begun == 0
    }

    /// When this round may begin, or may have begun; `None` when that is beyond all time.
    pub(super) fn begins(&self) -> Option<Instant> {
        self.began.checked_add(self.period.span_of(self.round)?)
    }

    /// How many have a turn in each round.
    pub(super) fn len(&self) -> u64 {
        self.shard.len(self.targets.len())
    }

    /// Whose turn it is in each round when `n` others had theirs.
    fn nth(&self, n: u64) -> Option<Ipv4Addr> {
        let place = self.shard.place(n);
        self.targets.nth(self.order.map_or(place, |order| order.at(place)))
    }

    pub(super) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Which number a request bears: the tries of all rounds are numbered through, and the field
    /// holds the low 16 bits.
    pub(super) fn sequence(&self, round: u64, tried: u8) -> u16 {
        round.wrapping_mul(self.tries).wrapping_add(tried.into()) as u16
    }

    /// Which try of which round bore that number: the latest that there can have been, or, if none
    /// has, the first to come.
    pub(super) fn request(&self, sequence: u16) -> (u64, u8) {
        let latest = self.round.wrapping_mul(self.tries).wrapping_add(self.tries - 1);
        let ago = (latest as u16).wrapping_sub(sequence);
        let number = latest.checked_sub(ago.into()).unwrap_or_else(|| sequence.into());
        (number / self.tries, (number % self.tries) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::memory::Network;

    #[test]
    fn a_round_beyond_all_counting_still_has_its_moment() {
        let now = Network::new().now();
        let (period, targets) =
            (Duration::from_millis(1), [[10, 0, 0, 1].into()..=[10, 0, 0, 1].into()]);
        let config = Config { period, rounds: None, ..Config::default() };
        let mut rounds = Rounds::new(now, targets.into_iter().collect(), &config);
        rounds.round = 1 << 33;
        assert_eq!(rounds.begins(), now.checked_add(Duration::from_micros(1000 << 33)));
        let sequence = rounds.sequence(rounds.round, 0);
        assert_eq!(rounds.request(sequence), (1 << 33, 0));
    }
}
