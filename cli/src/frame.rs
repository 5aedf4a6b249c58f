//! A decoded frame, as `docs/schema.json` has it.

use std::{
    fmt::{self, Display, Write},
    io,
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};
use stack::{
    Dissected, arp,
    icmp::{self, Object},
    ipv4::{self, ChecksumStatus},
    link,
};

use crate::record::{Mac, Time, VlanTag};

/// A frame as a line of JSON, the layers that it does not have absent.
#[derive(Serialize)]
pub(crate) struct Frame<'a> {
    v: u8,
    #[serde(rename = "type")]
    record: &'static str,
    n: u64,
    ts: &'a str,
    dir: Option<&'static str>,
    len: usize,
    caplen: usize,
    stamp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eth: Option<Eth>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vlan: Vec<VlanTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arp: Option<Arp<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Ip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp: Option<Icmp<'a>>,
    malformed: Option<Malformed>,
}

/// What is known of a frame besides its octets.
pub(crate) struct Passed<'a> {
    pub(crate) n: u64,
    pub(crate) ts: &'a str,
    pub(crate) dir: Option<&'static str>,
    pub(crate) len: usize,
    pub(crate) caplen: usize,
    pub(crate) stamp: Option<&'static str>,
}

impl<'a> Frame<'a> {
    pub(crate) fn of(passed: Passed<'a>, frame: &Dissected<'a>) -> Self {
        let Passed { n, ts, dir, len, caplen, stamp } = passed;
        let tags = frame.eth.iter().flat_map(link::View::tags);
        Self {
            v: 1,
            record: "frame",
            n,
            ts,
            dir,
            len,
            caplen,
            stamp,
            eth: frame.eth.as_ref().map(Eth::of),
            vlan: tags.map(VlanTag::from).collect(),
            arp: frame.arp.as_ref().map(Arp::of),
            ip: frame.ip.as_ref().map(Ip::of),
            icmp: frame.icmp.as_ref().map(|icmp| Icmp::of(icmp, frame.quoted.as_ref())),
            malformed: frame.malformed.map(|malformed| Malformed {
                layer: malformed.layer.name(),
                octet: malformed.octet,
                reason: malformed.reason,
            }),
        }
    }

    /// Appends it to `out` as a line.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.push(b'\n');
        Ok(())
    }
}

/// A header's type, or in an 802.3 frame its length.
#[derive(Serialize)]
struct Eth {
    dst: Mac,
    src: Mac,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    ether_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    len802_3: Option<u16>,
}

impl Eth {
    fn of(eth: &link::View<'_>) -> Self {
        Self {
            dst: Mac(eth.dst),
            src: Mac(eth.src),
            ether_type: eth.ether_type.filter(|_| eth.length.is_none()).map(|kind| kind.0),
            len802_3: eth.length,
        }
    }
}

#[derive(Serialize)]
struct Arp<'a> {
    htype: u16,
    ptype: u16,
    hlen: u8,
    plen: u8,
    op: u16,
    sha: Option<Octets<'a>>,
    spa: Option<Protocol<'a>>,
    tha: Option<Octets<'a>>,
    tpa: Option<Protocol<'a>>,
}

impl<'a> Arp<'a> {
    fn of(arp: &arp::AnyView<'a>) -> Self {
        Self {
            htype: arp.hardware,
            ptype: arp.protocol,
            hlen: arp.hardware_len,
            plen: arp.protocol_len,
            op: arp.operation,
            sha: arp.sender_hardware.map(Octets),
            spa: arp.sender_protocol.map(|octets| Protocol::of(arp.protocol, octets)),
            tha: arp.target_hardware.map(Octets),
            tpa: arp.target_protocol.map(|octets| Protocol::of(arp.protocol, octets)),
        }
    }
}

#[derive(Serialize)]
struct Ip {
    version: u8,
    hdr_len: usize,
    tos: u8,
    total_len: u16,
    id: u16,
    rb: u8,
    df: u8,
    mf: u8,
    frag_off: u16,
    ttl: u8,
    proto: u8,
    checksum: u16,
    checksum_status: u8,
    src: Ipv4Addr,
    dst: Ipv4Addr,
    opt_types: Vec<u8>,
}

