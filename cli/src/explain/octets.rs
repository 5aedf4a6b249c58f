use std::fmt::{self, Display, Write};

use stack::{
    Dissected,
    arp::AnyView,
    icmp,
    ipv4::{self, ChecksumStatus},
    link,
};

use crate::record::Mac;

/// The octets of a frame, and what they mean: a line for each field.
pub(super) fn annotated(octets: &[u8], frame: &Dissected<'_>) -> String {
    let mut lines = Lines { octets, at: 0, text: String::new() };
    if let Some(eth) = &frame.eth {
        ethernet(&mut lines, eth);
    }
    if let Some(arp) = &frame.arp {
        resolution(&mut lines, arp);
    }
    if let Some(ip) = &frame.ip {
        datagram(&mut lines, ip);
    }
    if let Some(icmp) = &frame.icmp {
        message(&mut lines, icmp, frame.ip.as_ref().map_or(0, |ip| ip.payload_len));
    }
    lines.rest();
    if let Some(flaw) = &frame.malformed {
        let (layer, octet, reason) = (flaw.layer.name(), flaw.octet, flaw.reason);
        let _ = write!(lines.text, "\n  malformed {layer} at octet {octet}: {reason}");
    }
    lines.text
}

fn ethernet(lines: &mut Lines<'_>, eth: &link::View<'_>) {
    lines.field(6, "eth", "destination", Mac(eth.dst));
    lines.field(6, "eth", "source", Mac(eth.src));
    for tag in eth.tags() {
        lines.field(4, "eth", "tag", format_args!("VLAN {}, priority {}", tag.id, tag.priority));
    }
    match (eth.ether_type, eth.length) {
        (Some(kind), _) => lines.field(2, "eth", "type", format_args!("0x{:04x}", kind.0)),
        (None, Some(length)) => lines.field(2, "eth", "length", length),
        (None, None) => {}
    }
}

fn resolution(lines: &mut Lines<'_>, arp: &AnyView<'_>) {
    lines.field(2, "arp", "hardware type", arp.hardware);
    lines.field(2, "arp", "protocol type", format_args!("0x{:04x}", arp.protocol));
    lines.field(1, "arp", "hardware length", arp.hardware_len);
    lines.field(1, "arp", "protocol length", arp.protocol_len);
    let operation = match arp.operation {
        1 => "1, request".to_owned(),
        2 => "2, reply".to_owned(),
        other => other.to_string(),
    };
    lines.field(2, "arp", "operation", operation);
    for (name, address) in [
        ("sender hardware", arp.sender_hardware),
        ("sender protocol", arp.sender_protocol),
        ("target hardware", arp.target_hardware),
        ("target protocol", arp.target_protocol),
    ] {
        if let Some(address) = address {
            lines.field(address.len(), "arp", name, Address(address));
        }
    }
}

fn datagram(lines: &mut Lines<'_>, ip: &ipv4::View<'_>) {
    lines.field(1, "ip", "version, header", format_args!("4, {} octets", ip.header_len));
    lines.field(1, "ip", "type of service", format_args!("0x{:02x}", ip.tos));
    lines.field(2, "ip", "total length", ip.total_len);
    lines.field(2, "ip", "identification", ip.identification);
    let flags = match (ip.dont_fragment, ip.more_fragments) {
        (true, true) => "DF and MF",
        (true, false) => "DF",
        (false, true) => "MF",
        (false, false) => "none",
    };
    lines.field(2, "ip", "flags, offset", format_args!("{flags}, {}", ip.fragment_offset));
    lines.field(1, "ip", "time to live", ip.ttl);
    lines.field(1, "ip", "protocol", ip.protocol);
    lines.field(2, "ip", "checksum", Checksum(ip.checksum, ip.checksum_status));
    lines.field(4, "ip", "source", ip.src);
    lines.field(4, "ip", "destination", ip.dst);
    if !ip.options.is_empty() {
        lines.field(ip.options.len(), "ip", "options", format_args!("{} octets", ip.options.len()));
    }
}

fn message(lines: &mut Lines<'_>, icmp: &icmp::View<'_>, len: usize) {
    let begins = lines.at;
    let name = match icmp.icmp_type {
        0 => ", echo reply",
        3 => ", destination unreachable",
        8 => ", echo request",
        11 => ", time exceeded",
        _ => "",
    };
    lines.field(1, "icmp", "type", format_args!("{}{name}", icmp.icmp_type));
    lines.field(1, "icmp", "code", icmp.code);
    lines.field(2, "icmp", "checksum", Checksum(icmp.checksum, icmp.checksum_status));
    if let (Some(identifier), Some(sequence)) = (icmp.identifier, icmp.sequence) {
        lines.field(2, "icmp", "identifier", identifier);
        lines.field(2, "icmp", "sequence", sequence);
    } else if icmp.quoted.is_some() {
        match icmp.next_hop_mtu {
            Some(mtu) => lines.field(4, "icmp", "next-hop MTU", mtu),
            None => lines.field(4, "icmp", "unused", "or said by the code"),
        }
    }
    let rest = len.saturating_sub(lines.at - begins);
    let what = if icmp.quoted.is_some() { "quoted datagram" } else { "data" };
    if rest > 0 {
        lines.field(rest, "icmp", what, format_args!("{rest} octets"));
    }
}

/// Lines of the form `offset, octets, layer, field = value`.
struct Lines<'a> {
    octets: &'a [u8],
    at: usize,
    text: String,
}

impl Lines<'_> {
    /// The next `len` octets, as far as they are there.
    fn field(&mut self, len: usize, layer: &str, name: &str, value: impl Display) {
        let end = (self.at + len).min(self.octets.len());
        let octets = &self.octets[self.at.min(end)..end];
        let mut hex = octets.iter().take(SHOWN).fold(String::new(), |mut hex, octet| {
            let _ = write!(hex, "{octet:02x} "); // a string takes anything
            hex
        });
        if octets.len() > SHOWN {
            hex.push_str("..");
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let at = self.at;
        let _ =
            write!(self.text, "  {at:>4}  {:<20}  {layer:<4}  {name} = {value}", hex.trim_end());
        self.at = end;
    }

    /// What no layer has spoken of.
    fn rest(&mut self) {
        let len = self.octets.len().saturating_sub(self.at);
        if len > 0 {
            self.field(len, "", "payload or padding", format_args!("{len} octets"));
        }
    }
}

/// A MAC or IPv4 address; others in hexadecimal.
struct Address<'a>(&'a [u8]);

impl Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            [a, b, c, d] => write!(f, "{a}.{b}.{c}.{d}"),
            _ => self.0.iter().enumerate().try_for_each(|(n, octet)| {
                write!(f, "{}{octet:02x}", if n == 0 { "" } else { ":" })
            }),
        }
    }
}

struct Checksum(u16, ChecksumStatus);

impl Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.1 {
            ChecksumStatus::Good => ", right",
            ChecksumStatus::Bad => ", wrong",
            _ => "",
        };
        write!(f, "0x{:04x}{status}", self.0)
    }
}

/// Octets of a field that are shown.
const SHOWN: usize = 6;
