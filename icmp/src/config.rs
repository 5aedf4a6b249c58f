use crate::limit::Limit;

/// What tells us from others, and what we do for them.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Marks our requests; to be drawn at random for each run.
    pub identifier: u16,
    /// What cookies are made with; to be drawn at random for each run.
    pub secret: [u8; 16],
    /// Whether to answer requests at all; not where another stack already does.
    pub answers: bool,
    /// Whether to answer echo requests to many hosts (RFC 1122 §3.2.2.6 lets one choose).
    pub answers_broadcast: bool,
    /// Whether to answer timestamp requests, and so to tell everybody the time (RFC 1122
    /// §3.2.2.8: optional).
    pub timestamps: bool,
    /// How many requests to answer; `None` is all.
    pub replies: Option<Limit>,
    /// How many errors to send in all.
    pub errors: Limit,
    /// How many errors to send to one host, from each address of ours.
    pub errors_each: Limit,
    /// Whether to tell of redirects, for the routes to be changed.
    pub redirects: bool,
    /// Ended echoes for which late and doubled replies are still known; 40 octets each.
    pub remembered: usize,
}

impl Default for Config {
    /// Answers echo requests to one host, all of them; sends 1,000 errors a second and 50 at once,
    /// of those to one host 100 and 20; obeys no redirect; remembers 4,096 echoes.
    fn default() -> Self {
        Self {
            identifier: 0,
            secret: [0; 16],
            answers: true,
            answers_broadcast: false,
            timestamps: false,
            replies: None,
            errors: Limit { per_second: 1000, burst: 50 },
            errors_each: Limit { per_second: 100, burst: 20 },
            redirects: false,
            remembered: 4096,
        }
    }
}
