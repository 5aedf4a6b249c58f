use std::{fmt, net::Ipv4Addr, time::Duration};

use crate::{
    discard::Discard,
    fields::{NO_OPERATION, field, fields},
    packet::HEADER_LEN,
};

/// The options of a header (RFC 791 §3.1), in whole words.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Options {
    octets: [u8; MAX_LEN],
    len: u8,
}

impl Options {
    /// No options.
    pub const NONE: Self = Self { octets: [0; MAX_LEN], len: 0 };

    /// Room for so many addresses of those that pass it on: 1 to 9.
    pub fn record_route(slots: usize) -> Self {
        let len = 3 + 4 * slots.clamp(1, 9);
        Self::NONE.with(len, &[RECORD_ROUTE, len as u8, 4])
    }

    /// Room for so many times of day: 1 to 9.
    pub fn timestamps(slots: usize) -> Self {
        let len = 4 + 4 * slots.clamp(1, 9);
        Self::NONE.with(len, &[TIMESTAMP, len as u8, 5, TIMES])
    }

    /// Room for so many addresses, each with a time of day: 1 to 4.
    pub fn timestamps_and_addresses(slots: usize) -> Self {
        let len = 4 + 8 * slots.clamp(1, 4);
        Self::NONE.with(len, &[TIMESTAMP, len as u8, 5, TIMES_AND_ADDRESSES])
    }

    /// Room for a time of day of each of these hosts, of which four count.
    pub fn timestamps_of(hosts: &[Ipv4Addr]) -> Self {
        let hosts = &hosts[..hosts.len().min(4)];
        let len = 4 + 8 * hosts.len();
        let mut options = Self::NONE.with(len, &[TIMESTAMP, len as u8, 5, TIMES_OF]);
        for (slot, host) in options.octets[4..].chunks_exact_mut(8).zip(hosts) {
            slot[..4].copy_from_slice(&host.octets());
        }
        options
    }

    /// Options as they are to leave, filled up to whole words with ends of the list.
    ///
    /// `None` if they are more than 40 octets; they are not looked into.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        (octets.len() <= MAX_LEN).then(|| Self::NONE.with(octets.len(), octets))
    }

    /// As they stand in the header.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.len.into()]
    }

    /// What hosts and routers have recorded, in order.
    pub fn recorded(&self) -> impl Iterator<Item = Recorded> + '_ {
        recorded(self.octets())
    }

    /// Whether a host or a router can do what they ask, which is before [`Options::record`].
    ///
    /// # Errors
    /// [`Discard::BadOption`], also when one more that finds no room cannot be counted (RFC 791
    /// §3.1), and [`Discard::SourceRoute`].
    pub fn check(&self) -> Result<(), Discard> {
        check(self.octets())
    }

    /// Records our address and the time where the options ask for it, and have room.
    ///
    /// A host that originates timestamps begins with its own, and one that receives them adds its
    /// own (RFC 1122 §3.2.1.8).
    pub fn record(&mut self, us: Ipv4Addr, since_epoch: Duration) {
        let time = (since_epoch.as_millis() % DAY as u128) as u32;
        let mut at = 0;
        while let Some(Ok(field)) = field(&self.octets[..self.len.into()], at) {
            let (start, end) = (at, at + field.len());
            at = end;
            let option = &mut self.octets[start..end];
            match option[0] {
                RECORD_ROUTE => record_address(option, us),
                TIMESTAMP => record_time(option, us, time),
                _ => {}
            }
        }
    }

    /// Those that every fragment carries (RFC 791 §3.1).
    pub(crate) fn copied(&self) -> Self {
        self.filtered(|kind| kind & COPIED != 0)
    }

    /// Of `octets`, those that an echo reply carries on (RFC 1122 §3.2.2.6).
    pub(crate) fn for_reply(octets: &[u8]) -> Self {
        let all = Self::from_octets(octets).unwrap_or(Self::NONE);
        all.filtered(|kind| matches!(kind, RECORD_ROUTE | TIMESTAMP))
    }

    fn filtered(&self, keep: impl Fn(u8) -> bool) -> Self {
        let (mut octets, mut len) = ([0; MAX_LEN], 0);
        for option in fields(self.octets()).map_while(Result::ok) {
            if option[0] != NO_OPERATION && keep(option[0]) {
                octets[len..len + option.len()].copy_from_slice(option);
                len += option.len();
            }
        }
        Self::NONE.with(len, &octets[..len])
    }

    /// Of `len` octets that begin so; the others are 0.
    fn with(mut self, len: usize, begin: &[u8]) -> Self {
        self.octets[..begin.len()].copy_from_slice(begin);
        self.len = len.next_multiple_of(4) as u8;
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({:02x?})", self.octets())
    }
}

/// What hosts and routers on the way have recorded in the options of a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// It passed this address.
    Route(Ipv4Addr),
    /// It passed somebody at this time: milliseconds since midnight UT, unless the highest bit is
    /// set (RFC 791 §3.1).
    Time(u32),
    /// It passed this address, at this time.
    RouteAndTime(Ipv4Addr, u32),
}

