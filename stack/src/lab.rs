use std::{cmp::Reverse, collections::BinaryHeap, io, mem, net::Ipv4Addr, time::Instant};

use icmp::Ended;
use ipnetwork::Ipv4Network;
use link::{
    MacAddr6,
    memory::{Network, Port, PortId},
};

use crate::{config::Config, event::What, host::Stack, router::Router};

/// Networks in memory, the hosts and routers on them, and the only clock that any of them sees.
///
/// Nothing happens unless it is stepped; then only those are polled that a frame came in for, or
/// whose time has come, so that thousands of silent hosts cost nothing.
pub struct Lab {
    wires: Vec<Wire>,
    stations: Vec<Station>,
    /// When a station wants to be polled next; stale where `armed` says otherwise.
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    armed: Vec<Option<Instant>>,
    /// Who may have been given something to send since the last step.
    touched: Vec<usize>,
    now: Instant,
}

impl Lab {
    /// An empty laboratory.
    pub fn new() -> Self {
        let (now, timers) = (Network::new().now(), BinaryHeap::new());
        let (wires, stations, armed, touched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { wires, stations, timers, armed, touched, now }
    }

    /// Adds a network, without stations or faults.
    pub fn network(&mut self) -> NetworkId {
        self.wires.push(Wire { network: Network::at(self.now), stations: Vec::new() });
        NetworkId(self.wires.len() - 1)
    }

    /// Adds a host that answers at `address`, with a MAC address made of it.
    pub fn host(
        &mut self,
        wire: NetworkId,
        address: Ipv4Network,
        gateway: Option<Ipv4Addr>,
    ) -> HostId {
        let port = self.plug(wire, address.ip());
        self.host_at(wire, port, Config { gateway, ..Config::new(address) })
    }

    /// Adds a host on a port of the lab's network `wire`.
    pub fn host_at(&mut self, wire: NetworkId, port: Port, config: Config) -> HostId {
        let id = self.add(&[(wire, port.id())]);
        self.stations.push(Station::Host(Box::new(Stack::new(port, config))));
        HostId(id)
    }

    /// Adds a router with an address on each of two networks.
    pub fn router(&mut self, sides: [(NetworkId, Ipv4Network); 2]) -> RouterId {
        let ports = sides.map(|(wire, network)| (self.plug(wire, network.ip()), network));
        let id = self.add(&[(sides[0].0, ports[0].0.id()), (sides[1].0, ports[1].0.id())]);
        self.stations.push(Station::Router(Box::new(Router::new(ports))));
        RouterId(id)
    }

    /// A port for a station at `addr`, whose MAC address is made of it; its owner decides what
    /// becomes of it.
    pub fn plug(&self, wire: NetworkId, addr: Ipv4Addr) -> Port {
        let [a, b, c, d] = addr.octets();
        self.wire(wire).attach(MacAddr6::new(2, 0, a, b, c, d))
    }

    /// A host, to send from: the next step begins with what it was given to do.
    pub fn stack(&mut self, host: HostId) -> &mut Stack<Port> {
        if self.touched.last() != Some(&host.0) {
            self.touched.push(host.0);
        }
        self.host_mut(host)
    }

    /// A router, to give it routes.
    pub fn routes(&mut self, router: RouterId) -> &mut Router<Port> {
        match &mut self.stations[router.0] {
            Station::Router(router) => router,
            Station::Host(_) => unreachable!("a RouterId is only ever given for a router"),
        }
    }

    /// Jumps to the next thing that will happen, or to `limit` if that is sooner, and lets it
    /// happen; `false` if nothing will.
    ///
    /// # Errors
    /// Never on networks in memory, unless a fault is injected.
    pub fn step(&mut self, limit: Option<Instant>) -> io::Result<bool> {
        for station in mem::take(&mut self.touched) {
            self.poll(station)?;
        }
        let Some(next) = self.next().into_iter().chain(limit).min() else { return Ok(false) };
        self.now = self.now.max(next);
        for wire in &self.wires {
            wire.network.advance_to(self.now);
        }
        for wire in 0..self.wires.len() {
            while let Some(port) = self.wires[wire].network.woken() {
                if let Some(station) = self.wires[wire].station(port) {
                    self.poll(station)?;
                }
            }
        }
        while let Some(&Reverse((at, station))) = self.timers.peek()
            && at <= self.now
        {
            self.timers.pop();
            if self.armed[station] == Some(at) {
                self.armed[station] = None;
                self.poll(station)?;
            }
        }
        Ok(true)
    }

    /// Steps until an echo of `host` has ended; `None` if nothing will ever happen.
    ///
    /// # Errors
    /// As [`Lab::step`].
    pub fn run_until_ended(&mut self, host: HostId) -> io::Result<Option<Ended>> {
        loop {
            while let Some(event) = self.host_mut(host).event() {
                if let What::Icmp(icmp::Event::Ended(ended)) = event.what {
                    return Ok(Some(ended));
                }
            }
            if !self.step(None)? {
                return Ok(None);
            }
        }
    }

    /// The wire itself, to set faults on.
    pub fn wire(&self, wire: NetworkId) -> &Network {
        &self.wires[wire.0].network
    }

    /// The time, everywhere.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// When the next thing will happen.
    fn next(&self) -> Option<Instant> {
        let arrivals = self.wires.iter().filter_map(|wire| wire.network.next_arrival());
        arrivals.chain(self.timers.peek().map(|Reverse((at, _))| *at)).min()
    }

    fn host_mut(&mut self, host: HostId) -> &mut Stack<Port> {
        match &mut self.stations[host.0] {
            Station::Host(stack) => stack,
            Station::Router(_) => unreachable!("a HostId is only ever given for a host"),
        }
    }

    fn poll(&mut self, station: usize) -> io::Result<()> {
        let deadline = match &mut self.stations[station] {
            Station::Host(stack) => {
                while stack.poll(self.now)? {}
                stack.deadline()
            }
            Station::Router(router) => {
                while router.poll(self.now)? {}
                router.deadline()
            }
        };
        if let Some(at) = deadline {
            self.arm(station, at);
        }
        Ok(())
    }

    fn arm(&mut self, station: usize, at: Instant) {
        if self.armed[station].is_none_or(|armed| at < armed) {
            self.armed[station] = Some(at);
            self.timers.push(Reverse((at, station)));
        }
    }

    fn add(&mut self, ports: &[(NetworkId, PortId)]) -> usize {
        let id = self.stations.len();
        for (wire, port) in ports {
            self.wires[wire.0].plug(*port, id);
        }
        self.armed.push(None);
        id
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

/// Which network of a [`Lab`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NetworkId(usize);

/// Which host of a [`Lab`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HostId(usize);

/// Which router of a [`Lab`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RouterId(usize);

/// A network, and which station is behind each of its ports, by the port's number.
struct Wire {
    network: Network,
    stations: Vec<Option<usize>>,
}

impl Wire {
    fn plug(&mut self, port: PortId, station: usize) {
        let room = self.stations.len().max(port.number() + 1);
        self.stations.resize(room, None);
        self.stations[port.number()] = Some(station);
    }

    fn station(&self, port: PortId) -> Option<usize> {
        self.stations.get(port.number()).copied().flatten()
    }
}

enum Station {
    Host(Box<Stack<Port>>),
    Router(Box<Router<Port>>),
}
