//! What is done to answers on their way.

use std::{collections::BTreeSet, net::Ipv4Addr, ops::RangeInclusive};

use ipnetwork::Ipv4Network;
use link::memory::{Faults, Part};
use stack::Impairment;

use super::{Plan, covering, overlaps};
use crate::{
    failure::Failure,
    serve::args::{EVERYWHERE, For, Serve},
};

impl Plan {
    /// What is done to what they answer: for each prefix that is named, what is said of the
    /// longest that covers it.
    pub(in crate::serve) fn impairments(&self, args: &Serve) -> Vec<Impairment> {
        let ttls = self.ttls(args);
        let named = impaired(args).map(|(_, prefix)| prefix);
        let mut prefixes: Vec<_> = ttls.iter().map(|ttl| ttl.prefix).chain(named).collect();
        prefixes.sort_by_key(|prefix| (std::cmp::Reverse(prefix.prefix()), prefix.network()));
        prefixes.dedup_by_key(|prefix| (prefix.network(), prefix.prefix()));
        let impairment = |prefix| Impairment {
            prefix,
            faults: Faults {
                loss: said(&args.loss, prefix).unwrap_or_default(),
                duplicate: said(&args.dup, prefix).unwrap_or_default(),
                reorder: said(&args.reorder, prefix).unwrap_or_default(),
                corrupt: said(&args.corrupt, prefix).unwrap_or_default(),
                delay: said(&args.delay, prefix).unwrap_or_default(),
                jitter: said(&args.jitter, prefix).unwrap_or_default(),
                part: Part::Message,
                ..Faults::default()
            },
            ttl: said(&ttls, prefix),
        };
        prefixes.into_iter().map(impairment).collect()
    }

    /// Refuses what would be said in vain: of nobody, twice of the same, or of answers that never arrive.
    pub(super) fn check_prefixes(&self, args: &Serve) -> Result<(), Failure> {
        check_said_once(args)?;
        let hosts: Vec<_> = self.hosts().collect();
        let routers = self.routers.iter().map(|router| *router..=*router);
        let who: Vec<_> = self.hosts().chain(routers).collect();
        let of = |all: &[RangeInclusive<Ipv4Addr>], flag: &str, prefix: Ipv4Network| {
            let is_served = all.iter().any(|range| overlaps(prefix, range));
            let refused = || Failure::usage(format!("{flag} {prefix}: nobody is served in there"));
            is_served.then_some(()).ok_or_else(refused)
        };
        for prefix in &args.silent {
            of(&hosts, "--silent", *prefix)?;
        }
        impaired(args).try_for_each(|(flag, prefix)| of(&who, flag, prefix))?;
        match self.ttls(args).iter().find(|ttl| ttl.value == 0) {
            Some(ttl) => Err(Failure::usage(format!(
                "--ttl: what {} sends would never get past {} routers",
                ttl.prefix,
                self.away(ttl.prefix)
            ))),
            None => Ok(()),
        }
    }

    /// The times to live that answers arrive with: an answer from behind routers has passed them on
    /// its way.
    fn ttls(&self, args: &Serve) -> Vec<For<u8>> {
        let hosts: Vec<_> = self.far.iter().map(covering).collect();
        // Who is on the link is not behind routers, whatever prefix covers those that are.
        let mut at_hand = self.sources.iter().map(|source| source.ip()).collect::<Vec<_>>();
        at_hand.retain(|addr| hosts.iter().any(|net| net.contains(*addr)));
        let routers = at_hand.iter().chain(self.routers.iter().skip(1));
        let prefixes = routers.copied().map(Ipv4Network::from).chain(hosts);
        let passed = prefixes.map(|prefix| {
            let value = said(&args.ttl, prefix).unwrap_or(DEFAULT_TTL);
            For { prefix, value }
        });
        let all = args.ttl.iter().copied().chain(passed);
        all.map(|ttl| For { value: ttl.value.saturating_sub(self.away(ttl.prefix)), ..ttl })
            .collect()
    }

    /// How many routers are before what is in `prefix`.
    fn away(&self, prefix: Ipv4Network) -> u8 {
        let is = |addr: &Ipv4Addr| Ipv4Network::from(*addr) == prefix;
        if self.sources.iter().any(|source| is(&source.ip())) {
            return 0;
        }
        if let Some(before) = self.routers.iter().position(is) {
            return before as u8;
        }
        let within = |range| {
            let net: Ipv4Network = covering(range);
            net.prefix() <= prefix.prefix() && net.contains(prefix.network())
        };
        if self.far.iter().any(within) { self.routers.len() as u8 } else { 0 }
    }
}

/// Each prefix that is impaired, and the option that says so.
fn impaired(args: &Serve) -> impl Iterator<Item = (&'static str, Ipv4Network)> + '_ {
    let Serve { loss, dup, reorder, corrupt, delay, jitter, ttl, .. } = args;
    let chances =
        [("--loss", loss), ("--dup", dup), ("--reorder", reorder), ("--corrupt", corrupt)];
    let times = [("--delay", delay), ("--jitter", jitter)];
    prefixes(chances).chain(prefixes(times)).chain(prefixes([("--ttl", ttl)]))
}

fn prefixes<'a, T, const N: usize>(
    all: [(&'static str, &'a Vec<For<T>>); N],
) -> impl Iterator<Item = (&'static str, Ipv4Network)> + 'a {
    all.into_iter().flat_map(|(flag, said)| said.iter().map(move |is| (flag, is.prefix)))
}

/// Refuses two values for the same prefix: which of them is meant?
fn check_said_once(args: &Serve) -> Result<(), Failure> {
    let mut said = BTreeSet::new();
    let refused = args.unreachable.iter().map(|(prefix, _)| ("--unreachable", *prefix));
    for (flag, prefix) in impaired(args).chain(refused) {
        let network = prefix.network();
        if !said.insert((flag, network, prefix.prefix())) {
            let whom = match prefix {
                EVERYWHERE => "everybody".to_owned(),
                _ => format!("{network}/{}", prefix.prefix()),
            };
            return Err(Failure::usage(format!("{flag} twice for {whom}: say it once")));
        }
    }
    Ok(())
}

/// What is said of the longest prefix that covers `prefix`.
fn said<T: Copy>(all: &[For<T>], prefix: Ipv4Network) -> Option<T> {
    let covers = |is: &&For<T>| {
        is.prefix.prefix() <= prefix.prefix() && is.prefix.contains(prefix.network())
    };
    all.iter().filter(covers).max_by_key(|is| is.prefix.prefix()).map(|is| is.value)
}

/// What a host's datagrams leave with (RFC 1122 §3.2.1.7).
const DEFAULT_TTL: u8 = 64;
