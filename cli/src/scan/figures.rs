use std::{collections::BTreeMap, time::Duration};

use macaddr::MacAddr6;
use stack::sweep::Method;

use crate::record::Mac;

/// What a scan has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// Targets of which all is known.
    pub(super) probed: u64,
    /// Targets that could not be probed.
    pub(super) unsent: u64,
    /// Requests that have left.
    pub(super) requests: u64,
    /// Addresses that answered.
    pub(super) up: u64,
    /// All their owners.
    pub(super) owners: u64,
    /// Addresses with several owners at once.
    pub(super) conflicts: u64,
    /// Addresses that answered ARP and not the echo.
    pub(super) arp_only: u64,
    pub(super) new: u64,
    pub(super) gone: u64,
    pub(super) changed: u64,
}

impl Figures {
    pub(super) fn totals(&self, method: Method, took: Duration, dropped: u64) -> String {
        let Self { probed, up, owners, conflicts, .. } = *self;
        let how = method_name(method);
        let pps = self.requests as f64 / took.as_secs_f64().max(1e-9);
        format!(
            "{}, {}, {}; {probed} probed by {how} in {:.2} s ({pps:.0} pps), \
             {dropped} dropped by the kernel",
            count(up, "address", "addresses"),
            count(owners, "owner", "owners"),
            count(conflicts, "conflict", "conflicts"),
            took.as_secs_f64(),
        )
    }

    /// What is remarkable besides.
    pub(super) fn remarks(
        &self,
        is_against: bool,
        found_before: u64,
        stations: &BTreeMap<MacAddr6, u64>,
    ) -> Vec<String> {
        let Self { new, gone, changed, arp_only, unsent, .. } = *self;
        let mut remarks = Vec::new();
        if found_before > 0 {
            let found = count(found_before, "address was", "addresses were");
            remarks.push(format!("{found} found before it was interrupted"));
        }
        if is_against {
            remarks.push(format!("{new} new, {gone} gone, {changed} changed"));
        }
        if arp_only > 0 {
            let who = count(arp_only, "address answers", "addresses answer");
            remarks.push(format!("{who} ARP, and not the echo"));
        }
        if unsent > 0 {
            remarks.push(format!("{unsent} could not be probed"));
        }
        let shown = stations.iter().take(STATIONS);
        remarks.extend(shown.map(|(mac, n)| format!("{} is at {n} addresses", Mac(*mac))));
        if stations.len() > STATIONS {
            remarks.push(format!("and {} more stations like that", stations.len() - STATIONS));
        }
        remarks
    }
}

pub(super) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Arp => "ARP",
        Method::Echo => "echo",
        Method::Both => "ARP+echo",
    }
}

fn count(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// With several addresses, that are named.
const STATIONS: usize = 8;
