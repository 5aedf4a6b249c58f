use std::{
    hash::{DefaultHasher, Hasher},
    net::Ipv4Addr,
};

use crate::flight::Key;

/// What a reply must bear to be believed: 8 octets that only we can compute, over all that we
/// asked to be echoed. So an off-path host cannot forge a reply, and no octet of it can change
/// unnoticed, though nothing of the request is kept.
#[derive(Clone, Copy)]
pub(crate) struct Cookies {
    secret: [u8; 16],
}

impl Cookies {
    pub(crate) fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// The cookie of the request to `dst` whose data is of `len` octets, `rest` after the cookie.
    pub(crate) fn bake(
        self,
        dst: Ipv4Addr,
        identifier: u16,
        sequence: u16,
        rest: &[u8],
    ) -> [u8; COOKIE_LEN] {
        // SipHash, keyed by a prefix of fixed length: a pseudo-random function, which is all
        // that a cookie needs.
        let mut head = [0; 32]; // in one piece, and whole words: the hasher is slow at less
        head[..16].copy_from_slice(&self.secret);
        head[16..20].copy_from_slice(&dst.octets());
        head[20..22].copy_from_slice(&identifier.to_le_bytes());
        head[22..24].copy_from_slice(&sequence.to_le_bytes());
        head[24..].copy_from_slice(&(rest.len() as u64).to_le_bytes());
        let mut hasher = DefaultHasher::new();
        hasher.write(&head);
        hasher.write(rest);
        hasher.finish().to_be_bytes()
    }

    /// What stands for data that is too short for a cookie; `None` if it is not.
    pub(crate) fn of_short(
        self,
        (dst, sequence): Key,
        identifier: u16,
        data: &[u8],
    ) -> Option<u32> {
        let [.., a, b, c, d] = self.bake(dst, identifier, sequence, data);
        (data.len() < COOKIE_LEN).then(|| u32::from_be_bytes([a, b, c, d]))
    }
}

/// Octets of a cookie: the first of an echo's data, where there are so many.
pub(crate) const COOKIE_LEN: usize = 8;
