use std::{net::Ipv4Addr, time::Duration};

use etherparse::{IpNumber, Ipv4HeaderSlice, checksum::Sum16BitWords};

use crate::{discard::Discard, options::Options};

/// A packet whose header has been checked, cut to its total length: what followed was padding.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'p> {
    octets: &'p [u8],
    header_len: usize,
}

impl<'p> Packet<'p> {
    /// Checks version, lengths and header checksum (RFC 1122 §3.2.1).
    ///
    /// # Errors
    /// The first check that failed: [`Discard::Length`], [`Discard::Version`],
    /// [`Discard::TotalLength`], [`Discard::HeaderLength`] or [`Discard::Checksum`].
    pub fn parse(octets: &'p [u8]) -> Result<Self, Discard> {
        let (&first, fixed) = octets.split_first().ok_or(Discard::Length)?;
        if first >> 4 != 4 {
            return Err(Discard::Version);
        }
        let header_len = usize::from(first & 0x0f) * 4;
        let [_, len @ .., _] = fixed.first_chunk::<4>().ok_or(Discard::Length)?;
        let total_len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        if total_len < HEADER_LEN {
            return Err(Discard::TotalLength);
        }
        if header_len < HEADER_LEN || total_len < header_len {
            return Err(Discard::HeaderLength);
        }
        let octets = octets.get(..total_len).ok_or(Discard::TotalLength)?;
        if Sum16BitWords::new().add_slice(&octets[..header_len]).ones_complement() != 0 {
            return Err(Discard::Checksum);
        }
        Ok(Self { octets, header_len })
    }

    /// The whole of it, header first.
    pub fn octets(&self) -> &'p [u8] {
        self.octets
    }

    /// The header, options included.
    pub fn header(&self) -> &'p [u8] {
        &self.octets[..self.header_len]
    }

    /// The options, padding included.
    pub fn options(&self) -> &'p [u8] {
        &self.octets[HEADER_LEN..self.header_len]
    }

    /// What the header is followed by.
    pub fn payload(&self) -> &'p [u8] {
        &self.octets[self.header_len..]
    }

    /// Who sent it.
    pub fn src(&self) -> Ipv4Addr {
        self.addr(12)
    }

    /// Whom they sent it to.
    pub fn dst(&self) -> Ipv4Addr {
        self.addr(16)
    }

    /// What the payload is.
    pub fn protocol(&self) -> IpNumber {
        IpNumber(self.octets[9])
    }

    /// Hops left.
    pub fn ttl(&self) -> u8 {
        self.octets[8]
    }

    /// Type of service: DSCP and ECN.
    pub fn tos(&self) -> u8 {
        self.octets[1]
    }

    /// Identification.
    pub fn identification(&self) -> u16 {
        u16::from_be_bytes([self.octets[4], self.octets[5]])
    }

    /// Whether it must not be fragmented.
    pub fn dont_fragment(&self) -> bool {
        self.octets[6] & 0x40 != 0
    }

    /// Whether it is a fragment, and not the last.
    pub fn more_fragments(&self) -> bool {
        self.octets[6] & 0x20 != 0
    }

    /// Where its payload belongs in that of its datagram, in octets.
    pub fn fragment_offset(&self) -> usize {
        usize::from(u16::from_be_bytes([self.octets[6], self.octets[7]]) & 0x1fff) * 8
    }

    /// Whether it is only a part of a datagram.
    pub fn is_fragment(&self) -> bool {
        self.more_fragments() || self.fragment_offset() != 0
    }

    /// Whether its payload is the beginning of a message.
    pub fn is_first_fragment(&self) -> bool {
        self.fragment_offset() == 0
    }

    /// Writes it as a router forwards it that is `us` where it leaves: with one hop less left, and
    /// with our address and the time, if its options ask for these and have room
    /// (RFC 1812 §5.3.1, §5.3.13.5, §5.3.13.6).
    ///
    /// `out` has the length of [`Packet::octets`].
    pub fn forward(&self, us: Ipv4Addr, since_epoch: Duration, out: &mut [u8]) {
        out.copy_from_slice(self.octets);
        out[8] = self.ttl().saturating_sub(1);
        if let Some(mut options) = Options::from_octets(self.options())
            && !self.options().is_empty()
        {
            options.record(us, since_epoch);
            out[HEADER_LEN..self.header_len].copy_from_slice(options.octets());
        }
        out[10..12].fill(0);
        let sum = Sum16BitWords::new().add_slice(&out[..self.header_len]).ones_complement();
        out[10..12].copy_from_slice(&sum.to_be().to_be_bytes());
    }

    fn addr(&self, at: usize) -> Ipv4Addr {
        let octets = &self.octets[at..at + 4];
        Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3])
    }
}

/// Reads a header without trusting anything behind it: what an ICMP error quotes.
pub(crate) fn quoted_header(octets: &[u8]) -> Result<Ipv4HeaderSlice<'_>, Discard> {
    Ipv4HeaderSlice::from_slice(octets).map_err(|_| Discard::Length)
}

/// Octets of a header without options (RFC 791 §3.1).
pub(crate) const HEADER_LEN: usize = 20;

/// The most that the header's total length can say.
pub(crate) const TOTAL_LEN: usize = 65_535;
