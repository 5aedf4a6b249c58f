//! `flood IF FRAMES RATE`: that many echo requests of 64 octets, their check sequence counted, out
//! of IF, RATE a second, to a station that is not there. Prints frames sent, unsent, and a second.

use std::{env, error::Error, hint, time::Duration};

use sidestack_link::{EtherType, Filter, FrameIo, FrameTx, MacAddr6, PacketSocket, Wait};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, interface, frames, rate] = &args[..] else {
        return Err("usage: flood IF FRAMES RATE".into());
    };
    let (frames, rate): (u64, u64) = (frames.parse()?, rate.parse()?);
    let mut socket =
        PacketSocket::options().stamps(false).filter(Filter::none()).open(interface)?;
    let nobody = MacAddr6::from([2, 0, 0, 0, 0, 0x63]);
    let (start, mut given) = (socket.now(), 0);
    while given < frames {
        while socket.now() < start + Duration::from_secs(given) / rate.clamp(1, 1 << 30) as u32 {
            hint::spin_loop();
        }
        let batch = (frames - given).min(64);
        for _ in 0..batch {
            socket.send(nobody, EtherType::IPV4, 46, &mut |octets| {
                octets.fill(0);
                octets[..ECHO.len()].copy_from_slice(ECHO);
            })?;
        }
        given += batch;
        socket.flush()?;
    }
    let took = (socket.now() - start).as_secs_f64();
    let stats = socket.stats();
    println!("{} {} {:.0}", stats.sent, stats.unsent, stats.sent as f64 / took);
    Ok(())
}

/// From 10.77.0.1 to 10.77.0.2; what follows is zeros.
const ECHO: &[u8] = b"\x45\0\0\x2e\0\x07\x40\0\x40\x01\x26\x2c\x0a\x4d\0\x01\x0a\x4d\0\x02\
    \x08\0\xf7\xf7\0\x07\0\x01";
