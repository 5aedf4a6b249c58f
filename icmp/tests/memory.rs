//! What an echo takes of memory, from its sending until it is forgotten.
#![expect(unsafe_code, reason = "an allocator that counts is one, and there is no other way")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    net::Ipv4Addr,
    time::Duration,
};

use icmp::{Config, Echo, Icmp};
use ipv4::{DatagramTx, Header, SendError, Sent};
use sidestack_icmp as icmp;

#[test]
fn sixty_five_thousand_targets_take_less_than_100_octets_each_in_flight_and_ended() {
    let now = link::memory::Network::new().now();
    let before = LIVE.get();
    let mut icmp = Icmp::new(Config { remembered: TARGETS as usize, ..Config::default() });
    icmp.reserve(TARGETS as usize);
    for target in 0..TARGETS {
        let dst = Ipv4Addr::from_bits(0x0a00_0000 + target);
        icmp.echo(now, &Echo::new(dst, 1, &[0; 56]), &mut Below).unwrap();
    }
    let each = || (LIVE.get() - before) / i64::from(TARGETS);
    assert!(each() < 100, "{} octets each in flight", each());
    let later = now + Duration::from_secs(1);
    let ended = std::iter::from_fn(|| icmp.poll(later)).count();
    assert_eq!(ended, TARGETS as usize);
    assert!(each() < 100, "{} octets each, ended", each());
}

const TARGETS: u32 = 65_536;

/// Takes everything and keeps nothing.
struct Below;

impl DatagramTx for Below {
    fn src(&self, _: Ipv4Addr) -> Option<Ipv4Addr> {
        None
    }

    fn max_len(&self, _: Ipv4Addr) -> usize {
        1480
    }

    fn send(
        &mut self,
        _: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        write(&mut vec![0; len]);
        Ok(Sent::Out)
    }
}

/// The system's allocator, which counts the octets of each thread.
struct Counting;

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get() + layout.size() as i64);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static LIVE: Cell<i64> = const { Cell::new(0) };
}
