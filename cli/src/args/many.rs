use std::{path::PathBuf, time::Duration};

use clap::Args;
use stack::Shard;

use crate::value;

/// What only many targets need.
#[derive(Args)]
#[command(next_help_heading = "Many targets")]
pub(crate) struct Many {
    /// Show only who answers; of one target, ring the bell at each answer
    #[arg(short = 'a', long, conflicts_with = "unreachable")]
    pub(crate) alive: bool,
    /// Show only who does not answer
    #[arg(short = 'u', long)]
    pub(crate) unreachable: bool,
    /// Show round-trip times
    #[arg(short = 'e', long)]
    pub(crate) elapsed: bool,
    /// Ask again so often, where nobody answers; by default 3, with -c not at all
    #[arg(short = 'r', long, value_name = "N")]
    pub(crate) retries: Option<u8>,
    /// How much longer to wait after each repetition; 1.5 unless said
    #[arg(short = 'B', long, value_name = "FACTOR", value_parser = value::backoff)]
    pub(crate) backoff: Option<f64>,
    /// As -c; in the end tell of each target all round trips, in ms, and `-` where one is missing
    #[arg(
        short = 'C', long, value_name = "N", conflicts_with = "count",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) vcount: Option<u64>,
    /// With -c: tell for how long nothing came, by the requests lost and the period
    #[arg(short = 'o', long)]
    pub(crate) outage: bool,
    /// The targets are all hosts of one network, or all from the first to the second of two
    /// addresses
    #[arg(short = 'g', long)]
    pub(crate) generate: bool,
    /// It takes this many that answer for exit code 0; tell only whether they did
    #[arg(short = 'x', long, value_name = "N", conflicts_with = "fast_reachable")]
    pub(crate) reachable: Option<u64>,
    /// As -x, and stop as soon as they have
    #[arg(short = 'X', long, value_name = "N")]
    pub(crate) fast_reachable: Option<u64>,
    /// With -c or -C: between two requests to one target; 1s unless said
    #[arg(long, value_name = "DUR", value_parser = value::interval)]
    pub(crate) period: Option<Duration>,
    /// Requests a second, instead of -i; 0: as fast as the link takes them
    #[arg(long, value_name = "PPS", conflicts_with = "interval")]
    pub(crate) rate: Option<u32>,
    /// Requests under way at once, at most; 65,536 unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub(crate) window: Option<u32>,
    /// Ask only our part of the targets, all machines having the same --seed: `2/3`; `auto` in a
    /// Slurm array, `auto/3` in a Kubernetes indexed job or under GNU parallel
    #[arg(long, value_name = "I/N", value_parser = value::shard)]
    pub(crate) shard: Option<Shard>,
    /// Write what was found as a page: latency, loss, a map, vendors, conflicts; at most of 65,536
    /// targets
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Whether it was called fping, which takes one target for many.
    #[arg(skip)]
    pub(crate) as_fping: bool,
}

impl Many {
    /// Whether anything was said that only many targets need.
    pub(crate) fn is_wanted(&self) -> bool {
        let Self { unreachable, elapsed, outage, generate, as_fping, .. } = self;
        [*unreachable, *elapsed, *outage, *generate, *as_fping].contains(&true)
            || self.is_by_count()
            || self.retries.is_some()
            || self.backoff.is_some()
            || self.vcount.is_some()
            || self.period.is_some()
            || self.rate.is_some()
            || self.window.is_some()
            || self.shard.is_some()
            || self.html.is_some()
    }

    /// Whether it was said how many it takes.
    pub(crate) fn is_by_count(&self) -> bool {
        self.reachable.is_some() || self.fast_reachable.is_some()
    }

    /// Between two requests to one target.
    pub(crate) fn period(&self) -> Duration {
        self.period.unwrap_or(PERIOD)
    }
}

/// Between two requests to one target, unless another is said.
const PERIOD: Duration = Duration::from_secs(1);
