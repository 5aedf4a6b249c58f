use std::io::{self, BufRead, BufReader, Read};

use super::{
    block::{self, is_packet},
    link_type::LinkType,
    reader::{Captured, at, invalid},
    section::Section,
};

/// The blocks of a pcapng file, one after another (draft-ietf-opsawg-pcapng §3.1).
///
/// The library of the other form refuses a file for one bad option of an interface; who captured
/// it left its frames as they were all the same.
pub(super) struct Blocks<R: Read> {
    source: BufReader<R>,
    section: Section,
    /// Of the present block in its first octets; kept, to be filled anew.
    body: Vec<u8>,
    /// Where the next block begins.
    begins: u64,
}

impl<R: Read> Blocks<R> {
    /// Reads the head of a file: that of its first section.
    pub(super) fn open(source: R) -> io::Result<Self> {
        let source = BufReader::with_capacity(BUFFER, source);
        let section = Section::default();
        let mut blocks = Self { source, section, body: Vec::new(), begins: 0 };
        blocks.next_block().map_err(|error| at(0, error))?;
        Ok(blocks)
    }

    /// Hands the next frame to `each`, with its kind; `false` at the end.
    pub(super) fn next_frame(
        &mut self,
        each: &mut dyn FnMut(LinkType, Captured<'_>),
    ) -> io::Result<bool> {
        loop {
            let began = self.begins;
            let read = self.next_block().map_err(|error| at(began, error))?;
            let Some((kind, len)) = read else { return Ok(false) };
            if is_packet(kind) {
                let packet = block::packet(kind, &self.body[..len], &self.section);
                let (link_type, captured) = packet.map_err(|error| at(began, error))?;
                each(link_type, captured);
                return Ok(true);
            }
        }
    }

    /// Reads a block, and what it says of the section; gives its type, and the length of its body.
    fn next_block(&mut self) -> io::Result<Option<(u32, usize)>> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let head: [u8; 12] = self.array()?;
        let [kind, len, first] =
            [0, 4, 8].map(|at| [head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if u32::from_be_bytes(kind) == SECTION {
            self.section = Section::default();
            self.section.big = first == [0x1a, 0x2b, 0x3c, 0x4d];
        }
        let (kind, total) = (self.long(kind), self.long(len));
        if total % 4 != 0 || total < HEAD_LEN as u32 {
            return Err(invalid(format!("a block of {total} octets")));
        }
        if total as usize > BLOCK_MAX {
            return Err(invalid(format!("a block of {total} octets, more than 4 MiB")));
        }
        let len = total as usize - HEAD_LEN;
        let trailer = if len == 0 {
            first
        } else {
            self.body.resize(self.body.len().max(len), 0);
            self.body[..4].copy_from_slice(&first);
            self.source.read_exact(&mut self.body[4..len])?;
            self.array()?
        };
        if self.long(trailer) != total {
            return Err(invalid("a block of two lengths"));
        }
        self.begins += u64::from(total);
        match kind {
            SECTION => self.section = Section::begin(&self.body[..len])?,
            INTERFACE => self.section.add(&self.body[..len])?,
            _ => {}
        }
        Ok(Some((kind, len)))
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut octets = [0; N];
        self.source.read_exact(&mut octets)?;
        Ok(octets)
    }

    fn long(&self, octets: [u8; 4]) -> u32 {
        if self.section.big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) }
    }
}

/// The type of a section header block; the same in either order of octets.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;

/// That of an interface description block.
const INTERFACE: u32 = 1;

/// Octets of a block besides its body: its type, and its length, twice.
const HEAD_LEN: usize = 12;

/// Octets of the longest block.
const BLOCK_MAX: usize = 4 << 20;

/// Octets of the file read at a time.
const BUFFER: usize = 128 << 10;
