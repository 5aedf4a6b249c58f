use std::{net::Ipv4Addr, time::Instant};

use macaddr::MacAddr6;

use super::{Few, Host, Owner, Roll};
use crate::scan::host::{Arp, Echo};

/// What is heard by ARP of hosts that are only asked for an echo.
impl Roll {
    /// `mac` and `other` both claim `addr` by ARP, of which the echo is still to come.
    pub(in crate::scan) fn awaited(
        &mut self,
        at: Instant,
        addr: Ipv4Addr,
        mac: MacAddr6,
        other: MacAddr6,
    ) {
        let owner = |mac| Owner { mac: Some(mac), arp: Arp::Answered(None), moved_from: None };
        let mut owners = Few::one(owner(mac));
        owners.push(owner(other));
        let host = Host { owners, echo: Echo::Awaited, conflict: true, ..Host::new(at) };
        self.open.insert(addr, Box::new(host));
    }

    /// Whether nothing is known of `addr`, not even that it is silent.
    pub(in crate::scan) fn is_unheard(&mut self, addr: Ipv4Addr) -> bool {
        !self.is_open(addr)
            && !self.mute.contains(&addr)
            && self.mute.len() < MOST_MUTE
            && self.past.at(addr).is_none()
    }

    /// Takes note of an echo to `addr` that nobody answers.
    pub(super) fn note_mute(&mut self, addr: Ipv4Addr, echo: Echo) {
        if echo == Echo::Silent && self.mute.len() < MOST_MUTE {
            self.mute.insert(addr);
        }
    }
}

/// Silent addresses that are remembered.
const MOST_MUTE: usize = 1 << 20;
