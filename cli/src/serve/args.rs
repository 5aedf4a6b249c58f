//! What stands on the command line of `serve`.

use std::{net::Ipv4Addr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use ipnetwork::Ipv4Network;

use crate::{lab, value};

/// Be one host with the addresses of -S, which may be repeated, and as many hosts as HOSTS has
/// addresses, the first and the last of a prefix included; they answer ARP and echo requests.
/// Addresses that somebody else has are left alone, and the kernel's own always. What goes wrong by
/// chance does so again with the same --seed.
#[derive(Args)]
pub(crate) struct Serve {
    /// The hosts to be, up to 65,536: `10.77.0.0/16`, `10.77.0.1-50`, `10.77.0.9`
    #[arg(value_parser = range)]
    pub(crate) hosts: Vec<RangeInclusive<Ipv4Addr>>,
    /// Give each host a MAC address of its own, 02:00 and the four octets of its address
    #[arg(long, conflicts_with = "source_mac")]
    pub(crate) mac_per_host: bool,
    /// Answers that are lost; here and below, PREFIX= says whose answers, else it is everybody's
    #[arg(long, value_name = "[PREFIX=]P", value_parser = each(lab::probability))]
    pub(crate) loss: Vec<For<f64>>,
    /// How much later answers leave, as 20ms
    #[arg(long, value_name = "[PREFIX=]DUR", value_parser = each(lab::delay))]
    pub(crate) delay: Vec<For<Duration>>,
    /// By how much more, at most, evenly distributed
    #[arg(long, value_name = "[PREFIX=]DUR", value_parser = each(lab::delay))]
    pub(crate) jitter: Vec<For<Duration>>,
    /// Answers that are sent twice
    #[arg(long, value_name = "[PREFIX=]P", value_parser = each(lab::probability))]
    pub(crate) dup: Vec<For<f64>>,
    /// Answers that are held back for 300 ms, so that later ones overtake them
    #[arg(long, value_name = "[PREFIX=]P", value_parser = each(lab::probability))]
    pub(crate) reorder: Vec<For<f64>>,
    /// Answers of which one bit after the IP header is inverted
    #[arg(long, value_name = "[PREFIX=]P", value_parser = each(lab::probability))]
    pub(crate) corrupt: Vec<For<f64>>,
    /// The time to live of answers, of which each of --routers on their way takes one
    #[arg(long, value_name = "[PREFIX=]N", value_parser = each(ttl))]
    pub(crate) ttl: Vec<For<u8>>,
    /// Addresses that answer nothing, ARP neither
    #[arg(long, value_name = "PREFIX")]
    pub(crate) silent: Vec<Ipv4Network>,
    /// Destinations that are told to be unreachable, by a code of RFC 792; 1, host, unless said
    #[arg(long, value_name = "PREFIX[:CODE]", value_parser = unreachable)]
    pub(crate) unreachable: Vec<(Ipv4Network, u8)>,
    /// Put HOSTS behind this many routers: the first is the first -S, the others 172.31.255.2
    /// and up
    #[arg(
        long, value_name = "N", requires = "hosts", conflicts_with = "mac_per_host",
        value_parser = clap::value_parser!(u8).range(1..=30)
    )]
    pub(crate) routers: Option<u8>,
    /// Keep the running figures in this file, as Prometheus reads them
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
    /// Stop after this long
    #[arg(short = 'w', long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
}

/// A value, and for whose answers it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct For<T> {
    pub(crate) prefix: Ipv4Network,
    pub(crate) value: T,
}

/// Reads `[PREFIX=]VALUE`.
fn each<T: Clone + Send + Sync + 'static>(
    read: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<For<T>, String> + Clone + Send + Sync + 'static {
    move |text| {
        let (prefix, value) = match text.split_once('=') {
            None => (Ok(EVERYWHERE), text),
            Some((prefix, value)) => (network(prefix), value),
        };
        Ok(For { prefix: prefix?, value: read(value)? })
    }
}

fn network(text: &str) -> Result<Ipv4Network, String> {
    Ipv4Network::from_str(text).map_err(|_| format!("{text} is no prefix such as 10.77.1.0/24"))
}

