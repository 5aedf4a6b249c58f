use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use stack::{
    Shard, Targets,
    sweep::{Config, Method, Permutation, Rate},
};

use super::{args::Scan, earlier::Earlier};
use crate::{
    args::Global,
    failure::Failure,
    identity::Standing,
    open::Us,
    secrets::Secrets,
    session::Session,
    targets::{LISTED, MANY, MOST_NEIGHBOURS, STAMPED},
    value::LinkName,
};

/// Whom to probe, and how.
pub(super) struct Plan {
    /// As people say it.
    pub(super) texts: Vec<String>,
    pub(super) targets: Targets,
    /// Those that are not looked at even if they are targets: ours, and everybody's.
    pub(super) apart: Targets,
    pub(super) config: Config,
    /// Targets of which the interrupted scan knew that they answer.
    pub(super) found_before: u64,
    /// Those of them that have several owners.
    pub(super) conflicts_before: u64,
}

impl Plan {
    pub(super) fn new(
        global: &Global,
        args: &Scan,
        named: Option<(Vec<String>, Targets)>,
        earlier: Option<&Earlier>,
        session: &Session,
    ) -> Result<Self, Failure> {
        let own = own_networks(global, session);
        let (texts, targets) = match named {
            Some(named) => named,
            None => {
                let whole = own.iter().map(|net| net.network()..=net.broadcast()).collect();
                let text = |net: &Ipv4Network| format!("{}/{}", net.network(), net.prefix());
                (own.iter().map(text).collect(), whole)
            }
        };
        let everybodys = own.iter().filter(|net| net.prefix() < 31);
        let everybodys = everybodys.flat_map(|net| [net.network(), net.broadcast()]);
        let apart = everybodys.chain(own.iter().map(|net| net.ip()));
        let apart: Targets = apart.map(|addr| addr..=addr).collect();
        let others = targets.without(&apart);
        if others.is_empty() {
            let (addr, name) = (session.identity.network.ip(), &session.name);
            let why = format!("no targets: {addr} is our own address on {name}");
            return Err(Failure::usage(why).hint("name networks, or addresses of others"));
        }
        // Machines that share them must all number them alike, whoever they are.
        let mut targets = if args.shard.is_some() { targets } else { others };
        let mut config = config(global, args, &targets)?;
        let (mut found_before, mut conflicts_before) = (0, 0);
        if let Some(earlier) = earlier {
            if config.shard != Shard::WHOLE {
                // Which part is ours is known only of all targets together.
                targets = part(&targets, &config)?;
                config.shard = Shard::WHOLE;
            }
            let is_found = |addr: &&Ipv4Addr| targets.contains(**addr) && earlier.is_done(**addr);
            found_before = earlier.up.keys().filter(is_found).count() as u64;
            conflicts_before = earlier.contested.iter().filter(is_found).count() as u64;
            targets = targets.without(&earlier.done.iter().map(|addr| *addr..=*addr).collect());
        }
        Ok(Self { texts, targets, apart, config, found_before, conflicts_before })
    }
}

/// Which requests are made of a target.
pub(super) fn method(args: &Scan) -> Method {
    match (args.arp, args.echo) {
        (true, _) => Method::Arp,
        (_, true) => Method::Echo,
        _ => Method::Both,
    }
}

/// Whether each request's own stamp is worth its time, so many being asked at most.
pub(super) fn us(args: &Scan, targets: u64) -> Us {
    let rate = args.bandwidth.is_none() && (1..=STAMPED).contains(&args.rate);
    if rate { Us::Host } else { Us::Sweeper { many: targets >= MANY } }
}

fn config(global: &Global, args: &Scan, targets: &Targets) -> Result<Config, Failure> {
    let shared = args.shard.is_some() || targets.len() > LISTED;
    let seed = match (args.random, shared || global.seed.is_some()) {
        (true, _) if args.shard.is_none() => Some(Secrets::draw(global.seed)?.seed),
        (true, _) | (_, true) => Some(global.seed.unwrap_or_default()),
        (false, false) => None,
    };
    Ok(Config {
        method: method(args),
        rate: args.bandwidth.unwrap_or_else(|| Rate::per_second(args.rate)),
        window: MOST_NEIGHBOURS as usize,
        retries: args.retries,
        timeout: args.wait,
        seed,
        shard: args.shard.unwrap_or(Shard::WHOLE),
        ..Config::default()
    })
}

/// The networks that we have an address on: ours, and the kernel's on this interface.
fn own_networks(global: &Global, session: &Session) -> Vec<Ipv4Network> {
    let ours = session.identity.network;
    let mut own = vec![ours];
    let is_hosts = matches!(global.interface, None | Some(LinkName::Interface(_)));
    if is_hosts && let Ok(interface) = link::interface(&session.name) {
        let theirs = interface.addresses.iter();
        let theirs = theirs.filter_map(|is| Ipv4Network::new(is.addr, is.prefix_len).ok());
        // Of an address that we adopt, the network is ours; the host's are on the same wire.
        let reachable = |net: &Ipv4Network| {
            session.identity.standing == Standing::Hosts || ours.contains(net.ip())
        };
        own.extend(theirs.filter(|net| *net != ours && reachable(net)));
    }
    own
}

/// Our own part of `targets`.
fn part(targets: &Targets, config: &Config) -> Result<Targets, Failure> {
    let (total, shard) = (targets.len(), config.shard);
    if shard.len(total) > LARGEST_PART {
        let why = format!("--resume: a part of more than {LARGEST_PART} targets");
        return Err(Failure::usage(why).hint("take more parts"));
    }
    let order = config.seed.map(|seed| Permutation::new(total, seed));
    let places = (0..shard.len(total)).map(|n| shard.place(n));
    let numbers = places.map(|place| order.map_or(place, |order| order.at(place)));
    let addrs = numbers.filter_map(|number| targets.nth(number));
    let mut part: Targets = addrs.map(|addr: Ipv4Addr| addr..=addr).collect();
    for (&addr, &mac) in targets.pins() {
        part.pin(addr, mac);
    }
    Ok(part)
}

/// Targets of a part that is gone on with.
const LARGEST_PART: u64 = 1 << 24;
