use crate::message::{PARAMETER_PROBLEM, TIME_EXCEEDED, UNREACHABLE};

/// Why a datagram could not be delivered, to be told to its sender (RFC 792, RFC 1122 §3.2.2,
/// RFC 1812 §5.2.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// No route to its network.
    NetUnreachable,
    /// Its next hop does not answer ARP.
    HostUnreachable,
    /// Nobody here speaks its protocol.
    ProtocolUnreachable,
    /// Nobody listens on its port.
    PortUnreachable,
    /// It does not fit, and must not be fragmented (RFC 1191 §4).
    FragmentationNeeded {
        /// Octets that the next hop takes.
        mtu: u16,
    },
    /// It demands a route that there is not.
    SourceRouteFailed,
    /// Its network does not exist (not to be sent any more: RFC 1812 §5.2.7.1).
    NetUnknown,
    /// Its host does not exist.
    HostUnknown,
    /// Its sender is isolated (not to be sent any more).
    SourceHostIsolated,
    /// Nobody may speak with its network.
    NetProhibited,
    /// Nobody may speak with its host.
    HostProhibited,
    /// Its network cannot be reached with its type of service.
    NetUnreachableForTos,
    /// Its host cannot be reached with its type of service.
    HostUnreachableForTos,
    /// A filter does not let it pass.
    Prohibited,
    /// Its precedence is not allowed.
    HostPrecedenceViolation,
    /// Its precedence is below the least that is allowed.
    PrecedenceCutoff,
    /// Its time to live ran out.
    TimeExceeded,
    /// Not all of its fragments came in time.
    ReassemblyTimeExceeded,
    /// Something in its header cannot be.
    Parameter {
        /// Which octet of it, from 0.
        pointer: u8,
    },
    /// An option is missing (RFC 1122 §3.2.2.5).
    OptionMissing,
    /// A length in its header cannot be.
    BadLength {
        /// Which octet of it, from 0.
        pointer: u8,
    },
}

impl Problem {
    /// The destination unreachable of that code (RFC 792, RFC 1812 §5.2.7.1), which for code 4
    /// tells no MTU; `None` beyond 15.
    pub fn unreachable(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::NetUnreachable,
            1 => Self::HostUnreachable,
            2 => Self::ProtocolUnreachable,
            3 => Self::PortUnreachable,
            4 => Self::FragmentationNeeded { mtu: 0 },
            5 => Self::SourceRouteFailed,
            6 => Self::NetUnknown,
            7 => Self::HostUnknown,
            8 => Self::SourceHostIsolated,
            9 => Self::NetProhibited,
            10 => Self::HostProhibited,
            11 => Self::NetUnreachableForTos,
            12 => Self::HostUnreachableForTos,
            13 => Self::Prohibited,
            14 => Self::HostPrecedenceViolation,
            15 => Self::PrecedenceCutoff,
            _ => return None,
        })
    }

    /// Type, code and the four octets that follow the checksum.
    pub(crate) fn kind(self) -> ((u8, u8), [u8; 4]) {
        let code = match self {
            Self::NetUnreachable => 0,
            Self::HostUnreachable => 1,
            Self::ProtocolUnreachable => 2,
            Self::PortUnreachable => 3,
            Self::FragmentationNeeded { mtu } => {
                let [high, low] = mtu.to_be_bytes();
                return ((UNREACHABLE, 4), [0, 0, high, low]);
            }
            Self::SourceRouteFailed => 5,
            Self::NetUnknown => 6,
            Self::HostUnknown => 7,
            Self::SourceHostIsolated => 8,
            Self::NetProhibited => 9,
            Self::HostProhibited => 10,
            Self::NetUnreachableForTos => 11,
            Self::HostUnreachableForTos => 12,
            Self::Prohibited => 13,
            Self::HostPrecedenceViolation => 14,
            Self::PrecedenceCutoff => 15,
            Self::TimeExceeded => return ((TIME_EXCEEDED, 0), [0; 4]),
            Self::ReassemblyTimeExceeded => return ((TIME_EXCEEDED, 1), [0; 4]),
            Self::Parameter { pointer } => return ((PARAMETER_PROBLEM, 0), [pointer, 0, 0, 0]),
            Self::OptionMissing => return ((PARAMETER_PROBLEM, 1), [0; 4]),
            Self::BadLength { pointer } => return ((PARAMETER_PROBLEM, 2), [pointer, 0, 0, 0]),
        };
        ((UNREACHABLE, code), [0; 4])
    }
}
