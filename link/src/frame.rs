mod told;

use std::time::{Duration, Instant};

use etherparse::EtherType;
use macaddr::MacAddr6;

use self::told::Told;
pub(crate) use self::told::{Batch, Said, Span};

/// An Ethernet II frame, borrowed for the length of one callback.
///
/// It has at least its header: [`Frame::new`] refuses anything shorter.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    octets: &'a [u8],
    ether_type: [u8; 2],
    /// Where the tags begin that are to be seen.
    tags: u32,
    payload: u32,
    told: Told<'a>,
}

impl<'a> Frame<'a> {
    /// Views `octets`, header first and no frame check sequence, as a frame.
    ///
    /// # Errors
    /// [`Discard::Runt`] if the header, 802.1Q tags included, is not whole.
    pub fn new(octets: &'a [u8], facts: Facts) -> Result<Self, Discard> {
        Self::parse(octets, Told::Facts(facts))
    }

    /// A frame of the kernel's.
    ///
    /// # Errors
    /// As [`Frame::new`].
    pub(crate) fn told(octets: &'a [u8], said: Said<'a>) -> Result<Self, Discard> {
        Self::parse(octets, Told::Kernel(said))
    }

    /// A frame of the kernel's, if it has no tags, as most have not.
    #[inline(always)]
    pub(crate) fn untagged(octets: &'a [u8], said: Said<'a>) -> Option<Self> {
        let ether_type = type_before(HEADER_LEN, octets).filter(|two| !is_tag(two))?;
        Some(Self::with(octets, ether_type, HEADER_LEN as u32, Told::Kernel(said)))
    }

    fn parse(octets: &'a [u8], told: Told<'a>) -> Result<Self, Discard> {
        let mut payload = HEADER_LEN;
        let mut ether_type = type_before(payload, octets).ok_or(Discard::Runt)?;
        while is_tag(&ether_type) {
            payload += TAG_LEN;
            ether_type = type_before(payload, octets).ok_or(Discard::Runt)?;
        }
        let payload = u32::try_from(payload).map_err(|_| Discard::Runt)?;
        Ok(Self::with(octets, ether_type, payload, told))
    }

    #[inline(always)]
    fn with(octets: &'a [u8], ether_type: [u8; 2], payload: u32, told: Told<'a>) -> Self {
        Self { octets, ether_type, tags: HEADER_LEN as u32 - 2, payload, told }
    }

    /// The same frame with other facts; a decorator's means to say what it found out.
    pub fn with_facts(self, facts: Facts) -> Self {
        Self { told: Told::Facts(facts), ..self }
    }

    /// The same frame to somebody who speaks inside its VLAN: [`Frame::tags`] is empty, while
    /// [`Frame::octets`] still has them.
    pub fn without_tags(self) -> Self {
        Self { tags: self.payload - 2, ..self }
    }

    /// All of it, header first.
    #[inline]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Destination address.
    #[inline]
    pub fn dst(&self) -> MacAddr6 {
        mac(self.octets, 0)
    }

    /// Source address.
    #[inline]
    pub fn src(&self) -> MacAddr6 {
        mac(self.octets, 6)
    }

    /// The 802.1Q tags, outermost first.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + 'a {
        let (first, end) = (self.tags as usize, self.payload as usize - 2);
        self.octets[first..end].chunks_exact(TAG_LEN).map(Tag::read)
    }

    /// Whether the frame belongs to a VLAN; a priority tag (VID 0) does not make it so
    /// (802.1Q §6.9).
    pub fn is_in_vlan(&self) -> bool {
        self.tags().any(|tag| tag.id != 0)
    }

    /// What the payload is, looking through tags. Below 0x0600 it is an 802.3 length.
    #[inline]
    pub fn ether_type(&self) -> EtherType {
        EtherType(u16::from_be_bytes(self.ether_type))
    }

    /// Everything after the header and its tags, Ethernet padding included.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.octets[self.payload as usize..]
    }

    /// All that is known of the frame besides its octets.
    pub fn facts(&self) -> Facts {
        self.told.facts(self.dst())
    }

    /// Whether it came in, or went out, or could not.
    #[inline]
    pub fn direction(&self) -> Direction {
        self.told.direction()
    }

    /// Whom it was addressed to (the flag that RFC 1122 §2.4 demands).
    pub fn cast(&self) -> Cast {
        self.told.cast(self.dst())
    }

    /// When it arrived or left, on the layers' clock.
    pub fn at(&self) -> Instant {
        self.told.at()
    }

    /// When it arrived or left, as reports and captures say it.
    pub fn stamp(&self) -> Stamp {
        self.told.stamp()
    }
}

/// What a link knows of a frame besides its octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Facts {
    /// Whether it came in, or went out, or could not.
    pub direction: Direction,
    /// Whom it was addressed to.
    pub cast: Cast,
    /// When it arrived or left: `stamp`, translated to the clock that layers are given.
    pub at: Instant,
    /// When it arrived or left, and who says so.
    pub stamp: Stamp,
    /// Whether the transport checksum is there at all.
    pub checksum: Checksum,
}

