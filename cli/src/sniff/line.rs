//! A frame on a line, in tcpdump's manner.

use stack::{Dissected, Malformed, arp, icmp::View, ipv4, link};

use crate::pen::Pen;

/// A decoded frame, for people.
pub(crate) struct Line<'a> {
    /// The time of day.
    pub(crate) at: &'a str,
    pub(crate) frame: &'a Dissected<'a>,
    /// Octets on the wire.
    pub(crate) len: usize,
    /// With the Ethernet header.
    pub(crate) header: bool,
    pub(crate) verbose: bool,
}

impl Line<'_> {
    pub(crate) fn write(&self, pen: &mut Pen<'_>) {
        let Dissected { eth, arp, ip, malformed, .. } = self.frame;
        pen.text(self.at);
        pen.text(" ");
        if let Some(eth) = eth.as_ref().filter(|_| self.header) {
            header(pen, eth, self.len);
        }
        match (arp, ip, eth) {
            (Some(arp), ..) => packet(pen, arp),
            (_, Some(ip), _) => self.datagram(pen, ip),
            (.., Some(eth)) => other(pen, eth),
            _ => {
                pen.text("no frame, length ");
                pen.number(self.len);
            }
        }
        if let Some(Malformed { layer, octet, reason }) = malformed {
            pen.text(" [malformed ");
            pen.text(layer.name());
            pen.text(" at octet ");
            pen.number(*octet);
            pen.text(": ");
            pen.text(reason);
            pen.text("]");
        }
        pen.text("\n");
    }

    fn datagram(&self, pen: &mut Pen<'_>, ip: &ipv4::View<'_>) {
        pen.text("IP ");
        if self.verbose {
            details(pen, ip);
        }
        pen.addr(ip.src);
        pen.text(" > ");
        pen.addr(ip.dst);
        pen.text(": ");
        match &self.frame.icmp {
            Some(icmp) => {
                message(pen, icmp, self.frame.quoted.as_ref());
                pen.text(", length ");
                pen.number(ip.payload_len);
                if icmp.checksum_status == ipv4::ChecksumStatus::Bad {
                    pen.text(" (wrong icmp cksum 0x");
                    pen.octets(&icmp.checksum.to_be_bytes());
                    pen.text("!)");
                }
            }
            None => {
                pen.text("ip-proto-");
                pen.number(ip.protocol);
                pen.text(", length ");
                pen.number(ip.payload_len);
            }
        }
        if ip.is_fragment() {
            pen.text(" (frag ");
            pen.number(ip.identification);
            pen.text(":");
            pen.number(ip.payload_len);
            pen.text("@");
            pen.number(ip.fragment_offset);
            pen.text(if ip.more_fragments { "+)" } else { ")" });
        }
    }
}

/// What else the header says.
fn details(pen: &mut Pen<'_>, ip: &ipv4::View<'_>) {
    let flags = match (ip.dont_fragment, ip.more_fragments) {
        (true, true) => "DF, MF",
        (true, false) => "DF",
        (false, true) => "+",
        (false, false) => "none",
    };
    pen.text("(tos 0x");
    pen.hex(ip.tos);
    for (name, number) in
        [(", ttl ", ip.ttl.into()), (", id ", ip.identification), (", offset ", ip.fragment_offset)]
    {
        pen.text(name);
        pen.number(number);
    }
    pen.text(", flags [");
    pen.text(flags);
    pen.text("], proto ");
    pen.number(ip.protocol);
    pen.text(", length ");
    pen.number(ip.total_len);
    for kind in ip.option_types() {
        pen.text(", option ");
        pen.number(kind);
    }
    if ip.checksum_status == ipv4::ChecksumStatus::Bad {
        pen.text(", bad cksum 0x");
        pen.octets(&ip.checksum.to_be_bytes());
        pen.text("!");
    }
    pen.text(") ");
}

fn header(pen: &mut Pen<'_>, eth: &link::View<'_>, len: usize) {
    pen.mac(eth.src);
    pen.text(" > ");
    pen.mac(eth.dst);
    pen.text(", ");
    for tag in eth.tags() {
        pen.text("vlan ");
        pen.number(tag.id);
        pen.text(", p ");
        pen.number(tag.priority);
        pen.text(", ");
    }
    match (eth.length, eth.ether_type) {
        (None, Some(kind)) => {
            pen.text("ethertype 0x");
            pen.octets(&kind.0.to_be_bytes());
            pen.text(", ");
        }
        (Some(payload), _) => {
            pen.text("802.3 of ");
            pen.number(payload);
            pen.text(", ");
        }
        (None, None) => {}
    }
    pen.text("length ");
    pen.number(len);
    pen.text(": ");
}

fn other(pen: &mut Pen<'_>, eth: &link::View<'_>) {
    match eth.ether_type {
        Some(kind) => {
            pen.text("ethertype 0x");
            pen.octets(&kind.0.to_be_bytes());
        }
        None => pen.text("802.3"),
    }
    pen.text(", length ");
    pen.number(eth.payload_len);
}

