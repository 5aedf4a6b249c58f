//! One host on one Ethernet: link, ARP, IPv4 and ICMP composed; and a laboratory of many.
//!
//! [`Stack`] is the only place that knows which layer sits on which. It runs on any
//! [`link::FrameIo`]: the packet socket, the network in memory, or a decorator of either, as
//! [`Impaired`] is. It can be many hosts ([`Served`]), and ask many ([`Sweep`]). A [`Lab`] holds
//! hosts and [`Router`]s under one virtual clock; [`dissect`] shows a frame layer by layer.
//!
//! ```
//! use sidestack_stack as stack;
//! use stack::{Lab, icmp::{Echo, Outcome}};
//!
//! let mut lab = Lab::new();
//! let wire = lab.network();
//! let alice = lab.host(wire, "10.0.0.1/24".parse()?, None);
//! lab.host(wire, "10.0.0.2/24".parse()?, None);
//!
//! let now = lab.now();
//! lab.stack(alice).echo(now, &Echo::new("10.0.0.2".parse()?, 1, &[0; 56]))?;
//! let ended = lab.run_until_ended(alice)?.expect("an answer");
//! assert!(matches!(ended.outcome, Outcome::Reply { len: 64, ttl: 64, .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod beyond;
mod config;
mod counters;
mod dissect;
mod event;
mod guest;
mod host;
mod hosts;
mod identity;
mod impaired;
mod lab;
mod pace;
pub mod path_mtu;
mod router;
mod served;
pub mod sweep;
mod tower;
mod udp;

pub use config::Config;
pub use counters::{Counters, Discard, Undelivered};
pub use dissect::{Dissected, Layer, Malformed, dissect};
pub use event::{Event, What};
pub use guest::Guest;
pub use host::Stack;
pub use hosts::Hosts;
pub use impaired::{Impaired, Impairment, Tally};
pub use lab::{HostId, Lab, NetworkId, RouterId};
pub use pace::Pace;
pub use path_mtu::MtuSearch;
pub use router::{Router, Side};
pub use served::{Beyond, Census, Refused, Served};
pub use sweep::{Permutation, Shard, Sweep, Targets};

pub use {arp, icmp, ipv4, link};

/// The examples of the README, to be run as tests.
#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
struct Readme;
