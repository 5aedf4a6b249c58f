use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use stack::{Shard, sweep::Rate};

use super::template::Template;
use crate::value;

/// Find who is there, by ARP, by echo, or by both side by side.
///
/// Who answers ARP and not the echo, two owners of one address, and one station with many
/// addresses are told. What we and the kernel have as addresses of our own is not asked for.
#[derive(Args)]
pub(crate) struct Scan {
    /// What to scan: `10.0.0.0/24`, `10.0.0.1-50`, `a,b`, `@file`, `-`; `!X` excepts. Without: -l
    #[arg(value_name = "NET")]
    pub(crate) targets: Vec<String>,
    /// The interface's own networks
    #[arg(short = 'l', long = "localnet", conflicts_with = "targets")]
    pub(crate) local: bool,
    /// Ask by ARP only
    #[arg(long, conflicts_with = "echo")]
    pub(crate) arp: bool,
    /// Ask for an echo only
    #[arg(long)]
    pub(crate) echo: bool,
    /// Ask again so often, where nobody answers
    #[arg(
        short = 'r', long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(..=100)
    )]
    pub(crate) retries: u8,
    /// Requests a second; 0: as fast as the link takes them
    #[arg(long, value_name = "PPS", default_value_t = 500, conflicts_with = "bandwidth")]
    pub(crate) rate: u32,
    /// Instead of --rate: bits a second, as 256000, 256K or 1M; 512 of them a request
    #[arg(short = 'B', long, value_name = "BITS", value_parser = bandwidth)]
    pub(crate) bandwidth: Option<Rate>,
    /// In an order that is drawn; so also beyond 256 targets
    #[arg(short = 'R', long)]
    pub(crate) random: bool,
    /// How long to wait for each echo reply, and for others with the address of one who answered by
    /// ARP: 200ms at most
    #[arg(
        short = 'W', long, value_name = "DUR", default_value = "1s",
        value_parser = value::interval
    )]
    pub(crate) wait: Duration,
    /// Probe only our part of the targets, all machines having the same --seed; as in ping
    #[arg(long, value_name = "I/N", value_parser = value::shard)]
    pub(crate) shard: Option<Shard>,
    /// It takes this many hosts for exit code 0
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) min_replies: u64,
    /// Look up the names of those who answer, as the system does
    #[arg(short = 'd', long)]
    pub(crate) resolve: bool,
    /// Mark who is new, gone or changed against the JSON lines of an earlier scan
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
    /// Go on where the scan was cut that these JSON lines are of; its targets, unless given
    #[arg(long, value_name = "FILE", conflicts_with = "local")]
    pub(crate) resume: Option<PathBuf>,
    /// Write what was found as a page: latency, loss, a map, vendors, conflicts; at most of 65,536
    /// targets
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Only the hosts: no header, no totals
    #[arg(short = 'x', long)]
    pub(crate) plain: bool,
    /// Each host as this says, with ${ip}, ${mac}, ${vendor}, ${name}, ${arp}, ${echo}, ${ttl},
    /// ${owners} and ${note}, \t and \n; ${ip;15} fills up on the left, ${ip;-15} on the right
    #[arg(short = 'F', long, value_name = "FORMAT")]
    pub(crate) format: Option<Template>,
    /// Colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Nowhere
    Never,
}

/// As arp-scan(1) takes it: a frame counts as the shortest, of 64 octets with its checksum.
fn bandwidth(text: &str) -> Result<Rate, String> {
    let (digits, unit) = match text.char_indices().last().map(|(at, c)| (&text[..at], c)) {
        Some((digits, 'k' | 'K')) => (digits, 1000),
        Some((digits, 'm' | 'M')) => (digits, 1_000_000),
        _ => (text, 1),
    };
    let parsed = digits.parse::<u64>().ok().filter(|_| !digits.starts_with('+'));
    let bits = parsed.and_then(|n| n.checked_mul(unit)).filter(|bits| *bits > 0);
    let bits = bits.ok_or_else(|| format!("{text} is no bandwidth such as 256000, 256K or 1M"))?;
    Ok(Rate::every(Duration::from_nanos(BITS * 1_000_000_000 / bits)))
}

/// Of the shortest frame.
const BITS: u64 = 64 * 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bandwidth_is_a_pace_of_the_shortest_frames() {
        let two_ms = Rate::every(Duration::from_millis(2));
        assert_eq!(bandwidth("256000"), Ok(two_ms));
        assert_eq!(bandwidth("256K"), Ok(two_ms));
        assert_eq!(bandwidth("1M"), Ok(Rate::every(Duration::from_micros(512))));
        for wrong in ["", "0", "k", "-1", "+1", "1g", "99999999999999999999", "9999999999999999m"] {
            assert!(bandwidth(wrong).is_err(), "{wrong}");
        }
    }
}
