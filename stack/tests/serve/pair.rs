//! A host that asks, and a stack that is many hosts, on one wire.

use std::{net::Ipv4Addr, time::Instant};

use sidestack_stack as stack;
use stack::{
    Config, Event, Hosts, Impaired, Impairment, Served, Stack, What,
    arp::{self, Macs},
    icmp::{self, Echo, Outcome},
    ipv4,
    link::{
        MacAddr6,
        memory::{Network, Port},
    },
};

pub(crate) struct Pair {
    pub(crate) network: Network,
    pub(crate) client: Stack<Port>,
    pub(crate) server: Stack<Impaired<Port>>,
    pub(crate) told: Vec<Event>,
}

impl Pair {
    /// A client at 10.0.0.1/16, with its gateway at 10.0.0.254, and `served`.
    pub(crate) fn new(served: Served, probe: bool, impairments: &[Impairment]) -> Self {
        let network = Network::new();
        let [port, far] = [CLIENT, SERVER].map(|mac| network.attach(mac).without_sent());
        let gateway = Some(Ipv4Addr::new(10, 0, 0, 254));
        let config = Config { gateway, ..Config::new("10.0.0.1/16".parse().unwrap()) };
        let client = Stack::new(port, config);
        let far = Impaired::new(network.now(), far, impairments, 7);
        let mut server = Stack::new(far, Config::new("0.0.0.0/32".parse().unwrap()));
        server.add_route("10.0.0.0/16".parse().unwrap(), ipv4::Hop::Connected);
        server.serve(network.now(), served, probe);
        Self { network, client, server, told: Vec::new() }
    }

    /// Lets both live until `done` says what it was waiting for, or until `end`.
    pub(crate) fn live<T>(
        &mut self,
        end: Instant,
        mut done: impl FnMut(&Event) -> Option<T>,
    ) -> Option<T> {
        loop {
            let now = self.network.now();
            while self.client.poll(now).unwrap() {}
            while self.server.poll(now).unwrap() {}
            self.told.extend(std::iter::from_fn(|| self.server.event()));
            while let Some(event) = self.client.event() {
                if let Some(found) = done(&event) {
                    return Some(found);
                }
            }
            if now >= end {
                return None;
            }
            let due = [
                self.network.next_arrival(),
                self.client.deadline(),
                self.server.deadline(),
                self.server.link().deadline(),
            ];
            self.network.advance_to(due.into_iter().flatten().fold(end, Instant::min));
        }
    }

    /// What comes of one echo.
    pub(crate) fn ask(&mut self, echo: &Echo<'_>) -> Outcome {
        let now = self.network.now();
        self.client.echo(now, echo).unwrap();
        let ended = self.live(now + 10 * echo.timeout, |event| match &event.what {
            What::Icmp(icmp::Event::Ended(ended)) => Some(ended.outcome),
            _ => None,
        });
        ended.expect("every echo ends")
    }

    /// The addresses that have become ours, and those that were left to others, in the order in
    /// which it was told.
    pub(crate) fn claimed(&self) -> (Vec<Ipv4Addr>, Vec<Ipv4Addr>) {
        let (mut ours, mut taken) = (Vec::new(), Vec::new());
        for event in &self.told {
            match event.what {
                What::Arp(arp::Event::Free { addr }) => ours.push(addr),
                What::Arp(arp::Event::Taken { addr, .. } | arp::Event::Lost { addr, .. }) => {
                    taken.push(addr)
                }
                _ => {}
            }
        }
        (ours, taken)
    }
}

/// The hosts from 10.0.0.`first` to 10.0.0.`last`, nobody beyond, nothing refused.
pub(crate) fn hosts(macs: Macs, first: u8, last: u8) -> Served {
    let hosts = Hosts::new(macs, [host(first)..=host(last)]);
    Served { hosts, kept: Vec::new(), beyond: None, refused: Vec::new() }
}

pub(crate) const fn host(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, n)
}

/// Each with a MAC address of its own.
pub(crate) const EACH: Macs = Macs::Each([2, 0]);

pub(crate) const CLIENT: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
pub(crate) const SERVER: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);
