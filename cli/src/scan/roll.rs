mod early;
mod past;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;

use super::{
    earlier::Earlier,
    few::Few,
    figures::Figures,
    host::{Arp, Change, Echo, Row, State},
};
use past::Past;

/// Who has answered, and what there is still to be waited for before a host is told of.
pub(super) struct Roll {
    /// Each in a place of its own: what is moved when there are more is not they.
    open: HashMap<Ipv4Addr, Box<Host>>,
    /// When all that can be waited for of an open host has come.
    settling: BTreeSet<(Instant, Ipv4Addr)>,
    past: Past,
    /// Those who answered nothing.
    mute: HashSet<Ipv4Addr>,
    /// Each station's first address, and how many it has.
    stations: HashMap<MacAddr6, (Ipv4Addr, u64)>,
    known: Option<Earlier>,
    /// How long after its first answer another owner of an address may still speak up.
    linger: Duration,
    pub(super) figures: Figures,
}

/// A host that has answered, and that nothing was told of yet.
struct Host {
    owners: Few<Owner>,
    via: Option<Ipv4Addr>,
    echo: Echo,
    /// Who sent the echo reply.
    echo_mac: Option<MacAddr6>,
    conflict: bool,
    /// When it first answered.
    answered: Instant,
    /// When it can be told of, if that is known.
    due: Option<Instant>,
}

struct Owner {
    mac: Option<MacAddr6>,
    arp: Arp,
    moved_from: Option<MacAddr6>,
}

impl Roll {
    /// Against what an earlier scan saw, if there is one, for somebody who waits that long for an
    /// answer.
    pub(super) fn new(known: Option<Earlier>, wait: Duration) -> Self {
        Self {
            open: HashMap::new(),
            settling: BTreeSet::new(),
            past: Past::default(),
            mute: HashSet::new(),
            stations: HashMap::new(),
            known,
            linger: wait.min(LINGER),
            figures: Figures::default(),
        }
    }

    /// `addr` has said by ARP where it is; an echo is to follow, unless it `is_all`.
    pub(super) fn located(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        mac: MacAddr6,
        time: Option<Duration>,
        is_all: bool,
    ) {
        let owner = Owner { mac: Some(mac), arp: Arp::Answered(time), moved_from: None };
        let echo = if is_all { Echo::NotAsked } else { Echo::Awaited };
        let due = is_all.then(|| at + self.linger);
        let host = Host { owners: Few::one(owner), echo, due, ..Host::new(at) };
        self.open.insert(addr, Box::new(host));
        self.settling.extend(due.map(|due| (due, addr)));
    }

    /// The echo to `addr` has ended; says whether it is one that has answered at all.
    pub(super) fn echoed(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        echo: Echo,
        from_mac: Option<MacAddr6>,
        via: Option<Ipv4Addr>,
    ) -> bool {
        let has_answered = matches!(echo, Echo::Answered { .. });
        if !has_answered && !self.open.contains_key(&addr) {
            return false;
        }
        let host = self.open.entry(addr).or_insert_with(|| Box::new(Host::new(at)));
        (host.echo, host.via) = (echo, via);
        host.echo_mac = from_mac.filter(|_| has_answered && via.is_none());
        if host.owners.first().is_none() {
            let mac = host.echo_mac;
            host.owners.push(Owner { mac, arp: Arp::NotAsked, moved_from: None });
        } else if let Some(mac) = host.echo_mac {
            host.conflict |= host.add(mac, Arp::NotAsked);
        }
        let due = at.max(host.answered + self.linger);
        host.due = Some(due);
        self.settling.insert((due, addr));
        true
    }

    /// Somebody else claims `addr` by ARP, too; the row of a host that was told of without him.
    pub(super) fn contested(&mut self, at: Instant, addr: Ipv4Addr, mac: MacAddr6) -> Option<Row> {
        let mut arp = Arp::Answered(None);
        if let Some(host) = self.open.get(&addr)
            && let Some(Arp::Answered(Some(time))) = host.owners.first().map(|owner| owner.arp)
        {
            let later = at.saturating_duration_since(host.answered);
            arp = Arp::Answered(Some(time + later));
        }
        self.claimed(addr, mac, arp)
    }

