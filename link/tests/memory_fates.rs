//! The faults of the network in memory, each by hand: what becomes of a frame on its way.

mod station;

use std::{collections::HashSet, time::Duration};

use etherparse::EtherType;
use sidestack_link::{
    As, Direction, FrameIo, FrameTx, Tag, Unsent, Wait,
    memory::{Fate, Faults, JUNK, LATENCY, Network, Part, Port, Transit},
};
use station::{BROADCAST, TYPE, heard, mac, say, settle};

#[test]
fn each_third_frame_is_lost() {
    let mut nth = 0;
    let heard = spoken(9, move |_| {
        nth += 1;
        if nth % 3 == 0 { Fate::lost() } else { Fate::arrives() }
    });
    assert_eq!(heard, [0, 1, 3, 4, 6, 7]);
}

#[test]
fn a_frame_comes_after_whoever_waits_for_it_has_given_up() {
    let (network, [mut a, mut b]) = two();
    network.set_fate(|_| Fate::late(Duration::from_millis(1500)));
    let start = network.now();
    say(&mut a, mac(2), 1);
    network.advance_to(start + Duration::from_secs(1));
    assert_eq!(heard(&mut b, start), []);
    settle(&network);
    assert_eq!(heard(&mut b, start), [(LATENCY + Duration::from_millis(1500), 1)]);
}

#[test]
fn one_bit_of_the_part_that_was_asked_for_is_inverted() {
    let parts = [
        (Part::Destination, 0..6),
        (Part::Source, 6..12),
        (Part::EtherType, 12..14),
        (Part::IpHeader, 14..34),
        (Part::IcmpHeader, 34..42),
        (Part::Data, 42..60),
        (Part::Whole, 0..60),
    ];
    for (part, octets) in parts {
        assert_eq!(part.octets(60), octets);
        let faults = Faults { corrupt: 1.0, part, ..Faults::default() };
        let mut fate = faults.fate(1);
        let mut hit = HashSet::new();
        for _ in 0..400 {
            let inverted = fate(&transit(&[0; 60])).inverted.unwrap() / 8;
            assert!(octets.contains(&inverted), "{part:?}: {inverted}");
            hit.insert(inverted);
        }
        assert_eq!(hit.len(), octets.len(), "all of {part:?}");
    }
}

#[test]
fn a_cut_frame_ends_where_it_was_said() {
    for len in [14, 59, 60, 61] {
        let mut whole = octets(0);
        whole.truncate(len);
        assert_eq!(arrivals(1, move |_| Fate::cut(len)), [whole]);
    }
}

#[test]
fn a_frame_without_a_whole_header_is_seen_by_nobody_and_counts_as_waiting() {
    let (network, [mut a, mut b]) = two();
    network.set_fate(|_| Fate::cut(13));
    say(&mut a, mac(2), 1);
    settle(&network);
    assert_eq!(b.recv(network.now(), &mut |_, _| panic!("no frame")).unwrap(), 1);
    assert_eq!(b.recv(network.now(), &mut |_, _| ()).unwrap(), 0);
}

#[test]
fn junk_follows_the_end_of_a_frame() {
    let expected = [octets(0), vec![JUNK; 40]].concat();
    assert_eq!(arrivals(1, |_| Fate::padded(40)), [expected]);
}

#[test]
fn a_tag_is_put_in_after_the_addresses() {
    let tag = Tag::new(5, 3);
    let plain = octets(0);
    let expected = [&plain[..12], &tag.octets(), &plain[12..]].concat();
    assert_eq!(arrivals(1, move |_| Fate::tagged(tag)), [expected]);
}

#[test]
fn one_fate_may_do_several_things_to_the_octets_in_turn() {
    let mut fate = Fate::inverted(14 * 8);
    fate.tagged = Some(Tag::new(5, 0));
    fate.cut = Some(20);
    fate.padded = 2;
    let changed = arrivals(1, move |_| fate);
    let tag = [0x81, 0x00, 0x00, 0x05];
    let expected = [&octets(0)[..12], &tag, &[0x88, 0xb5, 0x80, 0, JUNK, JUNK]].concat();
    assert_eq!(changed, [expected]);
}

#[test]
fn what_happens_to_one_copy_of_a_broadcast_does_not_happen_to_another() {
    let network = Network::new();
    let [mut a, mut b, mut c] = [1, 2, 3].map(|n| network.attach(mac(n)));
    let spoilt = b.id();
    network.set_fate(move |transit| match transit.to == spoilt {
        true => Fate::inverted(14 * 8),
        false => Fate::arrives(),
    });
    let start = network.now();
    say(&mut a, BROADCAST, 1);
    settle(&network);
    assert_eq!(heard(&mut b, start), [(LATENCY, 0x81)]);
    assert_eq!(heard(&mut c, start), [(LATENCY, 1)]);
}

