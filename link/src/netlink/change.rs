use std::{
    io,
    net::Ipv4Addr,
    os::fd::{AsRawFd, BorrowedFd},
};

use macaddr::MacAddr6;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage},
    route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteType},
};

use super::Netlink;
use crate::interface::Address;

impl Netlink {
    /// Makes a pair of Ethernet interfaces, each the other's wire; the far one appears in the
    /// network namespace `there`.
    pub(crate) fn add_veth(
        &mut self,
        (near_name, near_mac): (&str, MacAddr6),
        (far_name, far_mac): (&str, MacAddr6),
        there: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let mut far = end(far_name, far_mac);
        far.attributes.push(LinkAttribute::NetNsFd(there.as_raw_fd()));
        let mut near = end(near_name, near_mac);
        near.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(far))),
        ]));
        self.ask(RouteNetlinkMessage::NewLink(near), NLM_F_CREATE | NLM_F_EXCL).map(drop)
    }

    pub(crate) fn set_up(&mut self, index: u32) -> io::Result<()> {
        self.set_flags(index, LinkFlags::Up)
    }

    pub(crate) fn set_down(&mut self, index: u32) -> io::Result<()> {
        self.set_flags(index, LinkFlags::empty())
    }

    pub(crate) fn set_mtu(&mut self, index: u32, mtu: u32) -> io::Result<()> {
        self.set(index, LinkAttribute::Mtu(mtu))
    }

    pub(crate) fn set_mac(&mut self, index: u32, mac: MacAddr6) -> io::Result<()> {
        self.set(index, LinkAttribute::Address(mac.as_bytes().to_vec()))
    }

    /// Removes an interface; a veth takes its other end along.
    pub(crate) fn delete(&mut self, index: u32) -> io::Result<()> {
        self.ask(RouteNetlinkMessage::DelLink(numbered(index)), 0).map(drop)
    }

    pub(crate) fn add_address(&mut self, index: u32, address: Address) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = address.prefix_len;
        message.header.index = index;
        message.attributes = vec![
            AddressAttribute::Local(address.addr.into()),
            AddressAttribute::Address(address.addr.into()),
            AddressAttribute::Broadcast(broadcast(address)),
        ];
        self.ask(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL).map(drop)
    }

    /// Adds a route to the main table; `0.0.0.0/0` is the default route.
    pub(crate) fn add_route(&mut self, destination: Address, via: Ipv4Addr) -> io::Result<()> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = destination.prefix_len;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Static;
        message.header.kind = RouteType::Unicast;
        message.attributes = vec![
            RouteAttribute::Destination(RouteAddress::Inet(destination.addr)),
            RouteAttribute::Gateway(RouteAddress::Inet(via)),
        ];
        self.ask(RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL).map(drop)
    }

    fn set_flags(&mut self, index: u32, flags: LinkFlags) -> io::Result<()> {
        let mut message = numbered(index);
        message.header.flags = flags;
        message.header.change_mask = LinkFlags::Up;
        self.ask(RouteNetlinkMessage::SetLink(message), 0).map(drop)
    }

    fn set(&mut self, index: u32, attribute: LinkAttribute) -> io::Result<()> {
        let mut message = numbered(index);
        message.attributes.push(attribute);
        self.ask(RouteNetlinkMessage::SetLink(message), 0).map(drop)
    }
}

fn numbered(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn end(name: &str, mac: MacAddr6) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes =
        vec![LinkAttribute::IfName(name.into()), LinkAttribute::Address(mac.as_bytes().to_vec())];
    message
}

/// All ones in the host part (RFC 1122 §3.2.1.3 (d)).
fn broadcast(address: Address) -> Ipv4Addr {
    let hosts = u32::MAX.checked_shr(address.prefix_len.into()).unwrap_or(0);
    Ipv4Addr::from_bits(address.addr.to_bits() | hosts)
}
