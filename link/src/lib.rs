//! Ethernet frames in, Ethernet frames out (RFC 894, IEEE 802.3, IEEE 802.1Q).
//!
//! [`FrameTx`] and [`FrameIo`] are all that the layers above may know of a network card.

pub mod capture;
mod frame;
mod identity;
mod io;
pub mod memory;
mod paced;
mod vlan;

pub use frame::{
    Cast, Checksum, Direction, Discard, Facts, Frame, HEADER_LEN, Source, Stamp, TAG_LEN, Tag,
    Unsent,
};
pub use identity::As;
pub use io::{Event, FrameIo, FrameTx, Link, SendError, Wait};
pub use paced::Paced;
pub use vlan::Tagged;

pub use etherparse::EtherType;
pub use macaddr::MacAddr6;
