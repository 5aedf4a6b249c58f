//! Why a request never left.

use stack::{
    icmp::{Outcome, SendError},
    ipv4,
    link::{self, Unsent},
};

/// As programs are told: of an echo that was accepted, and yet never left.
pub(crate) fn reason(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unresolved { .. } => "unresolved",
        Outcome::Replaced => "replaced",
        Outcome::Unsent(unsent) => link_reason(*unsent),
        _ => "unsent",
    }
}

/// As programs are told: of what the link did not send.
pub(crate) fn link_reason(unsent: Unsent) -> &'static str {
    match unsent {
        Unsent::Down => "link-down",
        Unsent::NoCarrier => "no-carrier",
        Unsent::Full => "queue-full",
        Unsent::TooLong => "mtu",
        _ => "unsent",
    }
}

/// As people are told: of what the link did not send.
pub(crate) fn link_words(unsent: Unsent) -> &'static str {
    match unsent {
        Unsent::Down => "link down",
        Unsent::NoCarrier => "no carrier",
        Unsent::Full => "the kernel's queue stayed full",
        Unsent::TooLong => "longer than the MTU is now",
        _ => "the link did not send it",
    }
}

/// As programs are told: of a request that was not even accepted.
pub(crate) fn refusal(error: &SendError) -> &'static str {
    match error {
        SendError::Ipv4(ipv4::SendError::NoRoute(_)) => "no-route",
        SendError::Ipv4(
            ipv4::SendError::TooLong { .. }
            | ipv4::SendError::Link(link::SendError::TooLong { .. }),
        ) => "mtu",
        SendError::Ipv4(ipv4::SendError::Identifications(_)) => "identifications",
        _ => "refused",
    }
}
