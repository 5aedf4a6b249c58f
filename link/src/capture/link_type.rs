use std::fmt;

/// What kind of frames an interface in a capture has, by the number in the registry of link-layer
/// header types (draft-ietf-opsawg-pcaplinktype).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LinkType(pub u16);

impl LinkType {
    /// The only one whose frames are read.
    pub const ETHERNET: Self = Self(1);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((number, name)) => write!(f, "{name} ({number})"),
            None => write!(f, "link type {}", self.0),
        }
    }
}

/// Those that are met.
const NAMES: [(u16, &str); 32] = [
    (0, "BSD loopback"),
    (1, "Ethernet"),
    (6, "Token Ring"),
    (7, "ARCNET"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (12, "raw IP"),
    (50, "PPP in HDLC framing"),
    (51, "PPPoE"),
    (100, "ATM"),
    (101, "raw IP"),
    (104, "Cisco HDLC"),
    (105, "802.11"),
    (107, "frame relay"),
    (108, "OpenBSD loopback"),
    (113, "Linux cooked"),
    (117, "OpenBSD pflog"),
    (119, "802.11 with Prism"),
    (127, "802.11 with radiotap"),
    (189, "Linux USB"),
    (192, "PPI"),
    (195, "802.15.4"),
    (201, "Bluetooth HCI"),
    (220, "Linux USB, padded"),
    (228, "raw IPv4"),
    (229, "raw IPv6"),
    (239, "Linux nflog"),
    (249, "Windows USB"),
    (251, "Bluetooth LE"),
    (253, "Linux netlink"),
    (276, "Linux cooked, version 2"),
];
