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
    /// None where no gateway has a substitute.
    gateways: Option<Box<Gateways>>,
}

/// How the destinations of one prefix are reached.
enum Ways {
    One(Hop, u32),
    /// Metrics and gateways, the best first.
    Several(Vec<(u32, Ipv4Addr)>),
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self { table: Table::new(), gateways: None }
    }

    /// In the place of what there was for the same prefix.
    pub(crate) fn insert(&mut self, prefix: Ipv4Network, hop: Hop) {
        self.remove(prefix);
        self.table.insert(prefix, Ways::One(hop, 0));
    }

    /// Beside the gateways that there are for the same prefix.
    pub(crate) fn add_gateway(&mut self, prefix: Ipv4Network, gateway: Ipv4Addr, metric: u32) {
        let before = self.table.remove(prefix);
        let mut several = match &before {
            Some(Ways::Several(several)) => several.clone(),
            Some(Ways::One(Hop::Gateway(first), metric)) => vec![(*metric, *first)],
            Some(Ways::One(Hop::Connected, _)) | None => Vec::new(),
        };
        several.retain(|(_, addr)| *addr != gateway);
        if several.is_empty() {
            self.table.insert(prefix, Ways::One(Hop::Gateway(gateway), metric));
            return;
        }
        several.insert(several.partition_point(|(other, _)| *other <= metric), (metric, gateway));
        let gateways = self.gateways.get_or_insert_default();
        several.iter().for_each(|(_, addr)| gateways.add(*addr));
        self.table.insert(prefix, Ways::Several(several));
        self.forget(before);
    }

    pub(crate) fn remove(&mut self, prefix: Ipv4Network) -> bool {
        let before = self.table.remove(prefix);
        let is_gone = before.is_some();
        self.forget(before);
        is_gone
    }

    /// What is known of a gateway is kept as long as it is one of several.
    fn forget(&mut self, ways: Option<Ways>) {
        let (Some(Ways::Several(several)), Some(gateways)) = (ways, &mut self.gateways) else {
            return;
        };
        several.iter().for_each(|(_, addr)| gateways.remove(*addr));
        if gateways.all.is_empty() {
            self.gateways = None;
        }
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

    /// Takes note of what is known of a gateway, if another could stand in for it.
    pub(crate) fn advise(&mut self, now: Instant, gateway: Ipv4Addr, reached: bool) {
        if let Some(gateways) = &mut self.gateways {
            gateways.advise(now, gateway, reached);
        }
    }

    /// It does not answer ARP: it is dead.
    pub(crate) fn unresolved(&mut self, now: Instant, gateway: Ipv4Addr) {
        if let Some(gateways) = &mut self.gateways {
            gateways.unresolved(now, gateway);
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        if let Some(gateways) = &mut self.gateways {
            gateways.poll(now);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.gateways.as_ref()?.deadline()
    }

    fn is_dead(&self, addr: Ipv4Addr) -> bool {
        self.gateways.as_ref().is_some_and(|gateways| gateways.is_dead(addr))
    }
}

/// The gateways that share a prefix with another, which could stand in for them.
#[derive(Default)]
struct Gateways {
    all: Vec<Gateway>,
    /// Until then a lack of answers says nothing: they may be those to what left before the switch.
    unsettled: Option<Instant>,
}

impl Gateways {
    fn add(&mut self, addr: Ipv4Addr) {
        match self.all.iter_mut().find(|known| known.addr == addr) {
            Some(gateway) => gateway.prefixes += 1,
            None => self.all.push(Gateway { addr, prefixes: 1, failures: 0, again: None }),
        }
    }

    fn remove(&mut self, addr: Ipv4Addr) {
        if let Some(gateway) = self.all.iter_mut().find(|known| known.addr == addr) {
            gateway.prefixes -= 1;
        }
        self.all.retain(|known| known.prefixes > 0);
    }

    /// RFC 1122 §3.3.1.4: positive advice ends all doubt, negative must come in a row.
    fn advise(&mut self, now: Instant, gateway: Ipv4Addr, reached: bool) {
        let unsettled = self.unsettled.is_some_and(|until| now < until);
        let Some(gateway) = self.all.iter_mut().find(|known| known.addr == gateway) else {
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
    fn unresolved(&mut self, now: Instant, gateway: Ipv4Addr) {
        if let Some(gateway) = self.all.iter_mut().find(|known| known.addr == gateway) {
            (gateway.failures, gateway.again) = (FAILURES, Some(now + RETRY));
            self.unsettled = Some(now + SETTLING);
        }
    }

    /// Tries again those whose time has come: one more failure, and they are dead again.
    fn poll(&mut self, now: Instant) {
        for gateway in &mut self.all {
            if gateway.again.is_some_and(|again| again <= now) {
                (gateway.failures, gateway.again) = (FAILURES - 1, None);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.all.iter().filter_map(|gateway| gateway.again).min()
    }

    fn is_dead(&self, addr: Ipv4Addr) -> bool {
        self.all.iter().any(|gateway| gateway.addr == addr && gateway.again.is_some())
    }
}

struct Gateway {
    addr: Ipv4Addr,
    /// How many it shares.
    prefixes: usize,
    /// Advice in a row that it was not reached.
    failures: u8,
    /// It is dead, and tried again at that time.
    again: Option<Instant>,
}

/// Advice in a row after which a gateway counts as dead.
const FAILURES: u8 = 4;

/// How long a dead gateway is left alone.
const RETRY: Duration = Duration::from_secs(60);

/// How long what left through a dead gateway may still fail.
const SETTLING: Duration = Duration::from_secs(5);
