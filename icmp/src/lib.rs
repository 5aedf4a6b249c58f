//! The Internet Control Message Protocol (RFC 792, RFC 1122 §3.2.2): echo, both sides of it, and
//! errors, delivered to the very echo that caused them.
//!
//! Below: any [`ipv4::DatagramTx`], `ipv4` being the crate `sidestack-ipv4`. Above: echoes to be
//! sent, and [`Event`]s. Every echo that [`Icmp::echo`] accepts ends in exactly one
//! [`Event::Ended`]; whatever else answers is an [`Event::Stray`], told and never believed.
//!
//! ```
//! use sidestack_icmp as icmp;
//! use icmp::{Config, Echo, Icmp};
//! use ipv4::{DatagramTx, Header, SendError, Sent};
//! # use std::{net::Ipv4Addr, time::Duration};
//!
//! /// Any internet layer will do; this one only counts.
//! struct Counting(usize);
//! # impl DatagramTx for Counting {
//! #     fn src(&self, _: Ipv4Addr) -> Option<Ipv4Addr> { Some(Ipv4Addr::new(10, 0, 0, 1)) }
//! #     fn max_len(&self, _: Ipv4Addr) -> usize { 1480 }
//! #     fn send(
//! #         &mut self,
//! #         _: &Header,
//! #         len: usize,
//! #         write: &mut dyn FnMut(&mut [u8]),
//! #     ) -> Result<Sent, SendError> {
//! #         let mut message = vec![0; len];
//! #         write(&mut message);
//! #         self.0 += len;
//! #         Ok(Sent::Out)
//! #     }
//! # }
//!
//! let now = link::memory::Network::new().now();
//! let mut below = Counting(0);
//! let mut icmp = Icmp::new(Config { identifier: 7, ..Config::default() });
//! icmp.echo(now, &Echo::new("10.0.0.2".parse()?, 1, &[0; 56]), &mut below)?;
//! assert_eq!(below.0, 64);
//!
//! // Nobody answers, so a second later it has ended.
//! assert_eq!(icmp.poll(now), None);
//! assert!(icmp.poll(now + Duration::from_secs(1)).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod answer;
mod config;
mod cookie;
mod deadlines;
mod discard;
mod echo;
mod error;
mod event;
mod extension;
mod flight;
mod input;
mod limit;
mod message;
mod object;
mod problem;
mod quoted;
mod report;
mod spread;
mod ticks;
mod view;

pub use config::Config;
pub use discard::Discard;
pub use echo::{Echo, Icmp, SendError};
pub use error::{Error, TooBig};
pub use event::{Corrupt, Ended, Event, Outcome, Recorded, Redirect, Stray, Straying};
pub use extension::{Extensions, Object};
pub use flight::Awaited;
pub use limit::Limit;
pub use message::HEADER_LEN;
pub use object::{Interface, Label, Objects, Role};
pub use problem::Problem;
pub use report::Withheld;
pub use view::{Quoted, View};

pub use ipv4::{ChecksumStatus, Flaw, Source, Unsent};
