use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};

use macaddr::MacAddr6;
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage},
    route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType},
};
use nix::errno::Errno;

use super::Netlink;
use crate::interface::{Address, Kind, Route, State};

impl Netlink {
    pub(crate) fn links(&mut self) -> io::Result<Vec<Link>> {
        let messages = self.dump(&RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
        Ok(messages.iter().filter_map(Link::told).collect())
    }

    /// `None` if there is no such interface.
    pub(crate) fn link(&mut self, index: u32) -> io::Result<Option<Link>> {
        let mut request = LinkMessage::default();
        request.header.index = index;
        self.one_link(request)
    }

    /// # Errors
    /// NotFound, with the name in it.
    pub(crate) fn link_named(&mut self, name: &str) -> io::Result<Link> {
        let mut request = LinkMessage::default();
        request.attributes.push(LinkAttribute::IfName(name.into()));
        self.one_link(request)?.ok_or_else(|| no_such_interface(name))
    }

    /// Every IPv4 address of this host, with the index of its interface.
    pub(crate) fn addresses(&mut self) -> io::Result<Vec<(u32, Address)>> {
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet;
        let messages = self.dump(&RouteNetlinkMessage::GetAddress(request))?;
        Ok(messages.iter().filter_map(address).collect())
    }

    /// The unicast routes of the main table, one for each of their next hops.
    pub(crate) fn routes(&mut self) -> io::Result<Vec<Hop>> {
        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::Inet;
        let messages = self.dump(&RouteNetlinkMessage::GetRoute(request))?;
        Ok(messages.iter().flat_map(hops).collect())
    }

    fn one_link(&mut self, request: LinkMessage) -> io::Result<Option<Link>> {
        match self.ask(RouteNetlinkMessage::GetLink(request), 0) {
            Ok(messages) => match messages.iter().find_map(Link::told) {
                Some(link) => Ok(Some(link)),
                None => Err(io::ErrorKind::InvalidData.into()), // newer than we can read
            },
            Err(error) if error.raw_os_error() == Some(Errno::ENODEV as i32) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What the kernel says of an interface itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) mac: Option<MacAddr6>,
    pub(crate) mtu: usize,
    pub(crate) state: State,
    pub(crate) kind: Kind,
}

impl Link {
    /// `None` unless the message is of an interface and whole: a bridge speaks of its ports, and a
    /// radio of its events, in messages of the same type.
    pub(crate) fn told(message: &RouteNetlinkMessage) -> Option<Self> {
        let RouteNetlinkMessage::NewLink(message) = message else { return None };
        if message.header.interface_family != AddressFamily::Unspec {
            return None;
        }
        let (mut name, mut mac, mut mtu) = (None, None, None);
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(is) => name = Some(is.clone()),
                LinkAttribute::Address(is) => mac = <[u8; 6]>::try_from(&**is).ok(),
                LinkAttribute::Mtu(is) => mtu = Some(*is as usize),
                _ => {}
            }
        }
        Some(Self {
            index: message.header.index,
            name: name?,
            mac: mac.map(MacAddr6::from),
            mtu: mtu?,
            state: state(message.header.flags),
            kind: kind(message.header.link_layer_type),
        })
    }
}

/// A route, as far as it leads through one interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hop {
    pub(crate) index: u32,
    pub(crate) route: Route,
}

pub(crate) fn no_such_interface(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no interface {name}"))
}

/// Both flags, for the carrier goes (LowerUp) before its loss is made known (Running), and comes
/// before the queue towards it is open.
fn state(flags: LinkFlags) -> State {
    if !flags.contains(LinkFlags::Up) {
        State::Down
    } else if flags.contains(LinkFlags::Running | LinkFlags::LowerUp) {
        State::Up
    } else {
        State::NoCarrier
    }
}

fn kind(layer: LinkLayerType) -> Kind {
    match layer {
        LinkLayerType::Ether => Kind::Ethernet,
        LinkLayerType::Loopback => Kind::Loopback,
        other => Kind::Other(other.into()),
    }
}

fn address(message: &RouteNetlinkMessage) -> Option<(u32, Address)> {
    let RouteNetlinkMessage::NewAddress(message) = message else { return None };
    // Local is ours; Address is the far end's where the link is point-to-point.
    let addr = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(addr)) => Some(*addr),
        _ => None,
    })?;
    Some((message.header.index, Address { addr, prefix_len: message.header.prefix_len }))
}

fn hops(message: &RouteNetlinkMessage) -> Vec<Hop> {
    let RouteNetlinkMessage::NewRoute(message) = message else { return Vec::new() };
    let header = &message.header;
    if header.kind != RouteType::Unicast || header.table != RouteHeader::RT_TABLE_MAIN {
        return Vec::new();
    }
    let mut route = Route {
        destination: Address {
            addr: Ipv4Addr::UNSPECIFIED,
            prefix_len: header.destination_prefix_length,
        },
        gateway: None,
        source: None,
        metric: 0,
    };
    let (mut several, mut index) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(is)) => route.destination.addr = *is,
            RouteAttribute::PrefSource(RouteAddress::Inet(is)) => route.source = Some(*is),
            RouteAttribute::Priority(is) => route.metric = *is,
            RouteAttribute::Oif(is) => index = Some(*is),
            RouteAttribute::MultiPath(are) => several = Some(are),
            _ => {}
        }
    }
    match (several, index) {
        (Some(several), _) => several
            .iter()
            .filter_map(|next| hop(next.interface_index, route, &next.attributes))
            .collect(),
        (None, Some(index)) => Vec::from_iter(hop(index, route, &message.attributes)),
        (None, None) => Vec::new(),
    }
}

/// `None` if the gateway has no IPv4 address (RTA_VIA): IPv4 over such a route is not ours.
fn hop(index: u32, route: Route, attributes: &[RouteAttribute]) -> Option<Hop> {
    let mut gateway = None;
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(is)) => gateway = Some(*is),
            RouteAttribute::Via(_) => return None,
            _ => {}
        }
    }
    Some(Hop { index, route: Route { gateway, ..route } })
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::route::{RouteNextHop, RouteVia};

    use super::*;

    #[test]
    fn a_route_through_several_next_hops_is_told_once_for_each() {
        let next = |interface_index, attributes| {
            let mut next = RouteNextHop::default();
            next.interface_index = interface_index;
            next.attributes = attributes;
            next
        };
        let addr = Ipv4Addr::new(192, 0, 2, 1);
        let nexts =
            vec![next(7, vec![RouteAttribute::Gateway(RouteAddress::Inet(addr))]), next(8, vec![])];
        let hops = hops(&main_table(vec![RouteAttribute::MultiPath(nexts)]));
        let gateways: Vec<_> = hops.iter().map(|hop| (hop.index, hop.route.gateway)).collect();
        assert_eq!(gateways, [(7, Some(addr)), (8, None)]);
    }

    #[test]
    fn a_route_by_way_of_an_ipv6_gateway_is_not_told() {
        let via = RouteAttribute::Via(RouteVia::Inet6(std::net::Ipv6Addr::LOCALHOST));
        assert_eq!(hops(&main_table(vec![RouteAttribute::Oif(7), via])), []);
        assert_eq!(hops(&main_table(vec![RouteAttribute::Oif(7)])).len(), 1);
    }

    fn main_table(attributes: Vec<RouteAttribute>) -> RouteNetlinkMessage {
        let mut message = RouteMessage::default();
        message.header.kind = RouteType::Unicast;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.attributes = attributes;
        RouteNetlinkMessage::NewRoute(message)
    }
}
