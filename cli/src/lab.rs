mod odd;

use std::{net::Ipv4Addr, str::FromStr, time::Duration};

use ipnetwork::Ipv4Network;
use link::{EtherType, Link, Paced, memory::Faults};
use macaddr::MacAddr6;
use stack::{Config, Guest, Lab};

use crate::value;

/// The network in memory that `-I lab:...` asks for.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    hosts: u8,
    /// So many of the first hosts have an address that another host has, too.
    twins: u8,
    /// How often the first host is said to be at another station, or back.
    moves: u8,
    /// Addresses that one station answers for.
    proxy: u8,
    faults: Faults,
    seed: Option<u64>,
    paced: bool,
}

impl Plan {
    /// Builds it, and gives our place in it.
    ///
    /// ```text
    /// us 10.0.0.1   hosts 10.0.0.2 ...        10.0.1.2
    ///     |             |                         |
    ///   --+-------------+--- 10.0.0.254 router ---+-- 10.0.1.254
    /// ```
    pub(crate) fn build(&self, seed: u64, tagged: bool, mac: Option<MacAddr6>) -> Box<dyn Link> {
        let mut lab = Lab::new();
        let (near, far) = (lab.network(), lab.network());
        for host in 0..self.hosts {
            lab.host(near, network(0, 2 + host), Some(GATEWAY));
        }
        for host in 0..self.twins.min(self.hosts) {
            let mac = MacAddr6::new(2, 0, 0, 0, 0, 2 + host);
            let port = lab.wire(near).attach(mac);
            let twin = Config { gateway: Some(GATEWAY), ..Config::new(network(0, 2 + host)) };
            lab.host_at(near, port, twin);
        }
        lab.router([(near, network(0, 254)), (far, network(1, 254))]);
        lab.host(far, network(1, 2), Some(network(1, 254).ip()));
        odd::proxy(&mut lab, near, self.proxy);
        let port = match mac {
            None => lab.plug(near, US.ip()),
            Some(mac) => lab.wire(near).attach(mac),
        };
        odd::moves(&lab, near, port.id(), self.moves);
        lab.wire(near).set_fate(self.faults.fate(self.seed.unwrap_or(seed)));
        let port = if tagged { port.with_tag() } else { port };
        let guest = Guest::new(lab, port);
        if self.paced { Box::new(Paced::new(guest)) } else { Box::new(guest) }
    }
}

impl Default for Plan {
    fn default() -> Self {
        let (faults, seed) = (Faults::default(), None);
        Self { hosts: 10, twins: 0, moves: 0, proxy: 0, faults, seed, paced: true }
    }
}

/// `KEY=VALUE,...`
impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut plan = Self::default();
        for pair in text.split(',').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair}: KEY=VALUE"))?;
            let faults = &mut plan.faults;
            let parsed = match key {
                "hosts" => hosts(value).map(|hosts| plan.hosts = hosts),
                "twins" => hosts(value).map(|twins| plan.twins = twins),
                "moves" => moves(value).map(|moves| plan.moves = moves),
                "proxy" => proxy(value).map(|proxy| plan.proxy = proxy),
                "seed" => seed(value).map(|seed| plan.seed = Some(seed)),
                "pace" => pace(value).map(|paced| plan.paced = paced),
                "loss" => probability(value).map(|p| faults.loss = p),
                "burst" => burst(value).map(|frames| faults.burst = frames),
                "dup" => probability(value).map(|p| faults.duplicate = p),
                "reorder" => probability(value).map(|p| faults.reorder = p),
                "corrupt" => probability(value).map(|p| faults.corrupt = p),
                "truncate" => probability(value).map(|p| faults.truncate = p),
                "pad" => probability(value).map(|p| faults.pad = p),
                "mtu" => mtu(value).map(|mtu| faults.mtu = Some(mtu)),
                "silent" => protocol(value).map(|protocol| faults.silent = Some(protocol)),
                "delay" => delay(value).map(|delay| faults.delay = delay),
                "jitter" => delay(value).map(|jitter| faults.jitter = jitter),
                _ => Err(format!("no such key; there are {KEYS}")),
            };
            parsed.map_err(|error| format!("{key}={value}: {error}"))?;
        }
        if plan.proxy > 0 && plan.hosts > MOST_BELOW_PROXY {
            let Self { hosts, proxy, .. } = plan;
            return Err(format!(
                "hosts={hosts},proxy={proxy}: both would answer for 10.0.0.128; beside a proxy \
                 there is room for {MOST_BELOW_PROXY} hosts"
            ));
        }
        Ok(plan)
    }
}

fn hosts(text: &str) -> Result<u8, String> {
    let hosts = text.parse().ok().filter(|hosts| *hosts <= MAX_HOSTS);
    hosts.ok_or_else(|| format!("a number from 0 to {MAX_HOSTS}"))
}

fn moves(text: &str) -> Result<u8, String> {
    let moves = text.parse().ok().filter(|moves| *moves <= MAX_MOVES);
    moves.ok_or_else(|| format!("a number from 0 to {MAX_MOVES}"))
}

fn proxy(text: &str) -> Result<u8, String> {
    let proxy = text.parse().ok().filter(|proxy| *proxy <= MAX_PROXY);
    proxy.ok_or_else(|| format!("a number from 0 to {MAX_PROXY}"))
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a whole number".into())
}

fn pace(text: &str) -> Result<bool, String> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("1 waits as long as the wire would, 0 jumps".into()),
    }
}

/// `5%` or `0.05`.
pub(crate) fn probability(text: &str) -> Result<f64, String> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let probability = parsed.ok().filter(|p| (0.0..=1.0).contains(p));
    probability.ok_or_else(|| "a probability such as 5% or 0.05".into())
}

pub(crate) fn delay(text: &str) -> Result<Duration, String> {
    let delay = value::duration(text)?;
    if delay <= LONGEST { Ok(delay) } else { Err("at most a minute".into()) }
}

fn burst(text: &str) -> Result<u32, String> {
    let frames = text.parse().ok().filter(|frames| *frames > 0);
    frames.ok_or_else(|| "a number of frames, 1 or more".into())
}

fn mtu(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "a number of octets, as 1400".into())
}

fn protocol(text: &str) -> Result<EtherType, String> {
    match text {
        "arp" => Ok(EtherType::ARP),
        "ip" => Ok(EtherType::IPV4),
        _ => Err("arp or ip".into()),
    }
}

/// Network 10.0.`network`.0/24, and the address of `host` on it.
const fn network(network: u8, host: u8) -> Ipv4Network {
    match Ipv4Network::new_checked(Ipv4Addr::new(10, 0, network, host), 24) {
        Some(network) => network,
        None => unreachable!(),
    }
}

/// Who we are in both labs.
pub(crate) const US: Ipv4Network = network(0, 1);

/// The way out of our network in both labs.
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);

/// From 10.0.0.2 on, below the gateway.
const MAX_HOSTS: u8 = 252;

/// More than anybody watches.
const MAX_MOVES: u8 = 100;

/// From 10.0.0.128 on, below the gateway.
const MAX_PROXY: u8 = 126;

/// From 10.0.0.2 on, below those that a proxy answers for.
const MOST_BELOW_PROXY: u8 = 126;

const KEYS: &str = "hosts, loss, burst, delay, jitter, dup, reorder, corrupt, truncate, pad, mtu, \
    silent, twins, moves, proxy, seed and pace";

const LONGEST: Duration = Duration::from_secs(60);
