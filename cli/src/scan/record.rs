use std::net::Ipv4Addr;

use serde::Serialize;

use crate::record::{Mac, Time};

/// What a scan says of one target, or of one owner of it.
#[derive(Serialize)]
pub(crate) struct HostFound<'a> {
    pub(crate) ts: Time,
    pub(crate) ip: Ipv4Addr,
    /// `up`, `silent` or `gone`.
    pub(crate) state: &'a str,
    pub(crate) mac: Option<Mac>,
    pub(crate) vendor: Option<&'a str>,
    pub(crate) via: Option<Ipv4Addr>,
    pub(crate) name: Option<&'a str>,
    /// Whether it answered, if it was asked; so also `echo`.
    pub(crate) arp: Option<bool>,
    pub(crate) arp_ns: Option<u64>,
    pub(crate) echo: Option<bool>,
    pub(crate) echo_ns: Option<u64>,
    pub(crate) ttl: Option<u8>,
    pub(crate) owners: usize,
    pub(crate) conflict: bool,
    pub(crate) moved_from: Option<Mac>,
    pub(crate) same_mac: Option<Ipv4Addr>,
    /// `new`, `gone`, `changed` or `same`.
    pub(crate) change: Option<&'a str>,
    pub(crate) old_mac: Option<Mac>,
    pub(crate) interrupted: bool,
}

/// What a scan came to.
#[derive(Serialize)]
pub(crate) struct Scanned {
    pub(crate) ts: Time,
    pub(crate) targets: u64,
    pub(crate) probed: u64,
    pub(crate) unsent: u64,
    pub(crate) up: u64,
    pub(crate) owners: u64,
    pub(crate) conflicts: u64,
    pub(crate) arp_only: u64,
    pub(crate) new: u64,
    pub(crate) gone: u64,
    pub(crate) changed: u64,
    pub(crate) found_before: u64,
    pub(crate) requests: u64,
    pub(crate) took_ns: u64,
    pub(crate) dropped: u64,
    pub(crate) interrupted: bool,
}
