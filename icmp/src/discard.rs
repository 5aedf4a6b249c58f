use crate::event::Straying;

/// Why a message was silently discarded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// Cut short, or not of the length that its type has.
    Length,
    /// Checksum wrong (RFC 792).
    Checksum,
    /// To many hosts: requests are not answered (RFC 1122 §3.2.2.6, §3.2.2.8), and nothing else
    /// is ever sent so.
    Broadcast,
    /// A request with a code: RFC 792 defines none but 0, so that it cannot be known what is asked.
    Code,
    /// An echo request that is another stack's to answer.
    Unanswered,
    /// A request that the reply to could not be sent.
    Unanswerable,
    /// A request beyond [`Config::replies`](crate::Config::replies).
    Limited,
    /// A timestamp request, where none are answered (RFC 1122 §3.2.2.8: optional).
    Timestamp,
    /// An extended echo, which is off unless told otherwise (RFC 8335 §8); and here it never is.
    ExtendedEcho,
    /// A type that has been retired: information, address mask and others (RFC 6918).
    Deprecated,
    /// Router discovery, which is not obeyed here (RFC 1256).
    RouterDiscovery,
    /// A type that nobody here acts on (RFC 1122 §3.2.2).
    Type,
    /// A reply to another process's request.
    Foreign,
    /// A reply to an echo that was answered before; told as an
    /// [`Event::Stray`](crate::Event::Stray), like the four that follow.
    Duplicate,
    /// A reply to an echo that had ended without one.
    Late,
    /// A reply that is not what we asked to be echoed.
    Corrupt,
    /// A reply from another than we asked.
    Elsewhere,
    /// A reply with our identifier to nothing that we asked.
    Unasked,
    /// An error that quotes too little to tell what it is about (RFC 792: 8 octets and the
    /// header), or a later fragment.
    Quote,
    /// An error, or a redirect, that quotes another's datagram (RFC 5927 §4.1).
    ForeignError,
    /// An error, or a redirect, about an echo of ours that is not in flight: it has ended, has not
    /// left, or never was (RFC 5927 §4.1).
    StaleError,
    /// A source quench: obsolete, and not obeyed (RFC 6633 §3).
    SourceQuench,
    /// A redirect, where none are obeyed.
    Redirect,
    /// A redirect to what cannot be a gateway, or with a code that none has (RFC 1122 §3.2.2.2).
    Gateway,
}

impl From<Straying> for Discard {
    fn from(straying: Straying) -> Self {
        match straying {
            Straying::Duplicate { .. } => Self::Duplicate,
            Straying::Late { .. } => Self::Late,
            Straying::Corrupt(_) => Self::Corrupt,
            Straying::Elsewhere { .. } => Self::Elsewhere,
            Straying::Unasked => Self::Unasked,
        }
    }
}
