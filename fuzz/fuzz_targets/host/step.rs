use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// What happens next.
#[derive(Arbitrary, Debug)]
pub(crate) enum Step<'a> {
    /// Time passes.
    Wait {
        milliseconds: u16,
    },
    WaitLong {
        seconds: u8,
    },
    /// The neighbour sends these octets, with checksums that are right if `mended`.
    Frame {
        octets: &'a [u8],
        mended: bool,
    },
    /// The neighbour sends a frame to the host, or to all.
    Payload {
        to_all: bool,
        arp: bool,
        octets: &'a [u8],
        mended: bool,
    },
    /// The neighbour sends one part of a datagram with an echo request, or of whatever.
    Fragment {
        dst: u8,
        identification: u8,
        /// In units of 8 octets.
        at: u16,
        more: bool,
        octets: &'a [u8],
    },
    /// The neighbour sends a sound ARP packet: operation, then the last octets of addresses.
    Arp {
        to_all: bool,
        operation: u8,
        sender_mac: u8,
        sender: u8,
        target: u8,
    },
    /// The neighbour asks one of the hosts for an echo.
    Ask {
        dst: u8,
        ttl: u8,
        beyond: bool,
        len: u16,
    },
    /// The neighbour answers the last ARP request that it heard.
    Answer {
        mac: u8,
    },
    /// The neighbour sends the last datagram that it heard back to where it came from, one octet
    /// changed.
    Reflect {
        at: u8,
        value: u8,
    },
    /// The neighbour quotes that datagram in an ICMP error.
    Quote {
        icmp_type: u8,
        code: u8,
        rest: [u8; 4],
        len: u8,
    },
    /// The host does something of its own.
    Echo {
        dst: u8,
        sequence: u8,
        ttl: u8,
        len: u16,
        timeout: u16,
        dont_fragment: bool,
    },
    Resolve {
        addr: u8,
    },
    Pin {
        addr: u8,
        mac: u8,
    },
    Probe {
        addr: u8,
    },
    Adopt,
    /// Something happens to its link.
    State {
        up: bool,
        carrier: bool,
    },
    Mtu {
        octets: u16,
    },
    Mac {
        last: u8,
    },
    Slots {
        frames: u8,
    },
    Inbox {
        frames: u8,
    },
    Jam {
        milliseconds: u8,
    },
}
