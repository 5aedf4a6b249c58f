//! Ethernet frames in, Ethernet frames out (RFC 894, IEEE 802.3, IEEE 802.1Q).
//!
//! [`FrameTx`] and [`FrameIo`] are all that the layers above may know of a network card.
//! [`PacketSocket`] is a real one, [`Tap`] a device behind which we are a host of our own,
//! [`memory::Network`] one in memory; decorators of any link record ([`capture::Recorder`]), speak
//! inside a VLAN ([`Tagged`]), or pace a virtual clock ([`Paced`]); a socket may have a second
//! thread to send by ([`Helped`]). [`interfaces`] tells what the kernel knows, and [`namespace`]
//! makes private networks of Linux hosts.
//!
//! ```
//! use sidestack_link as link;
//! use link::{EtherType, FrameIo, FrameTx, MacAddr6, memory::Network};
//!
//! let network = Network::new();
//! let mut near = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 1));
//! let mut far = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 2));
//!
//! near.send(far.mac(), EtherType(0x0801), 5, &mut |out| out.copy_from_slice(b"hello"))?;
//! near.flush()?;
//! network.advance_to(network.next_arrival().expect("a frame is on its way"));
//!
//! let heard = far.recv(network.now(), &mut |frame, _| {
//!     assert_eq!(frame.src(), MacAddr6::new(2, 0, 0, 0, 0, 1));
//!     assert!(frame.payload().starts_with(b"hello")); // then Ethernet's padding
//! })?;
//! assert_eq!(heard, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Two features, both off unless asked for: `smoltcp`, whose `smoltcp::Device` lends any link to
//! that stack, and `tokio`, whose `tokio::AsyncFrameIo` is a socket to be awaited.

pub mod capture;
mod ethtool;
mod filter;
mod frame;
mod helped;
mod identity;
mod interface;
mod io;
pub mod memory;
mod monitor;
pub mod namespace;
mod netlink;
mod outbox;
mod paced;
#[cfg(feature = "smoltcp")]
pub mod smoltcp;
mod socket;
mod tap;
#[cfg(feature = "tokio")]
pub mod tokio;
mod view;
mod vlan;

pub use ethtool::{TimeStamping, time_stamping};
pub use filter::{Filter, FilterError, Instruction};
pub use frame::{
    Cast, Checksum, Direction, Discard, Facts, Frame, HEADER_LEN, Source, Stamp, TAG_LEN, Tag,
    Unsent,
};
pub use helped::Helped;
pub use identity::As;
pub use interface::{Address, Interface, Kind, Route, State, interface, interfaces};
pub use io::{Event, FrameIo, FrameTx, Link, SendError, Wait};
pub use monitor::{Change, Condition, Monitor};
pub use paced::Paced;
pub use socket::{Fanout, OpenError, Options, PacketSocket, Ring, Stats};
pub use tap::{Tap, TapError, TapOptions};
pub use view::{Flaw, View};
pub use vlan::Tagged;

pub use etherparse::EtherType;
pub use macaddr::MacAddr6;
