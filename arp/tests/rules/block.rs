//! Whole prefixes as ours: 65,536 hosts by a rule, claimed at a pace.

use std::{net::Ipv4Addr, time::Duration};

use arp::{Arp, Block, Config, Event, Macs, Owner, View};
use link::{FrameTx, MacAddr6, SendError, memory::Network};
use sidestack_arp as arp;

use crate::lan::{BROADCAST, Lan, addr, mac, ms, request};

const ALL: Block = Block {
    first: Ipv4Addr::new(10, 1, 0, 0),
    last: Ipv4Addr::new(10, 1, 255, 255),
    macs: Macs::Each([0x03, 0x5d]),
};

#[test]
fn each_address_of_a_block_has_its_own_hardware_address_and_can_be_told_from_it() {
    assert_eq!(ALL.len(), 65_536);
    let host = Ipv4Addr::new(10, 1, 2, 3);
    let its = MacAddr6::new(0x02, 0x5d, 10, 1, 2, 3);
    assert_eq!((ALL.mac(host), ALL.addr(its), ALL.owns(its)), (Some(its), Some(host), true));
    for other in [MacAddr6::new(0x02, 0x5d, 10, 2, 2, 3), MacAddr6::new(0x02, 0x5e, 10, 1, 2, 3)] {
        assert_eq!((ALL.addr(other), ALL.owns(other)), (None, false));
    }
    for outside in [Ipv4Addr::new(10, 0, 255, 255), Ipv4Addr::new(10, 2, 0, 0)] {
        assert_eq!(ALL.mac(outside), None);
    }
    assert!(ALL.iter().all(|(addr, mac)| mac.is_unicast() && ALL.addr(mac) == Some(addr)));
    let everything = Block { first: [0, 0, 0, 0].into(), last: [255; 4].into(), ..ALL };
    assert_eq!(everything.len(), 1 << 32);
}

// ARP-1, ARP-3
#[test]
fn a_block_is_answered_for_address_by_address_and_nothing_else_is() {
    let mut lan = Lan::new();
    lan.us.arp = Arp::new((arp::Owned::from([(addr(1), mac(1))]), ALL), Config::default());
    let mut stranger = lan.stranger(9);
    for target in [[10, 1, 7, 7], [10, 0, 0, 1], [10, 3, 0, 1], [10, 255, 255, 255]] {
        stranger.says(BROADCAST, &request(mac(9), addr(9), target.into()));
    }
    lan.run(ms(1000));
    let senders: Vec<_> = lan.us.arps().iter().map(|(.., arp)| arp.sender_mac).collect();
    assert_eq!(senders, [MacAddr6::new(2, 0x5d, 10, 1, 7, 7), mac(1)]);
}

// ACD-1, ACD-4
#[test]
fn a_block_is_claimed_at_a_pace_each_address_by_the_rules_and_nothing_is_left_of_it() {
    let mut wire = Wire::default();
    let start = Network::new().now();
    let mut arp = Arp::new(ALL, Config::default());
    arp.claim(start, ALL.iter());
    let mut free = 0;
    let mut now = start;
    loop {
        while let Some(event) = arp.poll(now, &mut wire) {
            assert!(matches!(event, Event::Free { .. }));
            free += 1;
        }
        wire.seal(now - start);
        let Some(at) = arp.deadline() else { break };
        assert!(at > now);
        now = at.max(now + ms(5)); // as a loop that does other things besides
    }
    assert_eq!((free, wire.sent.len()), (65_536, 65_536 * 5));
    let mut in_slot = vec![0; 60_000];
    wire.sent.iter().for_each(|(at, _)| in_slot[at.as_millis() as usize] += 1);
    assert!(in_slot.iter().all(|sent| *sent <= 200), "20,000 a second, and no burst");
    let mut times = vec![Vec::new(); 65_536];
    for (at, view) in &wire.sent {
        let [.., c, d] = view.target.octets();
        times[usize::from(u16::from_be_bytes([c, d]))].push(*at);
    }
    for times in times {
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps[..2].iter().all(|gap| (ms(1000)..ms(2020)).contains(gap)), "{gaps:?}");
        assert!(gaps[2..].iter().all(|gap| (ms(2000)..ms(2020)).contains(gap)), "{gaps:?}");
    }
}

// ACD-3
#[test]
fn of_a_block_the_addresses_that_are_taken_stay_unowned() {
    let mut lan = Lan::new();
    lan.us.arp = Arp::new(ALL, Config::default());
    lan.us.arp.claim(lan.start, ALL.iter().take(1000));
    let taken = Ipv4Addr::new(10, 1, 0, 7);
    lan.stranger(9).says(BROADCAST, &request(mac(9), taken, taken));
    lan.run(ms(60_000));
    assert_eq!(lan.us.arp.taken().collect::<Vec<_>>(), [taken]);
    let free = lan.us.events.iter().filter(|(_, event)| matches!(event, Event::Free { .. }));
    assert_eq!(free.count(), 999);
    assert_eq!(lan.us.arp.mac(taken), None);
}

/// Takes note of what is sent, and when that was, once it is told.
#[derive(Default)]
struct Wire {
    sent: Vec<(Duration, View)>,
    sealed: usize,
}

impl Wire {
    fn seal(&mut self, at: Duration) {
        self.sent[self.sealed..].iter_mut().for_each(|(sent, _)| *sent = at);
        self.sealed = self.sent.len();
    }
}

impl FrameTx for Wire {
    fn mac(&self) -> MacAddr6 {
        mac(1)
    }

    fn mtu(&self) -> usize {
        1500
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let mut frame = vec![0; len];
        write(&mut frame);
        self.sent.push((Duration::ZERO, View::parse(&frame[14..]).unwrap()));
        Ok(())
    }
}
