use std::time::Duration;

/// How a path MTU is searched for; the names in capitals are those of RFC 8899 §5.1.
#[derive(Clone, Debug)]
pub struct Config {
    /// BASE_PLPMTU: what nearly every path takes, and so is asked for first; octets, IP header
    /// included. Below it is searched only if that is not answered.
    pub base: u16,
    /// MAX_PLPMTU: nothing longer is asked for; the link's MTU bounds it besides.
    pub max: u16,
    /// MAX_PROBES: how many probes of a size must be lost, while others are answered, until it
    /// counts as too long; at least 1. More are where chance would explain so many.
    pub max_probes: u8,
    /// PROBE_TIMER: how long to wait for an answer. Longer than any round trip; RFC 8899 §5.1.1
    /// wants a second at least, and 15 of what probes unasked. An answer that comes later counts
    /// all the same.
    pub probe_timer: Duration,
    /// Hops that a probe may take.
    pub ttl: u8,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Of the first probe; each other has the next.
    pub sequence: u16,
}

impl Default for Config {
    /// From 1,200 octets, three probes, a second each.
    fn default() -> Self {
        Self {
            base: 1200,
            max: u16::MAX,
            max_probes: 3,
            probe_timer: Duration::from_secs(1),
            ttl: 64,
            tos: 0,
            sequence: 0,
        }
    }
}