    fn claimed(&mut self, addr: Ipv4Addr, mac: MacAddr6, arp: Arp) -> Option<Row> {
        if let Some(host) = self.open.get_mut(&addr) {
            host.add(mac, arp);
            host.conflict = true;
            return None;
        }
        let told = self.past.at(addr)?;
        if told.macs.contains(&mac) || told.macs.len() >= MOST_OWNERS {
            return None;
        }
        told.macs.push(mac);
        self.figures.owners += 1;
        self.figures.conflicts += u64::from(!told.conflict);
        told.conflict = true;
        let row = Row { owners: told.macs.len(), ..Row::of(addr, State::Up) };
        Some(Row { mac: Some(mac), arp, conflict: true, ..row })
    }

    /// `mac` has answered an echo to `addr`, though another had answered it already.
    pub(super) fn answered_too(&mut self, addr: Ipv4Addr, mac: MacAddr6) -> Option<Row> {
        let is_known = match self.open.get(&addr) {
            Some(host) => host.owners.iter().any(|owner| owner.mac == Some(mac)),
            None => self.past.at(addr).is_none_or(|told| told.macs.contains(&mac)),
        };
        if is_known { None } else { self.claimed(addr, mac, Arp::NotAsked) }
    }

    /// `addr` has moved; to where it has been before, it is contested.
    pub(super) fn moved(&mut self, addr: Ipv4Addr, old: MacAddr6, new: MacAddr6) -> Option<Row> {
        if let Some(host) = self.open.get_mut(&addr) {
            host.conflict |= !host.add(new, Arp::Answered(None));
            if let Some(owner) = host.owners.iter_mut().find(|owner| owner.mac == Some(new)) {
                owner.moved_from = Some(old);
            }
            return None;
        }
        let told = self.past.at(addr)?;
        let returns = told.macs.contains(&new);
        if !returns && told.macs.len() < MOST_OWNERS {
            told.macs.push(new);
            self.figures.owners += 1;
        }
        if returns {
            if told.conflict {
                return None;
            }
            told.conflict = true;
            self.figures.conflicts += 1;
        }
        let row =
            Row { owners: told.macs.len(), conflict: told.conflict, ..Row::of(addr, State::Up) };
        Some(Row { mac: Some(new), arp: Arp::Answered(None), moved_from: Some(old), ..row })
    }

    /// Nobody answers at `addr`.
    pub(super) fn silent(&mut self, addr: Ipv4Addr, arp: Arp, echo: Echo) -> Row {
        self.figures.probed += 1;
        self.note_mute(addr, echo);
        let before = self.known.as_ref().and_then(|known| known.up.get(&addr));
        let row = Row { arp, echo, ..Row::of(addr, State::Silent) };
        let Some(macs) = before else { return row };
        self.figures.gone += 1;
        let mac = macs.first().copied();
        Row { state: State::Gone, mac, change: Some(Change::Gone), ..row }
    }

    /// The next host that nothing is to be waited for any more.
    pub(super) fn settled(&self, now: Instant) -> Option<(Instant, Ipv4Addr)> {
        self.settling.first().copied().filter(|(due, _)| *due <= now)
    }

    /// Hosts that only others may still have something to say of.
    pub(super) fn settling(&self) -> u64 {
        self.settling.len() as u64
    }

    /// When there will be such a host.
    pub(super) fn due(&self) -> Option<Instant> {
        self.settling.first().map(|(due, _)| *due)
    }

    /// Whether `addr` has answered, and nothing was told of it yet.
    pub(super) fn is_open(&self, addr: Ipv4Addr) -> bool {
        self.open.contains_key(&addr)
    }

    /// Those that nothing was told of yet.
    pub(super) fn untold(&self) -> Vec<Ipv4Addr> {
        let mut untold: Vec<Ipv4Addr> = self.open.keys().copied().collect();
        untold.sort_unstable();
        untold
    }

