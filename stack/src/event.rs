use std::time::Instant;

use link::MacAddr6;

/// Something that a [`Stack`](crate::Stack) has to tell.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it happened: for what came in a frame, when that arrived.
    pub at: Instant,
    /// The sender of the frame that it came in.
    pub from_mac: Option<MacAddr6>,
    /// What it is.
    pub what: What,
}

impl Event {
    pub(crate) fn of_arp(at: Instant, event: arp::Event) -> Self {
        Self { at, from_mac: None, what: What::Arp(event) }
    }

    /// Whether others can cause it as often as they like.
    pub(crate) fn is_unasked(&self) -> bool {
        matches!(
            self.what,
            What::Icmp(icmp::Event::Stray(_) | icmp::Event::Redirect(_))
                | What::Arp(
                    arp::Event::Conflict { .. }
                        | arp::Event::Moved { .. }
                        | arp::Event::Evicted { .. }
                )
        )
    }
}

/// Which layer tells it.
#[derive(Clone, Debug)]
pub enum What {
    /// The link itself changed.
    Link(link::Event),
    /// A neighbour answered, or did not; a conflict; what came of a probe. Packets that were kept
    /// have been dealt with: they are not in here.
    Arp(arp::Event),
    /// An echo ended, or an answer ended none.
    Icmp(icmp::Event),
}
