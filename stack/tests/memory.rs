//! What hosts in a laboratory take of memory: 65,536 of them, each with a port, an address and a
//! MAC address of its own, fit in 64 MiB at every moment.
#![expect(unsafe_code, reason = "an allocator that counts is one, and there is no other way")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    net::Ipv4Addr,
};

use sidestack_stack::{
    Config, HostId, Lab, NetworkId,
    icmp::{Echo, Outcome},
};

#[test]
fn hosts_on_one_network_fit_in_64_mib_while_silent_and_once_each_heard_who_is_asked_for() {
    let before = begin();
    let mut lab = Lab::new();
    let wire = lab.network();
    let hosts: Vec<_> = (0..HOSTS).map(|n| add(&mut lab, wire, FIRST + n)).collect();
    let silent = live() - before;
    assert!(silent <= ROOM, "{silent} octets");

    for n in 1..=4 {
        ping(&mut lab, hosts[0], FIRST + n * (HOSTS / 5));
    }
    let (asked, most) = (live() - before, most() - before);
    assert!(asked <= ROOM && most <= ROOM, "{asked} octets, {most} at most");
}

#[test]
fn hosts_on_64_networks_fit_in_64_mib_once_one_of_them_has_pinged_a_thousand() {
    let before = begin();
    let mut lab = Lab::new();
    let mut first = None;
    for wire in 0..64 {
        let network = lab.network();
        for n in 0..HOSTS / 64 {
            let host = add(&mut lab, network, FIRST + wire * (HOSTS / 64) + n);
            first.get_or_insert(host);
        }
    }
    for n in 1..=1000 {
        ping(&mut lab, first.unwrap(), FIRST + n);
    }
    let (pinged, most) = (live() - before, most() - before);
    assert!(pinged <= ROOM && most <= ROOM, "{pinged} octets, {most} at most");
}

/// Adds a host, with a MAC address made of its own address.
fn add(lab: &mut Lab, wire: NetworkId, addr: u32) -> HostId {
    let addr = Ipv4Addr::from_bits(addr);
    let port = lab.plug(wire, addr);
    lab.host_at(wire, port, Config::new(format!("{addr}/15").parse().unwrap()))
}

/// Pings `addr` and lets all come of it that will.
fn ping(lab: &mut Lab, from: HostId, addr: u32) {
    let now = lab.now();
    lab.stack(from).echo(now, &Echo::new(addr.into(), 1, &[0; 56])).unwrap();
    let ended = lab.run_until_ended(from).unwrap().expect("an end");
    assert!(matches!(ended.outcome, Outcome::Reply { .. }), "{ended:?}");
}

/// The octets that this thread has asked for, less those that it gave back; from now on it is
/// known when these were most.
fn begin() -> isize {
    MOST.set(LIVE.get());
    LIVE.get()
}

fn live() -> isize {
    LIVE.get()
}

fn most() -> isize {
    MOST.get()
}

const HOSTS: u32 = 65_536;

/// 10.0.0.1.
const FIRST: u32 = 0x0a00_0001;

/// 64 MiB.
const ROOM: isize = 64 << 20;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

/// Takes note of octets that were asked for, or given back; at a thread's end there is no counter
/// any more, and none is needed.
fn count(octets: isize) {
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + octets);
        let _ = MOST.try_with(|most| most.set(most.get().max(live.get())));
    });
}

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are those that System asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
