//! What the network in memory allocates: nothing once warm, and little for a host that is silent.
#![expect(unsafe_code, reason = "an allocator that counts is one, and there is no other way")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use sidestack_link::{
    EtherType, FrameIo, FrameTx, MacAddr6,
    memory::{Network, Port},
};

#[test]
fn nothing_is_allocated_between_two_ports_once_warm() {
    let network = Network::new();
    let [mut a, mut b] = [1, 2].map(|n| network.attach(mac(n)));
    (0..3).for_each(|_| exchange(&network, &mut a, &mut b));
    let before = allocations();
    for _ in 0..100 {
        exchange(&network, &mut a, &mut b);
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn nothing_is_allocated_for_a_flood_once_warm() {
    let network = Network::new();
    let mut ports: Vec<_> = (0..100).map(|n| network.attach(mac(n))).collect();
    let mut flood = || {
        for _ in 0..64 {
            ports[0].send(BROADCAST, TYPE, 50, &mut |_| ()).unwrap();
        }
        ports[0].flush().unwrap();
        settle(&network);
        let now = network.now();
        ports.iter_mut().for_each(|port| assert_eq!(port.recv(now, &mut |_, _| ()).unwrap(), 64));
    };
    (0..3).for_each(|_| flood());
    let before = allocations();
    (0..20).for_each(|_| flood());
    assert_eq!(allocations() - before, 0);
}

#[test]
fn a_frame_to_many_is_kept_once() {
    let network = Network::new();
    let mut ports: Vec<_> = (0..1000).map(|n| network.attach(mac(n as u8))).collect();
    ports[0].send(BROADCAST, TYPE, 1, &mut |_| ()).unwrap();
    ports[0].flush().unwrap();
    settle(&network);
    let now = network.now();
    ports.iter_mut().for_each(|port| while port.recv(now, &mut |_, _| ()).unwrap() > 0 {});
    let before = live();
    ports[0].send(BROADCAST, TYPE, 1500, &mut |_| ()).unwrap();
    ports[0].flush().unwrap();
    settle(&network);
    let grown = live() - before;
    assert!(grown < 2 * 1514, "{grown} octets for 999 copies of 1514");
}

#[test]
fn silent_ports_of_65536_hosts_fit_in_64_mib() {
    let before = live();
    let network = Network::new();
    let ports: Vec<_> = (0..65_536).map(|_| network.attach(mac(0))).collect();
    let octets = live() - before;
    assert!(octets < 64 << 20, "{octets} octets");
    drop(ports);
}

#[test]
fn ports_of_65536_hosts_of_which_each_spoke_and_heard_a_broadcast_fit_in_64_mib() {
    let before = live();
    let network = Network::new();
    let mut ports: Vec<_> = (0_u16..=65_535)
        .map(|n| {
            let [high, low] = n.to_be_bytes();
            network.attach([2, 0, 0, 0, high, low].into()).without_sent()
        })
        .collect();
    ports[0].send(BROADCAST, TYPE, 1, &mut |_| ()).unwrap();
    ports[0].flush().unwrap();
    settle(&network);
    let asker = ports[0].mac();
    for port in &mut ports[1..] {
        let now = network.now();
        port.recv(now, &mut |_, tx| tx.send(asker, TYPE, 1, &mut |_| ()).unwrap()).unwrap();
        port.flush().unwrap();
    }
    settle(&network);
    let mut answers = 0;
    while ports[0].recv(network.now(), &mut |_, _| answers += 1).unwrap() > 0 {}
    assert_eq!(answers, 65_535);
    let octets = live() - before;
    assert!(octets < 64 << 20, "{octets} octets");
}

fn exchange(network: &Network, a: &mut Port, b: &mut Port) {
    for _ in 0..64 {
        a.send(mac(2), TYPE, 50, &mut |payload| payload[0] = 1).unwrap();
    }
    a.flush().unwrap();
    settle(network);
    b.recv(network.now(), &mut |frame, tx| {
        if frame.dst() == mac(2) {
            tx.send(frame.src(), TYPE, 50, &mut |payload| payload[0] = 2).unwrap();
        }
    })
    .unwrap();
    b.flush().unwrap();
    settle(network);
    while a.recv(network.now(), &mut |_, _| ()).unwrap() > 0 {}
    while b.recv(network.now(), &mut |_, _| ()).unwrap() > 0 {}
}

/// Moves the time on until nothing is on its way.
fn settle(network: &Network) {
    while let Some(at) = network.next_arrival() {
        network.advance_to(at);
    }
}

fn mac(n: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, n)
}

/// How often this thread has asked for memory.
fn allocations() -> usize {
    ALLOCATIONS.get()
}

/// The octets that this thread has asked for, less those that it gave back.
fn live() -> isize {
    LIVE.get()
}

/// For local experiments (IEEE 802).
const TYPE: EtherType = EtherType(0x88b5);

const BROADCAST: MacAddr6 = MacAddr6::new(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all is left to the system's allocator; a counter that is not there any more, at a
// thread's end, is not needed.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        let _ = LIVE.try_with(|live| live.set(live.get() + layout.size() as isize));
        // SAFETY: the caller's promises are those that System asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let _ = LIVE.try_with(|live| live.set(live.get() - layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
