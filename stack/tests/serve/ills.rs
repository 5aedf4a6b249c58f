//! How answers fare.

use std::time::Duration;

use sidestack_stack as stack;
use stack::{
    Impaired, Impairment, What,
    arp::Macs,
    icmp::{self, Corrupt, Echo, Outcome, Stray, Straying},
    link::{
        EtherType, FrameIo, FrameTx,
        memory::{Faults, LATENCY, Network, Part},
    },
};

use crate::pair::{CLIENT, Pair, SERVER, host, hosts};

const MS: Duration = Duration::from_millis(1);

/// Two hosts, of which only 10.0.0.2 is impaired.
fn impaired(faults: Faults, ttl: Option<u8>) -> Pair {
    let impairment = Impairment { prefix: "10.0.0.2/32".parse().unwrap(), faults, ttl };
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 2, 3), false, &[impairment]);
    // What is asked first also finds out where the hosts are.
    assert!(matches!(pair.ask(&Echo::new(host(3), 0, &[0; 56])), Outcome::Reply { .. }));
    pair
}

fn round_trip(outcome: Outcome) -> Duration {
    let Outcome::Reply { round_trip, .. } = outcome else { panic!("{outcome:?}") };
    round_trip
}

#[test]
fn an_answer_that_is_delayed_comes_that_much_later_to_the_nanosecond() {
    let mut pair = impaired(Faults { delay: 20 * MS, ..Faults::default() }, None);
    pair.client.pin(pair.network.now(), host(2), SERVER);
    assert_eq!(round_trip(pair.ask(&Echo::new(host(2), 1, &[0; 56]))), 20 * MS + 2 * LATENCY);
    assert_eq!(round_trip(pair.ask(&Echo::new(host(3), 1, &[0; 56]))), 2 * LATENCY);
    assert_eq!(pair.server.link().tally().delayed, 1);
}

#[test]
fn arp_is_answered_though_every_answer_to_an_echo_is_lost() {
    let mut pair = impaired(Faults { loss: 1.0, ..Faults::default() }, None);
    let outcome = pair.ask(&Echo::new(host(2), 1, &[0; 56]));
    assert!(matches!(outcome, Outcome::TimedOut { .. }), "{outcome:?}");
    let tally = pair.server.link().tally();
    assert_eq!((tally.arp_replies, tally.echo_replies, tally.lost), (2, 2, 1));
}

#[test]
fn an_answer_that_is_sent_twice_arrives_twice() {
    let mut pair = impaired(Faults { duplicate: 1.0, ..Faults::default() }, None);
    assert!(matches!(pair.ask(&Echo::new(host(2), 1, &[0; 56])), Outcome::Reply { .. }));
    let end = pair.network.now() + 100 * MS;
    let straying = pair.live(end, |event| match event.what {
        What::Icmp(icmp::Event::Stray(Stray { straying, .. })) => Some(straying),
        _ => None,
    });
    assert!(matches!(straying, Some(Straying::Duplicate { .. })), "{straying:?}");
    assert_eq!(pair.server.link().tally().duplicated, 1);
}

#[test]
fn an_answer_with_a_bit_inverted_has_a_wrong_checksum() {
    let faults = Faults { corrupt: 1.0, part: Part::Data, ..Faults::default() };
    let mut pair = impaired(faults, None);
    let now = pair.network.now();
    pair.client.echo(now, &Echo::new(host(2), 1, &[0; 56])).unwrap();
    let straying = pair.live(now + 100 * MS, |event| match event.what {
        What::Icmp(icmp::Event::Stray(Stray { straying, .. })) => Some(straying),
        _ => None,
    });
    assert!(matches!(straying, Some(Straying::Corrupt(Corrupt::Checksum))), "{straying:?}");
}

#[test]
fn answers_have_the_time_to_live_that_was_asked_for_and_a_right_checksum() {
    let mut pair = impaired(Faults::default(), Some(33));
    for (n, ttl) in [(2, 33), (3, 64)] {
        let outcome = pair.ask(&Echo::new(host(n), 9, &[0; 56]));
        assert!(matches!(outcome, Outcome::Reply { ttl: is, .. } if is == ttl), "{outcome:?}");
    }
}

#[test]
fn jitter_is_the_same_for_the_same_seed() {
    let faults = Faults { jitter: 50 * MS, ..Faults::default() };
    let trips = || -> Vec<Duration> {
        let mut pair = impaired(faults, None);
        (1..=9).map(|n| round_trip(pair.ask(&Echo::new(host(2), n, &[0; 56])))).collect()
    };
    let first = trips();
    assert_eq!(first, trips());
    assert!(first.iter().any(|trip| *trip != first[0]));
}

#[test]
fn what_was_not_taken_in_time_counts_as_it_does_on_the_link_itself() {
    let mut pair = Pair::new(hosts(Macs::One(SERVER), 2, 3), false, &[]);
    pair.network.line(pair.server.link().below().id()).set_inbox(0);
    let outcome = pair.ask(&Echo::new(host(2), 1, &[0; 56]));
    assert!(matches!(outcome, Outcome::Unresolved { requests: 3 }), "{outcome:?}");
    assert_eq!(pair.server.link_mut().dropped(), 3);
}

#[test]
fn the_greatest_seed_there_is_is_one_like_others() {
    let network = Network::new();
    let prefix = "10.0.0.2/32".parse().unwrap();
    let impairment = Impairment { prefix, faults: Faults::default(), ttl: None };
    let mut link = Impaired::new(network.now(), network.attach(CLIENT), &[impairment; 2], u64::MAX);
    link.send(SERVER, EtherType::IPV4, 20, &mut |_| ()).unwrap();
    assert_eq!(link.tally().lost, 0);
}
