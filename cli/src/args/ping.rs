use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Letters, Many, Thresholds};
use crate::value;

#[derive(Args)]
pub(crate) struct Ping {
    /// Whom to ask: an address or a name; or many
    ///
    /// Many: `10.0.0.0/24`, `10.0.0.1-50`, `a,b`, `@file`, `-` for standard input; `!X` excepts,
    /// `IP@MAC` says where it is.
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// Stop after this many requests, to each target; of many, each is asked once otherwise
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Between two requests: `200ms`; a bare number is seconds. By default 1s, to many 10ms
    #[arg(short, long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) interval: Option<Duration>,
    /// Stop after this long, whatever has come
    ///
    /// Nothing is sent any more then. One target may still answer what is under way: for twice the
    /// longest round trip seen, at least 10ms and at most -W.
    #[arg(short = 'w', long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// How long to wait for each reply
    #[arg(
        short = 'W', long, value_name = "DUR", default_value = "1s",
        value_parser = value::interval
    )]
    pub(crate) wait: Duration,
    /// Octets of data, up to 65,507; the first 8 are a cookie
    #[arg(short = 's', long, value_name = "BYTES", default_value_t = 56)]
    pub(crate) size: usize,
    /// What fills the data, up to 16 octets, repeated
    #[arg(short, long, value_name = "HEX", value_parser = value::pattern)]
    pub(crate) pattern: Option<Pattern>,
    /// Hops that a request may take
    #[arg(
        short, long, value_name = "N", default_value_t = 64,
        value_parser = clap::value_parser!(u8).range(1..)
    )]
    pub(crate) ttl: u8,
    /// Type of service, decimal or 0x..
    #[arg(short = 'Q', long, value_name = "TOS", default_value = "0", value_parser = value::octet)]
    pub(crate) tos: u8,
    /// Path MTU discovery: may routers fragment?
    #[arg(short = 'M', long, value_name = "HOW", default_value = "want")]
    pub(crate) mtu_discovery: MtuDiscovery,
    /// Only the header and the summary; with -j, no line for a single request
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Begin each line with the time; of many targets, with -c or -C
    #[arg(short = 'D', long)]
    pub(crate) timestamps: bool,
    #[command(flatten)]
    pub(crate) letters: Letters,
    #[command(flatten)]
    pub(crate) thresholds: Thresholds,
    #[command(flatten)]
    pub(crate) many: Many,
}

impl Ping {
    /// How often each of many targets is asked, if they are asked in a series.
    pub(crate) fn rounds(&self) -> Option<u64> {
        self.count.or(self.many.vcount)
    }

    /// Whether people are to see less of many targets: of their number the answer is enough.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet || self.many.is_by_count()
    }

    /// Whether people see a line for each request to many targets.
    pub(crate) fn shows_each(&self) -> bool {
        let lists = self.many.alive || self.many.unreachable;
        self.rounds().is_some() && !(self.is_quiet() || lists)
    }
}

/// The octets of -p; a type of its own, or clap would take it for many values.
#[derive(Clone)]
pub(crate) struct Pattern(pub(crate) Vec<u8>);

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum MtuDiscovery {
    /// They may not, nor do we
    Do,
    /// They may not; what does not fit the path leaves us in fragments
    Want,
    /// They may
    Dont,
}
