use std::{ops::Deref, time::Duration};

use crate::{claim, claims};

/// The knobs: those that RFC 1122 §2.3.2.1 wants configurable, and policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Config {
    /// Neighbours, resolved or not. A stranger's is not learned when the table is full; one that
    /// we ask for takes the place of another: of strangers before those that ever answered, of
    /// those given up on before those believed, of those heard of longest ago. Pinned ones stay,
    /// and so does whoever is waited for or was asked within the last second.
    pub capacity: usize,
    /// How long a mapping is kept that nobody uses or confirms.
    pub lifetime: Duration,
    /// How long a neighbour that answered is believed without a doubt, on average: each time it
    /// is multiplied by a random number between 0.5 and 1.5.
    pub reachable: Duration,
    /// From a packet to a stale neighbour to the poll for it, unless it is reached before.
    pub delay: Duration,
    /// Broadcast requests sent, a second apart, before giving up.
    pub requests: u32,
    /// Unicast polls sent, a second apart, before asking by broadcast.
    pub polls: u32,
    /// How long nobody is asked for after the first failure; three times as long after each
    /// further one, up to a minute. Packets are handed back meanwhile.
    pub backoff: Duration,
    /// Octets kept for all unresolved neighbours together; beyond, `Full` is answered.
    pub kept: usize,
    /// What is believed of a neighbour that claims to have moved.
    pub trust: Trust,
    /// What is done about others that use an address of ours, unless its owner knows better.
    pub defend: Defend,
    /// Probes and announcements sent in a second, at most.
    pub rate: u32,
    /// Whether to answer for our addresses; not where another stack already does.
    pub answers: bool,
    /// What the random delays are drawn from; to be drawn at random for each run.
    pub seed: u64,
}

impl Config {
    /// The longest that it takes to [claim](crate::Arp::claim) `count` addresses at once, if the
    /// link takes all that is sent.
    pub fn time_to_claim(&self, count: usize) -> Duration {
        claims::spread(self.rate, count, true) + claim::LONGEST
    }
}

impl Default for Config {
    fn default() -> Self {
        DEFAULT
    }
}

/// The configuration of one interface: those of 65,536 hosts are nearly always the same.
pub(crate) struct Knobs(Option<Box<Config>>);

impl From<Config> for Knobs {
    fn from(config: Config) -> Self {
        Self((config != DEFAULT).then(|| Box::new(config)))
    }
}

impl Deref for Knobs {
    type Target = Config;

    fn deref(&self) -> &Config {
        self.0.as_deref().unwrap_or(&DEFAULT)
    }
}

/// Whom to believe that a known neighbour has another MAC address. What is told of our own
/// requests is believed by each; the pinned never move.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Trust {
    /// Nobody: a neighbour moves by an answer to our own request only.
    Solicited,
    /// Whoever says so, a second or more after it was last confirmed; within that second it is
    /// first polled for at the old MAC address (RFC 826, RFC 5227 §3).
    #[default]
    Update,
    /// Nobody before the old MAC address was polled and stayed mute.
    Confirm,
}

/// What to do when another station uses an address of ours (RFC 5227 §2.4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Defend {
    /// Give the address up (a).
    Never,
    /// Announce it once; give it up when that happens again within ten seconds (b).
    Once,
    /// Keep it, and announce it every ten seconds at most (c).
    #[default]
    Always,
}

/// What an interface has unless said otherwise.
static DEFAULT: Config = Config {
    capacity: 4096,
    lifetime: Duration::from_secs(60),
    reachable: Duration::from_secs(30),
    delay: Duration::from_secs(5),
    requests: 3,
    polls: 3,
    backoff: Duration::from_secs(1),
    kept: 16 << 20,
    trust: Trust::Update,
    defend: Defend::Always,
    rate: 20_000,
    answers: true,
    seed: 0,
};
