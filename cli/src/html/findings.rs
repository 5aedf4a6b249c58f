use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use hdrhistogram::Histogram;
use macaddr::MacAddr6;

use super::state::State;
use crate::{
    record::{Time, nanoseconds},
    vendor::vendor,
};

/// What a command has found, of at most [`MOST_HOSTS`] addresses; what is told of more is only
/// counted.
pub(crate) struct Findings {
    /// What was done, in a word or two.
    pub(crate) title: String,
    pub(crate) command: String,
    pub(crate) interface: String,
    /// Who asked.
    pub(crate) from: Ipv4Addr,
    pub(crate) began: Time,
    pub(crate) ended: Time,
    /// Whether it was cut short.
    pub(crate) interrupted: bool,
    /// Addresses that were to be asked.
    pub(crate) targets: u64,
    /// Frames that were not taken from the link in time.
    pub(crate) dropped: u64,
    pub(super) hosts: BTreeMap<Ipv4Addr, Host>,
    pub(super) echo: Distribution,
    pub(super) arp: Distribution,
}

impl Findings {
    pub(crate) fn new(title: &str, interface: &str, from: Ipv4Addr, began: Time) -> Self {
        Self {
            title: title.into(),
            command: super::command_line(),
            interface: interface.into(),
            from,
            began,
            ended: began,
            interrupted: false,
            targets: 0,
            dropped: 0,
            hosts: BTreeMap::new(),
            echo: Distribution::new(),
            arp: Distribution::new(),
        }
    }

    /// `addr` has answered an echo request.
    pub(crate) fn answered(&mut self, addr: Ipv4Addr, round_trip: Duration, ttl: u8) {
        self.echo.push(round_trip);
        let Some(host) = self.host(addr) else { return };
        host.asked += 1;
        host.answered += 1;
        host.ttl = Some(ttl);
        host.sum = host.sum.saturating_add(round_trip);
    }

    /// An echo request to `addr` came to nothing.
    pub(crate) fn unanswered(&mut self, addr: Ipv4Addr) {
        if let Some(host) = self.host(addr) {
            host.asked += 1;
        }
    }

    /// `addr` said by ARP where it is. `round_trip` is `None` if it was not asked, or known.
    pub(crate) fn at(&mut self, addr: Ipv4Addr, owner: Owner, round_trip: Option<Duration>) {
        if let Some(round_trip) = round_trip {
            self.arp.push(round_trip);
        }
        let Some(host) = self.host(addr) else { return };
        host.arp = round_trip.or(host.arp);
        if !host.owners.iter().any(|known| known.mac == owner.mac) && host.owners.len() < OWNERS {
            host.owners.push(owner);
        }
    }

    /// `mac` is no more where `addr` is.
    pub(crate) fn left(&mut self, addr: Ipv4Addr, mac: MacAddr6) {
        if let Some(host) = self.hosts.get_mut(&addr) {
            host.owners.retain(|owner| owner.mac != mac);
        }
    }

    /// `addr` was asked, and nothing is known of it so far.
    pub(crate) fn silent(&mut self, addr: Ipv4Addr) {
        let _ = self.host(addr); // to be there is all
    }

    /// Whether `mac` is known to be at `addr`.
    pub(crate) fn knows(&self, addr: Ipv4Addr, mac: MacAddr6) -> bool {
        let host = self.hosts.get(&addr);
        host.is_some_and(|host| host.owners.iter().any(|owner| owner.mac == mac))
    }

    /// What is known of `addr` besides, unless several stations claim it.
    pub(crate) fn mark(&mut self, addr: Ipv4Addr, state: State) {
        if let Some(host) = self.host(addr) {
            host.marked = Some(state);
        }
    }

    /// How many addresses are in each state, where there are any.
    pub(super) fn census(&self) -> BTreeMap<State, u64> {
        let mut census = BTreeMap::new();
        for host in self.hosts.values() {
            *census.entry(host.state()).or_default() += 1;
        }
        census
    }

