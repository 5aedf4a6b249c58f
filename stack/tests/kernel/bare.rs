//! The layers without the host that composes them.

use etherparse::{IpNumber, Ipv4Slice};
use libtest_mimic::{Failed, Trial};

use sidestack_stack::{
    arp::{self, Arp, Owned},
    ipv4::{DatagramTx, Header, Ipv4},
    link::{EtherType, FrameIo, FrameTx, PacketSocket, Wait},
};

use crate::{
    net::{FAR, Net, PATIENCE, Tested, US, test},
    raw,
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![test("a_datagram_of_any_protocol_arrives_whole_without_a_host_to_send_it", hello)]
}

fn hello() -> Tested {
    let net = Net::new()?;
    let far = raw::open(&net.far, PROTOCOL)?;
    let mut link = net.here.run(|| PacketSocket::open("here0"))?;
    let mut arp = Arp::new(Owned::from([(US, link.mac())]), arp::Config::default());
    let mut ipv4 = Ipv4::new("10.77.0.10/24".parse()?);
    let hello = b"Hello, world!";
    let now = link.now();
    ipv4.over(now, &mut arp.over(now, &mut link)).send(
        &Header { tos: 0x28, ttl: 9, ..Header::new(FAR, IpNumber(PROTOCOL)) },
        hello.len(),
        &mut |out| out.copy_from_slice(hello),
    )?;
    let octets = loop {
        link.flush()?;
        if let Some(octets) = raw::read(&far) {
            break octets;
        }
        if link.now() > now + PATIENCE {
            return Err(Failed::from("nothing arrives"));
        }
        link.wait(Some(link.now() + PATIENCE / 1_000), None)?;
        let at = link.now();
        link.recv(at, &mut |frame, tx| {
            if frame.ether_type() == EtherType::ARP {
                let _ = arp.input(at, &frame, tx); // our own frames are among them
            }
        })?;
        while arp.poll(at, &mut link).is_some() {}
    };
    let packet = Ipv4Slice::from_slice(&octets)?;
    let header = packet.header();
    assert_eq!(packet.payload().payload, hello);
    assert_eq!((header.source_addr(), header.destination_addr()), (US, FAR));
    assert_eq!((header.ttl(), header.protocol().0, octets[1]), (9, PROTOCOL, 0x28));
    assert_eq!(raw::read(&far), None, "once");
    Ok(())
}

/// For experiments and tests (RFC 3692 §2.1): no kernel knows it.
const PROTOCOL: u8 = 0xfd;
