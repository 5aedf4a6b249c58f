use std::{fmt, io, net::Ipv4Addr};

use macaddr::MacAddr6;

use crate::netlink::{Hop, Link, Netlink, no_such_interface};

/// Every interface of the calling thread's network namespace, as the kernel lists them.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut netlink = Netlink::open()?;
    let links = netlink.links()?;
    let addresses = netlink.addresses()?;
    let hops = netlink.routes()?;
    Ok(links.into_iter().map(|link| Interface::gathered(link, &addresses, &hops)).collect())
}

/// The interface called `name`.
///
/// # Errors
/// [`io::ErrorKind::NotFound`], naming it, if there is none; otherwise as [`interfaces`].
pub fn interface(name: &str) -> io::Result<Interface> {
    let found = interfaces()?.into_iter().find(|interface| interface.name == name);
    found.ok_or_else(|| no_such_interface(name))
}

/// A network interface of this host, with what the kernel's own IPv4 does through it.
///
/// A snapshot: [`Monitor`](crate::Monitor) tells what becomes of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// What people call it.
    pub name: String,
    /// What the kernel calls it; never 0.
    pub index: u32,
    /// Its own address, unless it has none of six octets.
    pub mac: Option<MacAddr6>,
    /// Largest payload of one frame, in octets, Ethernet header excluded.
    pub mtu: usize,
    /// Whether frames can pass.
    pub state: State,
    /// What kind of frames pass.
    pub kind: Kind,
    /// The host's own IPv4 addresses on it, the primary ones of each network first.
    pub addresses: Vec<Address>,
    /// Where the host's default route through it leads, if it leads to a gateway; of several, that
    /// with the lowest metric.
    pub gateway: Option<Ipv4Addr>,
    /// The unicast routes of the host's main table that lead through it.
    pub routes: Vec<Route>,
}

impl Interface {
    fn gathered(link: Link, addresses: &[(u32, Address)], hops: &[Hop]) -> Self {
        let Link { index, name, mac, mtu, state, kind } = link;
        let addresses = addresses.iter().filter(|(of, _)| *of == index).map(|(_, is)| *is);
        let routes = hops.iter().filter(|hop| hop.index == index).map(|hop| hop.route);
        let default = routes.clone().filter(|route| route.destination.prefix_len == 0);
        Self {
            name,
            index,
            mac,
            mtu,
            state,
            kind,
            addresses: addresses.collect(),
            gateway: default.min_by_key(|route| route.metric).and_then(|route| route.gateway),
            routes: routes.collect(),
        }
    }
}

/// Whether frames can pass an interface.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// It is up, carrier included.
    Up,
    /// It is administratively up, but nothing is plugged in, or the far end is down.
    NoCarrier,
    /// It is administratively down.
    Down,
}

/// What kind of frames pass an interface.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Ethernet.
    Ethernet,
    /// Ethernet in form; they all come back.
    Loopback,
    /// Something else: the hardware type, as in ARP (RFC 826) and Linux (ARPHRD).
    Other(u16),
}

/// An IPv4 address, and how much of it is the network's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Address {
    /// The address; for a network, that with no bit set in the host part.
    pub addr: Ipv4Addr,
    /// Leading bits that are the network's, 0 to 32.
    pub prefix_len: u8,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix_len)
    }
}

/// A unicast route of the host.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Route {
    /// Where it leads; `0.0.0.0/0` is the default route.
    pub destination: Address,
    /// The next hop; `None` for a connected network.
    pub gateway: Option<Ipv4Addr>,
    /// The source address that the host prefers with it.
    pub source: Option<Ipv4Addr>,
    /// Of two routes to the same destination, the lower one wins.
    pub metric: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_that_of_the_default_route_with_the_lowest_metric() {
        let hop = |index, prefix_len, last: Option<u8>, metric| {
            let destination = Address { addr: Ipv4Addr::UNSPECIFIED, prefix_len };
            let gateway = last.map(|last| Ipv4Addr::new(192, 0, 2, last));
            Hop { index, route: Route { destination, gateway, source: None, metric } }
        };
        let hops = [
            hop(1, 0, Some(1), 100),
            hop(1, 0, Some(2), 50),
            hop(1, 1, Some(3), 0),
            hop(2, 0, Some(4), 0),
            hop(3, 0, None, 0),
            hop(3, 0, Some(5), 100),
        ];
        let gateway = |index| Interface::gathered(link(index), &[], &hops).gateway;
        assert_eq!(gateway(1), Some(Ipv4Addr::new(192, 0, 2, 2)));
        assert_eq!(gateway(2), Some(Ipv4Addr::new(192, 0, 2, 4)));
        assert_eq!(gateway(3), None);
    }

    fn link(index: u32) -> Link {
        let (name, state, kind) = (String::new(), State::Up, Kind::Ethernet);
        Link { index, name, mac: None, mtu: 1500, state, kind }
    }
}
