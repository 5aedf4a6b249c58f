use std::net::Ipv4Addr;

use etherparse::{ArpEthIpv4Packet, ArpHardwareId, ArpOperation, ArpPacketSlice, EtherType};
use link::{As, FrameTx, SendError};
use macaddr::MacAddr6;

/// An ARP packet for IPv4 over Ethernet (RFC 826).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct View {
    /// Request or reply; any other value is possible, and acted on by nobody.
    pub operation: ArpOperation,
    /// ar$sha.
    pub sender_mac: MacAddr6,
    /// ar$spa.
    pub sender: Ipv4Addr,
    /// ar$tha; without meaning in a request.
    pub target_mac: MacAddr6,
    /// ar$tpa.
    pub target: Ipv4Addr,
}

impl View {
    /// Reads the payload of an ARP frame; what follows the 28 octets is padding.
    ///
    /// # Errors
    /// [`Discard::Malformed`] if it is cut short, [`Discard::Foreign`] if it is about other than
    /// IPv4 over Ethernet.
    pub fn parse(payload: &[u8]) -> Result<Self, Discard> {
        let slice = ArpPacketSlice::from_slice(payload).map_err(|_| Discard::Malformed)?;
        if slice.hw_addr_type() != ArpHardwareId::ETHERNET
            || slice.proto_addr_type() != EtherType::IPV4
        {
            return Err(Discard::Foreign);
        }
        let (sender_mac, sender) = pair(slice.sender_hw_addr(), slice.sender_protocol_addr())?;
        let (target_mac, target) = pair(slice.target_hw_addr(), slice.target_protocol_addr())?;
        Ok(Self { operation: slice.operation(), sender_mac, sender, target_mac, target })
    }

    /// Sends it in a frame to `dst`; to all if its sender's address is link-local
    /// (RFC 3927 §2.5).
    pub(crate) fn send(&self, dst: MacAddr6, below: &mut dyn FrameTx) -> Result<(), SendError> {
        let packet = ArpEthIpv4Packet {
            operation: self.operation,
            sender_mac: self.sender_mac.into_array(),
            sender_ipv4: self.sender.octets(),
            target_mac: self.target_mac.into_array(),
            target_ipv4: self.target.octets(),
        };
        let dst = if self.sender.is_link_local() { MacAddr6::broadcast() } else { dst };
        let mut below = As { mac: self.sender_mac, below };
        below.send(dst, EtherType::ARP, ArpEthIpv4Packet::LEN, &mut |out| {
            out.copy_from_slice(&packet.to_bytes());
        })
    }
}

/// Announces `addr` once, in the name of `below`'s station, by a request or a reply to all
/// (RFC 5227 §3).
///
/// # Errors
/// [`SendError::Full`] when no transmit slot is free.
pub fn announce(
    addr: Ipv4Addr,
    operation: ArpOperation,
    below: &mut dyn FrameTx,
) -> Result<(), SendError> {
    let (mac, everybody) = (below.mac(), MacAddr6::broadcast());
    let target_mac = if operation == ArpOperation::REPLY { mac } else { MacAddr6::nil() };
    View { operation, sender_mac: mac, sender: addr, target_mac, target: addr }
        .send(everybody, below)
}

/// A hardware and a protocol address, if they have the lengths of Ethernet's and IPv4's.
fn pair(mac: &[u8], addr: &[u8]) -> Result<(MacAddr6, Ipv4Addr), Discard> {
    let mac: [u8; 6] = mac.try_into().map_err(|_| Discard::Foreign)?;
    let addr: [u8; 4] = addr.try_into().map_err(|_| Discard::Foreign)?;
    Ok((mac.into(), addr.into()))
}

/// Why an ARP packet was silently discarded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Discard {
    /// Fewer octets than its own lengths demand.
    Malformed,
    /// Other hardware or protocol than Ethernet and IPv4, or other address lengths.
    Foreign,
    /// Its frame is for another station.
    OtherHost,
    /// Neither a request nor a reply.
    Operation,
    /// A sender's MAC address that no station has, in the packet or of its frame: zero, or a
    /// group.
    SenderMac,
    /// A sender's protocol address that no host has: in 0/8 (but 0.0.0.0, a probe's), in 127/8, a
    /// group, reserved, broadcast (RFC 1122 §3.2.1.3).
    Sender,
    /// A sender that cannot be on this link, as our owner says.
    OffLink,
    /// Our own packet, reflected.
    Echoed,
    /// It claims, or wants too, an address that we were probing for.
    Contested,
    /// It claims an address of ours.
    Conflict,
    /// It claims that a neighbour has another MAC address, and is not believed, or not yet.
    Distrusted,
    /// A reply to nothing we asked.
    Unasked,
    /// Well-formed, and no business of ours.
    NotForUs,
}
