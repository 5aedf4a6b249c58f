//! The pcapng blocks that hold a frame (draft-ietf-opsawg-pcapng §4.3, §4.4 and appendix A), read
//! leniently: what frame it was can be told in spite of a bad option.

use std::{io, time::Duration};

use super::{
    fields::Fields,
    link_type::LinkType,
    reader::{Captured, invalid},
    section::Section,
};

/// Whether a block of that type holds a frame.
pub(super) fn is_packet(kind: u32) -> bool {
    matches!(kind, OBSOLETE | SIMPLE | ENHANCED)
}

/// The frame in the body of such a block, and what kind of frame it is.
pub(super) fn packet<'b>(
    kind: u32,
    body: &'b [u8],
    section: &Section,
) -> io::Result<(LinkType, Captured<'b>)> {
    let fields = Fields { octets: body, big: section.big };
    let id = match kind {
        ENHANCED => fields.long(0)?,
        OBSOLETE => fields.short(0)?.into(),
        _ => 0,
    };
    let interface = section.interface(id)?;
    let link_type = interface.link_type;
    if kind == SIMPLE {
        let len = fields.long(0)? as usize;
        let limit = if interface.snaplen == 0 { len } else { interface.snaplen as usize };
        let octets = fields.octets(4, len.min(limit).min(body.len() - 4))?;
        return Ok((link_type, Captured { stamp: Duration::ZERO, outbound: None, len, octets }));
    }
    let octets = fields.octets(FIXED_LEN, fields.long(12)? as usize);
    let octets = octets.map_err(|_| invalid("a frame longer than its block"))?;
    let options = FIXED_LEN + octets.len().next_multiple_of(4);
    let flags = fields.option(options, FLAGS, 4).and_then(|value| value.long(0).ok());
    Ok((
        link_type,
        Captured {
            stamp: interface.time(fields.long(4)?, fields.long(8)?),
            outbound: flags.and_then(outbound),
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

const OBSOLETE: u32 = 2;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;

/// Octets before the frame.
const FIXED_LEN: usize = 20;

/// epb_flags; pack_flags has the same code.
const FLAGS: u16 = 2;
