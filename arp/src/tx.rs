use std::{net::Ipv4Addr, time::Instant};

use etherparse::EtherType;
use link::{As, FrameTx, SendError};
use macaddr::MacAddr6;

use crate::table::Arp;

/// Where on this link a packet goes next; chosen by routing, never by ARP.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NextHop {
    /// Every host on the link.
    Broadcast,
    /// The members of a group.
    Multicast(Ipv4Addr),
    /// One host or gateway.
    Unicast(Ipv4Addr),
}

/// What the internet layer needs from the link layer (RFC 1122 §2.4).
pub trait PacketTx {
    /// Largest packet, IP header included, in octets.
    fn mtu(&self) -> usize;

    /// Sends a packet of `len` octets, written by `write`, to `to`.
    ///
    /// `from` says which of our identities speaks: its protocol address and its MAC. `Ok` means
    /// that the link layer has taken charge: a packet that is kept will be sent, or handed back.
    ///
    /// # Errors
    /// [`SendError::Full`] when neither a transmit slot nor a table entry is free: flush, and try
    /// again. [`SendError::TooLong`] past the MTU.
    fn send(
        &mut self,
        from: Ipv4Addr,
        to: NextHop,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError>;

    /// Sends a further fragment of the datagram begun by the latest [`send`](Self::send) to the
    /// same next hop: while that waits, this is kept behind it, not in its place, and shares its
    /// fate.
    ///
    /// # Errors
    /// As [`send`](Self::send), also when more waits than a datagram can be.
    fn send_next(
        &mut self,
        from: Ipv4Addr,
        to: NextHop,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError>;
}

/// What became of a packet that was accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// It is in the link's queue.
    Out,
    /// It waits until its neighbour answers; its own clock starts when it leaves.
    Kept,
}

/// [`Arp`] placed over a link for the duration of one call.
pub struct Over<'a> {
    pub(crate) arp: &'a mut Arp,
    pub(crate) below: &'a mut dyn FrameTx,
    pub(crate) now: Instant,
}

impl PacketTx for Over<'_> {
    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn send(
        &mut self,
        from: Ipv4Addr,
        to: NextHop,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        self.put(from, to, Packet { len, write, further: false })
    }

    fn send_next(
        &mut self,
        from: Ipv4Addr,
        to: NextHop,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        self.put(from, to, Packet { len, write, further: true })
    }
}

impl Over<'_> {
    fn put(&mut self, from: Ipv4Addr, to: NextHop, packet: Packet<'_>) -> Result<Sent, SendError> {
        self.arp.release(self.now, self.below)?; // what was kept longest goes first
        let dst = match to {
            NextHop::Broadcast => MacAddr6::broadcast(),
            NextHop::Multicast(group) => multicast(group),
            NextHop::Unicast(addr) => match self.arp.lookup(self.now, from, addr) {
                Some(mac) => mac,
                None => return self.arp.keep(self.now, from, addr, packet, self.below),
            },
        };
        let src = self.arp.mac(from).unwrap_or_else(|| self.below.mac());
        let mut below = As { mac: src, below: self.below };
        below.send(dst, EtherType::IPV4, packet.len, packet.write)?;
        Ok(Sent::Out)
    }
}

/// A packet to be written.
pub(crate) struct Packet<'a> {
    pub(crate) len: usize,
    pub(crate) write: &'a mut dyn FnMut(&mut [u8]),
    /// Whether it is another fragment of the datagram before it.
    pub(crate) further: bool,
}

/// RFC 1112 §6.4: 01-00-5E and the low 23 bits of the group.
fn multicast(group: Ipv4Addr) -> MacAddr6 {
    let [_, b, c, d] = group.octets();
    MacAddr6::new(0x01, 0x00, 0x5e, b & 0x7f, c, d)
}