impl Ip {
    fn of(ip: &ipv4::View<'_>) -> Self {
        Self {
            version: 4,
            hdr_len: ip.header_len,
            tos: ip.tos,
            total_len: ip.total_len,
            id: ip.identification,
            rb: ip.reserved.into(),
            df: ip.dont_fragment.into(),
            mf: ip.more_fragments.into(),
            frag_off: ip.fragment_offset,
            ttl: ip.ttl,
            proto: ip.protocol,
            checksum: ip.checksum,
            checksum_status: status(ip.checksum_status),
            src: ip.src,
            dst: ip.dst,
            opt_types: ip.option_types().collect(),
        }
    }
}

#[derive(Serialize)]
struct Icmp<'a> {
    #[serde(rename = "type")]
    icmp_type: u8,
    code: u8,
    checksum: u16,
    checksum_status: u8,
    ident: Option<u16>,
    seq: Option<u16>,
    mtu: Option<u16>,
    gateway: Option<Ipv4Addr>,
    quoted: Option<Ip>,
    ext: Option<Vec<Extension<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orig: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recv: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xmit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_mask: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length_words: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext_version: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext_checksum: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext_checksum_status: Option<u8>,
}

impl<'a> Icmp<'a> {
    fn of(icmp: &icmp::View<'a>, quoted: Option<&ipv4::View<'_>>) -> Self {
        let ext = icmp.extensions.as_ref();
        Self {
            icmp_type: icmp.icmp_type,
            code: icmp.code,
            checksum: icmp.checksum,
            checksum_status: status(icmp.checksum_status),
            ident: icmp.identifier,
            seq: icmp.sequence,
            mtu: icmp.next_hop_mtu,
            gateway: icmp.gateway,
            quoted: quoted.map(Ip::of),
            ext: ext.map(|ext| ext.objects().map(Extension::of).collect()),
            pointer: icmp.pointer,
            orig: icmp.originate,
            recv: icmp.receive,
            xmit: icmp.transmit,
            address_mask: icmp.address_mask,
            length_words: icmp.length_words,
            ext_version: ext.map(|ext| ext.version),
            ext_checksum: ext.map(|ext| ext.checksum),
            ext_checksum_status: ext.map(|ext| status(ext.checksum_status)),
        }
    }
}

/// An RFC 4884 object.
#[derive(Serialize)]
struct Extension<'a> {
    class: u8,
    #[serde(rename = "type")]
    c_type: u8,
    payload: Octets<'a>,
}

impl<'a> Extension<'a> {
    fn of(Object { class, c_type, payload }: Object<'a>) -> Self {
        Self { class, c_type, payload: Octets(payload) }
    }
}

#[derive(Serialize)]
struct Malformed {
    layer: &'static str,
    octet: usize,
    reason: &'static str,
}

/// Octets in hexadecimal, a colon between two, as a MAC address has it.
#[derive(Clone, Copy)]
struct Octets<'a>(&'a [u8]);

impl Display for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, octet) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_char(':')?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl Serialize for Octets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A protocol address of an ARP packet.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Protocol<'a> {
    Ipv4(Ipv4Addr),
    Other(Octets<'a>),
}

impl<'a> Protocol<'a> {
    fn of(protocol: u16, octets: &'a [u8]) -> Self {
        match <[u8; 4]>::try_from(octets) {
            Ok(addr) if protocol == link::EtherType::IPV4.0 => Self::Ipv4(addr.into()),
            _ => Self::Other(Octets(octets)),
        }
    }
}

/// A time of day that far from the epoch.
pub(crate) fn time(since_epoch: Duration) -> Time {
    Time(SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH))
}

fn status(status: ChecksumStatus) -> u8 {
    match status {
        ChecksumStatus::Bad => 0,
        ChecksumStatus::Good => 1,
        ChecksumStatus::Unknown => 2,
    }
}