impl Facts {
    /// The facts of a frame whose octets are `octets` to the station `us`, and all its own.
    pub(crate) fn of(
        octets: &[u8],
        us: MacAddr6,
        direction: Direction,
        at: Instant,
        stamp: Stamp,
    ) -> Self {
        let dst = octets.first_chunk().copied().unwrap_or_default();
        let cast = Cast::of(MacAddr6::from(dst), us);
        Self { direction, cast, at, stamp, checksum: Checksum::Complete }
    }
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// It came in.
    Received,
    /// One of ours, handed back after it left.
    Sent,
    /// One of ours, handed back because it did not leave.
    Unsent(Unsent),
}

/// Why a frame that the link had accepted did not leave.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Unsent {
    /// The interface is administratively down.
    Down,
    /// No carrier: nothing is plugged in, or the far end is down.
    NoCarrier,
    /// The kernel's own queue stayed full for a second.
    Full,
    /// The MTU was lowered after the frame was accepted.
    TooLong,
}

/// Whom a frame was addressed to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Cast {
    /// Us.
    Host,
    /// Every station on the link.
    Broadcast,
    /// A group.
    Multicast,
    /// Another station; we only saw it pass.
    Other,
}

impl Cast {
    /// The cast of a frame to `dst`, as the station `mac` sees it.
    pub fn of(dst: MacAddr6, mac: MacAddr6) -> Self {
        if dst == mac {
            Self::Host
        } else if dst == MacAddr6::broadcast() {
            Self::Broadcast
        } else if dst.is_multicast() {
            Self::Multicast
        } else {
            Self::Other
        }
    }
}

/// The state of a transport checksum: a local peer may leave it for hardware to fill in.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Checksum {
    /// It is as its sender computed it.
    #[default]
    Complete,
    /// It was left unfinished, so it says nothing; the frame never crossed a wire.
    Unfinished,
}

/// A point in time, and who read the clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// Time since 1970-01-01 00:00:00 UTC.
    pub since_epoch: Duration,
    /// Who read the clock.
    pub source: Source,
}

/// Who read the clock for a [`Stamp`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Source {
    /// The network card.
    Hardware,
    /// The kernel, at the driver's door.
    Kernel,
    /// This process.
    User,
    /// A network in memory, whose time is virtual.
    Virtual,
}

/// An IEEE 802.1Q tag.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tag {
    /// Tag protocol identifier: [`EtherType::VLAN_TAGGED_FRAME`], or a provider's.
    pub protocol: EtherType,
    /// Priority code point, 0 to 7.
    pub priority: u8,
    /// Drop eligible indicator.
    pub drop_eligible: bool,
    /// VLAN identifier, 0 to 4095; 0 is a mere priority tag.
    pub id: u16,
}

impl Tag {
    /// A tag of the VLAN `id` (its low 12 bits) with `priority` (its low 3 bits).
    pub fn new(id: u16, priority: u8) -> Self {
        let protocol = EtherType::VLAN_TAGGED_FRAME;
        Self { protocol, priority: priority & 7, drop_eligible: false, id: id & 0x0fff }
    }

    /// The four octets that stand before the EtherType.
    pub fn octets(self) -> [u8; TAG_LEN] {
        let [a, b] = self.protocol.0.to_be_bytes();
        let control = u16::from(self.priority & 7) << 13
            | u16::from(self.drop_eligible) << 12
            | self.id & 0x0fff;
        let [c, d] = control.to_be_bytes();
        [a, b, c, d]
    }

    pub(crate) fn read(octets: &[u8]) -> Self {
        let control = u16::from_be_bytes([octets[2], octets[3]]);
        Self {
            protocol: EtherType(u16::from_be_bytes([octets[0], octets[1]])),
            priority: (control >> 13) as u8,
            drop_eligible: control & 0x1000 != 0,
            id: control & 0x0fff,
        }
    }
}

/// Why received octets were silently discarded (RFC 1122 §1.3.3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// Shorter than an Ethernet header and its tags.
    Runt,
}

/// Writes an Ethernet II header (RFC 894) to the first [`HEADER_LEN`] octets of `out`.
pub(crate) fn write_header(out: &mut [u8], dst: MacAddr6, src: MacAddr6, ether_type: EtherType) {
    out[..6].copy_from_slice(dst.as_bytes());
    out[6..12].copy_from_slice(src.as_bytes());
    out[12..HEADER_LEN].copy_from_slice(&ether_type.0.to_be_bytes());
}

#[inline]
pub(crate) fn mac(octets: &[u8], at: usize) -> MacAddr6 {
    let mut six = [0; 6];
    six.copy_from_slice(&octets[at..at + 6]);
    MacAddr6::from(six)
}

/// The two octets before `payload`: an EtherType, or that of a tag.
#[inline(always)]
fn type_before(payload: usize, octets: &[u8]) -> Option<[u8; 2]> {
    octets.get(payload - 2..payload)?.first_chunk().copied()
}

/// Whether these two octets announce a tag.
#[inline]
pub(crate) fn is_tag(ether_type: &[u8]) -> bool {
    TAGS.iter().any(|tag| tag == ether_type)
}

/// The EtherTypes of tags.
const TAGS: [[u8; 2]; 3] = [
    EtherType::VLAN_TAGGED_FRAME.0.to_be_bytes(),
    EtherType::PROVIDER_BRIDGING.0.to_be_bytes(),
    EtherType::VLAN_DOUBLE_TAGGED_FRAME.0.to_be_bytes(),
];

/// Octets before the payload: destination, source, EtherType (IEEE 802.3 §3.1.1).
pub const HEADER_LEN: usize = 14;

/// Octets of one 802.1Q tag.
pub const TAG_LEN: usize = 4;
