use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use prefix_trie::PrefixMap;
use smallvec::SmallVec;

/// What is said of prefixes, found by the longest that covers an address.
///
/// Most hosts have one or two: a short list is quicker than a trie then, and a quarter of the
/// memory, which counts where there are 65,536 hosts.
pub(crate) enum Table<T> {
    /// At most [`FEW`], the longest prefix first.
    Few(SmallVec<[(Ipv4Network, T); 1]>),
    Many(Box<PrefixMap<Ipv4Network, T>>),
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Self::Few(SmallVec::new())
    }

    /// In the place of what was said of the same prefix.
    pub(crate) fn insert(&mut self, prefix: Ipv4Network, value: T) {
        let prefix = canonical(prefix);
        self.remove(prefix);
        match self {
            Self::Few(few) if few.len() < FEW => {
                let at = few.partition_point(|(other, _)| other.prefix() >= prefix.prefix());
                few.insert(at, (prefix, value));
            }
            Self::Few(few) => {
                let mut many: Box<PrefixMap<_, _>> = Box::new(few.drain(..).collect());
                many.insert(prefix, value);
                *self = Self::Many(many);
            }
            Self::Many(many) => {
                many.insert(prefix, value);
            }
        }
    }

    pub(crate) fn remove(&mut self, prefix: Ipv4Network) -> Option<T> {
        let prefix = canonical(prefix);
        match self {
            Self::Few(few) => {
                let at = few.iter().position(|(other, _)| *other == prefix)?;
                Some(few.remove(at).1)
            }
            Self::Many(many) => many.remove(&prefix),
        }
    }

    /// The longest prefix that covers `addr`, and what is said of it.
    #[inline]
    pub(crate) fn longest(&self, addr: Ipv4Addr) -> Option<(Ipv4Network, &T)> {
        match self {
            Self::Few(few) => {
                let (prefix, value) = few.iter().find(|(prefix, _)| prefix.contains(addr))?;
                Some((*prefix, value))
            }
            Self::Many(many) => many.get_lpm(&Ipv4Network::from(addr)),
        }
    }
}

/// Without the bits of a host.
fn canonical(prefix: Ipv4Network) -> Ipv4Network {
    Ipv4Network::new(prefix.network(), prefix.prefix()).unwrap_or(prefix)
}

const FEW: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn few_and_many_find_the_longest_prefix_and_forget_what_is_removed(
            prefixes in prop::collection::vec((0..64_u32, 24..=32_u8, any::<bool>()), 1..20),
        ) {
            let (mut table, mut all) = (Table::new(), Vec::<(Ipv4Network, usize)>::new());
            for (n, (low, len, stays)) in prefixes.into_iter().enumerate() {
                let prefix = canonical(Ipv4Network::new(low.into(), len).unwrap());
                table.insert(prefix, n);
                all.retain(|(other, _)| *other != prefix);
                if stays {
                    all.push((prefix, n));
                } else {
                    prop_assert_eq!(table.remove(prefix), Some(n));
                }
            }
            for addr in (0..300).map(Ipv4Addr::from) {
                let covers = all.iter().filter(|(prefix, _)| prefix.contains(addr));
                let expected = covers.max_by_key(|(prefix, _)| prefix.prefix());
                let found = table.longest(addr).map(|(prefix, n)| (prefix, *n));
                prop_assert_eq!(found, expected.copied(), "{}", addr);
            }
        }
    }
}