fn packet(pen: &mut Pen<'_>, arp: &arp::AnyView<'_>) {
    let hardware = |pen: &mut Pen<'_>, octets: Option<&[u8]>| match octets {
        Some(octets) => pen.parted(octets),
        None => pen.text("?"),
    };
    let protocol = |pen: &mut Pen<'_>, octets: Option<&[u8]>| match octets {
        Some(&[a, b, c, d]) if arp.protocol == link::EtherType::IPV4.0 => {
            pen.addr([a, b, c, d].into());
        }
        Some(octets) => pen.parted(octets),
        None => pen.text("?"),
    };
    let (sha, spa) = (arp.sender_hardware, arp.sender_protocol);
    let (tha, tpa) = (arp.target_hardware, arp.target_protocol);
    pen.text("ARP, ");
    if arp.hardware != ETHERNET {
        pen.text("hardware ");
        pen.number(arp.hardware);
        pen.text(", ");
    }
    match arp.operation {
        1 => {
            pen.text("Request who-has ");
            protocol(pen, tpa);
            if tha.is_some_and(|octets| octets.iter().any(|octet| *octet != 0)) {
                pen.text(" (");
                hardware(pen, tha);
                pen.text(")");
            }
            pen.text(" tell ");
            protocol(pen, spa);
        }
        2 => {
            pen.text("Reply ");
            protocol(pen, spa);
            pen.text(" is-at ");
            hardware(pen, sha);
        }
        3 => {
            pen.text("Reverse Request who-is ");
            hardware(pen, tha);
            pen.text(" tell ");
            hardware(pen, sha);
        }
        4 => {
            pen.text("Reverse Reply ");
            hardware(pen, tha);
            pen.text(" at ");
            protocol(pen, tpa);
        }
        operation => {
            pen.text("operation ");
            pen.number(operation);
            pen.text(", ");
            protocol(pen, spa);
            pen.text(" is-at ");
            hardware(pen, sha);
        }
    }
}

fn message(pen: &mut Pen<'_>, icmp: &View<'_>, quoted: Option<&ipv4::View<'_>>) {
    pen.text("ICMP ");
    let dst = |pen: &mut Pen<'_>| match quoted {
        Some(ip) => pen.addr(ip.dst),
        None => pen.text("?"),
    };
    match (icmp.icmp_type, icmp.code) {
        (3, code @ (0 | 1 | 9 | 10 | 13)) => {
            pen.text(if code == 0 { "net " } else { "host " });
            dst(pen);
            pen.text(" unreachable");
            pen.text(if code > 1 { " - admin prohibited filter" } else { "" });
        }
        (3, 2) => {
            dst(pen);
            pen.text(" protocol ");
            pen.number(quoted.map(|ip| ip.protocol).unwrap_or_default());
            pen.text(" unreachable");
        }
        (3, 3) => {
            dst(pen);
            pen.text(" port unreachable");
        }
        (3, 4) => {
            dst(pen);
            pen.text(" unreachable - need to frag (mtu ");
            pen.number(icmp.next_hop_mtu.unwrap_or_default());
            pen.text(")");
        }
        (3, code) => {
            dst(pen);
            pen.text(" unreachable, code ");
            pen.number(code);
        }
        (4, _) => pen.text("source quench"),
        (5, code) => {
            pen.text("redirect ");
            dst(pen);
            pen.text(if matches!(code, 0 | 2) { " to net " } else { " to host " });
            if let Some(gateway) = icmp.gateway {
                pen.addr(gateway);
            }
        }
        (11, 0) => pen.text("time exceeded in-transit"),
        (11, 1) => pen.text("ip reassembly time exceeded"),
        (12, _) => {
            pen.text("parameter problem - octet ");
            pen.number(icmp.pointer.unwrap_or_default());
        }
        (kind, code) => match QUERIES.iter().find(|(query, _)| *query == kind) {
            Some((_, name)) => query(pen, name, icmp),
            None => {
                pen.text("type ");
                pen.number(kind);
                pen.text(", code ");
                pen.number(code);
            }
        },
    }
}

fn query(pen: &mut Pen<'_>, name: &str, icmp: &View<'_>) {
    pen.text(name);
    for (what, number) in [(", id ", icmp.identifier), (", seq ", icmp.sequence)] {
        let Some(number) = number else { continue };
        pen.text(what);
        pen.number(number);
    }
}

/// The types that ask for something or answer, and what they are called.
const QUERIES: [(u8, &str); 10] = [
    (8, "echo request"),
    (0, "echo reply"),
    (13, "time stamp query"),
    (14, "time stamp reply"),
    (15, "information request"),
    (16, "information reply"),
    (17, "address mask request"),
    (18, "address mask reply"),
    (42, "extended echo request"),
    (43, "extended echo reply"),
];

/// ar$hrd of Ethernet.
const ETHERNET: u16 = 1;
