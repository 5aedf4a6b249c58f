//! Ethernet frames in, Ethernet frames out (RFC 894, IEEE 802.3, IEEE 802.1Q).
//!
//! [`FrameTx`] and [`FrameIo`] are all that the layers above may know of a network card.
//! [`PacketSocket`] is a real one, [`Tap`] a device behind which we are a host of our own,
//! [`memory::Network`] one in memory; decorators of any link
//! record ([`capture::Recorder`]), speak inside a VLAN ([`Tagged`]), or pace a virtual clock
//! ([`Paced`]).
//!
//! Two features, both off unless asked for: `smoltcp`, whose `smoltcp::Device` lends any link to
//! that stack, and `tokio`, whose `tokio::AsyncFrameIo` is a socket to be awaited.

pub mod capture;
mod ethtool;
mod filter;
mod frame;
mod identity;
mod interface;
mod io;
pub mod memory;
mod monitor;
pub mod namespace;
mod netlink;
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
