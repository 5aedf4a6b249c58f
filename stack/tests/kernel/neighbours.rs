//! LNK-2, ARP-12: neighbours that are forgotten, and one that moves.

use std::time::Duration;

use etherparse::ArpOperation;
use libtest_mimic::{Failed, Trial};

use sidestack_stack::{
    Config, What, arp,
    link::{EtherType, MacAddr6},
};

use crate::{
    far::{self, Far, Heard},
    net::{FAR, Tested, config, is_reply, station, test},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_neighbour_is_known_for_as_long_as_was_wished", forgotten),
        test("a_neighbour_that_moves_with_a_gratuitous_arp_is_followed", moved),
    ]
}

fn forgotten() -> Tested {
    for (lifetime, requests) in [(Duration::from_millis(500), 2), (Duration::from_secs(3600), 1)] {
        let config = config()?;
        let arp = arp::Config { lifetime, ..config.arp };
        let mut far = known(Config { arp, ..config })?;
        far.pass(Duration::from_secs(1))?;
        assert!(is_reply(far.ask(FAR, 2)?));
        let asked = far.hear().iter().filter_map(Heard::asked).count();
        assert_eq!(asked, requests, "{lifetime:?}");
    }
    Ok(())
}

fn moved() -> Tested {
    let mut far = known(config()?)?;
    far.pass(Duration::from_millis(1_500))?; // within a second of its answer it is polled for
    far.say(&far::arp(ArpOperation::REQUEST, (FAR, NEW), FAR))?;
    let moved = far.until(|event| match event.what {
        What::Arp(arp::Event::Moved { addr, old, new, .. }) => Some((addr, old, new)),
        _ => None,
    })?;
    assert_eq!(moved, (FAR, OLD, NEW));
    far.hear();
    assert!(is_reply(far.ask(FAR, 2)?));
    let heard: Vec<_> = far.hear().iter().map(|heard| (heard.dst, heard.kind)).collect();
    assert_eq!(heard, [(NEW, EtherType::IPV4)]);
    Ok(())
}

/// Somebody who has answered once.
fn known(config: Config) -> Result<Far, Failed> {
    let mut far = Far::with(config)?;
    far.owners = vec![(FAR, OLD)];
    far.answer = Heard::reply;
    assert!(is_reply(far.ask(FAR, 1)?));
    Ok(far)
}

const OLD: MacAddr6 = station(2);
const NEW: MacAddr6 = station(0x22);
