use std::{net::Ipv4Addr, time::Duration};

use etherparse::IpNumber;
use ipv4::{DatagramTx, Header, Options, Packet, SendError, Sent};
use link::Frame;

use crate::{counters::Discard, tower::Tower};

impl Tower {
    /// Has `take` see a frame as it is at `addr`, one of us, behind the routers before it, where its
    /// sender may be `told` of it.
    pub(crate) fn behind(
        &mut self,
        addr: Ipv4Addr,
        frame: &Frame<'_>,
        told: bool,
        take: impl FnOnce(&mut Self, &Frame<'_>) -> Result<(), Discard>,
    ) -> Result<(), Discard> {
        let way = self.served.as_ref().map_or(&[][..], |served| served.way_to(addr));
        let octets = passed(frame, way, told)?;
        match octets.as_ref().map(|octets| Frame::new(octets, frame.facts())) {
            Some(Ok(passed)) => take(self, &passed),
            _ => take(self, frame),
        }
    }
}

/// The way back through routers of ours, each of which records itself where options ask for it.
pub(crate) struct Homeward<'a> {
    /// In the order of the way there.
    pub(crate) routers: &'a [Ipv4Addr],
    /// When it is that they are passed, since the epoch.
    pub(crate) at: Duration,
    pub(crate) below: &'a mut dyn DatagramTx,
}

impl DatagramTx for Homeward<'_> {
    fn src(&self, dst: Ipv4Addr) -> Option<Ipv4Addr> {
        self.below.src(dst)
    }

    fn max_len(&self, dst: Ipv4Addr) -> usize {
        self.below.max_len(dst)
    }

    fn send(
        &mut self,
        header: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        let mut header = *header;
        for router in self.routers.iter().rev() {
            if header.options.check().is_err() {
                return Err(SendError::NoRoute(header.dst)); // there it is in error, and discarded
            }
            header.options.record(*router, self.at);
        }
        self.below.send(&header, len, write)
    }
}

/// A frame whose packet has passed routers of ours, one after the other, as each forwards it;
/// `None` if there are none, if it is no packet, or if it is an ICMP message that none of them
/// would be seen to have passed: without options, and not `told` of.
///
/// # Errors
/// The option that one of them finds in error: RFC 791 §3.1 has the datagram discarded there.
fn passed(frame: &Frame<'_>, routers: &[Ipv4Addr], told: bool) -> Result<Option<Vec<u8>>, Discard> {
    if routers.is_empty() {
        return Ok(None);
    }
    let Ok(packet) = Packet::parse(frame.payload()) else { return Ok(None) };
    if !told && packet.protocol() == IpNumber::ICMP && packet.options().is_empty() {
        return Ok(None);
    }
    let arrived = frame.stamp().since_epoch;
    let mut before = packet.octets().to_vec();
    let mut after = before.clone();
    for router in routers {
        let packet = Packet::parse(&before).map_err(Discard::Ipv4)?;
        check_options(&packet).map_err(Discard::Ipv4)?;
        packet.forward(*router, arrived, &mut after);
        std::mem::swap(&mut before, &mut after);
    }
    let header = frame.octets().len() - frame.payload().len();
    Ok(Some([&frame.octets()[..header], &before].concat()))
}

/// Refuses what a router cannot forward because of an option; source routes it may (RFC 1812
/// §5.3.13.4).
pub(crate) fn check_options(packet: &Packet<'_>) -> Result<(), ipv4::Discard> {
    if packet.options().is_empty() {
        return Ok(());
    }
    match Options::from_octets(packet.options()).unwrap_or(Options::NONE).check() {
        Err(bad @ ipv4::Discard::BadOption { .. }) => Err(bad),
        _ => Ok(()),
    }
}
