//! What stands on the command line, parsed strictly.

use std::{fmt, net::Ipv4Addr, path::PathBuf, str::FromStr, time::Duration};

use link::Tag;
use macaddr::MacAddr6;
use stack::Shard;

use crate::{args::Pattern, lab::Plan, targets};

/// What -I names.
#[derive(Clone, Debug)]
pub(crate) enum LinkName {
    Lab(Plan),
    KernelLab,
    /// A file, which can only be read.
    Capture(PathBuf),
    /// A device of the kernel's, behind which we are.
    Tap(String),
    Interface(String),
}

/// What -S names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) addr: Ipv4Addr,
    pub(crate) prefix_len: Option<u8>,
}

/// What --via names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Via {
    Gateway(Ipv4Addr),
    Station(MacAddr6),
}

/// What --max-rtt names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RttLimit {
    pub(crate) figure: Figure,
    pub(crate) most: Duration,
}

/// A figure of round-trip times.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Mean,
    /// The time that so many percent of them do not exceed.
    Percentile(f64),
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("avg"),
            Self::Percentile(100.0) => f.write_str("max"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
        }
    }
}

pub(crate) fn link_name(text: &str) -> Result<LinkName, String> {
    match text.split_once(':') {
        None if text == "lab" => Ok(LinkName::Lab(Plan::default())),
        None if text == "kernel-lab" => Ok(LinkName::KernelLab),
        Some(("lab", keys)) => keys.parse().map(LinkName::Lab),
        Some(("pcap", "")) => Err("a capture has a name".into()),
        Some(("pcap", file)) => Ok(LinkName::Capture(file.into())),
        Some(("tap", "")) => Err("a tap has a name".into()),
        Some(("tap", name)) => Ok(LinkName::Tap(name.into())),
        _ if text.is_empty() => Err("a link has a name".into()),
        _ => Ok(LinkName::Interface(text.to_owned())),
    }
}

pub(crate) fn source(text: &str) -> Result<Source, String> {
    let (addr, prefix_len) = match text.split_once('/') {
        None => (text, None),
        Some((addr, len)) => (addr, Some(number(len, 32)? as u8)),
    };
    let addr: Ipv4Addr = addr.parse().map_err(|_| format!("{addr} is no IPv4 address"))?;
    if matches!(addr.octets()[0], 0 | 127 | 224..) {
        return Err(format!("no host can have the address {addr}"));
    }
    Ok(Source { addr, prefix_len })
}

/// Six octets in hexadecimal, two digits each, between colons or hyphens.
pub(crate) fn mac(text: &str) -> Result<MacAddr6, String> {
    let separated =
        text.len() == 17 && text.bytes().skip(2).step_by(3).all(|b| b == b':' || b == b'-');
    let mac = MacAddr6::from_str(text).ok().filter(|_| separated);
    mac.ok_or_else(|| format!("{text} is no MAC address such as 02:00:00:00:00:0a"))
}

/// The MAC address of one station.
pub(crate) fn station(text: &str) -> Result<MacAddr6, String> {
    let mac = mac(text)?;
    if mac.is_multicast() || mac.is_nil() {
        return Err(format!("no station can have the MAC address {text}"));
    }
    Ok(mac)
}

pub(crate) fn via(text: &str) -> Result<Via, String> {
    if text.contains([':', '-']) {
        return station(text).map(Via::Station);
    }
    text.parse().map(Via::Gateway).map_err(|_| format!("{text} is neither an address nor a MAC"))
}

pub(crate) fn tag(text: &str) -> Result<Tag, String> {
    let (id, priority) = text.split_once(':').unwrap_or((text, "0"));
    Ok(Tag::new(number(id, 4094)? as u16, number(priority, 7)? as u8))
}

/// `200ms`, `1.5s`, `50us`, `2m`, `1h`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{unit} is no unit of time: use ns, us, ms, s, m or h")),
    };
    let number: f64 = number.parse().map_err(|_| format!("{text} is no time such as 200ms"))?;
    let duration = Duration::try_from_secs_f64(number * seconds);
    let duration = duration.map_err(|_| format!("{text} is too long"))?;
    if duration > LONGEST {
        return Err(format!("{text} is too long: at most a year"));
    }
    Ok(duration)
}

