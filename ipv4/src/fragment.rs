use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::{NextHop, PacketTx};
use etherparse::checksum::Sum16BitWords;
use link::SendError;

use crate::{
    options::{MAX_LEN, Options},
    packet::HEADER_LEN,
    tx::Header,
};

/// The header of a datagram, to be written before each of its fragments.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    octets: [u8; HEADER_LEN + MAX_LEN],
    len: usize,
}

impl Head {
    pub(crate) fn new(header: &Header, src: Ipv4Addr, identification: u16, df: bool) -> Self {
        let mut octets = [0; HEADER_LEN + MAX_LEN];
        octets[1] = header.tos;
        octets[4..6].copy_from_slice(&identification.to_be_bytes());
        octets[6] = if df { DONT_FRAGMENT } else { 0 };
        octets[8] = header.ttl.max(1);
        octets[9] = header.protocol.0;
        octets[12..16].copy_from_slice(&src.octets());
        octets[16..20].copy_from_slice(&header.dst.octets());
        Self { octets, len: 0 }.with(&header.options)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Writes it before so many octets of payload, which belong at `offset`.
    pub(crate) fn write(&self, out: &mut [u8], len: usize, offset: usize, more: bool) {
        out.copy_from_slice(&self.octets[..self.len]);
        out[2..4].copy_from_slice(&((self.len + len) as u16).to_be_bytes());
        let [high, low] = ((offset / 8) as u16).to_be_bytes();
        out[6] |= high | if more { MORE_FRAGMENTS } else { 0 };
        out[7] = low;
        let sum = Sum16BitWords::new().add_slice(out).ones_complement();
        out[10..12].copy_from_slice(&sum.to_be().to_be_bytes());
    }

    fn with(mut self, options: &Options) -> Self {
        let options = options.octets();
        self.len = HEADER_LEN + options.len();
        self.octets[0] = 0x40 | (self.len / 4) as u8;
        self.octets[HEADER_LEN..self.len].copy_from_slice(options);
        self
    }
}

/// What of a datagram has not left yet.
pub(crate) struct Rest {
    /// In whose name they leave.
    pub(crate) from: Ipv4Addr,
    pub(crate) next_hop: NextHop,
    /// Of the later fragments: with those options only that every fragment carries.
    pub(crate) head: Head,
    pub(crate) message: Vec<u8>,
    /// Octets of the message that have left.
    pub(crate) left: usize,
    /// Longest packet that its path takes.
    pub(crate) mtu: usize,
    /// When to try again.
    pub(crate) again: Instant,
}

impl Rest {
    pub(crate) fn new(
        header: &Header,
        first: &Head,
        (from, next_hop, mtu): (Ipv4Addr, NextHop, usize),
        now: Instant,
    ) -> Self {
        let head = first.with(&header.options.copied());
        let (message, left, again) = (Vec::new(), 0, now + RETRY);
        Self { from, next_hop, head, message, left, mtu, again }
    }

    /// Hands down as many fragments as `below` takes.
    ///
    /// # Errors
    /// [`SendError::Full`]: there is more. Any other: it never will be sent.
    pub(crate) fn push(&mut self, now: Instant, below: &mut dyn PacketTx) -> Result<(), SendError> {
        while let Some(message) = self.message.get(self.left..).filter(|rest| !rest.is_empty()) {
            let mtu = self.mtu.min(below.mtu()); // it may have changed since the first
            let len = fragment_len(mtu, self.head.len(), message.len());
            if len == 0 {
                return Err(SendError::TooLong { len: self.head.len() + 8, mtu });
            }
            let (head, offset, more) = (&self.head, self.left, len < message.len());
            let total = head.len() + len;
            let sent = below.send_next(self.from, self.next_hop, total, &mut |out| {
                let (header, payload) = out.split_at_mut(head.len());
                head.write(header, len, offset, more);
                payload.copy_from_slice(&message[..len]);
            });
            if let Err(refused) = sent {
                self.again = now + RETRY;
                return Err(refused);
            }
            self.left += len;
        }
        Ok(())
    }
}

/// Octets of payload of the next fragment, if `rest` are left (RFC 791 §3.2); 0 if none fits.
pub(crate) fn fragment_len(mtu: usize, head_len: usize, rest: usize) -> usize {
    let room = mtu.saturating_sub(head_len);
    if rest <= room { rest } else { room & !7 }
}

const DONT_FRAGMENT: u8 = 0x40;
const MORE_FRAGMENTS: u8 = 0x20;

/// How soon a link that was full is tried again.
const RETRY: Duration = Duration::from_millis(1);
