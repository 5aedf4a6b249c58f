use std::net::Ipv4Addr;

use arp::{PacketTx, Sent};
use etherparse::{IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header};

use crate::{interface::Ipv4, packet::HEADER_LEN};

/// What a transport chooses about a datagram: RFC 1122 §3.4's SEND arguments.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Our address that it leaves from; `None` lets the route choose.
    pub src: Option<Ipv4Addr>,
    /// Whom it is for.
    pub dst: Ipv4Addr,
    /// What the payload is.
    pub protocol: IpNumber,
    /// Hops it may take; never sent as 0.
    pub ttl: u8,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Whether no router may fragment it.
    pub dont_fragment: bool,
    /// `None`: 0 for what cannot be fragmented, else one that is hard to guess (RFC 6864 §4).
    pub identification: Option<u16>,
}

impl Header {
    /// To `dst`, with the default time to live (RFC 1122 §3.2.1.7), not to be fragmented.
    pub fn new(dst: Ipv4Addr, protocol: IpNumber) -> Self {
        let (ttl, tos, dont_fragment) = (DEFAULT_TTL, 0, true);
        Self { src: None, dst, protocol, ttl, tos, dont_fragment, identification: None }
    }
}

/// What a transport needs from the internet layer (RFC 1122 §3.4).
pub trait DatagramTx {
    /// The address that datagrams to `dst` leave from; `None` without a route (GET_SRCADDR).
    fn src(&self, dst: Ipv4Addr) -> Option<Ipv4Addr>;

    /// Largest message to `dst`, in octets, that needs no fragmentation (GET_MAXSIZES).
    fn max_len(&self, dst: Ipv4Addr) -> usize;

    /// Sends a message of `len` octets, written by `write`, which runs exactly once if the result
    /// is `Ok`, never otherwise.
    ///
    /// # Errors
    /// Those of [`SendError`]; nothing has left then, and nothing will.
    fn send(
        &mut self,
        header: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError>;
}

/// [`Ipv4`] placed over a link layer for the duration of one call.
pub struct Over<'a> {
    pub(crate) ipv4: &'a mut Ipv4,
    pub(crate) below: &'a mut dyn PacketTx,
}

impl DatagramTx for Over<'_> {
    fn src(&self, dst: Ipv4Addr) -> Option<Ipv4Addr> {
        self.ipv4.route(dst).map(|route| route.src)
    }

    fn max_len(&self, _dst: Ipv4Addr) -> usize {
        self.below.mtu().min(TOTAL_LEN).saturating_sub(HEADER_LEN)
    }

    fn send(
        &mut self,
        header: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        let route = self.ipv4.route(header.dst).ok_or(SendError::NoRoute(header.dst))?;
        let max = self.max_len(header.dst);
        if len > max {
            return Err(SendError::TooLong { len, max });
        }
        let src = header.src.unwrap_or(route.src);
        let mut ip = Ipv4Header {
            dscp: IpDscp::try_new(header.tos >> 2).unwrap_or_default(),
            ecn: IpEcn::try_new(header.tos & 3).unwrap_or_default(),
            total_len: (HEADER_LEN + len) as u16,
            identification: match header.identification {
                Some(identification) => identification,
                None if header.dont_fragment => 0,
                None => self.ipv4.identifications.next(header.dst),
            },
            dont_fragment: header.dont_fragment,
            more_fragments: false,
            fragment_offset: IpFragOffset::ZERO,
            time_to_live: header.ttl.max(1),
            protocol: header.protocol,
            header_checksum: 0,
            source: src.octets(),
            destination: header.dst.octets(),
            ..Ipv4Header::default()
        };
        ip.header_checksum = ip.calc_header_checksum();
        let sent = self.below.send(src, route.next_hop, HEADER_LEN + len, &mut |packet| {
            let (head, message) = packet.split_at_mut(HEADER_LEN);
            head.copy_from_slice(&ip.to_bytes());
            write(message);
        })?;
        Ok(sent)
    }
}

/// Why a datagram could not be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The link layer's reason.
    #[error(transparent)]
    Link(#[from] link::SendError),
    /// Off the connected networks, and no gateway.
    #[error("no route to {0}: it is on no network of ours, and there is no gateway")]
    NoRoute(Ipv4Addr),
    /// It needs fragmentation.
    #[error("a message of {len} octets does not fit: at most {max} leave unfragmented")]
    TooLong {
        /// Octets of message asked for.
        len: usize,
        /// Octets that fit.
        max: usize,
    },
}

impl SendError {
    /// Whether trying again after a flush can help.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Link(link::SendError::Full))
    }
}

/// The recommended default (RFC 1122 §3.2.1.7; assigned by IANA).
const DEFAULT_TTL: u8 = 64;

/// The most that the header's total length can say.
const TOTAL_LEN: usize = 65_535;
