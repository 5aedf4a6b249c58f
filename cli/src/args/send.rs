use std::time::Duration;

use clap::Args;
use macaddr::MacAddr6;

use crate::value;

#[derive(Args)]
pub(crate) struct Send {
    /// The frame in hexadecimal, Ethernet header first; with --ethertype, its payload
    #[arg(required_unless_present = "text", conflicts_with = "text")]
    pub(crate) hex: Vec<String>,
    /// The payload as text; needs --ethertype
    #[arg(long, requires = "ethertype")]
    pub(crate) text: Option<String>,
    /// The EtherType, as 0x0801; we write the Ethernet header
    #[arg(long, value_name = "TYPE", value_parser = value::ether_type)]
    pub(crate) ethertype: Option<u16>,
    /// With --ethertype: whom the frame is for; by default everybody, on loopback ourselves
    #[arg(long, value_name = "MAC", requires = "ethertype", value_parser = value::mac)]
    pub(crate) to: Option<MacAddr6>,
    /// Send it this many times
    #[arg(
        short, long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) count: u64,
    /// Between two of them
    #[arg(short, long, value_name = "DUR", default_value = "1s", value_parser = value::interval)]
    pub(crate) interval: Duration,
}
