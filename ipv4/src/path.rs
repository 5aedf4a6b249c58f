use std::{
    collections::HashMap,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

/// What is known of the paths to destinations: how long a packet they take (RFC 1191).
#[derive(Default)]
pub(crate) struct Paths {
    estimates: HashMap<Ipv4Addr, Estimate>,
    /// None of them ends earlier.
    next: Option<Instant>,
}

struct Estimate {
    mtu: u16,
    ends: Instant,
}

impl Paths {
    /// A packet of `total_len` octets to `dst` was too long for a next hop that takes `mtu`, or 0
    /// if it did not say; returns the new estimate if that is less than the old.
    pub(crate) fn too_big(
        &mut self,
        now: Instant,
        dst: Ipv4Addr,
        mtu: u16,
        total_len: u16,
    ) -> Option<u16> {
        let mtu = if mtu == 0 { plateau_below(total_len) } else { mtu };
        if mtu >= total_len {
            return None; // what fits needs no fragmentation
        }
        let mtu = mtu.max(MINIMUM);
        let old = self.estimates.get(&dst).filter(|old| now < old.ends).map(|old| old.mtu);
        if old.is_some_and(|old| old < mtu) {
            return None;
        }
        self.believe(now, dst, mtu);
        (old != Some(mtu)).then_some(mtu)
    }

    /// Packets of `mtu` octets were seen to reach `dst`, and longer ones not to.
    pub(crate) fn measured(&mut self, now: Instant, dst: Ipv4Addr, mtu: u16) {
        self.believe(now, dst, mtu.max(MINIMUM));
    }

    /// The longest packet for `dst`, as far as was told or measured.
    pub(crate) fn mtu(&self, now: Instant, dst: Ipv4Addr) -> Option<u16> {
        self.estimates.get(&dst).filter(|estimate| now < estimate.ends).map(|known| known.mtu)
    }

    /// Forgets what is too old to be relied upon.
    pub(crate) fn poll(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.estimates.retain(|_, estimate| now < estimate.ends);
            self.next = self.estimates.values().map(|estimate| estimate.ends).min();
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    fn believe(&mut self, now: Instant, dst: Ipv4Addr, mtu: u16) {
        if self.estimates.len() >= ESTIMATES && !self.estimates.contains_key(&dst) {
            self.forget_oldest();
        }
        let ends = now + LIFETIME;
        self.estimates.insert(dst, Estimate { mtu, ends });
        self.next = Some(self.next.map_or(ends, |next| next.min(ends)));
    }

    fn forget_oldest(&mut self) {
        let oldest = self.estimates.iter().min_by_key(|(_, estimate)| estimate.ends);
        if let Some(dst) = oldest.map(|(dst, _)| *dst) {
            self.estimates.remove(&dst);
        }
    }
}

/// RFC 1191 §7.1: of the MTUs that links have, the longest that is shorter.
fn plateau_below(total_len: u16) -> u16 {
    PLATEAUS.into_iter().find(|plateau| *plateau < total_len).unwrap_or(MINIMUM)
}

/// RFC 1191 §7, table 7-1.
const PLATEAUS: [u16; 10] = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296, 68];

/// Every link takes as many octets (RFC 791 §3.2).
const MINIMUM: u16 = 68;

/// Below it, ordinary traffic is left to be fragmented by routers: nobody shall command a host to
/// send very small fragments.
pub(crate) const FLOOR: u16 = 552;

/// RFC 1191 §6.3, RFC 8899 §5.1.1: ten minutes, after which the path may have become better.
const LIFETIME: Duration = Duration::from_secs(600);

/// Destinations remembered.
const ESTIMATES: usize = 1024;