    /// When `addr` answered, and what there is to tell of it, a row for each owner; from now on it
    /// counts as told.
    pub(super) fn tell(
        &mut self,
        addr: Ipv4Addr,
        name: Option<&str>,
    ) -> Option<(Instant, Vec<Row>)> {
        let host = self.open.remove(&addr)?;
        if let Some(due) = host.due {
            self.settling.remove(&(due, addr));
        }
        let (echo, interrupted) = (host.echo, host.echo == Echo::Awaited);
        let believed = host.echo_mac.or_else(|| host.owners.first().and_then(|owner| owner.mac));
        let (owners, conflict) = (host.owners.len(), host.conflict);
        let mut rows = Vec::new();
        for owner in host.owners.iter() {
            rows.push(Row {
                mac: owner.mac,
                via: host.via,
                name: name.map(str::to_owned),
                arp: owner.arp,
                echo: if owner.mac == believed { echo } else { Echo::NotAsked },
                owners,
                conflict,
                moved_from: owner.moved_from,
                same_mac: self.station(owner.mac, addr),
                change: self.change(addr, owner.mac),
                interrupted,
                ..Row::of(addr, State::Up)
            });
        }
        self.count(&rows);
        self.past.add(addr, conflict, host.owners.iter().filter_map(|owner| owner.mac));
        Some((host.answered, rows))
    }

    /// Stations with several addresses, and how many each has.
    pub(super) fn stations(&self) -> BTreeMap<MacAddr6, u64> {
        let several = self.stations.iter().filter(|(_, (_, count))| *count > 1);
        several.map(|(mac, (_, count))| (*mac, *count)).collect()
    }

    fn station(&mut self, mac: Option<MacAddr6>, addr: Ipv4Addr) -> Option<Ipv4Addr> {
        let mac = mac
            .filter(|mac| self.stations.len() < MOST_STATIONS || self.stations.contains_key(mac))?;
        let (first, count) = self.stations.entry(mac).or_insert((addr, 0));
        *count += 1;
        Some(*first).filter(|first| *first != addr)
    }

    fn change(&self, addr: Ipv4Addr, mac: Option<MacAddr6>) -> Option<Change> {
        let known = self.known.as_ref()?;
        Some(match (known.up.get(&addr), mac) {
            (None, _) => Change::New,
            (Some(macs), Some(mac)) if !macs.is_empty() && !macs.contains(&mac) => {
                Change::Changed(macs[0])
            }
            _ => Change::Same,
        })
    }

    fn count(&mut self, rows: &[Row]) {
        let Some(first) = rows.first() else { return };
        let figures = &mut self.figures;
        let any = |is: fn(&Row) -> bool| u64::from(rows.iter().any(is));
        figures.probed += u64::from(!first.interrupted);
        figures.up += 1;
        figures.owners += rows.len() as u64;
        figures.conflicts += u64::from(first.conflict);
        let mute = matches!(first.arp, Arp::Answered(_))
            && rows.iter().any(|row| matches!(row.echo, Echo::Silent | Echo::Error(_)));
        figures.arp_only += u64::from(mute);
        figures.new += any(|row| row.change == Some(Change::New));
        figures.changed += any(|row| matches!(row.change, Some(Change::Changed(_))));
    }
}

impl Host {
    fn new(answered: Instant) -> Self {
        Self {
            owners: Few::default(),
            via: None,
            echo: Echo::NotAsked,
            echo_mac: None,
            conflict: false,
            answered,
            due: None,
        }
    }

    /// Says whether it is another owner than those that were known; if so, there are several.
    fn add(&mut self, mac: MacAddr6, arp: Arp) -> bool {
        if self.owners.iter().any(|owner| owner.mac == Some(mac)) {
            return false;
        }
        if self.owners.len() < MOST_OWNERS {
            self.owners.push(Owner { mac: Some(mac), arp, moved_from: None });
        }
        true
    }
}

/// As long as a host is not told of merely because another owner of it may still speak up.
const LINGER: Duration = Duration::from_millis(200);

/// Of one address, that are told apart.
const MOST_OWNERS: usize = 16;

/// Stations that are remembered.
const MOST_STATIONS: usize = 1 << 20;
