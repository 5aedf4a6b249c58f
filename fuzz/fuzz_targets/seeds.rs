//! Writes the seeds of the target `host` to `corpus/host`: what passes between hosts in memory, as
//! captures, and before each the three octets that say whom to play it to.

use std::{fs, io, time::Duration};

use link::{
    EtherType, FrameIo, MacAddr6,
    capture::{Captured, Format, Writer},
    memory::Network,
};
use stack::{Config, Stack, icmp::Echo};

#[path = "host/frames.rs"]
mod frames;

use frames::{frame, mac, mend, packet};

fn main() -> io::Result<()> {
    fs::create_dir_all("corpus/host")?;
    let talk = talk()?;
    for (name, setting) in [("one", 0), ("many", 1), ("each", 0b11), ("routers", 0b0011_0011)] {
        write(name, setting, &talk)?;
        write(&format!("{name}-fragments"), setting, &fragments(10, 1))?;
        write(&format!("{name}-by-hand"), setting, &by_hand())?;
    }
    write("claims", 0b1111, &talk)?;
    write("narrow", 0b1000_0001, &fragments(1, 4000))
}

type Frames = Vec<(Duration, Vec<u8>)>;

/// One host resolves another, asks it for echoes small and large, probes and adopts an address.
fn talk() -> io::Result<Frames> {
    let network = Network::hub();
    let [port, mut tap] = [2, 3].map(|last| network.attach(mac(last)));
    let mut host = Stack::new(port, Config::new("10.0.0.2/24".parse().expect("a network")));
    let config = Config::new("10.0.0.1/24".parse().expect("a network"));
    let mut other = Stack::new(network.attach(mac(1)), config);
    let (start, mut heard) = (network.now(), Frames::new());
    for (n, len) in [(1, 0), (2, 56), (3, 1473), (4, 4000)] {
        let echo = Echo::new([10, 0, 0, 1].into(), n, &[0x55; 4000][..len]);
        let echo = Echo { dont_fragment: false, ..echo };
        host.echo(network.now(), &echo).expect("an idle link");
        if n == 4 {
            host.adopt(network.now());
        }
        for _ in 0..100 {
            let now = network.now();
            while host.poll(now)? | other.poll(now)? {}
            while tap.recv(now, &mut |frame, _| {
                heard.push((frame.at() - start, frame.octets().to_vec()));
            })? > 0
            {}
            let due = [network.next_arrival(), host.deadline(), other.deadline()];
            let Some(next) = due.into_iter().flatten().min() else { break };
            network.advance_to(next);
        }
    }
    Ok(heard)
}

/// An echo request to 10.0.0.`dst` in parts: in order, reversed, with a hole, overlapping.
fn fragments(dst: u8, len: usize) -> Frames {
    let message = [&[8, 0, 0, 0, 0, 7, 0, 1][..], &vec![0x55; 24 + len]].concat();
    let orders: [&[usize]; 4] = [&[0, 8, 16, 24], &[24, 16, 8, 0], &[0, 16, 24], &[0, 8, 8, 4, 24]];
    let mut frames = Frames::new();
    for (id, order) in orders.into_iter().enumerate() {
        for &at in order {
            let last = at == 24;
            let part = if last { &message[at..] } else { &message[at..at + 8] };
            let field = (at / 8) as u16 | u16::from(!last) << 13;
            let ip = packet([10, 0, 0, dst], (id as u16, field), 64, &part[..part.len().min(1480)]);
            push(&mut frames, EtherType::IPV4, &ip);
        }
    }
    // And beyond the time that it may take.
    let later = frames.first().map(|(at, octets)| (*at + Duration::from_secs(90), octets.clone()));
    frames.extend(later);
    frames
}

/// Options, errors, other protocols, expiring times to live, claims.
fn by_hand() -> Frames {
    let mut frames = Frames::new();
    let echo = [8, 0, 0, 0, 0, 7, 0, 1, 0x55, 0x55];
    for ttl in [1, 2, 3, 4] {
        push(&mut frames, EtherType::IPV4, &packet([10, 1, 0, 5], (7, 0), ttl, &echo));
    }
    for dst in [1, 16, 50, 255] {
        push(&mut frames, EtherType::IPV4, &packet([10, 0, 0, dst], (7, 0), 64, &echo));
    }
    for kind in [[3, 1], [3, 4], [5, 1], [11, 0], [12, 0], [13, 0], [17, 0]] {
        let quote = packet([10, 0, 0, 2], (1, 0), 64, &echo);
        let message = [&kind[..], &[0, 0, 0, 0, 2, 88], &quote].concat();
        push(&mut frames, EtherType::IPV4, &packet([10, 0, 0, 1], (7, 0), 64, &message));
    }
    let mut options = packet([10, 0, 0, 1], (7, 0), 64, &[7, 7, 4, 0, 0, 0, 0, 1]);
    options[0] = 0x47;
    options.extend(echo);
    options[3] = options.len() as u8;
    push(&mut frames, EtherType::IPV4, &options);
    for (operation, sender, target) in [(1, 2, 1), (2, 2, 1), (1, 1, 1), (1, 0, 8), (2, 9, 9)] {
        let mut arp = vec![0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 2, 10, 0, 0, sender];
        arp.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, target]);
        push(&mut frames, EtherType::ARP, &arp);
    }
    frames
}

/// A tenth of a second after the frame before it.
fn push(frames: &mut Frames, ether_type: EtherType, payload: &[u8]) {
    let at = frames.last().map_or(Duration::ZERO, |(at, _)| *at + Duration::from_millis(100));
    let mut octets = frame(MacAddr6::broadcast(), mac(2), ether_type, payload);
    if ether_type == EtherType::IPV4 {
        octets[..6].copy_from_slice(mac(1).as_bytes());
        mend(&mut octets);
    }
    frames.push((at, octets));
}

fn write(name: &str, setting: u8, frames: &[(Duration, Vec<u8>)]) -> io::Result<()> {
    let mut writer = Writer::with_format(Format::Pcap, "seed", vec![0, setting, 1])?;
    for (stamp, octets) in frames {
        let (len, stamp) = (octets.len(), *stamp);
        writer.write(&Captured { stamp, outbound: None, len, octets })?;
    }
    fs::write(format!("corpus/host/{name}"), writer.finish()?)
}
