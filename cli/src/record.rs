//! The JSON lines, as `docs/schema.json` describes them.

mod echo;
pub(crate) mod unsent;
mod value;

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::Serialize;

use crate::scan::record::{HostFound, Scanned};
pub(crate) use echo::corrupt_name;
pub(crate) use value::{Mac, Stamps, Time, VlanTag, nanoseconds, source_name, wall_clock};

/// One line. Every key of a type is always there, `null` where unknown; times are in nanoseconds.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Record<'a> {
    Start {
        cmd: &'a str,
        ts: Time,
        #[serde(rename = "if")]
        interface: &'a str,
        src: Option<Ipv4Addr>,
        src_mac: Option<Mac>,
        vlan: Vec<VlanTag>,
        targets: Vec<String>,
        stamps: Option<Stamps>,
    },
    Adopt {
        ts: Time,
        ip: Ipv4Addr,
        state: &'a str,
        mac: Option<Mac>,
    },
    Arp {
        ts: Time,
        ip: Ipv4Addr,
        mac: Option<Mac>,
        rtt_ns: Option<u64>,
        tries: u32,
        conflict: Option<Mac>,
    },
    Conflict {
        ts: Time,
        ip: Ipv4Addr,
        mac: Mac,
        other: Mac,
    },
    Pairing {
        ts: Time,
        ip: Ipv4Addr,
        old_mac: Mac,
        mac: Mac,
    },
    Link {
        ts: Time,
        #[serde(rename = "if")]
        interface: &'a str,
        state: &'a str,
        mtu: Option<usize>,
        mac: Option<Mac>,
    },
    Served(Served<'a>),
    Reply {
        ts: Time,
        dst: Ipv4Addr,
        from: Ipv4Addr,
        from_mac: Option<Mac>,
        seq: u16,
        bytes: usize,
        ttl: u8,
        rtt_ns: Option<u64>,
        dup: bool,
        reordered: bool,
        corrupt: Option<&'a str>,
    },
    Recorded {
        ts: Time,
        dst: Ipv4Addr,
        seq: u16,
        stops: Vec<Stop>,
    },
    Late {
        ts: Time,
        dst: Ipv4Addr,
        from_mac: Option<Mac>,
        seq: u16,
        bytes: usize,
        ttl: u8,
        rtt_ns: u64,
    },
    Foreign {
        ts: Time,
        from: Ipv4Addr,
        from_mac: Option<Mac>,
        seq: u16,
        asked: Option<Ipv4Addr>,
    },
    Timeout {
        ts: Time,
        dst: Ipv4Addr,
        seq: u16,
        waited_ns: u64,
    },
    IcmpError {
        ts: Time,
        dst: Ipv4Addr,
        from: Ipv4Addr,
        icmp_type: u8,
        icmp_code: u8,
        what: &'a str,
        seq: u16,
        mtu: Option<u16>,
    },
    Unsent {
        ts: Time,
        dst: Ipv4Addr,
        seq: u16,
        reason: &'a str,
    },
    Route {
        ts: Time,
        dst: Ipv4Addr,
        src: Option<Ipv4Addr>,
        #[serde(rename = "if")]
        interface: &'a str,
        why: &'a str,
        prefix: Option<String>,
        gateway: Option<Ipv4Addr>,
        next_hop: Option<Ipv4Addr>,
        mac: Option<Mac>,
    },
    PathMtu {
        ts: Time,
        dst: Ipv4Addr,
        mtu: Option<u16>,
        link_mtu: usize,
        probes: u32,
        took_ns: u64,
        why_not: Option<&'a str>,
    },
    Interface {
        name: &'a str,
        index: u32,
        state: &'a str,
        kind: &'a str,
        mac: Option<Mac>,
        mtu: usize,
        addresses: Vec<String>,
        gateway: Option<Ipv4Addr>,
        stamps: Vec<&'a str>,
        openable: bool,
        why_not: Option<&'a str>,
    },
    Host(HostFound<'a>),
    Scanned(Scanned),
    Summary(Summary),
    Error {
        ts: Time,
        kind: &'a str,
        errno: Option<&'a str>,
        message: &'a str,
        hint: Option<&'a str>,
    },
    Stats {
        ts: Time,
        frames: u64,
        dropped: Option<u64>,
        too_long: Option<u64>,
        /// Frames of other links than Ethernet in a file.
        skipped: Option<u64>,
    },
    End {
        exit: u8,
        /// Frames that the kernel had no room for; `None` without a link.
        dropped: Option<u64>,
    },
}

/// How far serving has come.
#[derive(Serialize)]
pub(crate) struct Served<'a> {
    pub(crate) ts: Time,
    /// `probing`, `serving` or `ended`.
    pub(crate) state: &'a str,
    pub(crate) hosts: usize,
    pub(crate) ours: usize,
    pub(crate) left_alone: usize,
    pub(crate) silent: usize,
    pub(crate) received: u64,
    pub(crate) arp_replies: u64,
    pub(crate) echo_replies: u64,
    pub(crate) unreachable: u64,
    pub(crate) time_exceeded: u64,
    pub(crate) lost: u64,
    pub(crate) delayed: u64,
    pub(crate) duplicated: u64,
    pub(crate) corrupted: u64,
    pub(crate) overflowed: u64,
    /// Lines that were lost before this one.
    pub(crate) untold: u64,
    /// Why answers never left, and how many.
    pub(crate) undelivered: &'a BTreeMap<String, u64>,
    /// Why frames were discarded, and how many.
    pub(crate) discarded: &'a BTreeMap<String, u64>,
}

