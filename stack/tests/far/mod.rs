//! The far end of a wire: one station that is any number of hosts, all by one rule.

use std::{io, net::Ipv4Addr, time::Instant};

use link::{Direction, EtherType, Frame, FrameIo, FrameTx};

/// Answers what has come in on `link`: each request by ARP or for an echo whose target `answers`.
pub(crate) fn answer(
    link: &mut impl FrameIo,
    now: Instant,
    answers: &mut dyn FnMut(EtherType, Ipv4Addr) -> bool,
) -> io::Result<()> {
    let mut handed = 1;
    while handed > 0 {
        handed = link.recv(now, &mut |frame, tx| {
            if frame.direction() == Direction::Received {
                reply(&frame, tx, answers);
            }
        })?;
        link.flush()?;
    }
    Ok(())
}

fn reply(
    frame: &Frame<'_>,
    tx: &mut dyn FrameTx,
    answers: &mut dyn FnMut(EtherType, Ipv4Addr) -> bool,
) {
    let (packet, ether_type, mac) = (frame.payload(), frame.ether_type(), tx.mac());
    let (target, len) = match ether_type {
        EtherType::ARP if packet.len() >= 28 && packet[7] == 1 => (address(packet, 24), 28),
        EtherType::IPV4 if packet.len() >= 28 && packet[9] == 1 && packet[20] == 8 => {
            let total = u16::from_be_bytes([packet[2], packet[3]]).into();
            (address(packet, 16), packet.len().min(total))
        }
        _ => return,
    };
    if !answers(ether_type, target) {
        return;
    }
    let sent = tx.send(frame.src(), ether_type, len, &mut |out| {
        out.copy_from_slice(&packet[..len]);
        if ether_type == EtherType::ARP {
            out[7] = 2;
            out[18..28].copy_from_slice(&packet[8..18]);
            out[8..14].copy_from_slice(mac.as_bytes());
            out[14..18].copy_from_slice(&packet[24..28]);
        } else {
            out[12..16].copy_from_slice(&packet[16..20]);
            out[16..20].copy_from_slice(&packet[12..16]);
            out[20] = 0;
            let sum = u32::from(u16::from_be_bytes([out[22], out[23]])) + 0x0800;
            out[22..24].copy_from_slice(&((sum + (sum >> 16)) as u16).to_be_bytes());
        }
    });
    debug_assert!(sent.is_ok(), "{sent:?}");
}

fn address(packet: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3])
}
