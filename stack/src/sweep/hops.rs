use std::{collections::BTreeMap, net::Ipv4Addr};

use ipv4::NextHop;
use link::FrameIo;

use crate::host::Stack;

/// The gateways that targets are behind: while one is asked where it is, one packet is kept for it,
/// so nothing else may be sent there; and one that is silent is not asked for each target.
#[derive(Default)]
pub(super) struct Hops(BTreeMap<Ipv4Addr, Hop>);

impl Hops {
    /// How a packet to `addr` would fare.
    pub(super) fn way<L: FrameIo>(&mut self, addr: Ipv4Addr, stack: &Stack<L>) -> Way {
        let Some(route) = stack.route(addr).filter(|route| route.src != addr) else {
            return Way::None; // of ourselves, nobody else can be asked
        };
        let NextHop::Unicast(hop) = route.next_hop else { return Way::None };
        if hop == addr {
            return Way::Direct;
        }
        match self.0.get(&hop) {
            Some(Hop::Known) => Way::Through,
            Some(Hop::Asked) => Way::Later,
            Some(Hop::Silent { requests }) => Way::Silent { requests: *requests },
            None => {
                self.look(hop, stack);
                Way::Through
            }
        }
    }

    /// Takes note that a packet to `addr` was displaced; says whether it was on its way to a
    /// gateway, and so ought to be sent again.
    pub(super) fn displaced<L: FrameIo>(&mut self, addr: Ipv4Addr, stack: &Stack<L>) -> bool {
        match stack.route(addr).map(|route| route.next_hop) {
            Some(NextHop::Unicast(hop)) if hop != addr => self.look(hop, stack),
            _ => return false,
        }
        true
    }

    /// `addr` has answered.
    pub(super) fn known(&mut self, addr: Ipv4Addr) {
        self.set(addr, Hop::Known);
    }

    /// `addr` has not.
    pub(super) fn silent(&mut self, addr: Ipv4Addr, requests: u32) {
        self.set(addr, Hop::Silent { requests });
    }

    /// Nothing is known of `addr` any more.
    pub(super) fn forget(&mut self, addr: Ipv4Addr) {
        self.0.remove(&addr);
    }

    /// Those that were silent may be asked anew.
    pub(super) fn give_another_chance(&mut self) {
        self.0.retain(|_, hop| !matches!(hop, Hop::Silent { .. }));
    }

    /// If it is a gateway of ours.
    fn set(&mut self, addr: Ipv4Addr, hop: Hop) {
        if let Some(known) = self.0.get_mut(&addr) {
            *known = hop;
        }
    }

    fn look<L: FrameIo>(&mut self, hop: Ipv4Addr, stack: &Stack<L>) {
        let known = stack.neighbour(hop).is_some_and(|neighbour| neighbour.mac.is_some());
        self.0.insert(hop, if known { Hop::Known } else { Hop::Asked });
    }
}

/// How a packet would fare.
pub(super) enum Way {
    /// Its destination is on the link.
    Direct,
    /// A gateway takes it.
    Through,
    /// Its gateway is being asked for.
    Later,
    /// Its gateway does not answer.
    Silent { requests: u32 },
    /// There is none to a single host.
    None,
}

enum Hop {
    Known,
    Asked,
    Silent { requests: u32 },
}
