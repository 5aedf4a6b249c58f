//! `path_mtu MTU`: finds out by probes what passes a wire in memory that takes no more than MTU
//! octets, and tells nobody. Prints of each probe whether it passed.

use std::{env, error::Error, net::Ipv4Addr};

use path_mtu::{Config, Event};
use sidestack_stack as stack;
use stack::{Lab, MtuSearch, icmp::Outcome, link::memory::Faults, path_mtu};

fn main() -> Result<(), Box<dyn Error>> {
    let mtu: usize = env::args().nth(1).ok_or("usage: path_mtu MTU")?.parse()?;
    let them = Ipv4Addr::new(10, 0, 0, 2);
    let mut lab = Lab::new();
    let wire = lab.network();
    let us = lab.host(wire, "10.0.0.1/24".parse()?, None);
    lab.host(wire, "10.0.0.2/24".parse()?, None);
    lab.wire(wire).set_fate(Faults { mtu: Some(mtu), ..Faults::default() }.fate(1));
    let start = lab.now();
    let mut search = MtuSearch::new(start, them, Config::default(), lab.stack(us));
    loop {
        while search.poll(lab.now(), lab.stack(us))? {}
        while let Some(event) = search.event() {
            match event {
                Event::Ended(it) => {
                    println!("{}: {}", it.size, matches!(it.outcome, Outcome::Reply { .. }));
                }
                Event::Over(found) => {
                    println!("path MTU {} in {:?}", found?, lab.now() - start);
                    return Ok(());
                }
                Event::Other(_) => {}
            }
        }
        let deadline = search.deadline(lab.stack(us));
        lab.step(deadline)?;
    }
}
