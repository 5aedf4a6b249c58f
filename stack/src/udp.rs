use etherparse::{UdpHeader, UdpHeaderSlice};
use ipv4::Datagram;
use link::Checksum;

use crate::counters::Discard;

/// Whether `datagram` holds a whole UDP message as it was sent, of which the sender may be told
/// that nobody takes it.
///
/// A frame that never crossed a wire may have its checksum yet to come: then it says nothing.
///
/// # Errors
/// [`Discard::UdpLength`] (RFC 768 "Length"), and [`Discard::UdpChecksum`] unless that is zero
/// (RFC 1122 §4.1.3.4).
pub(crate) fn check(datagram: &Datagram<'_>, checksum: Checksum) -> Result<(), Discard> {
    let header = UdpHeaderSlice::from_slice(&datagram.payload).map_err(|_| Discard::UdpLength)?;
    let data = datagram.payload.get(UdpHeader::LEN..header.length().into());
    let data = data.ok_or(Discard::UdpLength)?;
    if header.checksum() == 0 || checksum == Checksum::Unfinished {
        return Ok(());
    }
    let (src, dst) = (datagram.src.octets(), datagram.dst.octets());
    let right = header.to_header().calc_checksum_ipv4_raw(src, dst, data);
    if right.is_ok_and(|right| right == header.checksum()) {
        Ok(())
    } else {
        Err(Discard::UdpChecksum)
    }
}
