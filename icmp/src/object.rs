use std::{fmt, net::Ipv4Addr};

use crate::extension::{Extensions, Object};

/// The extension objects that an error carried (RFC 4884), copied.
///
/// There is room for what a router usually says: four labels and an interface with its name. An
/// object that does not fit is left out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Objects {
    len: u8,
    complete: bool,
    /// Object after object, as they came.
    octets: [u8; ROOM],
}

impl Objects {
    pub(crate) fn copy(extensions: &Extensions<'_>) -> Self {
        let mut objects = Self::default();
        for object in extensions.objects() {
            let Object { class, c_type, payload } = object;
            let (from, len) = (usize::from(objects.len), HEADER_LEN + payload.len());
            let Some(out) = objects.octets.get_mut(from..from + len) else {
                objects.complete = false;
                continue;
            };
            // `len` is at most `ROOM`, so that either fits an octet.
            out[..HEADER_LEN].copy_from_slice(&[0, len as u8, class, c_type]);
            out[HEADER_LEN..].copy_from_slice(payload);
            objects.len += len as u8;
        }
        objects
    }

    /// The objects in order, of whatever class.
    pub fn iter(&self) -> impl Iterator<Item = Object<'_>> {
        Object::all(&self.octets[..self.len.into()])
    }

    /// The MPLS label stack that our datagram bore, its top first (RFC 4950).
    pub fn labels(&self) -> impl Iterator<Item = Label> + '_ {
        self.iter().flat_map(|object| object.labels())
    }

    /// The interfaces that the router tells of (RFC 5837).
    pub fn interfaces(&self) -> impl Iterator<Item = Interface<'_>> {
        self.iter().filter_map(|object| object.interface())
    }

    /// Whether the error carried none.
    pub fn is_empty(&self) -> bool {
        self.len == 0 && self.complete
    }

    /// Whether all that the error carried are here.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Default for Objects {
    fn default() -> Self {
        Self { len: 0, complete: true, octets: [0; ROOM] }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An entry of an MPLS label stack (RFC 3032 §2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Label {
    /// Of 20 bits.
    pub label: u32,
    /// Traffic class, of 3 bits (RFC 5462).
    pub traffic_class: u8,
    /// Whether it is the last.
    pub bottom: bool,
    /// Hops left.
    pub ttl: u8,
}

impl Label {
    fn read([a, b, c, ttl]: [u8; 4]) -> Self {
        let label = u32::from_be_bytes([0, a, b, c]) >> 4;
        Self { label, traffic_class: c >> 1 & 7, bottom: c & 1 != 0, ttl }
    }
}

/// What a router tells of one of its interfaces (RFC 5837 §4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Interface<'m> {
    /// What our datagram has to do with it.
    pub role: Role,
    /// As the router's MIB counts it.
    pub index: Option<u32>,
    /// `None` also where it is of another family.
    pub addr: Option<Ipv4Addr>,
    /// At most 63 octets of UTF-8, which may be anything: escape it before it is shown.
    pub name: Option<&'m str>,
    /// In octets.
    pub mtu: Option<u32>,
}

/// What a datagram has to do with an interface (RFC 5837 §4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// It came in here.
    Incoming,
    /// It came in by this part of a bundle.
    IncomingPart,
    /// It would have left here.
    Outgoing,
    /// It would have been sent to this next hop.
    NextHop,
}

impl<'m> Object<'m> {
    /// The label stack, if this is one and whole (RFC 4950 §3).
    pub fn labels(&self) -> impl Iterator<Item = Label> + use<'m> {
        let stack =
            (self.class, self.c_type) == (LABEL_STACK, 1) && self.payload.len().is_multiple_of(4);
        let entries = if stack { self.payload } else { &[] };
        entries.as_chunks().0.iter().map(|entry| Label::read(*entry))
    }

    /// The interface, if this is one and whole (RFC 5837 §4).
    pub fn interface(&self) -> Option<Interface<'m>> {
        if self.class != INTERFACE {
            return None;
        }
        let mut rest = self.payload;
        let has = |bit| self.c_type & bit != 0;
        let index = if has(INDEX) { Some(u32::from_be_bytes(take(&mut rest)?)) } else { None };
        let addr = if has(ADDRESS) { address(&mut rest)? } else { None };
        let name = if has(NAME) { Some(name(&mut rest)?) } else { None };
        let mtu = if has(MTU) { Some(u32::from_be_bytes(take(&mut rest)?)) } else { None };
        let role = match self.c_type >> 6 {
            0 => Role::Incoming,
            1 => Role::IncomingPart,
            2 => Role::Outgoing,
            _ => Role::NextHop,
        };
        Some(Interface { role, index, addr, name, mtu })
    }
}

/// RFC 5837 §4.2: family, two octets reserved, address; `Some(None)` where it is not IPv4's.
fn address(rest: &mut &[u8]) -> Option<Option<Ipv4Addr>> {
    let [high, low, _, _] = take(rest)?;
    match u16::from_be_bytes([high, low]) {
        1 => Some(Some(Ipv4Addr::from(take::<4>(rest)?))),
        2 => take::<16>(rest).map(|_| None),
        _ => None,
    }
}

/// RFC 5837 §4.3: a length that counts itself, the name, and zeros up to a multiple of four.
fn name<'m>(rest: &mut &'m [u8]) -> Option<&'m str> {
    let len = usize::from(*rest.first()?);
    if !(4..=64).contains(&len) || len % 4 != 0 {
        return None;
    }
    let (field, after) = rest.split_at_checked(len)?;
    *rest = after;
    let name = str::from_utf8(&field[1..]).ok()?;
    Some(name.trim_end_matches('\0'))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Octets of objects that an error of ours can hold.
const ROOM: usize = 94;

/// Octets of an object's header.
const HEADER_LEN: usize = 4;

const LABEL_STACK: u8 = 1;
const INTERFACE: u8 = 2;

// Bits of an interface's C-Type.
const INDEX: u8 = 8;
const ADDRESS: u8 = 4;
const NAME: u8 = 2;
const MTU: u8 = 1;
