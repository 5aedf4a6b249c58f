/// Every number below `len` in an order that looks random, each exactly once, and without a list:
/// the same for everybody with the same seed.
///
/// A generalised Feistel network (Black and Rogaway, "Ciphers with Arbitrary Finite Domains",
/// 2002) on a grid of hardly more than `len` places; what falls beyond `len` walks on. It hides
/// nothing from anybody who wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    len: u64,
    /// Of the grid.
    width: u64,
    height: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// Of the numbers from 0 to `len` - 1. As the grid must be counted in 64 bits, no more than
    /// 2^62 numbers are: whatever is asked for beyond them stays in its place.
    pub fn new(len: u64, seed: u64) -> Self {
        let width = len.min(MOST).isqrt() + 1;
        let height = len.min(MOST).div_ceil(width).max(1);
        let mut key = seed;
        let keys = std::array::from_fn(|_| {
            key = key.wrapping_add(STEP);
            mix(key)
        });
        Self { len: len.min(MOST), width, height, keys }
    }

    /// The number at `place`; one that is not below `len` is its own place.
    pub fn at(&self, place: u64) -> u64 {
        if place >= self.len {
            return place;
        }
        let mut number = self.once(place);
        while number >= self.len {
            number = self.once(number);
        }
        number
    }

    /// One passage: a bijection of the grid, as each round adds to one half what the other says.
    fn once(&self, place: u64) -> u64 {
        let (mut x, mut y) = (place % self.width, place / self.width);
        for pair in self.keys.chunks_exact(2) {
            x = (x + mix(y ^ pair[0]) % self.width) % self.width;
            y = (y + mix(x ^ pair[1]) % self.height) % self.height;
        }
        y * self.width + x
    }
}

/// Spreads each bit over all 64: xor by shifts and two odd factors, a bijection.
fn mix(mut n: u64) -> u64 {
    n = (n ^ n >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    n = (n ^ n >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    n ^ n >> 32
}

/// The golden ratio's fraction: successive keys are far apart.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Rounds; four make a Feistel network indistinguishable from chance, if its function is.
const ROUNDS: usize = 4;

/// Numbers that a grid counted in 64 bits surely has room for.
const MOST: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_comes_exactly_once_whatever_the_length_and_the_seed() {
        for len in (0..300).chain([1021, 4096, 65_535, 65_536, 65_537]) {
            for seed in [0, 1, u64::MAX] {
                let permutation = Permutation::new(len, seed);
                let mut seen = vec![false; len as usize];
                for place in 0..len {
                    let number = permutation.at(place) as usize;
                    assert!(!std::mem::replace(&mut seen[number], true), "{len} {seed} {place}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_of_it_is_its_own_place() {
        assert_eq!(Permutation::new(10, 3).at(10), 10);
        assert_eq!(Permutation::new(0, 3).at(0), 0);
        assert_eq!(Permutation::new(u64::MAX, 3).at(u64::MAX), u64::MAX);
    }

    #[test]
    fn four_billion_numbers_and_more_are_walked_without_a_list() {
        for len in [1 << 32, (1 << 32) + 7] {
            let permutation = Permutation::new(len, 42);
            let places = (0..1000).chain(len - 1000..len);
            let numbers: std::collections::BTreeSet<u64> =
                places.map(|place| permutation.at(place)).collect();
            assert_eq!(numbers.len(), 2000);
            assert!(numbers.last().is_some_and(|last| *last < len));
        }
    }

    #[test]
    fn another_seed_is_another_order() {
        let [a, b] = [1, 2].map(|seed| {
            let permutation = Permutation::new(1000, seed);
            (0..1000).map(|place| permutation.at(place)).collect::<Vec<_>>()
        });
        let alike = a.iter().zip(&b).filter(|(a, b)| a == b).count();
        assert!(alike < 20, "{alike} of 1000 stand in the same place");
    }

    /// A /16 is 256 networks of 256: whichever 256 places are taken in a row, none is hit by
    /// more than chance would.
    #[test]
    fn no_network_is_hammered() {
        let permutation = Permutation::new(65_536, 7);
        for start in (0..65_536).step_by(256) {
            let mut hits = [0; 256];
            for place in start..start + 256 {
                hits[permutation.at(place) as usize >> 8] += 1;
            }
            let most = hits.iter().max().copied();
            assert!(most.is_some_and(|most| most <= 10), "{most:?} at {start}");
        }
    }
}
