//! Our own filters, held against what tcpdump compiles: the kernel runs both, on the same frames.

use std::{
    env,
    net::Ipv4Addr,
    os::{fd::AsFd, unix::net::UnixDatagram},
    process::Command,
};

use nix::{libc, setsockopt_impl, sockopt_impl, sys::socket::setsockopt};
use sidestack_link::Filter;

#[test]
fn a_host_without_addresses_sees_what_tcpdump_would() {
    compare(&Filter::host(&[]), NOBODY, Verdicts::Both);
}

#[test]
fn a_host_of_one_address_sees_what_tcpdump_would() {
    compare(&Filter::host(&[HOST]), ONE, Verdicts::Both);
}

#[test]
fn a_host_with_its_broadcast_addresses_sees_what_tcpdump_would() {
    compare(&Filter::host(&[HOST, SUBNET, Ipv4Addr::BROADCAST]), THREE, Verdicts::Both);
}

#[test]
fn a_host_of_more_addresses_than_can_be_told_apart_sees_all_of_ipv4() {
    let addresses: Vec<_> = (0..=Filter::MAX_ADDRESSES as u32).map(Ipv4Addr::from).collect();
    compare(&Filter::host(&addresses), MANY, Verdicts::Both);
}

#[test]
fn nobody_sees_nothing() {
    compare(&Filter::none(), NONE, Verdicts::Rejected);
}

#[test]
fn tcpdump_still_compiles_to_the_same() {
    for (expression, program) in [NOBODY, ONE, THREE, MANY, NONE] {
        let Ok(output) =
            Command::new("tcpdump").args(["-y", "EN10MB", "-ddd", expression.trim()]).output()
        else {
            assert!(env::var_os("CI").is_none(), "tcpdump is missing");
            println!("left out: tcpdump is not installed");
            return;
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), program, "{expression}: {output:?}");
    }
}

/// Which verdicts a filter comes to over all frames, so that a comparison can fail.
#[derive(Debug, Eq, PartialEq)]
enum Verdicts {
    Both,
    Rejected,
}

fn compare(ours: &Filter, (expression, theirs): Compiled, verdicts: Verdicts) {
    let theirs = Filter::parse(theirs).expect("tcpdump printed it");
    let (ours, theirs) = (Judge::new(ours), Judge::new(&theirs));
    let (mut accepted, mut rejected) = (0, 0);
    for frame in frames() {
        let verdict = ours.accepts(&frame);
        assert_eq!(verdict, theirs.accepts(&frame), "{expression}: {frame:02x?}");
        *if verdict { &mut accepted } else { &mut rejected } += 1;
    }
    let both = if accepted == 0 { Verdicts::Rejected } else { Verdicts::Both };
    assert_eq!(both, verdicts, "{accepted} accepted, {rejected} rejected");
    assert!(rejected > 1_000);
}

/// The kernel, who runs a filter on whatever a socket receives.
struct Judge {
    from: UnixDatagram,
    to: UnixDatagram,
}

impl Judge {
    fn new(filter: &Filter) -> Self {
        let (from, to) = UnixDatagram::pair().expect("two sockets");
        let mut program: Vec<_> = filter
            .program()
            .iter()
            .map(|i| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k })
            .collect();
        let len = program.len().try_into().expect("the kernel takes no more than 4,096");
        let request = libc::sock_fprog { len, filter: program.as_mut_ptr() };
        setsockopt(&to.as_fd(), AttachFilter, &request).expect("the kernel verifies it");
        to.set_nonblocking(true).expect("a socket");
        Self { from, to }
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        self.from.send(frame).expect("there is room for one");
        let mut room = [0; 2_048];
        let taken = self.to.recv(&mut room);
        assert!(taken.as_ref().is_ok_and(|len| *len == frame.len()) || taken.is_err());
        taken.is_ok()
    }
}

sockopt_impl!(
    /// Gives a socket a filter.
    AttachFilter,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_ATTACH_FILTER,
    libc::sock_fprog
);

/// Frames at the edges of what the filters look at, and frames drawn at random near there.
fn frames() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let lengths = (0..=64).chain([1_514]);
    for len in lengths {
        for ether_type in TYPES {
            for dst in DESTINATIONS {
                frames.push(frame(ether_type, dst, len));
            }
        }
    }
    for tags in [&[0x8100][..], &[0x88a8, 0x8100], &[0x9100], &[0x8101]] {
        for ether_type in TYPES {
            let untagged = frame(ether_type, HOST.octets(), 64);
            let tags = tags.iter().flat_map(|tag: &u16| [(tag >> 8) as u8, *tag as u8, 0x20, 42]);
            let octets = [&untagged[..12], &tags.collect::<Vec<_>>(), &untagged[12..]].concat();
            frames.push(octets);
        }
    }
    // Fragments, and headers with options: what follows the addresses is nobody's business here.
    for (at, octet) in
        [(20, 0x20), (20, 0x40), (21, 1), (14, 0x46), (14, 0x4f), (14, 0x65), (23, 17)]
    {
        for dst in DESTINATIONS {
            let mut octets = frame(0x0800, dst, 80);
            octets[at] = octet;
            frames.push(octets);
        }
    }
    let mut random = Random(1);
    for _ in 0..4_000 {
        let ether_type = TYPES[random.below(TYPES.len())];
        let dst = DESTINATIONS[random.below(DESTINATIONS.len())];
        let mut octets = frame(ether_type, dst, random.below(80));
        for _ in 0..random.below(4) {
            let at = random.below(octets.len().max(1));
            if let Some(octet) = octets.get_mut(at) {
                *octet = random.below(256) as u8;
            }
        }
        frames.push(octets);
    }
    frames
}

fn frame(ether_type: u16, dst: [u8; 4], len: usize) -> Vec<u8> {
    let header = [&[2, 0, 0, 0, 0, 0x0a, 2, 0, 0, 0, 0, 0x0b][..], &ether_type.to_be_bytes()];
    let ip = [0x45, 0, 0, 28, 0, 7, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1];
    let mut octets = [&header.concat()[..], &ip, &dst].concat();
    octets.resize(len, 0xee);
    octets
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SUBNET: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 255);

/// Those that matter, their neighbours, a length of IEEE 802.3, and the ends.
const TYPES: [u16; 16] = [
    0x0800, 0x0806, 0x8100, 0x88a8, 0x9100, 0x0801, 0x07ff, 0x0805, 0x0807, 0x8101, 0x88a7, 0x9101,
    0x86dd, 46, 0, 0xffff,
];

/// Those that matter, others, and those that differ in one octet.
const DESTINATIONS: [[u8; 4]; 9] = [
    [10, 0, 0, 2],
    [10, 0, 0, 255],
    [255; 4],
    [10, 0, 0, 3],
    [10, 0, 1, 2],
    [11, 0, 0, 2],
    [10, 1, 0, 2],
    [224, 0, 0, 1],
    [0; 4],
];

/// An expression, and what `tcpdump -y EN10MB -ddd` compiles it to.
type Compiled = (&'static str, &'static str);

const NOBODY: Compiled = (include_str!("filters/nobody.expr"), include_str!("filters/nobody.ddd"));
const ONE: Compiled = (include_str!("filters/one.expr"), include_str!("filters/one.ddd"));
const THREE: Compiled = (include_str!("filters/three.expr"), include_str!("filters/three.ddd"));
const MANY: Compiled = (include_str!("filters/many.expr"), include_str!("filters/many.ddd"));
const NONE: Compiled = (include_str!("filters/none.expr"), include_str!("filters/none.ddd"));
