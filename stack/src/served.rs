use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::Operation;
use icmp::Problem;
use ipnetwork::Ipv4Network;
use ipv4::Cast;
use link::{Facts, Frame, FrameIo};

use crate::{
    counters::Discard,
    event::Event,
    host::Stack,
    hosts::Hosts,
    survey::{self, Survey},
    tower::Tower,
};

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
    /// has turned out to use it (RFC 5227 §2.1), and announced then; each that is ours comes out of
    /// [`Stack::event`] as [`arp::Event::Free`], each that is left to somebody else as
    /// [`arp::Event::Taken`].
    pub fn serve(&mut self, now: Instant, served: Served, probe: bool) {
        self.survey = probe.then(|| Survey::new(now, served.hosts.clone()));
        if !probe {
            served.hosts.claim_all();
        }
        if let Some(beyond) = &served.beyond {
            beyond.hosts.claim_all();
        }
        self.tower.arp.own(served.hosts.clone());
        let all = served.clone();
        self.tower.ipv4.own(move |addr| all.hosts.is_ours(addr) || all.depth(addr).is_some());
        self.served = Some(served);
    }

    /// Whom we are.
    pub fn served(&self) -> Option<&Served> {
        self.served.as_ref()
    }

    /// Whether there are addresses that may yet become ours.
    pub fn is_claiming(&self) -> bool {
        self.survey.as_ref().is_some_and(Survey::is_claiming)
    }

    /// How long it takes to claim so many addresses.
    pub fn time_to_claim(len: usize) -> Duration {
        survey::duration(len)
    }

    /// Takes the steps that are due to make the hosts ours.
    pub(crate) fn go_on_claiming(&mut self, now: Instant) {
        let Self { survey, link, tower: Tower { events, .. }, .. } = self;
        if let Some(claiming) = survey {
            claiming.poll(now, link, |addr| {
                events.push_back(Event::of_arp(now, arp::Event::Free { addr }));
            });
        }
        self.survey = self.survey.take_if(|survey| !survey.is_over());
    }
}

impl Served {
    /// The frame as one of ours sees it, if it is for one of ours.
    pub(crate) fn recast<'f>(&self, frame: Frame<'f>) -> Frame<'f> {
        if frame.cast() == Cast::Other && self.hosts.owns(frame.dst()) {
            return frame.with_facts(Facts { cast: Cast::Host, ..frame.facts() });
        }
        frame
    }

    /// Leaves an address to whoever says in an ARP packet that he has it, or is about to.
    pub(crate) fn give_way(&self, frame: &Frame<'_>) -> Option<arp::Event> {
        let packet = arp::View::parse(frame.payload()).ok()?;
        let mac = packet.sender_mac;
        if frame.cast() == Cast::Other || mac.is_nil() || mac.is_multicast() || self.hosts.owns(mac)
        {
            return None;
        }
        let probes = packet.sender.is_unspecified() && packet.operation == Operation::REQUEST;
        let addr = if probes { packet.target } else { packet.sender };
        let stays = self.hosts.is_ours(addr) && (probes || self.kept.contains(&addr));
        (!stays && self.hosts.bar(addr)).then_some(arp::Event::Taken { addr, mac })
    }

    /// What is to become of a frame with a packet in it.
    pub(crate) fn judge(&self, frame: &Frame<'_>) -> Verdict {
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
        if self.hosts.is_ours(dst) {
            return match refused {
                _ if self.hosts.mac_of(dst) != frame.dst() => Verdict::Discard(Discard::Identity),
                Some(problem) => Verdict::Tell(problem, dst),
                None => Verdict::Deliver,
            };
        }
        let not_for_us = Verdict::Discard(Discard::Ipv4(ipv4::Discard::NotForUs));
        let Some(gateway) = self.gateway(frame) else { return not_for_us };
        let Some(beyond) = &self.beyond else {
            return refused.map_or(not_for_us, |problem| Verdict::Tell(problem, gateway));
        };
        let depth = self.depth(dst);
        if depth.is_none() && refused.is_none() && !beyond.hosts.is_listed(dst) {
            return Verdict::Tell(Problem::NetUnreachable, gateway);
        }
        let before = depth.unwrap_or(beyond.routers.len());
        if usize::from(ttl) <= before {
            let expired = beyond.routers[usize::from(ttl.max(1)) - 1];
            return Verdict::Tell(Problem::TimeExceeded, expired);
        }
        match (refused, depth) {
            (Some(problem), _) => Verdict::Tell(problem, beyond.routers[before - 1]),
            (None, Some(_)) => Verdict::Deliver,
            (None, None) => not_for_us, // it is silent
        }
    }

    /// Which of us has to forward what is in a frame.
    fn gateway(&self, frame: &Frame<'_>) -> Option<Ipv4Addr> {
        let first = match &self.beyond {
            Some(beyond) => beyond.routers.first().copied(),
            None => self.hosts.iter().find(|addr| self.hosts.is_ours(*addr)),
        };
        first.filter(|addr| self.hosts.is_ours(*addr) && self.hosts.mac_of(*addr) == frame.dst())
    }

    /// How many routers are before `addr`, which is one of us that is not on the link.
    fn depth(&self, addr: Ipv4Addr) -> Option<usize> {
        let beyond = self.beyond.as_ref()?;
        let router = beyond.routers.iter().skip(1).position(|router| *router == addr);
        match router {
            Some(n) => Some(n + 1),
            None => beyond.hosts.is_ours(addr).then_some(beyond.routers.len()),
        }
    }
}

/// What is to become of a packet.
pub(crate) enum Verdict {
    /// It is taken in, or discarded by the layer that knows why.
    Deliver,
    /// It is silently discarded.
    Discard(Discard),
    /// Its sender is told, in the name of this address of ours.
    Tell(Problem, Ipv4Addr),
}
