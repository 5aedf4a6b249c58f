//! The Internet Protocol, version 4 (RFC 791, RFC 1122 §3), for a host on one interface.
//!
//! Below: any [`arp::PacketTx`], `arp` being the crate `sidestack-arp`. Above: [`DatagramTx`], and
//! the [`Datagram`]s that [`Ipv4::input`] returns.
//!
//! ```
//! use sidestack_ipv4 as ipv4;
//! use ipv4::{Ipv4, NextHop};
//!
//! let ipv4 = Ipv4::new("10.0.0.1/24".parse()?).with_gateway("10.0.0.254".parse()?);
//!
//! // On our network: directly. Beyond it: through the gateway.
//! let near = ipv4.route("10.0.0.2".parse()?).expect("a route");
//! assert_eq!(near.next_hop, NextHop::Unicast("10.0.0.2".parse()?));
//! let far = ipv4.route("10.0.1.1".parse()?).expect("a route");
//! assert_eq!(far.next_hop, NextHop::Unicast("10.0.0.254".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod addresses;
mod datagram;
mod discard;
mod event;
mod fields;
mod fragment;
mod identification;
mod input;
mod interface;
mod options;
mod packet;
mod partial;
mod path;
mod reassembly;
mod route;
mod routes;
mod send;
mod table;
mod tx;
mod view;

pub use datagram::{Datagram, Quote};
pub use discard::Discard;
pub use event::Event;
pub use interface::Ipv4;
pub use options::{Options, Recorded};
pub use packet::Packet;
pub use reassembly::Reassembling;
pub use route::{Hop, Route, Why};
pub use send::Over;
pub use tx::{DatagramTx, Header, SendError};
pub use view::{ChecksumStatus, View};

pub use arp::{NextHop, Sent};
pub use etherparse::IpNumber;
pub use ipnetwork::Ipv4Network;
pub use link::{Cast, Flaw, Source, Stamp, Unsent};
