//! The pcapng blocks that hold a frame (draft-ietf-opsawg-pcapng §4.3, §4.4 and appendix A), read
//! leniently: what frame it was can be told in spite of a bad option.

use std::{io, time::Duration};

use pcap_file::{
    Endianness,
    pcapng::{PcapNgState, blocks::interface_description::InterfaceDescriptionBlock},
};

use super::{
    STAMP_MAX,
    reader::{Captured, invalid},
};

/// Whether a block of that type holds a frame.
pub(super) fn is_packet(kind: u32) -> bool {
    matches!(kind, OBSOLETE | SIMPLE | ENHANCED)
}

/// The frame in the body of such a block, and the interface where it passed.
pub(super) fn packet<'b, 's>(
    kind: u32,
    body: &'b [u8],
    state: &'s PcapNgState,
) -> io::Result<(&'s InterfaceDescriptionBlock<'static>, Captured<'b>)> {
    let fields = Fields { octets: body, big: state.endianness() == Endianness::Big };
    let id = match kind {
        ENHANCED => fields.long(0)?,
        OBSOLETE => fields.short(0)?.into(),
        _ => 0,
    };
    let interface = state.interfaces().get(id as usize);
    let interface = interface.ok_or_else(|| invalid(format!("no interface {id}")))?;
    if kind == SIMPLE {
        let len = fields.long(0)? as usize;
        let limit = if interface.snaplen == 0 { len } else { interface.snaplen as usize };
        let octets = fields.octets(4, len.min(limit).min(body.len() - 4))?;
        return Ok((interface, Captured { stamp: Duration::ZERO, outbound: None, len, octets }));
    }
    let stamp = state.decode_timestamp(id, fields.long(4)?, fields.long(8)?);
    let octets = fields.octets(FIXED_LEN, fields.long(12)? as usize)?;
    Ok((
        interface,
        Captured {
            stamp: stamp.map_err(invalid)?.min(STAMP_MAX),
            outbound: fields.flags(FIXED_LEN + octets.len().next_multiple_of(4)).and_then(outbound),
            len: octets.len().max(fields.long(16)? as usize),
            octets,
        },
    ))
}

/// What the direction bits of epb_flags say.
fn outbound(flags: u32) -> Option<bool> {
    match flags & 0b11 {
        0b01 => Some(false),
        0b10 => Some(true),
        _ => None,
    }
}

/// The body of a block, in the order of octets of its section.
struct Fields<'b> {
    octets: &'b [u8],
    big: bool,
}

impl<'b> Fields<'b> {
    fn octets(&self, at: usize, len: usize) -> io::Result<&'b [u8]> {
        let octets = at.checked_add(len).and_then(|end| self.octets.get(at..end));
        octets.ok_or_else(|| invalid("a frame longer than its block"))
    }

    fn short(&self, at: usize) -> io::Result<u16> {
        let octets = self.octets(at, 2)?;
        let octets = [octets[0], octets[1]];
        Ok(if self.big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) })
    }

    fn long(&self, at: usize) -> io::Result<u32> {
        let octets = self.octets(at, 4)?;
        let octets = [octets[0], octets[1], octets[2], octets[3]];
        Ok(if self.big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
    }

    /// The value of the option epb_flags, if it is among those that begin at `at`.
    fn flags(&self, mut at: usize) -> Option<u32> {
        loop {
            let (code, len) = (self.short(at).ok()?, usize::from(self.short(at + 2).ok()?));
            match code {
                END => return None,
                FLAGS if len == 4 => return self.long(at + 4).ok(),
                _ => at += 4 + len.next_multiple_of(4),
            }
        }
    }
}

const OBSOLETE: u32 = 2;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;

/// Octets before the frame.
const FIXED_LEN: usize = 20;

/// opt_endofopt.
const END: u16 = 0;

/// epb_flags; pack_flags has the same code.
const FLAGS: u16 = 2;
