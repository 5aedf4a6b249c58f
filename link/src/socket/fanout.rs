use nix::libc;

/// Which socket of a group gets a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fanout {
    /// The frames of a flow (addresses, ports) all go to the same one.
    Hash,
    /// That of the CPU on which the frame came in.
    Cpu,
    /// One after the other.
    LoadBalance,
}

impl Fanout {
    /// The value of PACKET_FANOUT; frames that go out are for none of the group.
    pub(super) fn option(self, group: u16) -> i32 {
        let mode = match self {
            Self::Hash => libc::PACKET_FANOUT_HASH,
            Self::Cpu => libc::PACKET_FANOUT_CPU,
            Self::LoadBalance => libc::PACKET_FANOUT_LB,
        };
        let kind = mode | libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
        (kind << 16 | u32::from(group)).cast_signed()
    }
}
