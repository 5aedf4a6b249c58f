use std::{collections::HashMap, net::Ipv4Addr};

use macaddr::MacAddr6;

/// Hosts that were told of, as little as can be of each.
#[derive(Default)]
pub(super) struct Past {
    /// Those whom nobody has looked for since, and the first owner of each, if it is known where it
    /// is. To find a place for each would cost a scan more than to write a line about it.
    latest: Vec<(Ipv4Addr, Option<MacAddr6>)>,
    /// The others.
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
    /// Takes note that `addr` was told of, which has its `macs`; unless there are too many.
    pub(super) fn add(
        &mut self,
        addr: Ipv4Addr,
        conflict: bool,
        mut macs: impl Iterator<Item = MacAddr6>,
    ) {
        if self.told.len() + self.latest.len() >= MOST_TOLD {
            return;
        }
        let (first, second) = (macs.next(), macs.next());
        self.latest.push((addr, first));
        if conflict || second.is_some() {
            let macs = first.into_iter().chain(second).chain(macs).collect();
            self.shared.insert(addr, Told { macs, conflict });
        }
    }

    /// What is known of `addr`, if it was told of.
    pub(super) fn at(&mut self, addr: Ipv4Addr) -> Option<&mut Told> {
        self.told.extend(self.latest.drain(..));
        let first = *self.told.get(&addr)?;
        let told = || Told { macs: first.into_iter().collect(), conflict: false };
        Some(self.shared.entry(addr).or_insert_with(told))
    }
}

/// Hosts of which it is remembered that they were told of.
const MOST_TOLD: usize = 1 << 20;
