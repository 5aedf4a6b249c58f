//! A frame on a line, in tcpdump's manner.

use std::fmt::{self, Display};

use stack::{Dissected, Malformed, arp, icmp::View, ipv4, link};

use crate::{
    frame::{Octets, Protocol},
    record::{Mac, Time},
};

/// A decoded frame, for people.
pub(crate) struct Line<'a> {
    pub(crate) at: Time,
    pub(crate) frame: &'a Dissected<'a>,
    /// Octets on the wire.
    pub(crate) len: usize,
    /// With the Ethernet header.
    pub(crate) header: bool,
    pub(crate) verbose: bool,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dissected { eth, arp, ip, malformed, .. } = self.frame;
        let clock = humantime::format_rfc3339_nanos(self.at.0).to_string();
        f.write_str(clock.get(11..29).unwrap_or(&clock))?;
        f.write_str(" ")?;
        if let Some(eth) = eth.as_ref().filter(|_| self.header) {
            header(f, eth, self.len)?;
        }
        match (arp, ip, eth) {
            (Some(arp), ..) => packet(f, arp)?,
            (_, Some(ip), _) => self.datagram(f, ip)?,
            (.., Some(eth)) => other(f, eth)?,
            _ => write!(f, "no frame, length {}", self.len)?,
        }
        match malformed {
            None => Ok(()),
            Some(Malformed { layer, octet, reason }) => {
                write!(f, " [malformed {} at octet {octet}: {reason}]", layer.name())
            }
        }
    }
}

impl Line<'_> {
    fn datagram(&self, f: &mut fmt::Formatter<'_>, ip: &ipv4::View<'_>) -> fmt::Result {
        f.write_str("IP ")?;
        if self.verbose {
            let flags = match (ip.dont_fragment, ip.more_fragments) {
                (true, true) => "DF, MF",
                (true, false) => "DF",
                (false, true) => "+",
                (false, false) => "none",
            };
            write!(
                f,
                "(tos 0x{:x}, ttl {}, id {}, offset {}, flags [{flags}], proto {}, length {}",
                ip.tos, ip.ttl, ip.identification, ip.fragment_offset, ip.protocol, ip.total_len
            )?;
            for kind in ip.option_types() {
                write!(f, ", option {kind}")?;
            }
            if ip.checksum_status == ipv4::ChecksumStatus::Bad {
                write!(f, ", bad cksum 0x{:04x}!", ip.checksum)?;
            }
            f.write_str(") ")?;
        }
        write!(f, "{} > {}: ", ip.src, ip.dst)?;
        match &self.frame.icmp {
            Some(icmp) => {
                message(f, icmp, self.frame.quoted.as_ref())?;
                write!(f, ", length {}", ip.payload_len)?;
                if icmp.checksum_status == ipv4::ChecksumStatus::Bad {
                    write!(f, " (wrong icmp cksum 0x{:04x}!)", icmp.checksum)?;
                }
            }
            None => write!(f, "ip-proto-{}, length {}", ip.protocol, ip.payload_len)?,
        }
        if ip.is_fragment() {
            let more = if ip.more_fragments { "+" } else { "" };
            write!(
                f,
                " (frag {}:{}@{}{more})",
                ip.identification, ip.payload_len, ip.fragment_offset
            )?;
        }
        Ok(())
    }
}

fn header(f: &mut fmt::Formatter<'_>, eth: &link::View<'_>, len: usize) -> fmt::Result {
    write!(f, "{} > {}, ", Mac(eth.src), Mac(eth.dst))?;
    for tag in eth.tags() {
        write!(f, "vlan {}, p {}, ", tag.id, tag.priority)?;
    }
    match (eth.length, eth.ether_type) {
        (None, Some(kind)) => write!(f, "ethertype 0x{:04x}, length {len}: ", kind.0),
        (Some(payload), _) => write!(f, "802.3 of {payload}, length {len}: "),
        (None, None) => write!(f, "length {len}: "),
    }
}

fn other(f: &mut fmt::Formatter<'_>, eth: &link::View<'_>) -> fmt::Result {
    match eth.ether_type {
        Some(kind) => write!(f, "ethertype 0x{:04x}, length {}", kind.0, eth.payload_len),
        None => write!(f, "802.3, length {}", eth.payload_len),
    }
}

