use std::{io, time::Duration};

use super::{STAMP_MAX, fields::Fields, link_type::LinkType, reader::invalid};

/// What the blocks of a pcapng section that hold frames are read by: its order of octets, and its
/// interfaces (draft-ietf-opsawg-pcapng §4.1, §4.2).
///
/// An interface is read leniently: of its options two matter, and of those only good ones.
#[derive(Default)]
pub(super) struct Section {
    pub(super) big: bool,
    interfaces: Vec<Interface>,
}

impl Section {
    /// Begins with the body of a section header block.
    ///
    /// # Errors
    /// If there is no byte-order magic, or the version is none that can be read.
    pub(super) fn begin(body: &[u8]) -> io::Result<Self> {
        let big = match body.first_chunk() {
            Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
            Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
            _ => return Err(invalid("a section of no known order of octets")),
        };
        let version = Fields { octets: body, big }.short(4)?;
        match version {
            VERSION => Ok(Self { big, interfaces: Vec::new() }),
            other => Err(invalid(format!("pcapng of version {other}"))),
        }
    }

    /// Adds the interface in the body of an interface description block.
    pub(super) fn add(&mut self, body: &[u8]) -> io::Result<()> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(invalid("more than 65,536 interfaces"));
        }
        let interface = Interface::read(Fields { octets: body, big: self.big })?;
        self.interfaces.push(interface);
        Ok(())
    }

    /// The interface of that number.
    pub(super) fn interface(&self, id: u32) -> io::Result<&Interface> {
        let interface = self.interfaces.get(id as usize);
        interface.ok_or_else(|| invalid(format!("no interface {id}")))
    }
}

/// Where frames passed.
pub(super) struct Interface {
    pub(super) link_type: LinkType,
    /// Octets that are captured of a frame at most; 0: all.
    pub(super) snaplen: u32,
    /// A unit of its stamps is `times / over` nanoseconds long.
    times: u64,
    over: u128,
    /// Seconds to be added to its stamps.
    offset: i64,
}

impl Interface {
    fn read(body: Fields<'_>) -> io::Result<Self> {
        let resolution = body.option(FIXED_LEN, TSRESOL, 1).map(|value| value.octets[0]);
        let (times, over) = resolution.and_then(unit).unwrap_or((1_000, 1));
        let offset = body.option(FIXED_LEN, TSOFFSET, 8).and_then(|value| {
            let (first, second) = (value.long(0).ok()?.into(), value.long(4).ok()?.into());
            let (high, low): (u64, u64) = if body.big { (first, second) } else { (second, first) };
            Some((high << 32 | low).cast_signed())
        });
        Ok(Self {
            link_type: LinkType(body.short(0)?),
            snaplen: body.long(4)?,
            times,
            over,
            offset: offset.unwrap_or_default(),
        })
    }

    /// The time of a stamp, as far as it is one since the epoch that can be told.
    pub(super) fn time(&self, high: u32, low: u32) -> Duration {
        let units = u64::from(high) << 32 | u64::from(low);
        let mut nanoseconds = u128::from(units) * u128::from(self.times);
        if self.over > 1 {
            nanoseconds /= self.over;
        }
        let nanoseconds = nanoseconds.cast_signed() + i128::from(self.offset) * NANOSECONDS;
        u64::try_from(nanoseconds.max(0)).map_or(STAMP_MAX, Duration::from_nanos)
    }
}

/// The length of a unit in nanoseconds, as a fraction; `None` if it is beyond what can be told.
fn unit(resolution: u8) -> Option<(u64, u128)> {
    let power = u32::from(resolution & 0x7f);
    if resolution & 0x80 != 0 {
        return Some((1_000_000_000, 1 << power));
    }
    match power.checked_sub(9) {
        None => Some((10_u64.pow(9 - power), 1)),
        Some(beyond) => Some((1, 10_u128.checked_pow(beyond)?)),
    }
}

/// The major version that there is.
const VERSION: u16 = 1;

/// Octets of an interface description block before its options.
const FIXED_LEN: usize = 8;

/// if_tsresol.
const TSRESOL: u16 = 9;

/// if_tsoffset.
const TSOFFSET: u16 = 14;

const INTERFACES_MAX: usize = 65_536;

const NANOSECONDS: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_told_in_any_unit_and_from_any_origin() {
        for (resolution, offset, units, expected) in [
            (0, 0, 5, Duration::from_secs(5)),
            (6, 0, 5, Duration::from_micros(5)),
            (9, -1, 1_000_000_005, Duration::from_nanos(5)),
            (12, 0, 5_999, Duration::from_nanos(5)),
            (0x80 | 1, 0, 3, Duration::from_millis(1_500)),
            (0x80 | 127, 0, u64::MAX, Duration::ZERO),
            (127, 2, 5, Duration::new(2, 5_000)),
            (0, -6, 5, Duration::ZERO),
            (0, i64::MAX, u64::MAX, STAMP_MAX),
            (0x80, i64::MIN, u64::MAX, STAMP_MAX),
        ] {
            let (times, over) = unit(resolution).unwrap_or((1_000, 1));
            let link_type = LinkType::ETHERNET;
            let interface = Interface { link_type, snaplen: 0, times, over, offset };
            let time = interface.time((units >> 32) as u32, units as u32);
            assert_eq!(time, expected, "{resolution}, {offset}, {units}");
        }
    }
}
