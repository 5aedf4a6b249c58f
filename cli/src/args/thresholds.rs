use clap::Args;
use macaddr::MacAddr6;

use crate::value::{self, RttLimit};

/// What has to be met for exit code 0; where none is named, one reply.
#[derive(Args)]
#[command(next_help_heading = "Pass or fail")]
pub(crate) struct Thresholds {
    /// Fail when more is lost: `5%`, or 5
    #[arg(long, value_name = "P", value_parser = value::percent)]
    pub(crate) max_loss: Option<f64>,
    /// Fail when a round trip took longer; of all but the slowest, `p95=20ms`; also `avg=`
    #[arg(long, value_name = "[p95=]DUR", value_parser = value::rtt_limit)]
    pub(crate) max_rtt: Vec<RttLimit>,
    /// Fail when fewer replies came
    #[arg(long, value_name = "N")]
    pub(crate) min_replies: Option<u64>,
    /// Fail unless the target's next hop has this MAC address, and nobody else claims to be it
    #[arg(long, value_name = "MAC", value_parser = value::station)]
    pub(crate) expect_mac: Option<MacAddr6>,
}

impl Thresholds {
    /// Whether there are any.
    pub(crate) fn are_given(&self) -> bool {
        let Self { max_loss, max_rtt, min_replies, expect_mac } = self;
        max_loss.is_some() || !max_rtt.is_empty() || min_replies.is_some() || expect_mac.is_some()
    }
}
