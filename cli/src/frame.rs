//! A decoded frame, as `docs/schema.json` has it.
//!
//! It is written without a library: through serde a frame cost 750 ns, so that a busy link
//! outran it; the tests hold every kind of frame to the schema.

use std::time::{Duration, SystemTime};

use stack::{
    Dissected, arp,
    icmp::{self, Object},
    ipv4::{self, ChecksumStatus},
    link,
};

use crate::{pen::Pen, record::Time};

/// What is known of a frame besides its octets.
pub(crate) struct Passed<'a> {
    pub(crate) n: u64,
    /// As RFC 3339 has it.
    pub(crate) ts: &'a str,
    pub(crate) dir: Option<&'static str>,
    pub(crate) len: usize,
    pub(crate) caplen: usize,
    pub(crate) stamp: Option<&'static str>,
}

/// Appends a frame to `out` as a line of JSON, the layers that it does not have absent.
pub(crate) fn encode(passed: &Passed<'_>, frame: &Dissected<'_>, out: &mut Vec<u8>) {
    let pen = &mut Pen(out);
    pen.text(r#"{"v":1,"type":"frame","n":"#);
    pen.number(passed.n);
    name(pen, r#","ts":"#, Some(passed.ts));
    name(pen, r#","dir":"#, passed.dir);
    pen.text(r#","len":"#);
    pen.number(passed.len);
    pen.text(r#","caplen":"#);
    pen.number(passed.caplen);
    name(pen, r#","stamp":"#, passed.stamp);
    if let Some(view) = &frame.eth {
        eth(pen, view);
    }
    if let Some(view) = &frame.arp {
        arp(pen, view);
    }
    if let Some(view) = &frame.ip {
        pen.text(r#","ip":"#);
        ip(pen, view);
    }
    if let Some(view) = &frame.icmp {
        icmp(pen, view, frame.quoted.as_ref());
    }
    match frame.malformed {
        None => pen.text(r#","malformed":null"#),
        Some(malformed) => {
            name(pen, r#","malformed":{"layer":"#, Some(malformed.layer.name()));
            pen.text(r#","octet":"#);
            pen.number(malformed.octet);
            name(pen, r#","reason":"#, Some(malformed.reason));
            pen.text("}");
        }
    }
    pen.text("}\n");
}

/// A header and its tags; its type, or in an 802.3 frame its length.
fn eth(pen: &mut Pen<'_>, eth: &link::View<'_>) {
    pen.text(r#","eth":{"dst":""#);
    pen.mac(eth.dst);
    pen.text(r#"","src":""#);
    pen.mac(eth.src);
    pen.text("\"");
    let kind = eth.ether_type.filter(|_| eth.length.is_none());
    known(pen, r#","type":"#, kind.map(|kind| kind.0));
    known(pen, r#","len802_3":"#, eth.length);
    pen.text("}");
    let mut before = r#","vlan":[{"prio":"#;
    for tag in eth.tags() {
        pen.text(before);
        pen.number(tag.priority);
        pen.text(r#","id":"#);
        pen.number(tag.id);
        before = r#"},{"prio":"#;
    }
    if eth.tags().next().is_some() {
        pen.text("}]");
    }
}

fn arp(pen: &mut Pen<'_>, arp: &arp::AnyView<'_>) {
    numbers(
        pen,
        &[
            (r#","arp":{"htype":"#, arp.hardware.into()),
            (r#","ptype":"#, arp.protocol.into()),
            (r#","hlen":"#, arp.hardware_len.into()),
            (r#","plen":"#, arp.protocol_len.into()),
            (r#","op":"#, arp.operation.into()),
        ],
    );
    let ipv4 = arp.protocol == link::EtherType::IPV4.0;
    for (key, address, ipv4) in [
        (r#","sha":"#, arp.sender_hardware, false),
        (r#","spa":"#, arp.sender_protocol, ipv4),
        (r#","tha":"#, arp.target_hardware, false),
        (r#","tpa":"#, arp.target_protocol, ipv4),
    ] {
        pen.text(key);
        let Some(address) = address else {
            pen.text("null");
            continue;
        };
        pen.text("\"");
        match address {
            &[a, b, c, d] if ipv4 => pen.addr([a, b, c, d].into()),
            octets => pen.parted(octets),
        }
        pen.text("\"");
    }
    pen.text("}");
}

fn ip(pen: &mut Pen<'_>, ip: &ipv4::View<'_>) {
    numbers(
        pen,
        &[
            (r#"{"version":4,"hdr_len":"#, ip.header_len as u32), // 60 at most
            (r#","tos":"#, ip.tos.into()),
            (r#","total_len":"#, ip.total_len.into()),
            (r#","id":"#, ip.identification.into()),
            (r#","rb":"#, ip.reserved.into()),
            (r#","df":"#, ip.dont_fragment.into()),
            (r#","mf":"#, ip.more_fragments.into()),
            (r#","frag_off":"#, ip.fragment_offset.into()),
            (r#","ttl":"#, ip.ttl.into()),
            (r#","proto":"#, ip.protocol.into()),
            (r#","checksum":"#, ip.checksum.into()),
            (r#","checksum_status":"#, status(ip.checksum_status).into()),
        ],
    );
    pen.text(r#","src":""#);
    pen.addr(ip.src);
    pen.text(r#"","dst":""#);
    pen.addr(ip.dst);
    pen.text(r#"","opt_types":["#);
    let mut before = "";
    for kind in ip.option_types() {
        pen.text(before);
        pen.number(kind);
        before = ",";
    }
    pen.text("]}");
}

fn icmp(pen: &mut Pen<'_>, icmp: &icmp::View<'_>, quoted: Option<&ipv4::View<'_>>) {
    numbers(
        pen,
        &[
            (r#","icmp":{"type":"#, icmp.icmp_type.into()),
            (r#","code":"#, icmp.code.into()),
            (r#","checksum":"#, icmp.checksum.into()),
            (r#","checksum_status":"#, status(icmp.checksum_status).into()),
        ],
    );
    for (key, number) in [
        (r#","ident":"#, icmp.identifier),
        (r#","seq":"#, icmp.sequence),
        (r#","mtu":"#, icmp.next_hop_mtu),
    ] {
        pen.text(key);
        match number {
            Some(number) => pen.number(number),
            None => pen.text("null"),
        }
    }
    match icmp.gateway {
        None => pen.text(r#","gateway":null"#),
        Some(gateway) => {
            pen.text(r#","gateway":""#);
            pen.addr(gateway);
            pen.text("\"");
        }
    }
    pen.text(r#","quoted":"#);
    match quoted {
        None => pen.text("null"),
        Some(quoted) => ip(pen, quoted),
    }
    let ext = icmp.extensions.as_ref();
    match ext {
        None => pen.text(r#","ext":null"#),
        Some(ext) => objects(pen, ext),
    }
    known(pen, r#","pointer":"#, icmp.pointer);
    known(pen, r#","orig":"#, icmp.originate);
    known(pen, r#","recv":"#, icmp.receive);
    known(pen, r#","xmit":"#, icmp.transmit);
    if let Some(mask) = icmp.address_mask {
        pen.text(r#","address_mask":""#);
        pen.addr(mask);
        pen.text("\"");
    }
    known(pen, r#","length_words":"#, icmp.length_words);
    known(pen, r#","ext_version":"#, ext.map(|ext| ext.version));
    known(pen, r#","ext_checksum":"#, ext.map(|ext| ext.checksum));
    known(pen, r#","ext_checksum_status":"#, ext.map(|ext| status(ext.checksum_status)));
    pen.text("}");
}

/// The RFC 4884 objects.
fn objects(pen: &mut Pen<'_>, ext: &icmp::Extensions<'_>) {
    pen.text(r#","ext":["#);
    let mut before = r#"{"class":"#;
    for Object { class, c_type, payload } in ext.objects() {
        numbers(pen, &[(before, class.into()), (r#","type":"#, c_type.into())]);
        pen.text(r#","payload":""#);
        pen.parted(payload);
        pen.text("\"}");
        before = r#",{"class":"#;
    }
    pen.text("]");
}

#[inline]
fn numbers(pen: &mut Pen<'_>, members: &[(&str, u32)]) {
    for (key, number) in members {
        pen.text(key);
        pen.number(*number);
    }
}

/// A member that is there only where it is known.
fn known(pen: &mut Pen<'_>, key: &str, number: Option<impl TryInto<u64>>) {
    if let Some(number) = number {
        pen.text(key);
        pen.number(number);
    }
}

/// One of our own words, none of which has to be escaped.
fn name(pen: &mut Pen<'_>, key: &str, value: Option<&str>) {
    pen.text(key);
    match value {
        None => pen.text("null"),
        Some(value) => {
            pen.text("\"");
            pen.text(value);
            pen.text("\"");
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
