use std::{borrow::Cow, net::Ipv4Addr, time::Instant};

use etherparse::IpNumber;
use link::{Cast, Frame, Stamp};

use crate::{
    discard::Discard,
    options::{Options, Recorded, recorded},
    packet::{HEADER_LEN, Packet, quoted_header},
};

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
    /// How many hosts it was for, by its own address.
    pub cast: Cast,
    /// How many stations its (last) frame was for.
    pub link_cast: Cast,
    /// Whether it came in fragments.
    pub reassembled: bool,
    /// When its (last) frame arrived or left.
    pub at: Instant,
    /// The same, as reports say it.
    pub stamp: Stamp,
    /// The header as it came, options included; of the first fragment, if it came in several.
    pub header: Cow<'p, [u8]>,
    /// The message.
    pub payload: Cow<'p, [u8]>,
}

impl<'p> Datagram<'p> {
    /// The options as they came, padding included.
    pub fn options(&self) -> &[u8] {
        self.header.get(HEADER_LEN..).unwrap_or_default()
    }

    /// What the way here has recorded in its options, in order.
    pub fn recorded(&self) -> impl Iterator<Item = Recorded> + '_ {
        recorded(self.options())
    }

    /// The options of an echo reply: record route and timestamp, with our own entry in them (RFC
    /// 1122 §3.2.2.6), for which we are who was asked, and it was when its frame arrived.
    pub fn reply_options(&self) -> Options {
        if self.options().is_empty() {
            return Options::NONE;
        }
        let mut options = Options::for_reply(self.options());
        options.record(self.dst, self.stamp.since_epoch);
        options
    }

    /// What an error about it may quote, octet for octet as it came: the header, and the payload
    /// that came behind that (RFC 1122 §3.2.2); of fragments, this is the first.
    pub fn quotable(&self) -> (&[u8], &[u8]) {
        let total_len = match self.header[..] {
            [_, _, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            _ => 0,
        };
        let len = total_len.saturating_sub(self.header.len()).min(self.payload.len());
        (&self.header, &self.payload[..len])
    }

    pub(crate) fn new(packet: &Packet<'p>, frame: &Frame<'p>, cast: Cast) -> Self {
        Self {
            src: packet.src(),
            dst: packet.dst(),
            protocol: packet.protocol(),
            ttl: packet.ttl(),
            tos: packet.tos(),
            cast,
            link_cast: frame.cast(),
            reassembled: false,
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
