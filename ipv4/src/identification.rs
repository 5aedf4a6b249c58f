use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::IpNumber;

/// Identifications that do not repeat soon towards one host, and tell nobody how much is sent to
/// others (RFC 6864 §4, RFC 7739 §5.3): a counter each for so many classes of flows.
pub(crate) struct Identifications {
    secret: [u8; 16],
    /// Made when first something leaves that can be fragmented.
    classes: Option<Box<Classes>>,
}

struct Classes {
    began: Instant,
    all: [Class; CLASSES],
}

/// The flows whose hashes are alike.
#[derive(Clone, Copy)]
struct Class {
    sent: u16,
    /// The flow that was last.
    flow: u64,
    /// When each block of identifications was last used: seconds from the beginning, and one.
    used: [u32; BLOCKS],
}

impl Identifications {
    pub(crate) fn new(secret: [u8; 16]) -> Self {
        Self { secret, classes: None }
    }

    /// The next for a datagram of `protocol` from `src` to `dst`; `None` while all have been used
    /// within the maximum datagram lifetime, and by this flow (RFC 6864 §4.3).
    ///
    /// A class that several flows use at the same time is not held up.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        src: Ipv4Addr,
        dst: Ipv4Addr,
        protocol: IpNumber,
    ) -> Option<u16> {
        let mut hasher = DefaultHasher::new();
        (self.secret, src, dst, protocol.0).hash(&mut hasher);
        let hash = hasher.finish();
        let new = Class { sent: 0, flow: 0, used: [0; BLOCKS] };
        let classes = self
            .classes
            .get_or_insert_with(|| Box::new(Classes { began: now, all: [new; CLASSES] }));
        let seconds = now.saturating_duration_since(classes.began).as_secs() as u32 + 1;
        let class = &mut classes.all[hash as usize % CLASSES];
        let next = class.sent.wrapping_add(1);
        let enters = next.is_multiple_of(BLOCK);
        let used = &mut class.used[usize::from(next / BLOCK)];
        let recent = *used != 0 && seconds.saturating_sub(*used) <= LIFETIME.as_secs() as u32;
        if enters && recent && class.flow == hash {
            return None;
        }
        *used = seconds;
        class.sent = next;
        class.flow = hash;
        Some(next.wrapping_add((hash >> 16) as u16))
    }
}

const CLASSES: usize = 32;
const BLOCKS: usize = 8;
const BLOCK: u16 = (65_536 / BLOCKS) as u16;

/// Maximum datagram lifetime (RFC 6864 §4 has 2 minutes from RFC 791 and RFC 1122).
const LIFETIME: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_the_last_one_is_no_reason_to_hold_up_or_to_repeat() {
        let then = link::memory::Network::new().now();
        let mut identifications = Identifications::new([7; 16]);
        let mut next = |seconds| {
            let now = then + Duration::from_secs(seconds);
            identifications.next(now, Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, IpNumber(0xfd))
        };
        let first = next(0).unwrap();
        assert_eq!(next(300), Some(first.wrapping_add(1)));
        assert_eq!(next(200), Some(first.wrapping_add(2)));
    }
}
