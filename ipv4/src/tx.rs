use std::net::Ipv4Addr;

use arp::Sent;
use etherparse::IpNumber;

use crate::options::Options;

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
    /// Whether nobody may fragment it, we no more than routers.
    ///
    /// Routers may all the same where the path is said to take less than 552 octets.
    pub dont_fragment: bool,
    /// Whether it is to find out what its path takes (RFC 8899 §3): only the link bounds it, not
    /// what errors have told.
    pub probe: bool,
    /// `None`: 0 for what cannot be fragmented, else one that is hard to guess (RFC 6864 §4).
    pub identification: Option<u16>,
    /// Options, which every host and router on the way looks at.
    pub options: Options,
}

impl Header {
    /// To `dst`, with the default time to live (RFC 1122 §3.2.1.7), not to be fragmented.
    pub fn new(dst: Ipv4Addr, protocol: IpNumber) -> Self {
        Self {
            src: None,
            dst,
            protocol,
            ttl: DEFAULT_TTL,
            tos: 0,
            dont_fragment: true,
            probe: false,
            identification: None,
            options: Options::NONE,
        }
    }
}

/// What a transport needs from the internet layer (RFC 1122 §3.4).
pub trait DatagramTx {
    /// The address that datagrams to `dst` leave from; `None` without a route (GET_SRCADDR).
    fn src(&self, dst: Ipv4Addr) -> Option<Ipv4Addr>;

    /// Largest message to `dst`, in octets, that needs no fragmentation, without options
    /// (GET_MAXSIZES).
    fn max_len(&self, dst: Ipv4Addr) -> usize;

    /// Sends a message of `len` octets, written by `write`, which runs exactly once if the result
    /// is `Ok`, never otherwise.
    ///
    /// # Errors
    /// Those of [`SendError`]; nothing has left then, and nothing will. `Ok` means that all
    /// fragments will be handed down, if need be by `poll`.
    fn send(
        &mut self,
        header: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError>;
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
    /// It needs fragmentation, which it must not have; or even so it is too long.
    #[error("a message of {len} octets does not fit: at most {max} do")]
    TooLong {
        /// Octets of message asked for.
        len: usize,
        /// Octets that fit.
        max: usize,
    },
    /// All 65,536 identifications were used towards it within two minutes (RFC 6864 §4.3).
    #[error("too much to {0} that can be fragmented: it needs identifications, and all are in use")]
    Identifications(Ipv4Addr),
}

impl SendError {
    /// Whether trying again after a flush can help.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Link(link::SendError::Full))
    }
}

/// The recommended default (RFC 1122 §3.2.1.7; assigned by IANA).
const DEFAULT_TTL: u8 = 64;
