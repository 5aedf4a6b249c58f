//! Stations that are not one host at one place.

use std::time::Duration;

use link::{
    As, FrameIo, FrameTx,
    memory::{Fate, PortId},
};
use macaddr::MacAddr6;
use stack::{Config, Hosts, Lab, NetworkId, Served, arp};

use super::network;

/// Lets one station answer for so many addresses, from [`FIRST`] on, as a proxy does.
pub(super) fn proxy(lab: &mut Lab, near: NetworkId, count: u8) {
    let Some(last) = count.checked_sub(1).and_then(|more| FIRST.checked_add(more)) else { return };
    let first = network(0, FIRST);
    let port = lab.plug(near, first.ip());
    let host = lab.host_at(near, port, Config::new(first));
    let (now, macs) = (lab.now(), arp::Macs::One(MacAddr6::new(2, 0, 10, 0, 0, FIRST)));
    let hosts = Hosts::new(macs, [first.ip()..=network(0, last).ip()]);
    let served = Served { hosts, kept: Vec::new(), beyond: None, refused: Vec::new() };
    lab.stack(host).serve(now, served, false);
}

/// Has `us` hear so many times, each [`STAY`] after the one before, that the first host is now at
/// another station, and then that it is where it was. Sets the fate of the network, which can be
/// another one afterwards.
pub(super) fn moves(lab: &Lab, near: NetworkId, us: PortId, times: u8) {
    let (home, first) = (MacAddr6::new(2, 0, 10, 0, 0, 2), network(0, 2).ip());
    let mut passed = 0;
    lab.wire(near).set_fate(move |transit| {
        if transit.to != us {
            return Fate::lost();
        }
        passed += 1;
        Fate::late(STAY * passed)
    });
    let mut port = lab.wire(near).attach(MacAddr6::new(2, 0, 0, 0, 0, 2));
    for n in 0..times {
        let mac = if n % 2 == 0 { port.mac() } else { home };
        let mut other = As { mac, below: &mut port };
        // The queue of a network in memory has room for more than that.
        let _ = arp::announce(first, arp::Operation::REPLY, &mut other);
        let _ = port.flush(); // nor does it fail
    }
}

/// Of the addresses that a proxy answers for.
const FIRST: u8 = 128;

/// How long the host that moves stays at a place.
const STAY: Duration = Duration::from_millis(1300);
