//! RTE-2, RTE-3: which gateway, and when another one.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::{Failed, Trial};

use sidestack_stack::{
    icmp::{Echo, Outcome},
    ipv4::NextHop,
    link::{EtherType, MacAddr6},
};

use crate::{
    far::{Far, Heard},
    net::{Tested, is_reply, station, test},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("the_preferred_of_two_gateways_is_used_until_it_forwards_nothing", dead_later),
        test("a_preferred_gateway_that_answers_no_arp_is_left_for_the_next", dead),
    ]
}

fn dead_later() -> Tested {
    let mut far = two_gateways()?;
    for sequence in 1..=3 {
        assert!(is_reply(far.ask(BEYOND, sequence)?));
    }
    assert_eq!(carried(&far.hear()), [FIRST_MAC; 3]);
    far.answer = |heard| (heard.dst == SECOND_MAC).then(|| heard.reply()).flatten();
    let mut lost = 0;
    while used(&far) == FIRST {
        lost += 1;
        assert!(lost <= 15, "the first gateway is still used");
        let timeout = Duration::from_millis(300);
        let echo = Echo { timeout, ..Echo::new(BEYOND, 10 + lost, &[0; 56]) };
        assert!(!is_reply(far.ask_for(&echo)?));
    }
    assert_eq!(lost, 4, "fewer say nothing of a gateway");
    far.hear();
    for sequence in 100..103 {
        assert!(is_reply(far.ask(BEYOND, sequence)?));
    }
    assert_eq!(carried(&far.hear()), [SECOND_MAC; 3]);
    Ok(())
}

fn dead() -> Tested {
    let mut far = two_gateways()?;
    far.owners.remove(0);
    assert_eq!(far.ask(BEYOND, 1)?, Outcome::Unresolved { requests: 3 });
    let heard = far.hear();
    let asked: Vec<_> = heard.iter().map(Heard::asked).collect();
    assert_eq!(asked, [Some(FIRST); 3], "the preferred one, and nothing else");
    assert!(is_reply(far.ask(BEYOND, 2)?));
    assert_eq!(carried(&far.hear()), [SECOND_MAC]);
    far.pass(Duration::from_secs(3))?;
    assert!(far.hear().is_empty(), "nobody is asked while nothing is sent");
    Ok(())
}

/// Two gateways that both carry what there is to carry.
fn two_gateways() -> Result<Far, Failed> {
    let mut far = Far::new()?;
    far.host.add_gateway("0.0.0.0/0".parse()?, SECOND, 20);
    far.host.add_gateway("0.0.0.0/0".parse()?, FIRST, 10);
    far.owners = vec![(FIRST, FIRST_MAC), (SECOND, SECOND_MAC)];
    far.answer = Heard::reply;
    Ok(far)
}

fn used(far: &Far) -> Ipv4Addr {
    match far.host.route(BEYOND).map(|route| route.next_hop) {
        Some(NextHop::Unicast(gateway)) => gateway,
        other => panic!("{other:?}"),
    }
}

/// To whom packets beyond went.
fn carried(heard: &[Heard]) -> Vec<MacAddr6> {
    let packets = heard.iter().filter(|heard| heard.kind == EtherType::IPV4);
    let beyond = packets.inspect(|heard| {
        assert_eq!(heard.packet().header().destination_addr(), BEYOND);
    });
    beyond.map(|heard| heard.dst).collect()
}

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 253);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
const FIRST_MAC: MacAddr6 = station(0xfd);
const SECOND_MAC: MacAddr6 = station(0xfe);
const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);
