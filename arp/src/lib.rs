//! Address resolution for IPv4 over Ethernet (RFC 826, RFC 1122 §2.3.2), and the detection of
//! address conflicts (RFC 5227).
//!
//! Below: any [`link::FrameTx`], `link` being the crate `sidestack-link`. Above: [`PacketTx`],
//! which takes packets for a [`NextHop`] and hides that a MAC address has to be asked for first.
//!
//! ```
//! use sidestack_arp as arp;
//! use arp::{Arp, Config, NextHop, Owned, PacketTx, Sent};
//! use link::{FrameIo, FrameTx, MacAddr6, memory::Network};
//!
//! let network = Network::new();
//! let mut port = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 1));
//! let us = "10.0.0.1".parse()?;
//! let mut arp = Arp::new(Owned::from([(us, port.mac())]), Config::default());
//!
//! // Nobody is known yet: the packet is kept, and a request goes out.
//! let router = NextHop::Unicast("10.0.0.254".parse()?);
//! let sent = arp.over(network.now(), &mut port).send(us, router, 20, &mut |out| out.fill(1))?;
//! assert_eq!(sent, Sent::Kept);
//! port.flush()?;
//! assert_eq!(network.sent(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod acd;
mod any;
mod block;
mod claim;
mod claims;
mod clock;
mod config;
mod conflicts;
mod entry;
mod event;
mod input;
mod keep;
mod owner;
mod packet;
mod queue;
mod reach;
mod resolve;
mod table;
mod timed;
mod tx;

pub use any::AnyView;
pub use block::{Block, Macs};
pub use claim::{ANNOUNCE_INTERVAL, ANNOUNCE_NUM};
pub use config::{Config, Defend, Trust};
pub use entry::{REQUEST_INTERVAL, State};
pub use event::Event;
pub use owner::{Owned, Owner};
pub use packet::{Discard, View, announce};
pub use table::{Arp, Neighbour};
pub use tx::{NextHop, Over, PacketTx, Sent};

pub use etherparse::ArpOperation as Operation;
