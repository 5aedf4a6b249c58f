//! What stations say and hear on a network in memory.

use std::time::{Duration, Instant};

use etherparse::EtherType;
use macaddr::MacAddr6;
use sidestack_link::{
    Direction, FrameIo, FrameTx,
    memory::{Network, Port},
};

/// For local experiments (IEEE 802).
pub(crate) const TYPE: EtherType = EtherType(0x88b5);

pub(crate) const BROADCAST: MacAddr6 = MacAddr6::new(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

pub(crate) fn mac(n: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 0, 0, n)
}

/// Lets a frame go whose payload is the one octet `n`.
pub(crate) fn say(port: &mut Port, dst: MacAddr6, n: u8) {
    port.send(dst, TYPE, 1, &mut |payload| payload[0] = n).unwrap();
    port.flush().unwrap();
}

/// Moves the time on until nothing is on its way.
pub(crate) fn settle(network: &Network) {
    while let Some(at) = network.next_arrival() {
        network.advance_to(at);
    }
}

/// How long after `since` each frame waiting at `port` arrived, and its payload's first octet.
pub(crate) fn heard(port: &mut Port, since: Instant) -> Vec<(Duration, u8)> {
    let mut heard = Vec::new();
    let mut each = |frame: sidestack_link::Frame<'_>, _: &mut dyn FrameTx| {
        if frame.direction() == Direction::Received {
            heard.push((frame.at() - since, frame.payload()[0]));
        }
    };
    while port.recv(since, &mut each).unwrap() > 0 {}
    heard
}
