use std::net::Ipv4Addr;

use etherparse::IpNumber;
use link::Cast;

/// What happened by itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Not all fragments of a datagram came within 60 seconds of the first that did.
    ///
    /// Its sender is to be told (RFC 1122 §3.3.2), if `first` is there and `cast` is
    /// [`Cast::Host`].
    Expired {
        /// Who sent it.
        src: Ipv4Addr,
        /// Whom they sent it to.
        dst: Ipv4Addr,
        /// What it carried.
        protocol: IpNumber,
        /// How many hosts it was for.
        cast: Cast,
        /// The fragment that the datagram begins with as it came, header first; it is what a
        /// [`Packet`](crate::Packet) can be parsed from.
        first: Option<Vec<u8>>,
    },
}
