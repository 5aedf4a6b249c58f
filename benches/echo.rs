//! What does an echo cost a host: parse, verify, answer, through every layer?
//!
//! The host is a [`Stack`] on the link in memory. The limit it is held against is measured in the
//! same run: the same frames through the same link, turned round without a look at them.

use std::{hint::black_box, time::Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use link::{
    Direction, EtherType, Frame, FrameIo, FrameTx, MacAddr6,
    memory::{Network, Port},
};
use stack::{Config, Stack};

fn echo(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("echo");
    for octets in [64, 1400] {
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::new("turned round", octets), |bencher| {
            let (network, mut asker, mut port) = wire();
            let request = request(octets);
            bencher.iter(|| {
                ask(&network, &mut asker, &request);
                turn_round(network.now(), &mut port);
                assert_eq!(answers(&network, &mut asker), BATCH);
            });
        });
        group.bench_function(BenchmarkId::new("answered", octets), |bencher| {
            let (network, mut asker, port) = wire();
            let mut host = Stack::new(port, Config::new("10.0.0.2/24".parse().expect("a network")));
            host.pin(network.now(), "10.0.0.1".parse().expect("an address"), asker.mac());
            let request = request(octets);
            bencher.iter(|| {
                ask(&network, &mut asker, &request);
                while host.poll(network.now()).expect("a link in memory stays") {}
                assert_eq!(answers(&network, &mut asker), BATCH);
            });
        });
    }
    group.finish();
}

/// A network with a port for us and one for the host.
fn wire() -> (Network, Port, Port) {
    let network = Network::new();
    let asker = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 1)).without_sent();
    let host = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 2)).without_sent();
    (network, asker, host)
}

/// An IPv4 packet of `octets` octets, with an echo request from 10.0.0.1 to 10.0.0.2.
fn request(octets: usize) -> Vec<u8> {
    let mut packet = vec![0; octets];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&(octets as u16).to_be_bytes());
    packet[8..10].copy_from_slice(&[64, 1]);
    packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    packet[20] = 8;
    for (n, octet) in packet[24..].iter_mut().enumerate() {
        *octet = n as u8;
    }
    let (header, message) = packet.split_at_mut(20);
    let sums = [checksum(header), checksum(message)];
    header[10..12].copy_from_slice(&sums[0]);
    message[2..4].copy_from_slice(&sums[1]);
    packet
}

fn checksum(octets: &[u8]) -> [u8; 2] {
    let words =
        octets.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    (!((sum & 0xffff) + (sum >> 16)) as u16).to_be_bytes()
}

fn ask(network: &Network, asker: &mut Port, request: &[u8]) {
    let host = MacAddr6::new(2, 0, 0, 0, 0, 2);
    for _ in 0..BATCH {
        let sent = asker.send(host, EtherType::IPV4, request.len(), &mut |out| {
            out.copy_from_slice(request);
        });
        sent.expect("a batch fits the queue");
    }
    asker.flush().expect("a link in memory stays");
    arrive(network);
}

fn turn_round(now: Instant, port: &mut Port) {
    let each = &mut |frame: Frame<'_>, tx: &mut dyn FrameTx| {
        assert_eq!(frame.direction(), Direction::Received);
        let (dst, payload) = (frame.src(), frame.payload());
        let sent = tx.send(dst, frame.ether_type(), payload.len(), &mut |out| {
            out.copy_from_slice(payload);
        });
        sent.expect("a batch fits the queue");
    };
    while port.recv(now, each).expect("a link in memory stays") > 0 {}
    port.flush().expect("a link in memory stays");
}

fn answers(network: &Network, asker: &mut Port) -> usize {
    arrive(network);
    let mut answers = 0;
    let each = &mut |frame: Frame<'_>, _: &mut dyn FrameTx| {
        black_box(frame.payload());
        answers += 1;
    };
    while asker.recv(network.now(), each).expect("a link in memory stays") > 0 {}
    answers
}

fn arrive(network: &Network) {
    while let Some(at) = network.next_arrival() {
        network.advance_to(at);
    }
}

/// Requests in flight at once.
const BATCH: usize = 64;

criterion_group!(benches, echo);
criterion_main!(benches);
