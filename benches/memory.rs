//! What does a frame cost on the network in memory: sent, flushed, arrived, received?
//!
//! A batch of 64 frames of 64 octets goes from one port to another. The limit it is held against
//! is measured in the same run: the same octets copied into a buffer of their own and read there.
//!
//! And what memory do hosts take? 65,536 of them, as a laboratory makes them, first while all are
//! silent, then once one has asked them all for an address, then once it has pinged some, asking
//! them all for each. It is told in one line, of what the process has resident; run it alone by
//! the filter `hosts`.

use std::{collections::VecDeque, fs, hint::black_box, net::Ipv4Addr};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use link::{
    Frame, FrameIo, FrameTx, MacAddr6,
    memory::{Network, Port},
};
use stack::{
    Config, Lab,
    icmp::{Echo, Outcome},
};

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("copied", |bencher| {
        let mut queue = VecDeque::from(vec![[0_u8; 64]; BATCH]);
        let frame = black_box(frame());
        bencher.iter(|| {
            for _ in 0..BATCH {
                queue.pop_front();
                queue.push_back(frame);
            }
            for octets in &queue {
                black_box(octets);
            }
        });
    });
    group.bench_function("to one port", |bencher| {
        let (network, mut from, mut to) = wire();
        bencher.iter(|| assert_eq!(pass(&network, &mut from, &mut to, &frame()), BATCH));
    });
    group.bench_function("to one port, and back as sent", |bencher| {
        let network = Network::new();
        let mut to = learned(&network);
        let mut from = network.attach(mac(1));
        bencher.iter(|| {
            assert_eq!(pass(&network, &mut from, &mut to, &frame()), BATCH);
            assert_eq!(receive(&network, &mut from), BATCH);
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("memory, to all");
    for ports in [8, 64] {
        group.throughput(Throughput::Elements((BATCH * ports) as u64));
        group.bench_function(BenchmarkId::from_parameter(ports), |bencher| {
            let network = Network::new();
            let mut from = network.attach(mac(1)).without_sent();
            let mut others: Vec<_> = (1..ports).map(|_| network.attach(mac(9))).collect();
            let mut frame = frame();
            frame[..6].fill(0xff);
            let mut to = network.attach(mac(3));
            bencher.iter(|| {
                assert_eq!(pass(&network, &mut from, &mut to, &frame), BATCH);
                others.iter_mut().for_each(|port| assert_eq!(receive(&network, port), BATCH));
            });
        });
    }
    group.finish();
}

fn hosts(_: &mut Criterion) {
    let before = resident();
    let mut lab = Lab::new();
    let wire = lab.network();
    for n in 0..HOSTS {
        let addr = Ipv4Addr::from_bits(FIRST.to_bits() + n);
        let port = lab.plug(wire, addr);
        lab.host_at(wire, port, host(addr));
    }
    let silent = resident() - before;
    let asker = Ipv4Addr::from_bits(FIRST.to_bits() + HOSTS);
    let port = lab.plug(wire, asker);
    let asker = lab.host_at(wire, port, host(asker));
    let now = lab.now();
    lab.stack(asker).resolve(now, FIRST).expect("an empty queue has room");
    while lab.step(None).expect("a link in memory stays") {}
    let asked = resident() - before;
    for n in 0..PINGED {
        let (now, addr) = (lab.now(), Ipv4Addr::from_bits(FIRST.to_bits() + n * (HOSTS / PINGED)));
        let echo = Echo::new(addr, 1, &[0; 56]);
        lab.stack(asker).echo(now, &echo).expect("an empty queue has room");
        let ended = lab.run_until_ended(asker).expect("a link in memory stays");
        assert!(ended.is_some_and(|ended| matches!(ended.outcome, Outcome::Reply { .. })));
    }
    let pinged = resident() - before;
    println!(
        "{HOSTS} hosts: {silent} MiB silent, {asked} MiB once each was asked, {pinged} MiB once \
         {PINGED} were pinged"
    );
}

/// On a network with room for all.
fn host(addr: Ipv4Addr) -> Config {
    Config::new(format!("{addr}/15").parse().expect("a network"))
}

/// What the process has resident, in MiB.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("it is a number") * 4_096 / (1 << 20)
}

/// A network whose switch knows where the station of the second port is.
fn wire() -> (Network, Port, Port) {
    let network = Network::new();
    let to = learned(&network);
    let from = network.attach(mac(1)).without_sent();
    (network, from, to)
}

fn learned(network: &Network) -> Port {
    let mut port = network.attach(mac(2)).without_sent();
    port.transmit(64, &mut |slot| slot[6..12].copy_from_slice(mac(2).as_bytes()))
        .expect("an empty queue has room");
    port.flush().expect("a link in memory stays");
    arrive(network);
    port
}

/// From station 1 to station 2.
fn frame() -> [u8; 64] {
    let mut frame = [0; 64];
    frame[..6].copy_from_slice(mac(2).as_bytes());
    frame[6..12].copy_from_slice(mac(1).as_bytes());
    frame[12..14].copy_from_slice(&[0x88, 0xb5]);
    frame
}

fn pass(network: &Network, from: &mut Port, to: &mut Port, frame: &[u8]) -> usize {
    for _ in 0..BATCH {
        from.transmit(frame.len(), &mut |slot| slot.copy_from_slice(frame))
            .expect("a batch fits the queue");
    }
    from.flush().expect("a link in memory stays");
    arrive(network);
    receive(network, to)
}

fn receive(network: &Network, port: &mut Port) -> usize {
    let each = &mut |frame: Frame<'_>, _: &mut dyn FrameTx| {
        black_box(frame.payload());
    };
    port.recv(network.now(), each).expect("a link in memory stays")
}

fn arrive(network: &Network) {
    while let Some(at) = network.next_arrival() {
        network.advance_to(at);
    }
}

fn mac(n: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, n)
}

/// Frames on their way at once.
const BATCH: usize = 64;

const HOSTS: u32 = 65_536;

const PINGED: u32 = 64;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

criterion_group!(benches, hosts, memory);
criterion_main!(benches);
