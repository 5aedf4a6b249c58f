use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use arp::{Arp, Config, Event, NextHop, Operation, Owned, PacketTx, State, View};
use etherparse::EtherType;
use link::{Cast, Frame, FrameTx, MacAddr6, SendError, memory::Network};
use sidestack_arp as arp;

use crate::Act;

pub(crate) const US: Ipv4Addr = addr(100);

pub(crate) const fn addr(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, n)
}

pub(crate) const fn mac(n: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, n)
}

/// What came of an act, and in which millisecond.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Did {
    /// An ARP packet of ours left to there: its operation and its target.
    Said(u64, MacAddr6, u16, Ipv4Addr),
    /// A packet left to there.
    Left(u64, MacAddr6, Vec<u8>),
    Told(u64, Event),
    Refused(u64),
}

/// What can be seen of an entry.
pub(crate) type Row = (Ipv4Addr, State, Option<MacAddr6>);

pub(crate) struct Real {
    arp: Arp,
    start: Instant,
    now: u64,
    wire: Wire,
}

impl Real {
    pub(crate) fn new(config: Config) -> Self {
        let arp = Arp::new(Owned::from([(US, mac(100))]), config);
        Self { arp, start: Network::new().now(), now: 0, wire: Wire::default() }
    }

    /// Does it, and whatever becomes due; in an order that does not depend on the table's.
    pub(crate) fn act(&mut self, act: Act, nth: u8) -> Vec<Did> {
        let mut did = Vec::new();
        let now = self.start + Duration::from_millis(self.now);
        match act {
            Act::Wait(time) => {
                let end = self.now + time;
                while let Some(at) = self.deadline().filter(|at| *at <= end) {
                    assert!(at > self.now, "a deadline in the past");
                    self.now = at;
                    self.settle(&mut did);
                }
                self.now = end;
            }
            Act::Send(to) => self.send(to, nth, false, &mut did),
            Act::Further(to) => self.send(to, nth, true, &mut did),
            Act::Resolve(who) => {
                if self.arp.resolve(now, US, addr(who), &mut self.wire).is_err() {
                    did.push(Did::Refused(self.now));
                }
            }
            Act::Advise(who, reached) => self.arp.advise(now, addr(who), reached),
            Act::Request(who, at) => self.hear(Operation::REQUEST, who, at, US),
            Act::Gratuitous(who, at) => self.hear(Operation::REQUEST, who, at, addr(who)),
            Act::Reply(who, at) => self.hear(Operation::REPLY, who, at, US),
        }
        self.settle(&mut did);
        did.sort_by_key(|did| format!("{did:?}"));
        did
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self.arp.neighbours().map(|n| (n.addr, n.state, n.mac)).collect();
        rows.sort_by_key(|row| row.0);
        rows
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        let at = self.arp.deadline()?.saturating_duration_since(self.start);
        assert_eq!(at.subsec_nanos() % 1_000_000, 0, "exact");
        Some(at.as_millis() as u64)
    }

    fn send(&mut self, to: u8, nth: u8, further: bool, did: &mut Vec<Did>) {
        let now = self.start + Duration::from_millis(self.now);
        let mut below = self.arp.over(now, &mut self.wire);
        let (to, write) = (NextHop::Unicast(addr(to)), &mut |out: &mut [u8]| out.fill(nth));
        let sent =
            if further { below.send_next(US, to, 1, write) } else { below.send(US, to, 1, write) };
        if sent.is_err() {
            did.push(Did::Refused(self.now));
        }
    }

    fn hear(&mut self, operation: Operation, who: u8, at: u8, target: Ipv4Addr) {
        let now = self.start + Duration::from_millis(self.now);
        let octets = [
            MacAddr6::broadcast().as_bytes(),
            mac(at).as_bytes(),
            &EtherType::ARP.0.to_be_bytes(),
            b"\x00\x01\x08\x00\x06\x04",
            &operation.0.to_be_bytes(),
            mac(at).as_bytes(),
            &addr(who).octets(),
            &[0; 6],
            &target.octets(),
        ]
        .concat();
        let stamp = link::Stamp { since_epoch: Duration::ZERO, source: link::Source::Virtual };
        let facts = link::Facts {
            direction: link::Direction::Received,
            cast: Cast::Broadcast,
            at: now,
            stamp,
            checksum: link::Checksum::Complete,
        };
        let _ = self.arp.input(now, &Frame::new(&octets, facts).unwrap(), &mut self.wire);
    }

    fn settle(&mut self, did: &mut Vec<Did>) {
        let now = self.start + Duration::from_millis(self.now);
        while let Some(event) = self.arp.poll(now, &mut self.wire) {
            did.push(Did::Told(self.now, event));
        }
        for frame in self.wire.0.drain(..) {
            let dst = MacAddr6::from(<[u8; 6]>::try_from(&frame[..6]).unwrap());
            did.push(match View::parse(&frame[14..]) {
                Ok(arp) => Did::Said(self.now, dst, arp.operation.0, arp.target),
                Err(_) => Did::Left(self.now, dst, frame[14..].to_vec()),
            });
        }
    }
}

#[derive(Default)]
struct Wire(Vec<Vec<u8>>);

impl FrameTx for Wire {
    fn mac(&self) -> MacAddr6 {
        mac(100)
    }

    fn mtu(&self) -> usize {
        1500
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let mut frame = vec![0; len];
        write(&mut frame);
        self.0.push(frame);
        Ok(())
    }
}
