use std::time::Duration;

use super::{schedule::Rate, shard::Shard};

/// How a [`Sweep`](super::Sweep) is done.
#[derive(Clone, Debug)]
pub struct Config {
    /// What each target is asked for.
    pub method: Method,
    /// How often each target is probed; `None`: for ever.
    pub rounds: Option<u64>,
    /// From one round's beginning to the next's, and so between two probes of one target; longer
    /// where the rate does not let a round end in time.
    pub period: Duration,
    /// How fast requests follow each other, repeated ones included.
    pub rate: Rate,
    /// Probes that may be under way at once; at least one is.
    pub window: usize,
    /// How often an echo that nobody answers is asked for again. ARP has its own count, and its
    /// own second ([`arp::Config::requests`]).
    pub retries: u8,
    /// How long to wait for the first reply, from the request's leaving.
    pub timeout: Duration,
    /// How much longer to wait after each repetition.
    pub backoff: f64,
    /// How long a link that goes down is waited for, all in all; what is due later ends as not
    /// sent. Zero: all that is due does, and the rounds keep time.
    pub patience: Duration,
    /// What the order is drawn from, the same for all of a shard's machines; `None`: ascending.
    pub seed: Option<u64>,
    /// Which part of the targets is ours.
    pub shard: Shard,
    /// Hops that a request may take.
    pub ttl: u8,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Whether no router may fragment it.
    pub dont_fragment: bool,
    /// Octets to be echoed; the first 8 give way to a cookie.
    pub data: Vec<u8>,
}

impl Config {
    /// How long to wait for the reply to each try.
    pub(super) fn timeouts(&self) -> Vec<Duration> {
        let backoff = if self.backoff.is_finite() { self.backoff.max(1.0) } else { 1.0 };
        let tries = 0..=i32::from(self.retries);
        tries
            .map(|n| Duration::try_from_secs_f64(self.timeout.as_secs_f64() * backoff.powi(n)))
            .map(|timeout| timeout.map_or(LONGEST, |timeout| timeout.min(LONGEST)))
            .collect()
    }
}

/// One echo each, as fast as the link takes them, waited for a second, in ascending order.
impl Default for Config {
    fn default() -> Self {
        Self {
            method: Method::Echo,
            rounds: Some(1),
            period: Duration::from_secs(1),
            rate: Rate::UNLIMITED,
            window: 4096,
            retries: 0,
            timeout: Duration::from_secs(1),
            backoff: 1.5,
            patience: Duration::from_secs(30),
            seed: None,
            shard: Shard::WHOLE,
            ttl: 64,
            tos: 0,
            dont_fragment: true,
            data: vec![0; 56],
        }
    }
}

/// What a target is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// An echo.
    Echo,
    /// Its hardware address.
    Arp,
    /// Its hardware address and then, if it has answered, an echo; an echo only, if it is not on
    /// the link.
    Both,
}

/// As good as for ever: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
