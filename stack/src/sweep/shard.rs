use std::{fmt, str::FromStr};

/// Which part of the targets is ours: of `count` machines, each with another index and all with
/// the same targets and seed, every target is probed by exactly one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    /// Below `count`.
    index: u64,
    count: u64,
}

impl Shard {
    /// All of them.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The part `index`, counted from 0, of `count`; `None` unless there is such a part.
    pub fn new(index: u64, count: u64) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    /// How many of `total` places are ours.
    pub fn len(&self, total: u64) -> u64 {
        total.saturating_sub(self.index).div_ceil(self.count)
    }

    /// Our `n`th place, counted from 0: every `count`th is ours.
    pub fn place(&self, n: u64) -> u64 {
        n.saturating_mul(self.count).saturating_add(self.index)
    }
}

/// As people say it, the first being 1: `2/3` is the second of three.
impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (part, count) = text.split_once('/').ok_or(NoShard)?;
        let number = |digits: &str| digits.parse::<u64>().ok().filter(|_| !digits.starts_with('+'));
        let part = number(part).and_then(|part| part.checked_sub(1)).ok_or(NoShard)?;
        number(count).and_then(|count| Self::new(part, count)).ok_or(NoShard)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

/// The text names no part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoShard;

impl fmt::Display for NoShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no part such as 2/3, the second of three")
    }
}

impl std::error::Error for NoShard {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_counted_from_one_by_people() {
        assert_eq!("1/1".parse(), Ok(Shard::WHOLE));
        assert_eq!("3/3".parse(), Ok(Shard { index: 2, count: 3 }));
        for text in ["", "1", "0/3", "4/3", "1/0", "+1/2", "1/2/3", "a/b", "-1/2", " 1/2"] {
            assert_eq!(text.parse::<Shard>(), Err(NoShard), "{text:?}");
        }
        assert_eq!(Shard { index: 2, count: 3 }.to_string(), "3/3");
    }

    #[test]
    fn the_largest_numbers_are_no_trouble() {
        let last = Shard::new(u64::MAX - 1, u64::MAX).unwrap();
        assert_eq!(last.len(u64::MAX), 1);
        assert_eq!(last.len(5), 0);
        assert_eq!(last.place(u64::MAX), u64::MAX);
    }
}
