//! Writes the table of vendors in the compact form that `src/vendor.rs` reads.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    let mut tables = Tables::default();
    for block in 0..1_u64 << 24 {
        tables.add_block(block);
    }
    tables.write(&out)
}

/// What the IEEE has assigned: blocks of MAC addresses by their first 24, 28 or 36 bits.
#[derive(Default)]
struct Tables {
    assigned: [BTreeMap<u64, usize>; 3],
    names: BTreeMap<&'static str, usize>,
}

impl Tables {
    /// Adds a block of 24 bits, or what it was divided into.
    fn add_block(&mut self, block: u64) {
        let Some(name) = self.add(block, 0) else { return };
        if name != DIVIDED {
            return;
        }
        for part in 0..1 << 4 {
            self.add(block << 4 | part, 1);
        }
        for part in 0..1 << 12 {
            self.add(block << 12 | part, 2);
        }
    }

    fn add(&mut self, prefix: u64, size: usize) -> Option<&'static str> {
        let digits = DIGITS[size];
        let prefix_text = format!("{prefix:0digits$X}");
        let entry = oui_data::lookup(&prefix_text).filter(|entry| entry.oui().len() == digits)?;
        let name = entry.organization();
        let next = self.names.len();
        let index = *self.names.entry(name).or_insert(next);
        self.assigned[size].insert(prefix, index);
        Some(name)
    }

    /// For each size, prefixes and where their vendors' names begin, sorted by prefix; then the
    /// names, a line each.
    fn write(self, out: &Path) -> io::Result<()> {
        let mut names = vec![""; self.names.len()];
        for (name, index) in &self.names {
            names[*index] = name;
        }
        let begins: Vec<u32> = names
            .iter()
            .scan(0, |next, name| Some(std::mem::replace(next, *next + name.len() as u32 + 1)))
            .collect();
        for (digits, assigned) in DIGITS.iter().zip(&self.assigned) {
            let mut octets = Vec::new();
            for (prefix, name) in assigned {
                octets.extend_from_slice(&prefix.to_be_bytes()[8 - digits.div_ceil(2)..]);
                octets.extend_from_slice(&begins[*name].to_be_bytes()[1..]);
            }
            fs::write(out.join(format!("vendors-{digits}")), octets)?;
        }
        fs::write(out.join("vendor-names"), names.join("\n"))
    }
}

/// Hexadecimal digits of the prefixes of each size.
const DIGITS: [usize; 3] = [6, 7, 9];

/// Whose name a block has that was divided into smaller ones.
const DIVIDED: &str = "IEEE Registration Authority";