fn packet(f: &mut fmt::Formatter<'_>, arp: &arp::AnyView<'_>) -> fmt::Result {
    let hardware =
        |octets: Option<&[u8]>| octets.map_or_else(|| "?".to_owned(), |o| Octets(o).to_string());
    let protocol = |octets: Option<&[u8]>| {
        octets.map_or_else(|| "?".to_owned(), |o| Protocol::of(arp.protocol, o).to_string())
    };
    let (sha, spa) = (arp.sender_hardware, protocol(arp.sender_protocol));
    let (tha, tpa) = (arp.target_hardware, protocol(arp.target_protocol));
    f.write_str("ARP, ")?;
    if arp.hardware != 1 {
        write!(f, "hardware {}, ", arp.hardware)?;
    }
    match arp.operation {
        1 => {
            write!(f, "Request who-has {tpa}")?;
            if tha.is_some_and(|octets| octets.iter().any(|octet| *octet != 0)) {
                write!(f, " ({})", hardware(tha))?;
            }
            write!(f, " tell {spa}")
        }
        2 => write!(f, "Reply {spa} is-at {}", hardware(sha)),
        3 => write!(f, "Reverse Request who-is {} tell {}", hardware(tha), hardware(sha)),
        4 => write!(f, "Reverse Reply {} at {tpa}", hardware(tha)),
        operation => write!(f, "operation {operation}, {spa} is-at {}", hardware(sha)),
    }
}

fn message(
    f: &mut fmt::Formatter<'_>,
    icmp: &View<'_>,
    quoted: Option<&ipv4::View<'_>>,
) -> fmt::Result {
    f.write_str("ICMP ")?;
    let dst = quoted.map_or_else(|| "?".to_owned(), |ip| ip.dst.to_string());
    match (icmp.icmp_type, icmp.code) {
        (0, _) => query(f, "echo reply", icmp),
        (3, 0) => write!(f, "net {dst} unreachable"),
        (3, 1) => write!(f, "host {dst} unreachable"),
        (3, 2) => {
            let protocol = quoted.map(|ip| ip.protocol).unwrap_or_default();
            write!(f, "{dst} protocol {protocol} unreachable")
        }
        (3, 3) => write!(f, "{dst} port unreachable"),
        (3, 4) => {
            let mtu = icmp.next_hop_mtu.unwrap_or_default();
            write!(f, "{dst} unreachable - need to frag (mtu {mtu})")
        }
        (3, 9..=10 | 13) => write!(f, "host {dst} unreachable - admin prohibited filter"),
        (3, code) => write!(f, "{dst} unreachable, code {code}"),
        (4, _) => f.write_str("source quench"),
        (5, code) => {
            let what = if matches!(code, 0 | 2) { "net" } else { "host" };
            write!(f, "redirect {dst} to {what} ")?;
            icmp.gateway.map_or(Ok(()), |gateway| gateway.fmt(f))
        }
        (8, _) => query(f, "echo request", icmp),
        (11, 0) => f.write_str("time exceeded in-transit"),
        (11, 1) => f.write_str("ip reassembly time exceeded"),
        (12, _) => write!(f, "parameter problem - octet {}", icmp.pointer.unwrap_or_default()),
        (13, _) => query(f, "time stamp query", icmp),
        (14, _) => query(f, "time stamp reply", icmp),
        (15, _) => query(f, "information request", icmp),
        (16, _) => query(f, "information reply", icmp),
        (17, _) => query(f, "address mask request", icmp),
        (18, _) => query(f, "address mask reply", icmp),
        (42, _) => query(f, "extended echo request", icmp),
        (43, _) => query(f, "extended echo reply", icmp),
        (kind, code) => write!(f, "type {kind}, code {code}"),
    }
}

fn query(f: &mut fmt::Formatter<'_>, what: &str, icmp: &View<'_>) -> fmt::Result {
    f.write_str(what)?;
    icmp.identifier.map_or(Ok(()), |id| write!(f, ", id {id}"))?;
    icmp.sequence.map_or(Ok(()), |seq| write!(f, ", seq {seq}"))
}
