use std::{borrow::Cow, net::Ipv4Addr, time::Instant};

use etherparse::IpNumber;
use link::{Cast, Frame, Stamp};

use crate::packet::{Discard, Packet, quoted_header};

/// A datagram: what RFC 1122 §3.4's RECV returns, and what a frame knows of it.
#[derive(Clone, Debug)]
pub struct Datagram<'p> {
    /// Who sent it.
    pub src: Ipv4Addr,
    /// Whom they sent it to.
    pub dst: Ipv4Addr,
    /// What the payload is.
    pub protocol: IpNumber,
    /// Hops left.
    pub ttl: u8,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// How many hosts it was for, by its frame's address or its own.
    pub cast: Cast,
    /// When its (last) frame arrived or left.
    pub at: Instant,
    /// The same, as reports say it.
    pub stamp: Stamp,
    /// The header as it came, options included.
    pub header: Cow<'p, [u8]>,
    /// The message.
    pub payload: Cow<'p, [u8]>,
}

impl<'p> Datagram<'p> {
    pub(crate) fn new(packet: &Packet<'p>, frame: &Frame<'p>, cast: Cast) -> Self {
        Self {
            src: packet.src(),
            dst: packet.dst(),
            protocol: packet.protocol(),
            ttl: packet.ttl(),
            tos: packet.tos(),
            cast,
            at: frame.at(),
            stamp: frame.stamp(),
            header: Cow::Borrowed(packet.header()),
            payload: Cow::Borrowed(packet.payload()),
        }
    }
}

/// The part of a datagram that an ICMP error carries back to its sender (RFC 792).
#[derive(Clone, Copy, Debug)]
pub struct Quote<'p> {
    /// Who sent it.
    pub src: Ipv4Addr,
    /// Whom they sent it to.
    pub dst: Ipv4Addr,
    /// What it carried.
    pub protocol: IpNumber,
    /// What it carried begins here, and is cut anywhere.
    pub payload: &'p [u8],
}

impl<'p> Quote<'p> {
    /// Reads an IP header and whatever follows it, believing no length and no checksum: routers
    /// change them on the way.
    ///
    /// # Errors
    /// [`Discard::Length`] without a whole header, [`Discard::Fragment`] if what follows is not
    /// the beginning of a message.
    pub fn parse(octets: &'p [u8]) -> Result<Self, Discard> {
        let header = quoted_header(octets)?;
        if header.fragments_offset().value() != 0 {
            return Err(Discard::Fragment);
        }
        Ok(Self {
            src: header.source_addr(),
            dst: header.destination_addr(),
            protocol: header.protocol(),
            payload: &octets[header.slice().len()..],
        })
    }
}
