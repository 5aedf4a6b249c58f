//! The kernel's own ping, without the program.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr},
};

use etherparse::{IcmpEchoHeader, Icmpv4Header, Icmpv4Type, Ipv4Slice};
use libtest_mimic::Failed;
use link::namespace::Namespace;
use socket2::{Domain, Protocol, Socket, Type};

use crate::run::PATIENCE;

/// Has the kernel of `namespace` send an echo request to `dst`, and returns who answers it.
pub(crate) fn ping(namespace: &Namespace, dst: Ipv4Addr) -> Result<Ipv4Addr, Failed> {
    let open = || Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4));
    let mut socket = namespace.run(open)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let echo = IcmpEchoHeader { id: 0x0fa2, seq: 7 };
    let header = Icmpv4Header::with_checksum(Icmpv4Type::EchoRequest(echo), DATA);
    let request = [&header.to_bytes()[..], DATA].concat();
    socket.send_to(&request, &SocketAddr::from((dst, 0)).into())?;
    loop {
        let mut octets = [0; 2_048];
        let len = socket.read(&mut octets)?;
        let packet = Ipv4Slice::from_slice(&octets[..len])?;
        let (header, data) = Icmpv4Header::from_slice(packet.payload().payload)?;
        if header.icmp_type == Icmpv4Type::EchoReply(echo) && data == DATA {
            return Ok(packet.header().source_addr());
        }
    }
}

const DATA: &[u8] = b"who is there?";
