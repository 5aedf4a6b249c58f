//! Ethernet frames in, Ethernet frames out (RFC 894, IEEE 802.3, IEEE 802.1Q).
//!
//! [`FrameTx`] and [`FrameIo`] are all that the layers above may know of a network card.

mod ethtool;
mod frame;
mod interface;
mod io;
mod monitor;
pub mod namespace;
mod netlink;

pub use ethtool::{TimeStamping, time_stamping};
pub use frame::{
    Cast, Checksum, Direction, Discard, Facts, Frame, HEADER_LEN, Source, Stamp, TAG_LEN, Tag,
    Unsent,
};
pub use interface::{Address, Interface, Kind, Route, State, interface, interfaces};
pub use io::{Event, FrameIo, FrameTx, Link, SendError, Wait};
pub use monitor::{Change, Condition, Monitor};
