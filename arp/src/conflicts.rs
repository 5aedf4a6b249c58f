use std::{collections::HashSet, net::Ipv4Addr};

use crate::{claims::Claims, clock::Tick, timed::Timed};

/// What address conflict detection (RFC 5227) has to remember: on most hosts nothing, ever.
pub(crate) struct Conflicts {
    pub(crate) claims: Claims,
    /// Addresses that somebody else has, whatever our owner says.
    pub(crate) taken: HashSet<Ipv4Addr>,
    /// Addresses whose last defence is not long ago, each due when it is.
    pub(crate) defended: Timed<()>,
}

impl Conflicts {
    /// Whether `addr` is not to be used, whoever owns it.
    pub(crate) fn forbid(&self, addr: Ipv4Addr) -> bool {
        self.claims.forbid(addr) || self.taken.contains(&addr)
    }

    /// Whether `addr` was defended not long before `tick`.
    pub(crate) fn was_defended(&self, addr: Ipv4Addr, tick: Tick) -> bool {
        self.defended.find(addr).is_some_and(|slot| self.defended.item(slot).due() > tick)
    }

    /// Forgets defences that were long ago at `tick`.
    pub(crate) fn forget(&mut self, tick: Tick) {
        while let Some((due, slot)) = self.defended.first()
            && due <= tick
        {
            self.defended.remove(slot);
        }
    }

    pub(crate) fn due(&self) -> Option<Tick> {
        let defended = self.defended.first().map(|(due, _)| due);
        defended.into_iter().chain(self.claims.due()).min()
    }
}

impl Default for Conflicts {
    fn default() -> Self {
        Self { claims: Claims::new(), taken: HashSet::new(), defended: Timed::new() }
    }
}