/// A time that is not nothing.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be more than nothing".into()),
        interval => Ok(interval),
    }
}

/// RFC 1122 §2.3.2.1: one request a second for each address.
pub(crate) fn arp_interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        interval if interval < Duration::from_secs(1) => {
            Err("one address is asked for at most once a second".into())
        }
        interval => Ok(interval),
    }
}

/// Millions of octets, as tcpdump counts them; after `k`, `m` or `g`, units of 1,024 and its
/// powers.
pub(crate) fn file_size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last().map(|(at, c)| (&text[..at], c)) {
        Some((digits, 'k' | 'K')) => (digits, 1 << 10),
        Some((digits, 'm' | 'M')) => (digits, 1 << 20),
        Some((digits, 'g' | 'G')) => (digits, 1 << 30),
        _ => (text, 1_000_000),
    };
    let parsed = digits.parse::<u64>().ok().filter(|n| *n > 0 && !digits.starts_with('+'));
    let octets = parsed.and_then(|n| n.checked_mul(unit));
    octets.ok_or_else(|| format!("{text} is no size such as 10 (million octets), 500k or 2g"))
}

/// A factor that shortens nothing, nor goes beyond fping's 5.
pub(crate) fn backoff(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (1.0..=5.0).contains(factor));
    factor.ok_or_else(|| format!("{text} is no factor from 1.0 to 5.0"))
}

/// A part of all, in percent, with or without the sign.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let percent = number.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| format!("{text} is no percentage from 0 to 100"))
}

/// `20ms`, which no round trip may exceed; `p95=20ms`, `max=20ms`, `avg=20ms`.
pub(crate) fn rtt_limit(text: &str) -> Result<RttLimit, String> {
    let (figure, most) = text.split_once('=').unwrap_or(("max", text));
    let figure = match (figure, figure.strip_prefix('p')) {
        ("max", _) => Figure::Percentile(100.0),
        ("avg", _) => Figure::Mean,
        (_, Some(number)) if !number.ends_with('%') => Figure::Percentile(percent(number)?),
        _ => return Err(format!("{figure} is none of avg, max, p50, p95, p99.9 and so on")),
    };
    Ok(RttLimit { figure, most: duration(most)? })
}

pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    targets::shard(text, |name| std::env::var(name).ok())
}

pub(crate) fn octet(text: &str) -> Result<u8, String> {
    number(text, 255).map(|octet| octet as u8)
}

pub(crate) fn ether_type(text: &str) -> Result<u16, String> {
    match number(text, 0xffff)? {
        length if length < 0x0600 => {
            Err(format!("{text} would be a length: types begin at 0x0600"))
        }
        ether_type => Ok(ether_type as u16),
    }
}

pub(crate) fn pattern(text: &str) -> Result<Pattern, String> {
    match hex(text)? {
        pattern if pattern.is_empty() || pattern.len() > 16 => Err("1 to 16 octets".into()),
        pattern => Ok(Pattern(pattern)),
    }
}

/// Octets in hexadecimal; white space, colons and hyphens between octets do not matter.
pub(crate) fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace() && !matches!(c, ':' | '-'))
        .collect();
    let value = |&(at, c): &(usize, char)| {
        let digit = c.to_digit(16).map(|digit| digit as u8);
        digit.ok_or_else(|| format!("{c:?} at character {} is no hexadecimal digit", at + 1))
    };
    let octets = digits.chunks(2).map(|pair| match pair {
        [high, low] => Ok(value(high)? << 4 | value(low)?),
        _ => Err(format!("an odd number of digits: {}", digits.len())),
    });
    octets.collect()
}

/// A whole number, decimal or after 0x, up to `max`.
fn number(text: &str, max: u32) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let number = parsed.ok().filter(|number| *number <= max && !text.starts_with('+'));
    number.ok_or_else(|| format!("{text} is no number from 0 to {max}"))
}

const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
