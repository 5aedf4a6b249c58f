use std::time::Duration;

use clap::Args;

use super::Thresholds;
use crate::value;

#[derive(Args)]
pub(crate) struct Arp {
    /// Whom to ask for, or which address to probe for or to announce
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Probe whether anybody uses the address (RFC 5227): 0 if it is free
    #[arg(
        short = 'D', long, conflicts_with_all = ["announce", "advertise", "count", "interval",
        "deadline", "first", "max_loss", "max_rtt", "min_replies", "expect_mac"]
    )]
    pub(crate) probe: bool,
    /// Announce the address by requests
    #[arg(short = 'U', long, conflicts_with_all = ["advertise", "first", "max_loss", "max_rtt",
        "min_replies", "expect_mac"])]
    pub(crate) announce: bool,
    /// Announce the address by replies
    #[arg(
        short = 'A', long, conflicts_with_all = ["first", "max_loss", "max_rtt", "min_replies",
        "expect_mac"]
    )]
    pub(crate) advertise: bool,
    /// Ask this many times, one second apart or more, instead of until it answers
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Between two requests or announcements; at least a second
    #[arg(
        short, long, value_name = "DUR", default_value = "1s", value_parser = value::arp_interval
    )]
    pub(crate) interval: Duration,
    /// Stop after this long, whatever has come
    #[arg(short = 'w', long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// With -c: stop at the first answer
    #[arg(short = 'f', long)]
    pub(crate) first: bool,
    /// Only the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) thresholds: Thresholds,
}
