mod ills;

use std::{net::Ipv4Addr, ops::RangeInclusive};

use ipnetwork::Ipv4Network;
use link::Interface;
use macaddr::MacAddr6;
use stack::{Beyond, Hosts, Refused, Served, arp::Macs};

use super::args::{EVERYWHERE, Serve};
use crate::{args::Global, failure::Failure, target, value::Source};

/// Who the command line wants us to be.
pub(super) struct Plan {
    /// The networks of -S, with the addresses in them.
    pub(super) sources: Vec<Ipv4Network>,
    /// Hosts on the link that have no network of their own.
    near: Vec<RangeInclusive<Ipv4Addr>>,
    /// Hosts behind routers.
    far: Vec<RangeInclusive<Ipv4Addr>>,
    routers: Vec<Ipv4Addr>,
    /// What the host's kernel answers for itself.
    own: Vec<Ipv4Addr>,
    pub(super) gateway: Option<Ipv4Addr>,
}

impl Plan {
    /// Makes it for a real interface, or for a laboratory.
    pub(super) fn new(
        global: &Global,
        args: &Serve,
        interface: Option<&Interface>,
    ) -> Result<Self, Failure> {
        let known: Vec<Ipv4Network> = interface
            .iter()
            .flat_map(|interface| &interface.addresses)
            .filter_map(|address| Ipv4Network::new(address.addr, address.prefix_len).ok())
            .collect();
        let mut sources: Vec<Ipv4Network> = Vec::new();
        for source in &global.sources {
            let network = network_of(source, &known, interface.is_none())?;
            if sources.iter().any(|other| other.ip() == network.ip()) {
                return Err(Failure::usage(format!("-S {} twice", network.ip())));
            }
            sources.push(network);
        }
        let in_vlan = global.vlan.iter().any(|tag| tag.id != 0);
        let own: Vec<Ipv4Addr> = match in_vlan {
            true => Vec::new(), // the kernel has them in another network
            false => known.iter().map(|network| network.ip()).collect(),
        };
        if let Some(hosts) = sources.iter().find(|source| own.contains(&source.ip())) {
            return Err(Failure::usage(format!(
                "{} is the host's own address: its kernel answers for it",
                hosts.ip()
            )));
        }
        let hosts = args.hosts.clone();
        let (near, far) = match args.routers {
            None => (hosts, Vec::new()),
            Some(_) => (Vec::new(), hosts),
        };
        let routers = routers(args, &sources)?;
        let gateway = interface.and_then(|interface| interface.gateway);
        let gateway = gateway.filter(|gateway| sources.iter().any(|net| net.contains(*gateway)));
        let gateway = global.gateway.or(gateway);
        let plan = Self { sources, near, far, routers, own, gateway };
        plan.check()?;
        global.gateway.map_or(Ok(()), |gateway| plan.check_gateway(gateway))?;
        plan.check_prefixes(args)?;
        Ok(plan)
    }

    /// Whom we are, those excepted who are to be silent and whom the host's kernel is.
    pub(super) fn served(&self, args: &Serve, mac: MacAddr6) -> Served {
        let macs = if args.mac_per_host { Macs::Each([2, 0]) } else { Macs::One(mac) };
        let mut hosts = Hosts::new(macs, self.on_link());
        for addr in &self.own {
            hosts.leave(&(*addr..=*addr));
        }
        let mut beyond = (!self.routers.is_empty()).then(|| Beyond {
            routers: self.routers.clone(),
            hosts: Hosts::new(Macs::One(mac), self.far.iter().cloned()),
        });
        for hosts in beyond.iter_mut().map(|beyond| &mut beyond.hosts).chain([&mut hosts]) {
            for silent in &args.silent {
                hosts.silence(&(silent.network()..=silent.broadcast()));
            }
        }
        let refused = args.unreachable.iter().map(|&(prefix, code)| Refused { prefix, code });
        let kept = self.sources.iter().map(|network| network.ip()).collect();
        Served { hosts, kept, beyond, refused: refused.collect() }
    }

    /// What the kernel is to let us see of IPv4.
    pub(super) fn heard(&self, args: &Serve) -> Vec<RangeInclusive<Ipv4Addr>> {
        if !self.routers.is_empty() {
            return vec![Ipv4Addr::UNSPECIFIED..=Ipv4Addr::BROADCAST];
        }
        let refused = args.unreachable.iter().map(|(net, _)| net.network()..=net.broadcast());
        self.on_link().chain(refused).collect()
    }

