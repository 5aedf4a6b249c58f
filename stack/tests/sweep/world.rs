//! Us on one end of a wire, and on the other one station that is everybody else.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use link::{
    EtherType, MacAddr6, Wait,
    memory::{Fate, Network, Port, Transit},
};
use sidestack_stack as stack;
use stack::{
    Config as Host, Stack, Sweep, Targets, arp, link,
    sweep::{Config, Ended, Event},
};

use crate::far;

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) stack: Stack<Port>,
    pub(crate) far: Port,
    /// Whom nobody answers for, by ARP or by echo.
    pub(crate) is_silent: fn(EtherType, Ipv4Addr) -> bool,
    pub(crate) start: Instant,
    requests: Arc<Mutex<Vec<Request>>>,
    pub(crate) ended: Vec<Ended>,
    pub(crate) others: Vec<stack::Event>,
    /// The most probes that were ever under way at once.
    pub(crate) most: usize,
}

/// When, by ARP or as an echo, and to whom.
pub(crate) type Request = (Duration, EtherType, Ipv4Addr);

impl World {
    /// We are 10.0.0.1/8, and everybody else is on the link.
    pub(crate) fn new() -> Self {
        Self::with(Host::new("10.0.0.1/8".parse().unwrap()))
    }

    /// We are 192.168.0.1/24, and everybody else is behind a gateway.
    pub(crate) fn routed() -> Self {
        let host = Host::new("192.168.0.1/24".parse().unwrap());
        Self::with(Host { gateway: Some(GATEWAY), ..host })
    }

    /// As [`World::routed`], and the gateway is known, so that every request leaves at once.
    pub(crate) fn known() -> Self {
        let mut world = Self::routed();
        world.stack.pin(world.start, GATEWAY, FAR);
        world
    }

    fn with(host: Host) -> Self {
        let network = Network::new();
        let us = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 1)).without_sent();
        let far = network.attach(FAR).without_sent();
        let arp = arp::Config { capacity: 100_000, ..arp::Config::default() };
        let mut world = Self {
            stack: Stack::new(us, Host { arp, ..host }),
            far,
            is_silent: |_, _| false,
            start: network.now(),
            network,
            requests: Arc::default(),
            ended: Vec::new(),
            others: Vec::new(),
            most: 0,
        };
        world.set_fate(|_| Fate::arrives());
        world
    }

    /// Lets `fate` decide, every request being taken down.
    pub(crate) fn set_fate(&mut self, mut fate: impl FnMut(&Transit<'_>) -> Fate + Send + 'static) {
        let (requests, start) = (Arc::clone(&self.requests), self.start);
        let us = self.stack.link().id();
        self.network.set_fate(move |transit| {
            if transit.from == us {
                let request = (transit.at - start, transit.ether_type(), target(transit));
                requests.lock().unwrap().push(request);
            }
            fate(transit)
        });
    }

    pub(crate) fn sweep(&mut self, targets: &Targets, config: Config) -> Sweep {
        Sweep::new(self.network.now(), targets.clone(), config, &mut self.stack)
    }

    /// All of it; what has come of it is in [`World::ended`].
    pub(crate) fn run(&mut self, targets: &Targets, config: Config) {
        let mut sweep = self.sweep(targets, config);
        while !sweep.is_over() {
            self.step(&mut sweep);
        }
    }

    /// Lets happen what happens now, and jumps to what happens next.
    pub(crate) fn step(&mut self, sweep: &mut Sweep) {
        self.step_until(sweep, None);
    }

    /// As [`World::step`], but not beyond `limit`.
    pub(crate) fn step_until(&mut self, sweep: &mut Sweep, limit: Option<Instant>) {
        let now = self.network.now();
        far::answer(&mut self.far, now, &mut |kind, addr| !(self.is_silent)(kind, addr)).unwrap();
        while sweep.poll(now, &mut self.stack).unwrap() {}
        self.most = self.most.max(sweep.under_way());
        while let Some(event) = sweep.event() {
            match event {
                Event::Ended(ended) => self.ended.push(ended),
                Event::Other(event) => self.others.push(event),
            }
        }
        let deadline = sweep.deadline(&self.stack);
        assert!(deadline.is_none_or(|deadline| deadline > now), "a deadline in the past");
        let until = deadline.into_iter().chain(limit).min();
        self.stack.link_mut().wait(until, None).unwrap();
    }

    /// What we have sent.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// When each of our requests left.
    pub(crate) fn times(&self) -> Vec<Duration> {
        self.requests().into_iter().map(|(at, ..)| at).collect()
    }
}

/// Whom an IPv4 or ARP packet of ours is for.
pub(crate) fn target(transit: &Transit<'_>) -> Ipv4Addr {
    let at = if transit.ether_type() == EtherType::ARP { 38 } else { 30 };
    <[u8; 4]>::try_from(&transit.octets[at..at + 4]).unwrap().into()
}

/// So many addresses, from 10.1.0.0 on.
pub(crate) fn first(count: u32) -> Targets {
    let first = Ipv4Addr::new(10, 1, 0, 0);
    [first..=Ipv4Addr::from(u32::from(first) + count - 1)].into_iter().collect()
}

pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 254);

pub(crate) const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// A frame's way from one end to the other.
pub(crate) const HOP: Duration = link::memory::LATENCY;

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