#[test]
fn a_lower_mtu_in_one_direction_swallows_what_is_longer_and_tells_nobody() {
    let (network, [mut a, mut b]) = two();
    let narrow = a.id();
    network.set_fate(move |transit| match transit.from == narrow && transit.exceeds(600) {
        true => Fate::lost(),
        false => Fate::arrives(),
    });
    assert_eq!(passing(&network, &mut a, &mut b, 600), (Direction::Sent, 1));
    assert_eq!(passing(&network, &mut a, &mut b, 601), (Direction::Sent, 0));
    assert_eq!(passing(&network, &mut b, &mut a, 601), (Direction::Sent, 1));
}

#[test]
fn a_lower_mtu_that_is_told_hands_the_frame_back_to_its_sender() {
    let (network, [mut a, mut b]) = two();
    network.set_fate(|transit| match transit.exceeds(600) {
        true => Fate::refused(Unsent::TooLong),
        false => Fate::arrives(),
    });
    assert_eq!(passing(&network, &mut a, &mut b, 600), (Direction::Sent, 1));
    let refused = Direction::Unsent(Unsent::TooLong);
    assert_eq!(passing(&network, &mut a, &mut b, 601), (refused, 0));
    let mut a = network.attach(mac(3)).without_sent();
    assert_eq!(passing(&network, &mut a, &mut b, 601), (refused, 0), "sent or not");
}

#[test]
fn a_broadcast_comes_back_once_if_a_single_passage_was_refused() {
    let network = Network::new();
    let [mut a, mut b, mut c] = [1, 2, 3].map(|n| network.attach(mac(n)));
    let refusing = b.id();
    network.set_fate(move |transit| match transit.to == refusing {
        true => Fate::refused(Unsent::NoCarrier),
        false => Fate::arrives(),
    });
    let start = network.now();
    say(&mut a, BROADCAST, 1);
    settle(&network);
    let mut own = Vec::new();
    a.recv(start, &mut |frame, _| own.push(frame.direction())).unwrap();
    assert_eq!(own, [Direction::Unsent(Unsent::NoCarrier)]);
    assert_eq!((heard(&mut b, start), heard(&mut c, start)), (vec![], vec![(LATENCY, 1)]));
}

#[test]
fn whoever_is_refused_is_woken_and_need_not_wait() {
    let (network, [mut a, _b]) = two();
    network.set_fate(|_| Fate::refused(Unsent::NoCarrier));
    let start = network.now();
    say(&mut a, mac(2), 1);
    assert!(a.has_arrived());
    a.wait(Some(start + LATENCY), None).unwrap();
    assert_eq!(network.now(), start);
    settle(&network);
    assert_eq!(network.woken(), Some(a.id()));
}

#[test]
fn the_mtu_of_faults_does_not_count_a_tag() {
    let mut fate = Faults { mtu: Some(50), ..Faults::default() }.fate(1);
    let mut tagged = vec![0; 68];
    tagged[12] = 0x81;
    assert!(!fate(&transit(&[0; 64])).lost);
    assert!(fate(&transit(&[0; 65])).lost);
    assert!(!fate(&transit(&tagged)).lost);
    tagged.push(0);
    assert!(fate(&transit(&tagged)).lost);
}

#[test]
fn a_partition_may_be_one_way() {
    let (network, [mut a, mut b]) = two();
    let mute = a.id();
    network.set_fate(move |transit| lost_if(transit.from == mute));
    assert_eq!(passing(&network, &mut a, &mut b, 50), (Direction::Sent, 0));
    assert_eq!(passing(&network, &mut b, &mut a, 50), (Direction::Sent, 1));
}

#[test]
fn a_partition_may_be_both_ways_and_end() {
    let (network, [mut a, mut b]) = two();
    let healed = network.now() + Duration::from_secs(5);
    network.set_fate(move |transit| lost_if(transit.at < healed));
    assert_eq!(passing(&network, &mut a, &mut b, 50), (Direction::Sent, 0));
    assert_eq!(passing(&network, &mut b, &mut a, 50), (Direction::Sent, 0));
    network.advance_to(healed);
    assert_eq!(passing(&network, &mut a, &mut b, 50), (Direction::Sent, 1));
    assert_eq!(passing(&network, &mut b, &mut a, 50), (Direction::Sent, 1));
}