    /// The networks of -S; of one where everybody's address is one of our hosts, the address alone.
    pub(super) fn networks(&self) -> impl Iterator<Item = Ipv4Network> + '_ {
        self.sources.iter().map(|source| {
            let everybodys = [source.network(), source.broadcast()];
            let shadows = |range: &RangeInclusive<Ipv4Addr>| {
                everybodys.iter().any(|addr| range.contains(addr))
            };
            if self.near.iter().any(shadows) { Ipv4Network::from(source.ip()) } else { *source }
        })
    }

    /// Prefixes that are on the link: to hosts without a network of their own everybody is, unless
    /// there is a gateway.
    pub(super) fn connected(&self) -> impl Iterator<Item = Ipv4Network> + '_ {
        let gateway = self.gateway.map(Ipv4Network::from);
        let sources = self.sources.iter().copied();
        let everywhere = (!self.near.is_empty() && gateway.is_none()).then_some(EVERYWHERE);
        sources.chain(self.near.iter().map(covering)).chain(gateway).chain(everywhere)
    }

    /// Of what is to be unreachable, what is none of the hosts; it is told to who sends it through
    /// one of them.
    pub(super) fn beyond_all<'a>(
        &'a self,
        args: &'a Serve,
    ) -> impl Iterator<Item = Ipv4Network> + 'a {
        let refused = args.unreachable.iter().map(|(prefix, _)| *prefix);
        refused.filter(|prefix| !self.hosts().any(|range| overlaps(*prefix, &range)))
    }

    /// Octets of memory for what comes in while we are kept from our work: a scan asks a hundred
    /// thousand hosts a second, and another program may have the processor for a tenth of a second.
    pub(super) fn ring(&self) -> usize {
        if self.near.is_empty() && self.far.is_empty() { 4 << 20 } else { 16 << 20 }
    }

    /// All hosts, on the link or not.
    fn hosts(&self) -> impl Iterator<Item = RangeInclusive<Ipv4Addr>> + '_ {
        self.on_link().chain(self.far.iter().cloned())
    }

    fn on_link(&self) -> impl Iterator<Item = RangeInclusive<Ipv4Addr>> + '_ {
        let sources = self.sources.iter().map(|network| network.ip()..=network.ip());
        sources.chain(self.near.iter().cloned())
    }

    fn check(&self) -> Result<(), Failure> {
        let size = |range: RangeInclusive<Ipv4Addr>| {
            u64::from(u32::from(*range.end()) - u32::from(*range.start())) + 1
        };
        let hosts: u64 = self.near.iter().chain(&self.far).cloned().map(size).sum();
        match hosts {
            0 if self.sources.is_empty() => {
                Err(Failure::usage("whom to be? Name hosts, as 10.77.0.0/16, or an address by -S"))
            }
            _ if self.sources.len() > MOST_SOURCES => Err(Failure::usage(format!(
                "{} times -S is more than {MOST_SOURCES}: name hosts instead, as 10.77.0.0/16",
                self.sources.len()
            ))),
            0..=MOST => Ok(()),
            _ => Err(Failure::usage(format!("{hosts} hosts are more than {MOST}"))),
        }
    }

    /// It is another host that we can reach: of one of our networks, unless an address of ours has
    /// none.
    fn check_gateway(&self, gateway: Ipv4Addr) -> Result<(), Failure> {
        let wrong = |why: &str| Failure::usage(format!("the gateway {gateway} {why}"));
        let ours = || self.hosts().any(|range| range.contains(&gateway));
        if ours() || self.routers.contains(&gateway) {
            return Err(wrong("must be another host than we are"));
        }
        let in_reach = |network: &Ipv4Network| {
            network.prefix() == 32
                || network.contains(gateway) && target::check_host(gateway, *network).is_ok()
        };
        let no_host = matches!(gateway.octets()[0], 0 | 127 | 224..);
        if no_host || self.near.is_empty() && !self.sources.iter().any(in_reach) {
            return Err(wrong("must be a host of a network of ours"));
        }
        Ok(())
    }
}

fn network_of(
    source: &Source,
    known: &[Ipv4Network],
    in_lab: bool,
) -> Result<Ipv4Network, Failure> {
    let addr = source.addr;
    let nearest = known.iter().find(|network| network.contains(addr)).map(|net| net.prefix());
    let len = source.prefix_len.or(nearest).or_else(|| in_lab.then_some(24)).ok_or_else(|| {
        Failure::usage(format!("-S {addr} needs its prefix length, as in {addr}/24"))
    })?;
    let network = Ipv4Network::new(addr, len)
        .map_err(|_| Failure::usage(format!("/{len} is no prefix length")))?;
    target::check_host(addr, network)?;
    Ok(network)
}

/// The first is on the link, the others are where nobody else should be.
fn routers(args: &Serve, sources: &[Ipv4Network]) -> Result<Vec<Ipv4Addr>, Failure> {
    let Some(count) = args.routers else { return Ok(Vec::new()) };
    let first = sources.first().ok_or_else(|| {
        Failure::usage("--routers needs the address of the first one: add -S IP/LEN")
    })?;
    let others = (2..=count).map(|n| Ipv4Addr::new(172, 31, 255, n));
    let routers: Vec<Ipv4Addr> = [first.ip()].into_iter().chain(others).collect();
    let taken = |router: &&Ipv4Addr| args.hosts.iter().any(|range| range.contains(*router));
    match routers.iter().find(taken) {
        Some(router) => Err(Failure::usage(format!("{router} is a router, and none of the hosts"))),
        None => Ok(routers),
    }
}

/// The longest prefix that covers all of a range.
fn covering(range: &RangeInclusive<Ipv4Addr>) -> Ipv4Network {
    let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
    let len = (first ^ last).leading_zeros() as u8;
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or_default();
    Ipv4Network::new(Ipv4Addr::from(first & mask), len)
        .unwrap_or_else(|_| Ipv4Network::from(*range.start()))
}

fn overlaps(prefix: Ipv4Network, range: &RangeInclusive<Ipv4Addr>) -> bool {
    prefix.network() <= *range.end() && prefix.broadcast() >= *range.start()
}

/// Hosts that we can be at once.
const MOST: u64 = 65_536;

/// Addresses with a network of their own.
const MOST_SOURCES: usize = 256;
