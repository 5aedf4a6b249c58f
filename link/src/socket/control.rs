use etherparse::EtherType;
use nix::libc;

/// What the kernel says of a frame beside it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Control {
    /// The kernel's software stamp: seconds, then nanoseconds since the epoch; zeros if there is
    /// none.
    pub(super) stamp: [u8; 8],
    /// `TP_STATUS_` flags.
    pub(super) status: u32,
    /// Tag control information and protocol of the tag that the kernel took off, if it did.
    pub(super) tci: u16,
    pub(super) tpid: u16,
}

impl Control {
    /// Reads what the kernel wrote; what is malformed or unknown is passed over.
    pub(super) fn read(octets: &[u8]) -> Self {
        let mut control = Self::default();
        for (level, kind, data) in messages(octets) {
            match (level, kind) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => {
                    control.stamp = stamp(data).unwrap_or_default();
                }
                (libc::SOL_PACKET, libc::PACKET_AUXDATA) => control.auxiliary(data),
                _ => {}
            }
        }
        control
    }

    /// Reads a `tpacket_auxdata`.
    fn auxiliary(&mut self, data: &[u8]) {
        let (Some(status), Some(tci), Some(tpid)) = (
            field(data, 0).map(u32::from_ne_bytes),
            field(data, 16).map(u16::from_ne_bytes),
            field(data, 18).map(u16::from_ne_bytes),
        ) else {
            return;
        };
        *self = Self { status, tci, tpid, ..*self };
    }

    /// Whether the kernel took off a tag.
    #[inline]
    pub(super) fn has_tag(&self) -> bool {
        self.status & libc::TP_STATUS_VLAN_VALID != 0
    }

    /// The tag that the kernel took off, as octets.
    #[inline]
    pub(super) fn tag(&self) -> Option<[u8; crate::TAG_LEN]> {
        if !self.has_tag() {
            return None;
        }
        let tpid = match self.status & libc::TP_STATUS_VLAN_TPID_VALID {
            0 => EtherType::VLAN_TAGGED_FRAME.0,
            _ => self.tpid,
        };
        let ([a, b], [c, d]) = (tpid.to_be_bytes(), self.tci.to_be_bytes());
        Some([a, b, c, d])
    }
}

/// Splits `octets` into (level, type, data): each is a length that counts itself (`size_t`), two
/// `int`s and the data, padded to a `size_t`.
fn messages(mut octets: &[u8]) -> impl Iterator<Item = (i32, i32, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from_ne_bytes(field(octets, 0)?);
        let level = i32::from_ne_bytes(field(octets, WORD)?);
        let kind = i32::from_ne_bytes(field(octets, WORD + 4)?);
        let data = octets.get(WORD + 8..len)?;
        octets = octets.get(len.next_multiple_of(WORD)..).unwrap_or_default();
        Some((level, kind, data))
    })
}

/// The first `timespec` of a `scm_timestamping`, the software one.
fn stamp(data: &[u8]) -> Option<[u8; 8]> {
    let seconds = isize::from_ne_bytes(field(data, 0)?);
    let nanoseconds = isize::from_ne_bytes(field(data, WORD)?);
    let stamp: [u32; 2] = [seconds.try_into().ok()?, nanoseconds.try_into().ok()?];
    stamp.map(u32::to_ne_bytes).as_flattened().try_into().ok()
}

/// `N` octets from `at` on, if there are.
pub(super) fn field<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..)?.first_chunk().copied()
}

/// Octets of a `size_t`, of a `long`, and of their alignment.
const WORD: usize = size_of::<usize>();

#[cfg(test)]
mod tests {
    use super::*;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut octets = (WORD + 8 + data.len()).to_ne_bytes().to_vec();
        octets.extend(level.to_ne_bytes());
        octets.extend(kind.to_ne_bytes());
        octets.extend(data);
        octets.resize(octets.len().next_multiple_of(WORD), 0);
        octets
    }

    fn whole() -> Vec<u8> {
        let stamp = [7_isize, 9, 0, 0, 0, 0].map(isize::to_ne_bytes).concat();
        let status = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        let mut auxiliary = [0; 20];
        auxiliary[..4].copy_from_slice(&status.to_ne_bytes());
        auxiliary[16..18].copy_from_slice(&5_u16.to_ne_bytes());
        auxiliary[18..].copy_from_slice(&0x88a8_u16.to_ne_bytes());
        [
            message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &stamp),
            message(1, 2, &[3]),
            message(libc::SOL_PACKET, libc::PACKET_AUXDATA, &auxiliary),
        ]
        .concat()
    }

    #[test]
    fn every_known_message_is_read_and_an_unknown_one_passed_over() {
        let control = Control::read(&whole());
        assert_eq!(control.stamp, *[7_u32, 9].map(u32::to_ne_bytes).as_flattened());
        assert_eq!(control.tag(), Some([0x88, 0xa8, 0, 5]));
    }

    #[test]
    fn octets_cut_short_or_changed_never_panic() {
        let whole = whole();
        for len in 0..whole.len() {
            Control::read(&whole[..len]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                Control::read(&changed);
            }
        }
    }

    #[test]
    fn a_length_of_all_ones_ends_the_reading() {
        assert_eq!(Control::read(&[0xff; 64]), Control::default());
    }
}