#[test]
fn a_network_may_be_silent_to_arp_only_or_to_ip_only() {
    for (silent, passes) in [(EtherType::ARP, EtherType::IPV4), (EtherType::IPV4, EtherType::ARP)] {
        let (network, [mut a, mut b]) = two();
        network.set_fate(Faults { silent: Some(silent), ..Faults::default() }.fate(1));
        for ether_type in [silent, passes] {
            a.send(mac(2), ether_type, 1, &mut |_| ()).unwrap();
        }
        a.flush().unwrap();
        settle(&network);
        let mut types = Vec::new();
        b.recv(network.now(), &mut |frame, _| types.push(frame.ether_type())).unwrap();
        assert_eq!(types, [passes]);
    }
}

#[test]
fn a_silence_to_ip_is_one_behind_tags_too() {
    let mut fate = Faults { silent: Some(EtherType::IPV4), ..Faults::default() }.fate(1);
    for (tags, lost) in
        [(&[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0][..], true), (&[0x81, 0, 0, 1].repeat(12), false)]
    {
        let mut octets = vec![0; 60];
        octets[12..12 + tags.len()].copy_from_slice(tags);
        assert_eq!(fate(&transit(&octets)).lost, lost);
    }
}

#[test]
fn arp_alone_may_come_late_and_doubled() {
    let (network, [mut a, mut b]) = two();
    network.set_fate(|transit| {
        assert_eq!((transit.src(), transit.dst()), (mac(1), mac(2)));
        if transit.ether_type() != EtherType::ARP {
            return Fate::arrives();
        }
        let mut fate = Fate::late(Duration::from_secs(2));
        fate.again = Some(Duration::from_secs(1));
        fate
    });
    let start = network.now();
    for (ether_type, n) in [(EtherType::ARP, 1), (EtherType::IPV4, 2)] {
        a.send(mac(2), ether_type, 1, &mut |payload| payload[0] = n).unwrap();
    }
    a.flush().unwrap();
    settle(&network);
    let seconds = |s| LATENCY + Duration::from_secs(s);
    assert_eq!(heard(&mut b, start), [(seconds(0), 2), (seconds(2), 1), (seconds(3), 1)]);
}

#[test]
fn a_port_of_the_test_answers_as_two_owners_in_turn() {
    let (network, [mut asker, mut forger]) = two();
    for owner in [7, 8, 7] {
        let below = &mut forger;
        As { mac: mac(owner), below }.send(mac(1), EtherType::ARP, 28, &mut |_| ()).unwrap();
    }
    forger.flush().unwrap();
    settle(&network);
    let mut owners = Vec::new();
    asker.recv(network.now(), &mut |frame, _| owners.push(frame.src())).unwrap();
    assert_eq!(owners, [mac(7), mac(8), mac(7)]);
}

/// What of `count` frames, sent at once, is heard under `fate`.
fn spoken(count: u8, fate: impl FnMut(&Transit<'_>) -> Fate + Send + 'static) -> Vec<u8> {
    arrivals(count, fate).iter().map(|octets| octets[14]).collect()
}

fn arrivals(count: u8, fate: impl FnMut(&Transit<'_>) -> Fate + Send + 'static) -> Vec<Vec<u8>> {
    let (network, [mut a, mut b]) = two();
    network.set_fate(fate);
    (0..count).for_each(|n| say(&mut a, mac(2), n));
    settle(&network);
    let mut all = Vec::new();
    while b.recv(network.now(), &mut |frame, _| all.push(frame.octets().to_vec())).unwrap() > 0 {}
    all
}

/// The frame number `n` of [`arrivals`], as it was sent.
fn octets(n: u8) -> Vec<u8> {
    let header = [mac(2).as_bytes(), mac(1).as_bytes(), &TYPE.0.to_be_bytes(), &[n]].concat();
    [header, vec![0; 45]].concat()
}

/// How a frame with a payload of `len` octets comes back to its sender, and how often it arrives.
fn passing(network: &Network, from: &mut Port, to: &mut Port, len: usize) -> (Direction, usize) {
    from.send(to.mac(), TYPE, len, &mut |_| ()).unwrap();
    from.flush().unwrap();
    settle(network);
    let mut direction = Direction::Sent;
    from.recv(network.now(), &mut |frame, _| direction = frame.direction()).unwrap();
    let mut arrived = 0;
    to.recv(network.now(), &mut |_, _| arrived += 1).unwrap();
    (direction, arrived)
}

fn lost_if(lost: bool) -> Fate {
    if lost { Fate::lost() } else { Fate::arrives() }
}

/// The passage of a frame between two stations, whichever they are.
fn transit(octets: &[u8]) -> Transit<'_> {
    let (network, [a, b]) = two();
    Transit { octets, from: a.id(), to: b.id(), at: network.now() }
}

fn two() -> (Network, [Port; 2]) {
    let network = Network::new();
    let ports = [1, 2].map(|n| network.attach(mac(n)));
    (network, ports)
}
