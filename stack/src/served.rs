use std::{net::Ipv4Addr, time::Instant};

use arp::{Arp, Owner};
use icmp::Problem;
use ipnetwork::Ipv4Network;
use ipv4::Cast;
use link::{Facts, Frame, FrameIo};

use crate::{counters::Discard, host::Stack, hosts::Hosts, identity::ManyHosts, tower::Tower};

/// Whom a [`Stack`] is, besides or instead of the host that it was made as.
///
/// A frame to any of their MAC addresses is for us, but a datagram for one of them that comes to
/// the MAC address of another is not its own (RFC 1122 §3.3.4.2, the strong model).
#[derive(Clone, Debug)]
pub struct Served {
    /// The hosts on the link.
    pub hosts: Hosts,
    /// Those of them that stay ours if somebody else claims them, once they are ours; all others
    /// are left to whoever speaks up (RFC 5227 §2.4).
    pub kept: Vec<Ipv4Addr>,
    /// Hosts behind routers that we are as well.
    pub beyond: Option<Beyond>,
    /// What is unreachable: the first that covers a destination decides.
    pub refused: Vec<Refused>,
}

/// Hosts that are reached through a chain of routers.
#[derive(Clone, Debug)]
pub struct Beyond {
    /// The routers in their order, at least one. The first is on the link, one of
    /// [`Served::hosts`]; the others answer echo requests as hosts do.
    pub routers: Vec<Ipv4Addr>,
    /// Those behind the last of them.
    pub hosts: Hosts,
}

/// Destinations that are told to be unreachable: by themselves if they are on the link, else by
/// the router before them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Which.
    pub prefix: Ipv4Network,
    /// Why (RFC 792, RFC 1812 §5.2.7.1): 0 to 15.
    pub code: u8,
}

impl<L: FrameIo> Stack<L> {
    /// Is `served` from now on, and nobody else. With `probe`, an address is ours only when nobody
    /// has turned out to use it, and announced then (RFC 5227 §2.1), also when the link is up again
    /// after it was down; each that is ours comes out of [`Stack::event`] as [`arp::Event::Free`],
    /// each that is left to somebody else as [`arp::Event::Taken`], or as [`arp::Event::Lost`] if
    /// it was ours before.
    pub fn serve(&mut self, now: Instant, served: Served, probe: bool) {
        let Tower { arp, ipv4, .. } = &mut self.tower;
        let before: Vec<_> = ipv4.addresses().iter().map(|network| network.ip()).collect();
        for addr in before {
            ipv4.remove_host(addr);
        }
        arp.own(ManyHosts::new(&served, ipv4));
        if probe {
            arp.claim(now, served.hosts.iter());
        } else {
            served.hosts.ranges().for_each(|range| ipv4.add_hosts(range));
        }
        if let Some(beyond) = &served.beyond {
            beyond.hosts.ranges().for_each(|range| ipv4.add_hosts(range));
            beyond.routers.iter().skip(1).for_each(|router| ipv4.add_hosts(*router..=*router));
        }
        self.adopted = probe;
        self.tower.served = Some(Box::new(served));
    }

    /// Leaves `addr`, one of the hosts on the link, to somebody else from now on; `false` if it is
    /// none of them, or was left before.
    pub fn leave(&mut self, addr: Ipv4Addr) -> bool {
        self.tower.ipv4.remove_host(addr);
        self.tower.arp.leave(addr)
    }

    /// Whom we are.
    pub fn served(&self) -> Option<&Served> {
        self.tower.served.as_deref()
    }

    /// How many addresses are ours, may yet become ours, are left alone, and are silent.
    pub fn census(&self) -> Census {
        let arp = &self.tower.arp;
        let (claimed, taken) = (arp.claiming(), arp.taken().count());
        let mut census = Census { ours: 0, claimed, left_alone: taken, silent: 0 };
        if let Some(Served { hosts, beyond, .. }) = self.served() {
            let far = beyond.as_ref().map(|beyond| &beyond.hosts);
            for hosts in far.into_iter().chain([hosts]) {
                census.ours += hosts.len();
                census.left_alone += hosts.left_alone();
                census.silent += hosts.silent();
            }
            census.ours = census.ours.saturating_sub(claimed + taken);
        }
        census
    }
}

/// How many addresses a [`Stack`] serves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Census {
    /// That are ours.
    pub ours: usize,
    /// That may yet become ours: they are being probed for.
    pub claimed: usize,
    /// That are somebody else's: were to be left alone, or turned out to be.
    pub left_alone: usize,
    /// That answer nothing.
    pub silent: usize,
}

