use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use ipnetwork::Ipv4Network;

use crate::{
    route::{Hop, Why},
    table::Table,
};

/// The routes, and what is known of the gateways that another could stand in for.
pub(crate) struct Routes {
    table: Table<Ways>,
    /// Those that share a prefix with another.
    gateways: Vec<Gateway>,
    /// Until then a lack of answers says nothing: they may be those to what left before the switch.
    unsettled: Option<Instant>,
}

/// How the destinations of one prefix are reached.
enum Ways {
    One(Hop, u32),
    /// Metrics and gateways, the best first.
    Several(Vec<(u32, Ipv4Addr)>),
}

struct Gateway {
    addr: Ipv4Addr,
    /// Advice in a row that it was not reached.
    failures: u8,
    /// It is dead, and tried again at that time.
    again: Option<Instant>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self { table: Table::new(), gateways: Vec::new(), unsettled: None }
    }

    /// In the place of what there was for the same prefix.
    pub(crate) fn insert(&mut self, prefix: Ipv4Network, hop: Hop) {
        self.table.insert(prefix, Ways::One(hop, 0));
    }

    /// Beside the gateways that there are for the same prefix.
    pub(crate) fn add_gateway(&mut self, prefix: Ipv4Network, gateway: Ipv4Addr, metric: u32) {
        let mut several = match self.table.remove(prefix) {
            Some(Ways::Several(several)) => several,
            Some(Ways::One(Hop::Gateway(first), metric)) => vec![(metric, first)],
            Some(Ways::One(Hop::Connected, _)) | None => Vec::new(),
        };
        several.retain(|(_, addr)| *addr != gateway);
        if several.is_empty() {
            self.table.insert(prefix, Ways::One(Hop::Gateway(gateway), metric));
            return;
        }
        several.insert(several.partition_point(|(other, _)| *other <= metric), (metric, gateway));
        for &(_, addr) in &several {
            if self.gateways.iter().all(|known| known.addr != addr) {
                self.gateways.push(Gateway { addr, failures: 0, again: None });
            }
        }
        self.table.insert(prefix, Ways::Several(several));
    }

    pub(crate) fn remove(&mut self, prefix: Ipv4Network) -> bool {
        self.table.remove(prefix).is_some()
    }

    /// Whom a frame for `dst` goes to.
    pub(crate) fn next_hop(&self, dst: Ipv4Addr) -> Option<(Ipv4Addr, Why)> {
        let (prefix, ways) = self.table.longest(dst)?;
        let several = match ways {
            Ways::One(hop @ Hop::Connected, _) => return Some((dst, Why::Prefix(prefix, *hop))),
            Ways::One(hop @ Hop::Gateway(gateway), _) => {
                return Some((*gateway, Why::Prefix(prefix, *hop)));
            }
            Ways::Several(several) => several,
        };
        let &(_, best) = several.first()?;
        match several.iter().find(|(_, gateway)| !self.is_dead(*gateway)) {
            Some(&(_, gateway)) if gateway != best => {
                Some((gateway, Why::Instead { prefix, gateway, dead: best }))
            }
            _ => Some((best, Why::Prefix(prefix, Hop::Gateway(best)))),
        }
    }

    /// RFC 1122 §3.3.1.4: positive advice ends all doubt, negative must come in a row.
    pub(crate) fn advise(&mut self, now: Instant, gateway: Ipv4Addr, reached: bool) {
        let unsettled = self.unsettled.is_some_and(|until| now < until);
        let Some(gateway) = self.gateways.iter_mut().find(|known| known.addr == gateway) else {
            return;
        };
        if reached {
            (gateway.failures, gateway.again) = (0, None);
        } else if !unsettled && gateway.again.is_none() {
            gateway.failures = gateway.failures.saturating_add(1);
            if gateway.failures >= FAILURES {
                gateway.again = Some(now + RETRY);
                self.unsettled = Some(now + SETTLING);
            }
        }
    }

    /// It does not answer ARP: it is dead.
    pub(crate) fn unresolved(&mut self, now: Instant, gateway: Ipv4Addr) {
        if let Some(gateway) = self.gateways.iter_mut().find(|known| known.addr == gateway) {
            (gateway.failures, gateway.again) = (FAILURES, Some(now + RETRY));
            self.unsettled = Some(now + SETTLING);
        }
    }

    /// Tries again those whose time has come: one more failure, and they are dead again.
    pub(crate) fn poll(&mut self, now: Instant) {
        for gateway in &mut self.gateways {
            if gateway.again.is_some_and(|again| again <= now) {
                (gateway.failures, gateway.again) = (FAILURES - 1, None);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.gateways.iter().filter_map(|gateway| gateway.again).min()
    }

    fn is_dead(&self, addr: Ipv4Addr) -> bool {
        self.gateways.iter().any(|gateway| gateway.addr == addr && gateway.again.is_some())
    }
}

/// Advice in a row after which a gateway counts as dead.
const FAILURES: u8 = 4;

/// How long a dead gateway is left alone.
const RETRY: Duration = Duration::from_secs(60);

/// How long what left through a dead gateway may still fail.
const SETTLING: Duration = Duration::from_secs(5);
