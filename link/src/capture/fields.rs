use std::io;

use super::reader::invalid;

/// The body of a pcapng block, in the order of octets of its section.
#[derive(Clone, Copy)]
pub(super) struct Fields<'b> {
    pub(super) octets: &'b [u8],
    pub(super) big: bool,
}

impl<'b> Fields<'b> {
    pub(super) fn octets(self, at: usize, len: usize) -> io::Result<&'b [u8]> {
        let octets = at.checked_add(len).and_then(|end| self.octets.get(at..end));
        octets.ok_or_else(|| invalid("a block too short for what it holds"))
    }

    pub(super) fn short(self, at: usize) -> io::Result<u16> {
        let octets = self.octets(at, 2)?;
        let octets = [octets[0], octets[1]];
        Ok(if self.big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) })
    }

    pub(super) fn long(self, at: usize) -> io::Result<u32> {
        let octets = self.octets(at, 4)?;
        let octets = [octets[0], octets[1], octets[2], octets[3]];
        Ok(if self.big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
    }

    /// The value of the first option of that code, among those that begin at `at`, if it is `len`
    /// octets long; what cannot be read ends them (draft-ietf-opsawg-pcapng §3.5).
    pub(super) fn option(self, mut at: usize, code: u16, len: usize) -> Option<Self> {
        loop {
            let (found, found_len) = (self.short(at).ok()?, usize::from(self.short(at + 2).ok()?));
            match found {
                END => return None,
                _ if found == code && found_len == len => {
                    let octets = self.octets(at + 4, len).ok()?;
                    return Some(Self { octets, ..self });
                }
                _ => at += 4 + found_len.next_multiple_of(4),
            }
        }
    }
}

/// opt_endofopt.
const END: u16 = 0;