impl Served {
    /// The frame as one of ours sees it, if it is for one of ours.
    pub(crate) fn recast<'f>(&self, frame: Frame<'f>) -> Frame<'f> {
        if frame.cast() == Cast::Other && self.hosts.owns(frame.dst()) {
            return frame.with_facts(Facts { cast: Cast::Host, ..frame.facts() });
        }
        frame
    }

    /// What is to become of a frame with a packet in it, where `arp` says who of the hosts on the
    /// link is there.
    pub(crate) fn judge(&self, frame: &Frame<'_>, arp: &Arp) -> Verdict {
        let Some(&[_, _, _, _, _, _, _, _, ttl, _, _, _, _, _, _, _, a, b, c, d]) =
            frame.payload().first_chunk::<20>()
        else {
            return Verdict::Deliver; // to be discarded for its length
        };
        if frame.cast() != Cast::Host {
            return Verdict::Deliver;
        }
        let dst = Ipv4Addr::new(a, b, c, d);
        let refused = self.refused.iter().find(|refused| refused.prefix.contains(dst));
        let refused = refused.and_then(|refused| Problem::unreachable(refused.code));
        if let Some(mac) = arp.mac(dst) {
            return match refused {
                _ if mac != frame.dst() => Verdict::Discard(Discard::Identity),
                Some(problem) => Verdict::Tell(problem, dst),
                None => Verdict::Deliver,
            };
        }
        if may_not_be_forwarded(dst) {
            return Verdict::Deliver; // to be discarded for its destination
        }
        let not_for_us = Verdict::Discard(Discard::Ipv4(ipv4::Discard::NotForUs));
        if refused.is_none() && self.beyond.is_none() {
            return not_for_us;
        }
        let Some(gateway) = self.gateway(frame, arp) else { return not_for_us };
        let Some(beyond) = &self.beyond else {
            return refused.map_or(not_for_us, |problem| Verdict::Tell(problem, gateway));
        };
        let depth = self.depth(dst);
        let absent = beyond.hosts.is_silent(dst) || beyond.hosts.is_left_alone(dst);
        if depth.is_none() && refused.is_none() && !absent {
            return Verdict::Tell(Problem::NetUnreachable, gateway);
        }
        let before = depth.unwrap_or(beyond.routers.len());
        if usize::from(ttl) <= before {
            let expired = beyond.routers[usize::from(ttl.max(1)) - 1];
            return Verdict::Tell(Problem::TimeExceeded, expired);
        }
        match (refused, depth) {
            (Some(problem), _) => Verdict::Tell(problem, beyond.routers[before - 1]),
            (None, Some(_)) => Verdict::Beyond(dst),
            (None, None) => not_for_us, // it is silent
        }
    }

    /// The routers before `addr`, one of us, in their order.
    pub(crate) fn way_to(&self, addr: Ipv4Addr) -> &[Ipv4Addr] {
        match &self.beyond {
            Some(beyond) => &beyond.routers[..self.depth(addr).unwrap_or(0)],
            None => &[],
        }
    }

    /// Which of us has to forward what is in a frame: the first router, or else the host that the
    /// frame is for.
    fn gateway(&self, frame: &Frame<'_>, arp: &Arp) -> Option<Ipv4Addr> {
        let is_at = |addr: &Ipv4Addr| arp.mac(*addr) == Some(frame.dst());
        if let Some(beyond) = &self.beyond {
            return beyond.routers.first().copied().filter(is_at);
        }
        let own = self.hosts.addr(frame.dst());
        let shared = || self.hosts.iter().map(|(addr, _)| addr).take(LOOKED_AT).find(is_at);
        own.filter(is_at).or_else(shared)
    }

    /// How many routers are before `addr`, which is one of us that is not on the link.
    fn depth(&self, addr: Ipv4Addr) -> Option<usize> {
        let beyond = self.beyond.as_ref()?;
        let router = beyond.routers.iter().skip(1).position(|router| *router == addr);
        match router {
            Some(n) => Some(n + 1),
            None => beyond.hosts.contains(addr).then_some(beyond.routers.len()),
        }
    }
}

/// Whether no router may forward what is for `dst`, nor tell of it: in 0/8, in 127/8, for a group,
/// reserved, or for everybody (RFC 1812 §4.2.2.11, §5.3.7; RFC 1122 §3.2.1.3).
pub(crate) fn may_not_be_forwarded(dst: Ipv4Addr) -> bool {
    matches!(dst.octets()[0], 0 | 127 | 224..)
}

/// What is to become of a packet.
pub(crate) enum Verdict {
    /// It is taken in, or discarded by the layer that knows why.
    Deliver,
    /// The same, once it has passed the routers before this address.
    Beyond(Ipv4Addr),
    /// It is silently discarded.
    Discard(Discard),
    /// Its sender is told, in the name of this address of ours.
    Tell(Problem, Ipv4Addr),
}

/// How many of the hosts that share a MAC address are tried for one to speak for all.
const LOOKED_AT: usize = 64;
