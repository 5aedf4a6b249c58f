//! Sockets of the kernel's own, which share no code with us but the parser of headers.

use std::{
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsFd,
};

use etherparse::{IcmpEchoHeader, Icmpv4Header, Icmpv4Type, Ipv4Slice};
use libtest_mimic::Failed;
use socket2::{Domain, Protocol, Socket, Type};

use sidestack_stack::{
    Stack,
    link::{Link, namespace::Namespace},
};

use crate::net::live;

/// A raw socket of a namespace for one protocol; it never blocks.
pub(crate) fn open(namespace: &Namespace, protocol: u8) -> io::Result<Socket> {
    let protocol = Protocol::from(i32::from(protocol));
    let socket = namespace.run(|| Socket::new(Domain::IPV4, Type::RAW, Some(protocol)))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The next packet that arrives, IP header first, while `stack` lives.
pub(crate) fn packet<L: Link>(socket: &Socket, stack: &mut Stack<L>) -> Result<Vec<u8>, Failed> {
    live(stack, Some(socket.as_fd()), |_| read(socket))
}

/// The next packet, if it has arrived.
pub(crate) fn read(mut socket: &Socket) -> Option<Vec<u8>> {
    let mut octets = vec![0; 2_048];
    let len = socket.read(&mut octets).ok()?;
    octets.truncate(len);
    Some(octets)
}

/// Has the kernel of `namespace` send an echo request to `dst`, and returns who answers it, and
/// with which data, while `stack` lives.
pub(crate) fn ping<L: Link>(
    namespace: &Namespace,
    dst: Ipv4Addr,
    data: &[u8],
    stack: &mut Stack<L>,
) -> Result<(Ipv4Addr, Vec<u8>), Failed> {
    let socket = open(namespace, ICMP)?;
    let echo = IcmpEchoHeader { id: 0x0fa2, seq: 7 };
    let header = Icmpv4Header::with_checksum(Icmpv4Type::EchoRequest(echo), data);
    let request = [&header.to_bytes()[..], data].concat();
    socket.send_to(&request, &SocketAddr::from((dst, 0)).into())?;
    loop {
        let octets = packet(&socket, stack)?;
        let packet = Ipv4Slice::from_slice(&octets)?;
        let (header, data) = Icmpv4Header::from_slice(packet.payload().payload)?;
        if header.icmp_type == Icmpv4Type::EchoReply(echo) {
            let now = stack.link().now();
            stack.poll(now)?; // what answered has its stamp by now
            return Ok((packet.header().source_addr(), data.to_vec()));
        }
    }
}

const ICMP: u8 = 1;
