use etherparse::checksum::Sum16BitWords;
use link::{EtherType, MacAddr6};

pub(crate) fn mac(last: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, last)
}

pub(crate) fn frame(dst: MacAddr6, src: MacAddr6, kind: EtherType, payload: &[u8]) -> Vec<u8> {
    [dst.as_bytes(), src.as_bytes(), &kind.0.to_be_bytes(), payload].concat()
}

/// An IPv4 packet from 10.0.0.2, whose fields are as they are called (RFC 791 §3.1).
pub(crate) fn packet(
    dst: [u8; 4],
    (identification, fragment): (u16, u16),
    ttl: u8,
    payload: &[u8],
) -> Vec<u8> {
    let len = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let ([id, en], [frag, ment]) = (identification.to_be_bytes(), fragment.to_be_bytes());
    let header = [0x45, 0, len[0], len[1], id, en, frag, ment, ttl, 1, 0, 0, 10, 0, 0, 2];
    [&header[..], &dst, payload].concat()
}

/// Writes the checksums that a frame should have, if it is a datagram, and an ICMP message.
pub(crate) fn mend(frame: &mut [u8]) {
    let Some(packet) = frame.get_mut(14..) else { return };
    let [first, _, high, low, ..] = *packet else { return };
    let header_len = usize::from(first & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([high, low]));
    let Some(packet) = packet.get_mut(..total_len) else { return };
    let Some((header, message)) = packet.split_at_mut_checked(header_len) else { return };
    if header.len() < 20 {
        return;
    }
    sum(header, 10);
    if header[9] == 1 && message.len() >= 4 {
        sum(message, 2);
    }
}

/// Writes to `at` the checksum of octets that include it.
fn sum(octets: &mut [u8], at: usize) {
    octets[at..at + 2].fill(0);
    let sum = Sum16BitWords::new().add_slice(octets).ones_complement();
    octets[at..at + 2].copy_from_slice(&sum.to_ne_bytes());
}
