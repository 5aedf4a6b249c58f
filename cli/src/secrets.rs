use std::hash::{DefaultHasher, Hash, Hasher};

use crate::failure::Failure;

/// What nobody else may guess.
pub(crate) struct Secrets {
    /// Marks our echo requests.
    pub(crate) identifier: u16,
    /// What cookies and identifications are made with.
    pub(crate) keys: [[u8; 16]; 2],
    /// What the rest is drawn from.
    pub(crate) seed: u64,
}

impl Secrets {
    /// Draws them from the system; or all from `seed`, the same each time.
    pub(crate) fn draw(seed: Option<u64>) -> Result<Self, Failure> {
        let mut octets = [0; 42];
        match seed {
            None => getrandom::fill(&mut octets)
                .map_err(|error| Failure::link(format!("no random numbers: {error}")))?,
            Some(seed) => {
                for (n, chunk) in octets.chunks_mut(8).enumerate() {
                    let mut hasher = DefaultHasher::new();
                    (seed, n).hash(&mut hasher);
                    chunk.copy_from_slice(&hasher.finish().to_be_bytes()[..chunk.len()]);
                }
            }
        }
        let (identifier, octets) = octets.split_first_chunk().expect("42 octets");
        let (cookies, octets) = octets.split_first_chunk().expect("40 octets");
        let (identifications, octets) = octets.split_first_chunk().expect("24 octets");
        let own_seed = octets.first_chunk().expect("8 octets");
        Ok(Self {
            identifier: u16::from_be_bytes(*identifier),
            keys: [*cookies, *identifications],
            seed: seed.unwrap_or_else(|| u64::from_be_bytes(*own_seed)),
        })
    }
}
