use std::time::Duration;

/// The knobs that RFC 1122 §2.3.2.1 wants configurable.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Neighbours, resolved or not. A stranger's is not learned when the table is full; one that
    /// we ask for takes the place of the one confirmed longest ago.
    pub capacity: usize,
    /// How long a mapping is believed.
    pub lifetime: Duration,
    /// Requests sent, a second apart, before giving up.
    pub requests: u32,
    /// Whether to answer for our addresses; not where another stack already does.
    pub answers: bool,
    /// What the random delays of RFC 5227 are drawn from.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capacity: 4096,
            lifetime: Duration::from_secs(60),
            requests: 3,
            answers: true,
            seed: 0,
        }
    }
}
