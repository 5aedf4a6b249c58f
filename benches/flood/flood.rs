//! Frames that no honest host sends, at full speed.

use std::time::Duration;

use link::{EtherType, FrameIo, FrameTx, MacAddr6, PacketSocket, SendError, Wait};

use crate::{Trouble, US};

/// Floods for so long, and returns how many frames it took.
pub(crate) fn send(mut socket: PacketSocket, length: Duration) -> Result<u64, Trouble> {
    let end = socket.now() + length;
    let (mut sent, mut n) = (0, 0_u32);
    while socket.now() < end {
        for _ in 0..64 {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match one(&mut socket, n) {
                Ok(()) => sent += 1,
                Err(SendError::Full) => break,
                Err(error) => return Err(error.into()),
            }
        }
        socket.flush()?;
    }
    Ok(sent)
}

/// The high bits of `n` are as good as random.
fn one(socket: &mut PacketSocket, n: u32) -> Result<(), SendError> {
    let [a, b, c, d] = n.to_be_bytes();
    let nobody = [10, 77, b | 1, c];
    match a % 4 {
        // Who has 10.77.0.3, asks a host that is not there.
        0 => socket.send(MacAddr6::broadcast(), EtherType::ARP, 28, &mut |out| {
            out[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
            out[8..14].copy_from_slice(&[2, a, b, c, d, 9]);
            out[14..18].copy_from_slice(&nobody);
            out[24..28].copy_from_slice(&OURS);
        }),
        // The first fragment of a datagram that never ends.
        1 => socket.send(US, EtherType::IPV4, 1_420, &mut |out| {
            header(out, nobody, [b, c], [0x20, 0]);
        }),
        // A last fragment without a first.
        2 => socket.send(US, EtherType::IPV4, 28, &mut |out| {
            header(out, nobody, [c, b], [0x1f, 0]);
        }),
        // Neither ARP nor IPv4 in any good order.
        _ => socket.send(US, EtherType(0x0800 | u16::from(d & 6)), 40, &mut |out| {
            out.iter_mut().zip(0..).for_each(|(octet, at)| *octet = a ^ b.wrapping_mul(at) ^ c);
        }),
    }
}

fn header(out: &mut [u8], src: [u8; 4], id: [u8; 2], fragment: [u8; 2]) {
    let len = u16::try_from(out.len()).unwrap_or(u16::MAX);
    out[..2].copy_from_slice(&[0x45, 0]);
    out[2..4].copy_from_slice(&len.to_be_bytes());
    out[4..6].copy_from_slice(&id);
    out[6..8].copy_from_slice(&fragment);
    out[8..10].copy_from_slice(&[64, 1]);
    out[12..16].copy_from_slice(&src);
    out[16..20].copy_from_slice(&OURS);
    let words = out[..20].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
}

const OURS: [u8; 4] = [10, 77, 0, 3];
