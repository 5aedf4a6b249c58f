//! `flood IF FRAMES RATE`: that many echo requests of 64 octets, their check sequence counted, out
//! of the interface IF, RATE of them a second, to a station that is not there. Prints how many left
//! and how fast.

#![expect(clippy::disallowed_methods, reason = "it owns its loop, and the pace of it")]

use std::{
    env, hint,
    time::{Duration, Instant},
};

use link::{EtherType, Filter, FrameIo, FrameTx, MacAddr6, PacketSocket};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, interface, frames, rate] = &args[..] else {
        return Err("usage: flood IF FRAMES RATE".into());
    };
    let (frames, rate): (u64, u64) = (frames.parse()?, rate.parse()?);
    let options = PacketSocket::options().stamps(false).filter(Filter::none());
    let mut socket = options.open(interface)?;
    let nobody = MacAddr6::from([2, 0, 0, 0, 0, 0x63]);
    let (start, mut sent) = (Instant::now(), 0);
    while sent < frames {
        let due = start + Duration::from_nanos(sent * 1_000_000_000 / rate.max(1));
        while Instant::now() < due {
            hint::spin_loop();
        }
        for _ in 0..BATCH.min(frames - sent) {
            socket.send(nobody, EtherType::IPV4, ECHO.len(), &mut |octets| {
                octets.copy_from_slice(&ECHO);
            })?;
        }
        sent += BATCH.min(frames - sent);
        socket.flush()?;
    }
    let took = start.elapsed();
    let (left, unsent) = (socket.stats().sent, socket.stats().unsent);
    println!("{left} {unsent} {:.0}", left as f64 / took.as_secs_f64());
    Ok(())
}

/// Frames that are given to the kernel at once.
const BATCH: u64 = 64;

/// An echo request from 10.77.0.1 to 10.77.0.2, both its checksums right.
const ECHO: [u8; 46] = {
    let mut octets = [0; 46];
    let header = *b"\x45\0\0\x2e\0\x07\x40\0\x40\x01\x26\x2c\x0a\x4d\0\x01\x0a\x4d\0\x02\x08\0\xf7\xf7\0\x07\0\x01";
    let mut at = 0;
    while at < header.len() {
        octets[at] = header[at];
        at += 1;
    }
    octets
};
