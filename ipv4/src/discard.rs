/// Why a packet was silently discarded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// In a frame for another station, which we only saw pass.
    OtherStation,
    /// Fewer octets than a header has.
    Length,
    /// Not version 4 (RFC 1122 §3.2.1.1).
    Version,
    /// A header length of less than 20 octets, or more than the total length (RFC 791 §3.1).
    HeaderLength,
    /// A total length of less than 20 octets, or beyond the frame (RFC 791 §3.1).
    TotalLength,
    /// Header checksum wrong (RFC 1122 §3.2.1.2).
    Checksum,
    /// A source that no host can have: in 0/8, in 127/8, a group, reserved (RFC 1122 §3.2.1.3).
    Source,
    /// A source that is everybody's on a network of ours (RFC 1122 §3.2.1.3).
    SourceBroadcast,
    /// A source that is our own address.
    SourceOwn,
    /// A destination that no frame may carry: in 0/8 or in 127/8 (RFC 1122 §3.2.1.3).
    Destination,
    /// For another host, to which we do not forward it (RFC 1122 §3.3.5).
    NotForUs,
    /// For a group that we are not in (RFC 1122 §3.2.1.3).
    Group,
    /// One host's packet in a frame for many (RFC 1122 §3.3.6).
    LinkBroadcast,
    /// An option of impossible length, or without room for what we must record in it (RFC 1122
    /// §3.2.2.5).
    BadOption {
        /// Which octet of the header is wrong, as a parameter problem says it.
        pointer: u8,
    },
    /// It chooses its own way, loose or strict (RFC 7126 §4.3).
    SourceRoute,
    /// A fragment, kept until all others are here: no loss, but no datagram yet.
    Incomplete,
    /// A fragment that is not the last, and not a multiple of 8 octets (RFC 791 §3.2).
    FragmentLength,
    /// A fragment of nothing.
    FragmentEmpty,
    /// A fragment that ends beyond the longest datagram (RFC 791 §3.1).
    FragmentBeyond,
    /// A fragment that is here already, octet for octet.
    FragmentDuplicate,
    /// A fragment that overlaps another, or contradicts where the datagram ends: all of the
    /// datagram is discarded (as RFC 5722 §3 has it).
    FragmentOverlap,
    /// A fragment of a datagram in very many: all of it is discarded.
    FragmentExcess,
    /// A fragment of a datagram that was discarded for another of its fragments.
    FragmentCondemned,
    /// What is quoted is a later fragment, not the beginning of a message.
    Fragment,
}
