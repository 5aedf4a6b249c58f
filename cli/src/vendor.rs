use std::cmp::Ordering;

use macaddr::MacAddr6;

/// Whom the IEEE has assigned the block to that `mac` is of; `None` where nobody knows.
///
/// A locally administered address is nobody's: `(local)`.
pub(crate) fn vendor(mac: MacAddr6) -> Option<&'static str> {
    if mac.is_local() {
        return Some("(local)");
    }
    let number = mac.as_bytes().iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
    TABLES.iter().find_map(|table| table.name(number >> table.unused))
}

/// The blocks of one size, sorted by the prefix of their addresses.
struct Table {
    /// For each: its prefix, and where in [`NAMES`] its vendor's line begins, in three octets.
    octets: &'static [u8],
    /// Octets of a prefix.
    prefix: usize,
    /// Bits of an address that are not in the prefix.
    unused: u32,
}

impl Table {
    fn name(&self, prefix: u64) -> Option<&'static str> {
        let octets = prefix.to_be_bytes();
        let wanted = octets.get(octets.len() - self.prefix..)?;
        let width = self.prefix + 3;
        let (mut low, mut high) = (0, self.octets.len() / width);
        while low < high {
            let middle = low.midpoint(high);
            let row = self.octets.get(middle * width..(middle + 1) * width)?;
            let (key, begin) = row.split_at(self.prefix);
            match key.cmp(wanted) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => {
                    let begin = begin.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
                    return NAMES.get(begin..)?.lines().next();
                }
            }
        }
        None
    }
}

/// Smaller blocks first: they lie in larger ones.
const TABLES: [Table; 3] = [
    Table { octets: include_bytes!(concat!(env!("OUT_DIR"), "/vendors-9")), prefix: 5, unused: 12 },
    Table { octets: include_bytes!(concat!(env!("OUT_DIR"), "/vendors-7")), prefix: 4, unused: 20 },
    Table { octets: include_bytes!(concat!(env!("OUT_DIR"), "/vendors-6")), prefix: 3, unused: 24 },
];

const NAMES: &str = include_str!(concat!(env!("OUT_DIR"), "/vendor-names"));

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<&'static str> {
        vendor(text.parse().unwrap())
    }

    #[test]
    fn a_block_of_any_size_has_a_vendor() {
        assert_eq!(of("00:00:00:00:00:00"), Some("XEROX CORPORATION"));
        assert_eq!(of("00:50:56:00:00:0c"), Some("VMware, Inc."));
        assert_eq!(of("b8:4c:87:40:00:00"), Some("Blum Novotest GmbH"));
        assert_eq!(of("8c:1f:64:af:a0:00"), Some("DATA ELECTRONIC DEVICES, INC"));
    }

    #[test]
    fn what_is_local_is_nobodys_and_what_is_not_assigned_is_unknown() {
        assert_eq!(of("02:00:00:00:00:01"), Some("(local)"));
        assert_eq!(of("00:ff:ff:00:00:01"), None);
    }
}
