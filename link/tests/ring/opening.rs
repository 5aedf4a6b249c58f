//! How rings are sized and groups joined, and how it all ends.

use std::{fs, time::Duration};

use libtest_mimic::Trial;

use sidestack_link::{Fanout, FrameIo, PacketSocket, Ring, namespace::Namespace};

use crate::wire::{Tested, either, gather, open, pair, payloads, send, small, wire, with};

pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = either([("nothing_stays_mapped_when_the_socket_is_dropped", unmapped)]);
    tests.extend([
        Trial::test("a_ring_as_small_as_can_be_works", smallest),
        Trial::test("a_ring_larger_than_can_be_said_is_refused", too_large),
        Trial::test("a_group_shares_what_comes_in", fanout),
    ]);
    tests
}

fn unmapped(ring: Ring) -> Tested {
    let net = Namespace::new()?;
    let mapped =
        || fs::read_to_string("/proc/self/maps").map(|maps| maps.matches("socket:[").count());
    for _ in 0..50 {
        let socket = open(&net, "lo", with(small(ring)))?;
        assert_eq!(mapped()?, 1);
        drop(socket);
        assert_eq!(mapped()?, 0);
    }
    Ok(())
}

fn smallest() -> Tested {
    let rings = [Ring::V2 { octets: 0 }, Ring::V3 { octets: 0, block: 0, timeout: Duration::ZERO }];
    for (ring, octets) in rings.into_iter().zip([64 * 2_048, 2 * 65_536]) {
        let (mut near, mut far, _net) = pair(ring)?;
        assert_eq!(near.receive_buffer(), octets);
        for n in 0..1_000_u16 {
            send(&mut far, &n.to_be_bytes())?;
            if n % 50 == 49 {
                far.flush()?;
                let expected: Vec<[u8; 2]> = (n - 49..=n).map(u16::to_be_bytes).collect();
                assert_eq!(payloads(&gather(&mut near, 50)?), expected);
            }
        }
    }
    Ok(())
}

fn too_large() -> Tested {
    let net = Namespace::new()?;
    let block = 1 << 20;
    for ring in [
        Ring::V2 { octets: usize::MAX },
        Ring::V3 { octets: usize::MAX, block, timeout: Duration::ZERO },
        Ring::V3 { octets: block, block: usize::MAX, timeout: Duration::ZERO },
        Ring::V3 { octets: block, block, timeout: Duration::MAX },
    ] {
        assert!(open(&net, "lo", with(ring)).is_err());
    }
    Ok(())
}

fn fanout() -> Tested {
    for ring in [None, Some(Ring::LOW_DELAY), Some(Ring::CAPTURE)] {
        let net = wire()?;
        let options = |how| {
            let options = PacketSocket::options().fanout(7, how);
            match ring {
                Some(ring) => options.ring(ring),
                None => options,
            }
        };
        let mut one = open(&net.near, "near0", options(Fanout::LoadBalance))?;
        let mut other = open(&net.near, "near0", options(Fanout::LoadBalance))?;
        assert!(open(&net.near, "near0", options(Fanout::Hash)).is_err());
        assert!(!one.returns_sent());
        let mut far = open(&net.far, "far0", PacketSocket::options().stamps(false))?;
        send(&mut one, b"to nobody here")?;
        one.flush()?;
        for n in 0..100 {
            send(&mut far, &[n])?;
        }
        far.flush()?;
        let got = [gather(&mut one, 50)?, gather(&mut other, 50)?].concat();
        let mut got: Vec<u8> = got.iter().map(|got| got.octets[14]).collect();
        got.sort_unstable();
        assert_eq!(got, (0..100).collect::<Vec<u8>>());
        drop((one, other));
        for how in [Fanout::Hash, Fanout::Cpu] {
            open(&net.near, "near0", options(how))?;
        }
    }
    Ok(())
}
