use std::{collections::HashMap, net::Ipv4Addr};

use macaddr::MacAddr6;

/// Hosts that were told of, as little as can be of each.
pub(super) struct Past {
    /// The first owner, if it is known where it is.
    told: HashMap<Ipv4Addr, Option<MacAddr6>>,
    /// Those of them that more is known of.
    shared: HashMap<Ipv4Addr, Told>,
}

/// Of a host that was told of.
pub(super) struct Told {
    pub(super) macs: Vec<MacAddr6>,
    pub(super) conflict: bool,
}

impl Past {
    /// With room for so many; more are found room for as they come, which takes its time.
    pub(super) fn of(most: u64) -> Self {
        let told = HashMap::with_capacity(most.min(AT_ONCE) as usize);
        Self { told, shared: HashMap::new() }
    }

    /// Takes note that `addr` was told of, which has its `macs`; unless there are too many.
    pub(super) fn add(
        &mut self,
        addr: Ipv4Addr,
        conflict: bool,
        mut macs: impl Iterator<Item = MacAddr6>,
    ) {
        if self.told.len() >= MOST_TOLD {
            return;
        }
        let (first, second) = (macs.next(), macs.next());
        self.told.insert(addr, first);
        if conflict || second.is_some() {
            let macs = first.into_iter().chain(second).chain(macs).collect();
            self.shared.insert(addr, Told { macs, conflict });
        }
    }

    /// What is known of `addr`, if it was told of.
    pub(super) fn at(&mut self, addr: Ipv4Addr) -> Option<&mut Told> {
        let first = *self.told.get(&addr)?;
        let told = || Told { macs: first.into_iter().collect(), conflict: false };
        Some(self.shared.entry(addr).or_insert_with(told))
    }
}

/// Hosts for which there is room from the start.
const AT_ONCE: u64 = 1 << 16;

/// Hosts of which it is remembered that they were told of.
const MOST_TOLD: usize = 1 << 20;