    /// Requests, and those answered.
    pub(super) fn requests(&self) -> (u64, u64) {
        let add = |(asked, answered), host: &Host| (asked + host.asked, answered + host.answered);
        self.hosts.values().fold((0, 0), add)
    }

    fn host(&mut self, addr: Ipv4Addr) -> Option<&mut Host> {
        let has_room = self.hosts.len() < MOST_HOSTS || self.hosts.contains_key(&addr);
        has_room.then(|| self.hosts.entry(addr).or_default())
    }
}

/// Who is at an address.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) mac: MacAddr6,
    /// Who made it, if that is known.
    pub(crate) vendor: Option<&'static str>,
}

impl Owner {
    /// Whose MAC address this is, as far as it tells.
    pub(crate) fn of(mac: MacAddr6) -> Self {
        Self { mac, vendor: vendor(mac) }
    }
}

/// What was found at one address.
#[derive(Default)]
pub(super) struct Host {
    /// The first is the one that is believed.
    pub(super) owners: Vec<Owner>,
    pub(super) arp: Option<Duration>,
    /// Echo requests, and those answered.
    pub(super) asked: u64,
    pub(super) answered: u64,
    sum: Duration,
    pub(super) ttl: Option<u8>,
    marked: Option<State>,
}

impl Host {
    pub(super) fn state(&self) -> State {
        let is_known = !self.owners.is_empty();
        match self.marked {
            _ if self.owners.len() > 1 => State::Conflict,
            Some(State::Unreachable) if self.answered > 0 => State::Alive, // at another time
            Some(state) => state,
            None if self.answered > 0 || (is_known && self.asked == 0) => State::Alive,
            None if is_known => State::ArpOnly,
            None => State::Silent,
        }
    }

    /// The mean round trip.
    pub(super) fn echo(&self) -> Option<Duration> {
        let nanos = self.sum.as_nanos().checked_div(u128::from(self.answered))?;
        Some(Duration::from_nanos(nanos.try_into().unwrap_or(u64::MAX)))
    }

    /// Percent of the echo requests that nothing came back for; `None` if there were none.
    pub(super) fn loss(&self) -> Option<f64> {
        let lost = self.asked - self.answered;
        (self.asked > 0).then(|| lost as f64 * 100.0 / self.asked as f64)
    }
}

/// Times, in nanoseconds, to three digits; the extremes exactly.
pub(super) struct Distribution {
    times: Histogram<u64>,
    extremes: Option<(u64, u64)>,
}

impl Distribution {
    fn new() -> Self {
        let times = Histogram::new(3).expect("three significant digits are allowed");
        Self { times, extremes: None }
    }

    fn push(&mut self, time: Duration) {
        let nanos = nanoseconds(time).max(1);
        if self.times.record(nanos).is_ok() {
            let (min, max) = self.extremes.unwrap_or((nanos, nanos));
            self.extremes = Some((min.min(nanos), max.max(nanos)));
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.times.len()
    }

    /// The shortest and the longest.
    pub(super) fn extremes(&self) -> Option<(u64, u64)> {
        self.extremes
    }

    /// The time that this part of them, of 1, does not exceed.
    pub(super) fn quantile(&self, part: f64) -> Option<u64> {
        let (min, max) = self.extremes?;
        Some(self.times.value_at_quantile(part).clamp(min, max))
    }

    /// Each time that occurs, and how often.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (min, max) = self.extremes.unwrap_or_default();
        self.times.iter_recorded().map(move |step| {
            let nanos = self.times.median_equivalent(step.value_iterated_to());
            (nanos.clamp(min, max), step.count_at_value())
        })
    }
}

/// Addresses that a page tells of at most: a /16.
pub(crate) const MOST_HOSTS: usize = 1 << 16;

/// Owners of one address that are told apart at most.
const OWNERS: usize = 8;
