use std::{net::Ipv4Addr, time::Instant};

use etherparse::IpNumber;
use ipv4::{Cast, Datagram, DatagramTx, Header, Packet, Quote};

use crate::{
    echo::Icmp,
    message::{
        ECHO_REPLY, ECHO_REQUEST, EXTENDED_ECHO_REPLY, EXTENDED_ECHO_REQUEST, HEADER_LEN,
        ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, TIMESTAMP, write_message,
    },
    problem::Problem,
};

impl Icmp {
    /// Tells the sender of a datagram that came to us why it was not taken, from the address that
    /// they sent it to; call it once at most for one datagram.
    ///
    /// # Errors
    /// Why nobody was told.
    pub fn report(
        &mut self,
        now: Instant,
        problem: Problem,
        received: &Datagram<'_>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), Withheld> {
        if received.link_cast != Cast::Host {
            return Err(Withheld::Broadcast);
        }
        let (header, payload) = received.quotable();
        self.tell(now, problem, [header, payload], received.cast, Some(received.dst), below)
    }

    /// Tells the sender of a packet why it was not forwarded, or not reassembled in time. `cast`
    /// is the frame's that it came in; `asked`, where it was for us, whom it was for: else the
    /// route back chooses the source (RFC 1812 §4.3.2.4).
    ///
    /// # Errors
    /// Why nobody was told.
    pub fn report_packet(
        &mut self,
        now: Instant,
        problem: Problem,
        packet: &Packet<'_>,
        (cast, asked): (Cast, Option<Ipv4Addr>),
        below: &mut dyn DatagramTx,
    ) -> Result<(), Withheld> {
        self.tell(now, problem, [packet.header(), packet.payload()], cast, asked, below)
    }

    fn tell(
        &mut self,
        now: Instant,
        problem: Problem,
        [header, payload]: [&[u8]; 2],
        cast: Cast,
        src: Option<Ipv4Addr>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), Withheld> {
        let dst = may_be_told(header, payload, cast)?;
        if !self.may_tell((src, dst), now) {
            return Err(Withheld::Limited);
        }
        let to = Header { src, tos: INTERNETWORK_CONTROL, ..Header::new(dst, IpNumber::ICMP) };
        let to = Header { dont_fragment: false, ..to };
        let most = QUOTE_LEN.min(below.max_len(dst).saturating_sub(HEADER_LEN)).max(header.len());
        let payload = &payload[..payload.len().min(most - header.len())];
        let (kind, rest) = problem.kind();
        let len = HEADER_LEN + header.len() + payload.len();
        let sent = below.send(&to, len, &mut |out| {
            write_message(out, kind, rest, |data| {
                let (first, then) = data.split_at_mut(header.len());
                first.copy_from_slice(header);
                then.copy_from_slice(payload);
            });
        });
        sent.map(|_| ()).map_err(|_| Withheld::Unsendable)
    }
}

/// Why a sender was not told what became of its datagram.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Withheld {
    /// It is an ICMP error itself, or may be one: only what is known to be a query is not
    /// (RFC 1122 §3.2.2).
    IcmpError,
    /// It was for many hosts, or came in a frame for many (RFC 1122 §3.2.2).
    Broadcast,
    /// It is a fragment other than the first (RFC 1122 §3.2.2).
    LaterFragment,
    /// Its source is not one host's address (RFC 1122 §3.2.2).
    Source,
    /// Too many were told of late (RFC 1812 §4.3.2.8).
    Limited,
    /// The error could not be sent.
    Unsendable,
}

/// Whom to tell, if anybody may be (RFC 1122 §3.2.2, RFC 1812 §4.3.2.7).
fn may_be_told(header: &[u8], payload: &[u8], cast: Cast) -> Result<Ipv4Addr, Withheld> {
    if cast != Cast::Host {
        return Err(Withheld::Broadcast);
    }
    let Quote { src, dst, protocol, .. } =
        Quote::parse(header).map_err(|discard| match discard {
            ipv4::Discard::Fragment => Withheld::LaterFragment,
            _ => Withheld::Source,
        })?;
    if dst.is_multicast() || dst.is_broadcast() {
        return Err(Withheld::Broadcast);
    }
    if matches!(src.octets()[0], 0 | 127 | 224..) {
        return Err(Withheld::Source);
    }
    if protocol == IpNumber::ICMP && !payload.first().copied().is_some_and(is_query) {
        return Err(Withheld::IcmpError);
    }
    Ok(src)
}

/// Whether messages of that type are known not to be errors.
fn is_query(icmp_type: u8) -> bool {
    matches!(
        icmp_type,
        ECHO_REPLY | ECHO_REQUEST | ROUTER_ADVERTISEMENT | ROUTER_SOLICITATION | TIMESTAMP
            ..=ADDRESS_MASK_REPLY | EXTENDED_ECHO_REQUEST | EXTENDED_ECHO_REPLY
    )
}

/// The last of the queries of RFC 792 and RFC 950.
const ADDRESS_MASK_REPLY: u8 = 18;

/// Octets quoted, so that the error has at most 576 (RFC 1812 §4.3.2.3).
const QUOTE_LEN: usize = 576 - 20 - HEADER_LEN;

/// Precedence 6 (RFC 1812 §4.3.2.5).
const INTERNETWORK_CONTROL: u8 = 0xc0;