/// What a run with one target came to.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) dst: Ipv4Addr,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) dup: u64,
    pub(crate) late: u64,
    pub(crate) corrupt: u64,
    pub(crate) foreign: u64,
    pub(crate) errors: u64,
    pub(crate) unsent: u64,
    pub(crate) reordered: u64,
    pub(crate) loss_pct: Option<f64>,
    pub(crate) rtt_ns: Option<RoundTrips>,
    pub(crate) jitter_ns: Option<u64>,
    /// For how long nothing came, as far as a series of requests can tell.
    pub(crate) outage_ns: Option<u64>,
    /// The round trip of each request, if they are listed.
    pub(crate) rtts_ns: Option<Vec<Option<u64>>>,
    pub(crate) interrupted: bool,
    pub(crate) pass: bool,
}

impl Summary {
    /// Of a run in which nothing happened.
    pub(crate) fn of_nothing(dst: Ipv4Addr) -> Self {
        Self {
            dst,
            sent: 0,
            received: 0,
            dup: 0,
            late: 0,
            corrupt: 0,
            foreign: 0,
            errors: 0,
            unsent: 0,
            reordered: 0,
            loss_pct: None,
            rtt_ns: None,
            jitter_ns: None,
            outage_ns: None,
            rtts_ns: None,
            interrupted: false,
            pass: false,
        }
    }
}

/// Round-trip times, in nanoseconds.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct RoundTrips {
    pub(crate) min: u64,
    pub(crate) avg: u64,
    pub(crate) max: u64,
    pub(crate) mdev: u64,
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
}

impl RoundTrips {
    /// Those of a few round trips; `None` of none.
    pub(crate) fn of(mut nanos: Vec<u64>) -> Option<Self> {
        nanos.sort_unstable();
        let (&min, &max) = (nanos.first()?, nanos.last()?);
        let mean = nanos.iter().sum::<u64>() as f64 / nanos.len() as f64;
        let squares = nanos.iter().map(|&nanos| (nanos as f64 - mean).powi(2)).sum::<f64>();
        let rank = |percent: usize| nanos[(nanos.len() * percent).div_ceil(100) - 1];
        Some(Self {
            min,
            avg: mean.round() as u64,
            max,
            mdev: (squares / nanos.len() as f64).sqrt().round() as u64,
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
        })
    }
}

/// Where an echo passed, or when: milliseconds since midnight UT, unless the highest bit is set.
#[derive(Serialize)]
pub(crate) struct Stop {
    pub(crate) ip: Option<Ipv4Addr>,
    pub(crate) time_ms: Option<u32>,
}
