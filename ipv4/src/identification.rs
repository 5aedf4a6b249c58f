use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::Ipv4Addr,
};

/// Identifications that do not repeat soon towards one host, and tell nobody how much is sent to
/// others (RFC 6864 §4, RFC 7739 §5.3): a counter each for so many classes of destinations.
pub(crate) struct Identifications {
    secret: [u8; 16],
    sent: [u16; 64],
}

impl Identifications {
    pub(crate) fn new(secret: [u8; 16]) -> Self {
        Self { secret, sent: [0; 64] }
    }

    /// The next for a datagram to `dst`.
    pub(crate) fn next(&mut self, dst: Ipv4Addr) -> u16 {
        let mut hasher = DefaultHasher::new();
        (self.secret, dst).hash(&mut hasher);
        let hash = hasher.finish();
        let sent = &mut self.sent[hash as usize % 64];
        *sent = sent.wrapping_add(1);
        sent.wrapping_add((hash >> 16) as u16)
    }
}