/// What is recorded in `options`, in order.
pub(crate) fn recorded(options: &[u8]) -> impl Iterator<Item = Recorded> + '_ {
    fields(options).map_while(Result::ok).flat_map(|option| {
        let (first, size) = match (option, option[0]) {
            ([_, _, _, ..], RECORD_ROUTE) => (3, 4),
            ([_, _, _, flags, ..], TIMESTAMP) if flags & FLAGS == TIMES => (4, 4),
            ([_, _, _, _, ..], TIMESTAMP) => (4, 8),
            _ => (option.len(), 4),
        };
        let end = option.get(2).map_or(0, |pointer| usize::from(*pointer).saturating_sub(1));
        let filled = option.get(first..end.min(option.len())).unwrap_or_default();
        let kind = option[0];
        filled.chunks_exact(size).map(move |slot| {
            let addr = Ipv4Addr::new(slot[0], slot[1], slot[2], slot[3]);
            match slot.get(4..8) {
                _ if kind == RECORD_ROUTE => Recorded::Route(addr),
                None => Recorded::Time(addr.into()),
                Some(time) => Recorded::RouteAndTime(
                    addr,
                    u32::from_be_bytes([time[0], time[1], time[2], time[3]]),
                ),
            }
        })
    })
}

/// Whether a host can do with `options` what RFC 1122 §3.2.1.8 asks of it.
///
/// # Errors
/// [`Discard::BadOption`] and [`Discard::SourceRoute`].
pub(crate) fn check(options: &[u8]) -> Result<(), Discard> {
    let mut at = 0;
    while let Some(field) = field(options, at) {
        let option = field.map_err(bad)?;
        match option[0] {
            LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE => return Err(Discard::SourceRoute),
            RECORD_ROUTE => check_slots(option, 3, 4),
            TIMESTAMP => check_times(option),
            _ => Ok(()),
        }
        .map_err(|octet| bad(at + octet))?;
        at += option.len();
    }
    Ok(())
}

/// Which octet of a timestamp option is wrong, if any.
fn check_times(option: &[u8]) -> Result<(), usize> {
    let [_, len, pointer, flags, ..] = *option else { return Err(1) };
    if pointer > len && flags >> 4 == OVERFLOW_MAX {
        return Err(3); // "if the overflow count itself overflows" (RFC 791 §3.1)
    }
    match flags & FLAGS {
        TIMES => check_slots(option, 4, 4),
        TIMES_AND_ADDRESSES | TIMES_OF => check_slots(option, 4, 8),
        _ => Ok(()),
    }
}

/// Slots of `size` octets begin at `first`; the pointer, which counts from 1, is at octet 2.
fn check_slots(option: &[u8], first: usize, size: usize) -> Result<(), usize> {
    let Some(&pointer) = option.get(2) else { return Err(1) };
    let next = usize::from(pointer);
    let full = next > option.len();
    if next <= first || !full && next - 1 + size > option.len() { Err(2) } else { Ok(()) }
}

fn record_address(option: &mut [u8], us: Ipv4Addr) {
    let Some(at) = option.get(2).map(|pointer| usize::from(*pointer).saturating_sub(1)) else {
        return;
    };
    if at >= 3
        && let Some(slot) = option.get_mut(at..at + 4)
    {
        slot.copy_from_slice(&us.octets());
        option[2] += 4;
    }
}

fn record_time(option: &mut [u8], us: Ipv4Addr, time: u32) {
    let [_, _, pointer, flags, ..] = *option else { return };
    let at = usize::from(pointer).saturating_sub(1);
    if at < 4 {
        return;
    }
    if at >= option.len() {
        if flags >> 4 < OVERFLOW_MAX && flags & FLAGS != TIMES_OF {
            option[3] += 0x10;
        }
        return;
    }
    let (us, time) = (us.octets(), time.to_be_bytes());
    match (flags & FLAGS, option.get_mut(at..)) {
        (TIMES, Some([a, b, c, d, ..])) => [*a, *b, *c, *d] = time,
        (TIMES_AND_ADDRESSES, Some(slot)) if slot.len() >= 8 => {
            slot[..4].copy_from_slice(&us);
            slot[4..8].copy_from_slice(&time);
        }
        (TIMES_OF, Some(slot)) if slot.len() >= 8 && slot[..4] == us => {
            slot[4..8].copy_from_slice(&time);
        }
        _ => return,
    }
    option[2] += if flags & FLAGS == TIMES { 4 } else { 8 };
}

fn bad(octet: usize) -> Discard {
    Discard::BadOption { pointer: (HEADER_LEN + octet) as u8 }
}

/// Octets of options that a header has room for.
pub(crate) const MAX_LEN: usize = 40;

/// Milliseconds.
const DAY: u32 = 86_400_000;

/// The bit of the type that says: into every fragment.
const COPIED: u8 = 0x80;

const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;

/// Of a timestamp option's fourth octet: what it asks for; above them, who found no room.
const FLAGS: u8 = 0x0f;
const TIMES: u8 = 0;
const TIMES_AND_ADDRESSES: u8 = 1;
const TIMES_OF: u8 = 3;
const OVERFLOW_MAX: u8 = 15;