fn ttl(text: &str) -> Result<u8, String> {
    match value::octet(text)? {
        0 => Err("nothing leaves with a time to live of 0".into()),
        ttl => Ok(ttl),
    }
}

fn unreachable(text: &str) -> Result<(Ipv4Network, u8), String> {
    let (prefix, code) = text.split_once(':').unwrap_or((text, "1"));
    let code = value::octet(code).ok().filter(|code| *code < 16 && *code != 4);
    // Of 4, "fragmentation needed", a host would lower its MTU.
    let code = code.ok_or_else(|| "a code is 0 to 15, and not 4".to_owned())?;
    Ok((network(prefix)?, code))
}

/// An address, a prefix, or two addresses with a hyphen between, of which the second may be cut to
/// its last octet.
fn range(text: &str) -> Result<RangeInclusive<Ipv4Addr>, String> {
    let addr = |text: &str| {
        text.parse::<Ipv4Addr>().map_err(|_| format!("{text} is no IPv4 address such as 10.77.0.3"))
    };
    let range = if text.contains('/') {
        let network = network(text)?;
        if network.ip() != network.network() {
            return Err(format!("{text}: its network is {}", network.network()));
        }
        network.network()..=network.broadcast()
    } else if let Some((first, last)) = text.split_once('-') {
        let first = addr(first)?;
        let last = match last.parse() {
            Ok(octet) => {
                let [a, b, c, _] = first.octets();
                Ipv4Addr::new(a, b, c, octet)
            }
            Err(_) => addr(last)?,
        };
        first..=last
    } else {
        let one = addr(text)?;
        one..=one
    };
    if range.is_empty() {
        return Err(format!("{text} ends before it begins"));
    }
    let (first, last) = (range.start().octets()[0], range.end().octets()[0]);
    if [0, 127].contains(&first) || last >= 224 || (first < 127 && last >= 127) {
        return Err(format!("{text}: no host can have some of these addresses"));
    }
    Ok(range)
}

pub(super) const EVERYWHERE: Ipv4Network = match Ipv4Network::new_checked(Ipv4Addr::UNSPECIFIED, 0)
{
    Some(network) => network,
    None => unreachable!(),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> Result<(String, String), String> {
        range(text).map(|range| (range.start().to_string(), range.end().to_string()))
    }

    #[test]
    fn hosts_are_an_address_a_prefix_or_a_range() {
        let is = |first: &str, last: &str| Ok((first.to_owned(), last.to_owned()));
        assert_eq!(ends("10.77.0.9"), is("10.77.0.9", "10.77.0.9"));
        assert_eq!(ends("10.77.0.0/16"), is("10.77.0.0", "10.77.255.255"));
        assert_eq!(ends("10.77.0.1-50"), is("10.77.0.1", "10.77.0.50"));
        assert_eq!(ends("10.77.0.1-10.77.3.2"), is("10.77.0.1", "10.77.3.2"));
        for wrong in
            ["", "10.77.0.1/16", "10.0.0.5-4", "10.0.0.1-256", "0.0.0.0/0", "224.0.0.1", "a", "-"]
        {
            assert!(ends(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_is_for_everybody_or_for_a_prefix() {
        let read = each(lab::probability);
        assert_eq!(read("5%"), Ok(For { prefix: EVERYWHERE, value: 0.05 }));
        let prefix = "10.0.0.0/8".parse().expect("a prefix");
        assert_eq!(read("10.0.0.0/8=1"), Ok(For { prefix, value: 1.0 }));
        assert!(read("10.0.0.0/8=").is_err() && read("=1").is_err() && read("2").is_err());
    }

    #[test]
    fn what_is_unreachable_has_a_code_that_changes_no_mtu() {
        let prefix: Ipv4Network = "10.0.0.0/8".parse().expect("a prefix");
        assert_eq!(unreachable("10.0.0.0/8"), Ok((prefix, 1)));
        assert_eq!(unreachable("10.0.0.0/8:13"), Ok((prefix, 13)));
        assert!(unreachable("10.0.0.0/8:4").is_err() && unreachable("10.0.0.0/8:16").is_err());
    }
}
