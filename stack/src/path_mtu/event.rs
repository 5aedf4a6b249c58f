use std::time::Instant;

use icmp::{Outcome, SendError};
use link::MacAddr6;

use super::range::MIN;

/// What an [`MtuSearch`](super::MtuSearch) has to say.
#[derive(Clone, Debug)]
pub enum Event {
    /// A probe has ended; exactly once for each that was sent.
    Ended(Ended),
    /// The search is over, and this is its last event: the longest packet that is answered, in
    /// octets, IP header included.
    Over(Result<u16, Error>),
    /// What ended no probe: others' echoes, strays, conflicts, the gateway's, the link's.
    Other(crate::Event),
}

/// How one probe ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When: for an answer, when its frame arrived.
    pub at: Instant,
    /// Octets of its packet, IP header included.
    pub size: u16,
    /// The sender of the frame that ended it.
    pub from_mac: Option<MacAddr6>,
    /// What came of it.
    pub outcome: Outcome,
}

/// Why no path MTU was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no connectivity: not even the shortest probes are answered.
    #[error("nothing is answered, not even packets of {MIN} octets")]
    Unreachable {
        /// How the last probe ended.
        last: Outcome,
    },
    /// A probe could not be sent.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// So much is lost, or the path changes so often, that very many probes tell nothing.
    #[error("too much is lost to tell what was too long")]
    Unsteady {
        /// What was answered last, if anything was.
        mtu: Option<u16>,
    },
}
