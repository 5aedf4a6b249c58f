use std::{
    ops::Range,
    time::{Duration, Instant},
};

use etherparse::EtherType;
use macaddr::MacAddr6;

use super::PortId;
use crate::frame::{HEADER_LEN, TAG_LEN, Tag, Unsent, is_tag};

/// One passage of a frame from the station that sent it to one that may receive it.
#[derive(Clone, Copy, Debug)]
pub struct Transit<'a> {
    /// The frame, header first, padded to Ethernet's minimum.
    pub octets: &'a [u8],
    /// Who sent it.
    pub from: PortId,
    /// Who may receive it.
    pub to: PortId,
    /// When it was sent.
    pub at: Instant,
}

impl Transit<'_> {
    /// Destination address.
    pub fn dst(&self) -> MacAddr6 {
        self.mac(0)
    }

    /// Source address.
    pub fn src(&self) -> MacAddr6 {
        self.mac(6)
    }

    /// What the payload is, looking through tags.
    pub fn ether_type(&self) -> EtherType {
        ether_type(self.octets)
    }

    /// Whether its payload is longer than an MTU of that many octets; tags do not count.
    pub fn exceeds(&self, mtu: usize) -> bool {
        exceeds(self.octets, mtu)
    }

    fn mac(&self, at: usize) -> MacAddr6 {
        let mut six = [0; 6];
        six.copy_from_slice(&self.octets[at..at + 6]);
        MacAddr6::from(six)
    }
}

/// What happens to a frame on one passage; by default it arrives after the network's latency.
///
/// What changes its octets happens in the order of the fields.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fate {
    /// It never arrives, whatever else is said.
    pub lost: bool,
    /// It never arrives, and its sender gets it back with this reason instead of as sent, whoever
    /// else it reached.
    pub refused: Option<Unsent>,
    /// It arrives that much later than the latency.
    pub late: Duration,
    /// A second copy arrives that long after the first.
    pub again: Option<Duration>,
    /// This bit of it, counted from the first octet's highest, arrives inverted.
    pub inverted: Option<usize>,
    /// It arrives with this 802.1Q tag, outside any that it has.
    pub tagged: Option<Tag>,
    /// Of its octets only so many arrive; fewer than a header are no frame, and nobody sees them.
    pub cut: Option<usize>,
    /// So many octets of [`JUNK`] arrive after its own.
    pub padded: usize,
}

impl Fate {
    /// It arrives.
    pub fn arrives() -> Self {
        Self::default()
    }

    /// It never arrives.
    pub fn lost() -> Self {
        Self { lost: true, ..Self::default() }
    }

    /// It never arrives, and comes back to its sender.
    pub fn refused(reason: Unsent) -> Self {
        Self { refused: Some(reason), ..Self::default() }
    }

    /// It arrives that much later.
    pub fn late(late: Duration) -> Self {
        Self { late, ..Self::default() }
    }

    /// It arrives, and once more `after` that.
    pub fn again(after: Duration) -> Self {
        Self { again: Some(after), ..Self::default() }
    }

    /// It arrives with one bit inverted.
    pub fn inverted(bit: usize) -> Self {
        Self { inverted: Some(bit), ..Self::default() }
    }

    /// It arrives with a tag put in.
    pub fn tagged(tag: Tag) -> Self {
        Self { tagged: Some(tag), ..Self::default() }
    }

    /// It arrives with no more than its first `len` octets.
    pub fn cut(len: usize) -> Self {
        Self { cut: Some(len), ..Self::default() }
    }

    /// It arrives with `octets` octets of junk after its end.
    pub fn padded(octets: usize) -> Self {
        Self { padded: octets, ..Self::default() }
    }

    /// Whether the octets arrive as they were sent.
    pub(super) fn spares_octets(&self) -> bool {
        self.inverted.is_none() && self.tagged.is_none() && self.cut.is_none() && self.padded == 0
    }

    /// Does to the octets what it says.
    pub fn alter(&self, octets: &mut Vec<u8>) {
        if let Some(bit) = self.inverted
            && let Some(octet) = octets.get_mut(bit / 8)
        {
            *octet ^= 0x80 >> (bit % 8);
        }
        if let Some(tag) = self.tagged {
            octets.splice(12..12, tag.octets());
        }
        if let Some(len) = self.cut {
            octets.truncate(len);
        }
        octets.resize(octets.len() + self.padded, JUNK);
    }
}

/// A part of a frame, to be corrupted: where it lies in an echo message without tags or options.
///
/// These are places and nothing more: the network does not look at what is there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// The destination address.
    Destination,
    /// The source address.
    Source,
    /// The EtherType.
    EtherType,
    /// The first 20 octets after the Ethernet header.
    IpHeader,
    /// The 8 octets after these.
    IcmpHeader,
    /// All that follows, padding included.
    Data,
    /// The last two.
    Message,
}

impl Part {
    /// Its octets in a frame of `len` octets, 60 or more; in a shorter one it may have none.
    pub fn octets(self, len: usize) -> Range<usize> {
        match self {
            Self::Whole => 0..len,
            Self::Destination => 0..6,
            Self::Source => 6..12,
            Self::EtherType => 12..14,
            Self::IpHeader => 14..34,
            Self::IcmpHeader => 34..42,
            Self::Data => 42..len.max(42),
            Self::Message => 34..len.max(34),
        }
    }
}

/// What the payload of a frame is, looking through tags.
pub(super) fn ether_type(octets: &[u8]) -> EtherType {
    let end = header_len(octets);
    EtherType(u16::from_be_bytes([octets[end - 2], octets[end - 1]]))
}

/// Whether the payload of a frame is longer than an MTU of that many octets.
pub(super) fn exceeds(octets: &[u8], mtu: usize) -> bool {
    octets.len() > header_len(octets) + mtu
}

/// The octets before the payload, those of whole tags included.
fn header_len(octets: &[u8]) -> usize {
    let mut end = HEADER_LEN;
    while is_tag(&octets[end - 2..end]) && end + TAG_LEN <= octets.len() {
        end += TAG_LEN;
    }
    end
}

/// What a frame is padded with by [`Fate::padded`].
pub const JUNK: u8 = 0xee;
