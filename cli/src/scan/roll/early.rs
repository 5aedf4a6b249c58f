use std::{net::Ipv4Addr, time::Instant};

use macaddr::MacAddr6;

use super::{Few, Host, Owner, Roll};
use crate::scan::host::{Arp, Echo};

/// What is heard by ARP of hosts beside what they were asked for.
impl Roll {
    /// `mac` and `other` both claim `addr` by ARP, of which the echo is still to come.
    pub(in crate::scan) fn awaited(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        mac: MacAddr6,
        other: MacAddr6,
    ) {
        let host = Host { echo: Echo::Awaited, ..two(at, mac, other) };
        self.open.insert(addr, Box::new(host));
    }

    /// `mac` and `other` both claim `addr` by ARP, which was taken for silent: it is told of anew.
    pub(in crate::scan) fn roused(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        (mac, other): (MacAddr6, MacAddr6),
        echo: Echo,
    ) {
        self.mute.remove(&addr);
        let was_gone = self.known.as_ref().is_some_and(|known| known.up.contains_key(&addr));
        self.figures.gone -= u64::from(was_gone);
        self.figures.probed -= 1; // it is counted when it is told of
        let due = at + self.linger;
        let host = Host { echo, due: Some(due), ..two(at, mac, other) };
        self.open.insert(addr, Box::new(host));
        self.settling.insert((due, addr));
    }

    /// Whether `addr` was taken for silent, and nothing was heard of it since.
    pub(in crate::scan) fn is_mute(&self, addr: Ipv4Addr) -> bool {
        self.mute.contains(&addr)
    }

    /// Whether nothing is known of `addr`, not even that it is silent.
    pub(in crate::scan) fn is_unheard(&mut self, addr: Ipv4Addr) -> bool {
        !self.is_open(addr)
            && !self.mute.contains(&addr)
            && self.mute.len() < MOST_MUTE
            && self.past.at(addr).is_none()
    }

    /// Takes note of `addr`, of which nobody has said why it does not answer.
    pub(super) fn note_mute(&mut self, addr: Ipv4Addr, echo: Echo) {
        if !matches!(echo, Echo::Error(_)) && self.mute.len() < MOST_MUTE {
            self.mute.insert(addr);
        }
    }
}

/// A host with two owners, neither of which was timed.
fn two(at: Instant, mac: MacAddr6, other: MacAddr6) -> Host {
    let owner = |mac| Owner { mac: Some(mac), arp: Arp::Answered(None), moved_from: None };
    let mut owners = Few::one(owner(mac));
    owners.push(owner(other));
    Host { owners, conflict: true, ..Host::new(at) }
}

/// Silent addresses that are remembered.
const MOST_MUTE: usize = 1 << 20;
