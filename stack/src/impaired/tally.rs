use link::{EtherType, HEADER_LEN};

/// What has left an [`Impaired`](super::Impaired) link, in frames, and how it fared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// ARP replies.
    pub arp_replies: u64,
    /// Other ARP packets: probes, announcements, requests.
    pub arp_others: u64,
    /// Echo replies.
    pub echo_replies: u64,
    /// Destination unreachable.
    pub unreachable: u64,
    /// Time exceeded.
    pub time_exceeded: u64,
    /// Everything else.
    pub others: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Held back.
    pub delayed: u64,
    /// Sent twice.
    pub duplicated: u64,
    /// Changed in one bit.
    pub corrupted: u64,
    /// Lost because too many were held back.
    pub overflowed: u64,
}

impl Tally {
    /// Counts a frame by what it is.
    pub(super) fn count(&mut self, frame: &[u8]) {
        let ether_type = frame.get(HEADER_LEN - 2..HEADER_LEN);
        let counter = match ether_type.map(|octets| u16::from_be_bytes([octets[0], octets[1]])) {
            Some(arp) if arp == EtherType::ARP.0 => match frame.get(ARP_OPERATION) {
                Some(2) => &mut self.arp_replies,
                _ => &mut self.arp_others,
            },
            Some(ipv4) if ipv4 == EtherType::IPV4.0 => match icmp_type(frame) {
                Some(0) => &mut self.echo_replies,
                Some(3) => &mut self.unreachable,
                Some(11) => &mut self.time_exceeded,
                _ => &mut self.others,
            },
            _ => &mut self.others,
        };
        *counter += 1;
    }
}

/// The type of the ICMP message that begins in a frame with an IPv4 packet.
fn icmp_type(frame: &[u8]) -> Option<u8> {
    let packet = frame.get(HEADER_LEN..)?;
    let header = packet.first_chunk::<20>()?;
    let is_first = u16::from_be_bytes([header[6], header[7]]) & 0x1fff == 0;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    packet.get(header_len).copied().filter(|_| header[9] == ICMP && is_first)
}

/// Where the low octet of an ARP packet's operation stands.
const ARP_OPERATION: usize = HEADER_LEN + 7;

const ICMP: u8 = 1;
