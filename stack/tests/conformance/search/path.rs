//! Paths that take so much and no more, and a search along them.

use std::{net::Ipv4Addr, time::Duration};

use sidestack_stack as stack;
use stack::{
    MtuSearch, What, icmp,
    path_mtu::{Config, Ended, Error, Event},
};

use crate::{
    packet::{Ip, error},
    wire::{GATEWAY, Heard, MS, THEIRS, US, Wire, turned},
};

/// What came of a search.
pub(crate) struct Run {
    pub(crate) found: Result<u16, Error>,
    /// When each request left, since the beginning, and octets of its packet.
    pub(crate) sent: Vec<(Duration, usize)>,
    pub(crate) ended: Vec<Ended>,
    pub(crate) others: Vec<stack::Event>,
    pub(crate) took: Duration,
}

impl Run {
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.sent.iter().map(|(_, size)| *size).collect()
    }
}

/// All of a search; every probe that was sent must have ended once.
pub(crate) fn search(wire: &mut Wire, dst: Ipv4Addr, config: Config) -> Run {
    let mut search = MtuSearch::new(wire.now(), dst, config, &wire.host);
    run(wire, &mut search, |_, _| ())
}

/// As [`search`], with something else that happens when an event comes.
pub(crate) fn run(
    wire: &mut Wire,
    search: &mut MtuSearch,
    mut meanwhile: impl FnMut(&mut Wire, &Event),
) -> Run {
    let (start, offset) = (wire.now(), wire.elapsed());
    let (mut ended, mut others) = (Vec::new(), Vec::new());
    wire.hear();
    let found = 'over: loop {
        while search.poll(wire.now(), &mut wire.host).unwrap() {}
        wire.speak();
        while let Some(event) = search.event() {
            meanwhile(wire, &event);
            match event {
                Event::Ended(it) => ended.push(it),
                Event::Other(it) => others.push(it),
                Event::Over(found) => break 'over found,
            }
        }
        let deadline = search.deadline(&wire.host);
        assert!(deadline.is_none_or(|deadline| deadline > wire.now()), "a deadline in the past");
        let end = wire.now() + MS * 60_000;
        wire.advance(deadline.unwrap_or(end));
    };
    assert!(search.is_over() && search.event().is_none());
    assert_eq!(ended.len(), search.probes() as usize);
    let of_others = others.iter().filter(|it| matches!(it.what, What::Icmp(icmp::Event::Ended(_))));
    assert_eq!(of_others.count(), 0);
    let took = wire.now() - start;
    let heard = wire.hear();
    let requests = heard.iter().filter(|heard| heard.icmp() == Some((8, 0)));
    let sent = requests.map(|heard| (heard.at - offset - HOP, heard.packet().len())).collect();
    Run { found, sent, ended, others, took }
}

/// The way to anybody, by `answer`; the gateway is known.
pub(crate) fn way(answer: impl FnMut(&Heard) -> Vec<(Duration, Vec<u8>)> + 'static) -> Wire {
    let mut wire = Wire::new();
    wire.host.pin(wire.now(), GATEWAY, THEIRS);
    wire.answer = Box::new(answer);
    wire
}

/// A path that takes `mtu` octets, and says nothing of what is longer.
pub(crate) fn silent(mtu: usize) -> Wire {
    way(move |heard| passed(heard, mtu))
}

/// A path that takes `mtu` octets, and says of what is longer that it takes `says`.
pub(crate) fn telling(mtu: usize, says: u16) -> Wire {
    way(move |heard| {
        let too_long = heard.packet().len() > mtu;
        if too_long { told(heard.packet(), says) } else { passed(heard, mtu) }
    })
}

/// The reply, if the request is not longer than `mtu`.
pub(crate) fn passed(heard: &Heard, mtu: usize) -> Vec<(Duration, Vec<u8>)> {
    let packet = heard.packet();
    assert_eq!(packet[6..8], [0x40, 0], "a probe must not be fragmented");
    if packet.len() > mtu { Vec::new() } else { vec![(Duration::ZERO, turned(packet))] }
}

/// What a router says that takes `mtu` octets.
pub(crate) fn told(packet: &[u8], mtu: u16) -> Vec<(Duration, Vec<u8>)> {
    let [high, low] = mtu.to_be_bytes();
    let quote = &packet[..packet.len().min(548)];
    let packet = Ip::icmp(GATEWAY, US, &error(3, 4, [0, 0, high, low], quote)).octets();
    vec![(Duration::ZERO, packet)]
}

/// How long a frame takes.
pub(crate) const HOP: Duration = Duration::from_micros(50);
