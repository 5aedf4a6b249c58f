use std::{cmp::Reverse, net::Ipv4Addr};

use ipnetwork::Ipv4Network;
use link::Interface;
use stack::ipv4::Hop;

use crate::{args::Global, failure::Failure, lab, target};

/// Who we are on the link, and which ways lead out of it.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) network: Ipv4Network,
    pub(crate) standing: Standing,
    pub(crate) routes: Vec<(Ipv4Network, Hop)>,
}

/// What right we have to the address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// The laboratory gave it to us.
    Given,
    /// It is the host's own: the kernel answers for it, so we do not.
    Hosts,
    /// We take it, and answer for it.
    Adopted,
}

impl Identity {
    /// In a laboratory: what -S says, or 10.0.0.1/24.
    pub(crate) fn in_lab(global: &Global) -> Result<Self, Failure> {
        let network = match global.source() {
            None => lab::US,
            Some(source) => network(source.addr, source.prefix_len.unwrap_or(LAB_PREFIX_LEN))?,
        };
        let gateway = Some(lab::GATEWAY).filter(|gateway| network.contains(*gateway));
        let routes = routes(network, global.gateway.or(gateway))?;
        Ok(Self { network, standing: Standing::Given, routes })
    }

    /// On a real interface: what -S says, or the host's own address that is nearest to `target`.
    pub(crate) fn on(
        global: &Global,
        interface: &Interface,
        target: Option<Ipv4Addr>,
    ) -> Result<Self, Failure> {
        let name = &interface.name;
        let own: Vec<Ipv4Network> = interface
            .addresses
            .iter()
            .filter_map(|address| Ipv4Network::new(address.addr, address.prefix_len).ok())
            .collect();
        let nearest = |addr| own.iter().find(|network| network.contains(addr)).copied();
        let in_vlan = global.vlan.iter().any(|tag| tag.id != 0);
        let Some(source) = global.source() else {
            if in_vlan || global.source_mac.is_some() {
                let what = if in_vlan { "--vlan" } else { "--source-mac" };
                return Err(Failure::usage(format!(
                    "{what} needs an address that is ours there: add -S IP/LEN"
                )));
            }
            let network = target.and_then(nearest).or_else(|| own.first().copied());
            let network = network.ok_or_else(|| {
                Failure::usage(format!(
                    "{name} has no IPv4 address: name one to adopt by -S IP/LEN"
                ))
            })?;
            return Self::hosts(global, interface, network);
        };
        if let Some(&network) = own.iter().find(|network| network.ip() == source.addr && !in_vlan) {
            if global.source_mac.is_some() {
                return Err(Failure::usage(format!(
                    "{} is the host's own address, and has the host's MAC: leave out --source-mac",
                    source.addr
                )));
            }
            return Self::hosts(global, interface, network);
        }
        let known = nearest(source.addr).map(|network| network.prefix());
        let len = source.prefix_len.or(known).ok_or_else(|| {
            Failure::usage(format!("-S {0} needs its prefix length, as in {0}/24", source.addr))
        })?;
        let network = network(source.addr, len)?;
        let gateway = interface.gateway.filter(|gateway| network.contains(*gateway));
        let routes = routes(network, global.gateway.or(gateway))?;
        Ok(Self { network, standing: Standing::Adopted, routes })
    }

    /// An address without a network.
    pub(crate) fn alone(addr: Ipv4Addr, standing: Standing) -> Self {
        Self { network: Ipv4Network::from(addr), standing, routes: Vec::new() }
    }

    /// The host's own address, with the host's own routes unless --gateway is given.
    fn hosts(
        global: &Global,
        interface: &Interface,
        network: Ipv4Network,
    ) -> Result<Self, Failure> {
        let mut routes = routes(network, global.gateway)?;
        if global.gateway.is_none() {
            // Of two for one prefix, the last to be added stays: that with the lower metric.
            let mut through: Vec<_> = interface.routes.iter().collect();
            through.sort_by_key(|route| Reverse(route.metric));
            routes.extend(through.into_iter().filter_map(|route| {
                let to = route.destination;
                let hop = route.gateway.map_or(Hop::Connected, Hop::Gateway);
                Some((Ipv4Network::new(to.addr, to.prefix_len).ok()?, hop))
            }));
        }
        Ok(Self { network, standing: Standing::Hosts, routes })
    }
}

fn network(addr: Ipv4Addr, prefix_len: u8) -> Result<Ipv4Network, Failure> {
    let network = Ipv4Network::new(addr, prefix_len)
        .map_err(|_| Failure::usage(format!("/{prefix_len} is no prefix length")))?;
    target::check_host(addr, network)?;
    Ok(network)
}

fn routes(
    network: Ipv4Network,
    gateway: Option<Ipv4Addr>,
) -> Result<Vec<(Ipv4Network, Hop)>, Failure> {
    let Some(gateway) = gateway else { return Ok(Vec::new()) };
    let one_host = target::check_host(gateway, network).is_ok();
    if !network.contains(gateway) || gateway == network.ip() || !one_host {
        let (ip, len) = (network.network(), network.prefix());
        return Err(Failure::usage(format!(
            "the gateway {gateway} must be another host of our network, {ip}/{len}"
        )));
    }
    let everywhere = Ipv4Network::new(Ipv4Addr::UNSPECIFIED, 0);
    Ok(everywhere.into_iter().map(|everywhere| (everywhere, Hop::Gateway(gateway))).collect())
}

/// Of the network that both labs put us in.
const LAB_PREFIX_LEN: u8 = 24;
