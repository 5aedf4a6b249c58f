use std::net::Ipv4Addr;

use macaddr::MacAddr6;

use crate::owner::Owner;

/// All addresses from `first` to `last` as ours, by a rule: a whole prefix in a few octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Block {
    /// The first address.
    pub first: Ipv4Addr,
    /// The last one, `first` or later; earlier, nothing is ours.
    pub last: Ipv4Addr,
    /// Which hardware addresses they have.
    pub macs: Macs,
}

/// The hardware addresses of a [`Block`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Macs {
    /// All have this one.
    One(MacAddr6),
    /// Each has its own: these two octets, locally administered and of one station whatever their
    /// lowest bits are, then the four of the address (IEEE 802 §8.2).
    Each([u8; 2]),
}

impl Block {
    /// How many addresses it has.
    pub fn len(&self) -> u64 {
        (u64::from(u32::from(self.last)) + 1).saturating_sub(u64::from(u32::from(self.first)))
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// Each address and the hardware address it has, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, MacAddr6)> + use<> {
        let macs = self.macs;
        (u32::from(self.first)..=u32::from(self.last))
            .map(Ipv4Addr::from)
            .map(move |addr| (addr, macs.mac(addr)))
    }

    /// Whose hardware address `mac` is, if each address has its own.
    pub fn addr(&self, mac: MacAddr6) -> Option<Ipv4Addr> {
        self.macs.addr(mac).filter(|addr| self.mac(*addr).is_some())
    }
}

impl Macs {
    /// That of `addr`.
    pub fn mac(self, addr: Ipv4Addr) -> MacAddr6 {
        match self {
            Self::One(mac) => mac,
            Self::Each([e, f]) => {
                let [a, b, c, d] = addr.octets();
                MacAddr6::new(e & !GROUP | LOCAL, f, a, b, c, d)
            }
        }
    }

    /// The address that would have `mac`, if each has its own.
    pub fn addr(self, mac: MacAddr6) -> Option<Ipv4Addr> {
        let [.., a, b, c, d] = mac.into_array();
        let addr = Ipv4Addr::new(a, b, c, d);
        (matches!(self, Self::Each(_)) && self.mac(addr) == mac).then_some(addr)
    }
}

impl Owner for Block {
    fn mac(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        (self.first..=self.last).contains(&addr).then(|| self.macs.mac(addr))
    }

    fn owns(&self, mac: MacAddr6) -> bool {
        match self.macs {
            Macs::One(one) => one == mac && !self.is_empty(),
            Macs::Each(_) => self.addr(mac).is_some(),
        }
    }
}

// IEEE 802-2014 §8.2.2: in the first octet.
const GROUP: u8 = 1;
const LOCAL: u8 = 2;
