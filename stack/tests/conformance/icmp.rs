//! ICMP-18, TRC, SEC-7, SEC-14 to SEC-16: whom to believe about our own echoes.

use std::{net::Ipv4Addr, time::Duration};

use sidestack_stack as stack;
use stack::{
    Discard, What,
    icmp::{self, Echo, Outcome, Straying},
    ipv4::NextHop,
    link::EtherType,
};

use crate::{
    packet::{Ip, checksum, error, frame, reply, set_checksum, udp},
    wire::{BEYOND, GATEWAY, Heard, MS, OURS, THEIRS, THEM, US, Wire, ended, turned},
};

const ROUTER: Ipv4Addr = Ipv4Addr::new(172, 16, 5, 5);

/// What became of an echo to a host far away, whose packet is answered with the error that `error`
/// makes of it; and how many milliseconds after the request.
fn told(error: impl Fn(&[u8]) -> Vec<u8> + 'static) -> (Outcome, u128) {
    let mut wire = Wire::new();
    wire.answer = Box::new(move |heard| match heard.icmp() {
        Some((8, 0)) => vec![(MS, Ip::icmp(ROUTER, US, &error(heard.packet())).octets())],
        _ => Vec::new(),
    });
    let start = wire.now();
    let outcome = wire.ping(&Echo::new(BEYOND, 7, &[0x5a; 56]));
    (outcome, (wire.now() - start).as_millis())
}

// ICMP-18, TRC-2
#[test]
fn an_error_from_a_router_nobody_knows_ends_the_echo_it_quotes_within_ten_milliseconds() {
    for (icmp_type, code) in [(3, 0), (3, 1), (3, 10), (11, 0), (12, 0)] {
        let (outcome, after) = told(move |sent| error(icmp_type, code, [0; 4], &sent[..28]));
        let Outcome::Error(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!((error.from, error.icmp_type, error.code), (ROUTER, icmp_type, code));
        assert!(after <= 10, "{after} ms");
    }
}

// TRC-1
#[test]
fn a_quote_that_was_changed_on_the_way_is_matched() {
    let (outcome, _) = told(|sent| {
        let mut quote = sent[..28].to_vec();
        quote[1] = 0xb8; // type of service
        quote[2..4].rotate_left(1); // length in the order of some host
        quote[4..6].fill(0x77); // identification
        (quote[8], quote[10], quote[11]) = (1, 0, 0); // time to live, checksum
        error(11, 0, [0; 4], &quote)
    });
    assert!(matches!(outcome, Outcome::Error(error) if error.icmp_type == 11), "{outcome:?}");
}

// TRC-3, ICMP-17
#[test]
fn a_label_stack_behind_the_quote_is_not_needed_to_match_it() {
    let (outcome, _) = told(|sent| {
        let mut quote = sent.to_vec();
        quote.resize(128, 0);
        let mut labels = vec![0x20, 0, 0, 0, 0, 8, 1, 1, 0x06, 0x40, 0x01, 0x01];
        set_checksum(&mut labels);
        error(11, 0, [0, 32, 0, 0], &[quote, labels].concat())
    });
    assert!(matches!(outcome, Outcome::Error(error) if error.icmp_type == 11), "{outcome:?}");
}

// SEC-15, PMTU-4
#[test]
fn an_error_that_quotes_what_we_did_not_send_ends_nothing() {
    let edits: [fn(&mut Vec<u8>); 5] = [
        |quote| quote[12..16].copy_from_slice(&THEM.octets()), // source
        |quote| quote[16..20].copy_from_slice(&ROUTER.octets()), // destination
        |quote| quote[24] ^= 1,                                // identifier
        |quote| quote[26] ^= 1,                                // sequence
        |quote| quote[9] = 17,                                 // protocol
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let (outcome, _) = told(move |sent| {
            let mut quote = sent[..28].to_vec();
            edit(&mut quote);
            error(3, 1, [0; 4], &quote)
        });
        assert!(matches!(outcome, Outcome::TimedOut { .. }), "{n}: {outcome:?}");
    }
}

// SEC-7
#[test]
fn redirects_are_counted_and_change_no_route() {
    let mut wire = Wire::new();
    wire.answer = Box::new(|heard| match heard.icmp() {
        Some((8, 0)) => {
            let sent = heard.packet();
            // From a stranger, and from the gateway itself, to a host on the link and off it.
            let redirects =
                [(ROUTER, [10, 0, 0, 66]), (GATEWAY, [10, 0, 0, 66]), (GATEWAY, [172, 16, 0, 1])];
            let redirects = redirects.map(|(from, to)| {
                (Duration::ZERO, Ip::icmp(from, US, &error(5, 1, to, &sent[..28])).octets())
            });
            redirects.into_iter().chain([(MS, turned(sent))]).collect()
        }
        _ => Vec::new(),
    });
    for sequence in 1..=3 {
        let outcome = wire.ping(&Echo::new(BEYOND, sequence, &[1; 16]));
        assert!(matches!(outcome, Outcome::Reply { .. }), "{outcome:?}");
        let route = wire.host.route(BEYOND).map(|route| route.next_hop);
        assert_eq!(route, Some(NextHop::Unicast(GATEWAY)));
    }
}

/// What came of three echoes, a second apart, each answered by `answers`: replies, and strays.
fn run(answers: impl Fn(&[u8]) -> Vec<(u32, Ip)> + 'static) -> (usize, Vec<Straying>) {
    let mut wire = Wire::new();
    wire.answer = Box::new(move |heard| match heard.icmp() {
        Some((8, 0)) => {
            let answers = answers(&heard.packet()[20..]);
            answers.iter().map(|(after, ip)| (MS * *after, ip.octets())).collect()
        }
        _ => Vec::new(),
    });
    for sequence in 1..=3 {
        wire.host.echo(wire.now(), &Echo::new(THEM, sequence, &[0x5a; 56])).unwrap();
        wire.pass(MS * 1000);
    }
    wire.pass(MS * 5000);
    let replies = ended(&wire.told).filter(|ended| matches!(ended.outcome, Outcome::Reply { .. }));
    assert_eq!(ended(&wire.told).count(), 3, "each ends once, whatever comes");
    let strays = wire.told.iter().filter_map(|event| match &event.what {
        What::Icmp(icmp::Event::Stray(stray)) => Some(stray.straying),
        _ => None,
    });
    (replies.count(), strays.collect())
}

// SEC-14, SEC-16
#[test]
fn only_the_right_answer_in_time_counts_and_all_others_are_told() {
    let edited = |edit: fn(&mut Vec<u8>)| {
        run(move |request| {
            let mut message = reply(request);
            edit(&mut message);
            set_checksum(&mut message);
            vec![(0, Ip::icmp(THEM, US, &message))]
        })
    };
    let (replies, strays) = run(|request| vec![(0, Ip::icmp(ROUTER, US, &reply(request)))]);
    assert_eq!((replies, strays.len()), (0, 3));
    assert!(strays.iter().all(|stray| matches!(stray, Straying::Elsewhere { asked: THEM })));
    assert_eq!(edited(|message| message[4] ^= 1), (0, vec![]), "another's identifier is no news");
    assert_eq!(edited(|message| message[6] ^= 1), (0, vec![Straying::Unasked; 3]));
    let edits: [fn(&mut Vec<u8>); 2] = [|message| message[20] ^= 1, |message| message.truncate(40)];
    for edit in edits {
        let (replies, strays) = edited(edit);
        assert!(strays.iter().all(|stray| matches!(stray, Straying::Corrupt(_))), "{strays:?}");
        assert_eq!((replies, strays.len()), (0, 3));
    }
    let (replies, strays) = run(|request| vec![(1500, Ip::icmp(THEM, US, &reply(request)))]);
    assert!(strays.iter().all(|stray| matches!(stray, Straying::Late { .. })), "{strays:?}");
    assert_eq!((replies, strays.len()), (0, 3));
    let twice = |request: &[u8]| vec![(0, Ip::icmp(THEM, US, &reply(request))); 2];
    let (replies, strays) = run(twice);
    assert!(strays.iter().all(|stray| matches!(stray, Straying::Duplicate { .. })), "{strays:?}");
    assert_eq!((replies, strays.len()), (3, 3));
}

// ICMP-1
#[test]
fn a_bad_option_is_told_to_who_sent_it_to_us_alone_and_to_nobody_who_sent_it_to_all() {
    for (dst, told) in [(US, vec![(12, 0)]), (Ipv4Addr::new(10, 0, 0, 255), vec![])] {
        let mut wire = Wire::new();
        wire.host.pin(wire.now(), THEM, THEIRS);
        let mut packet = Ip { protocol: 17, ..Ip::icmp(THEM, dst, &[7, 1, 0, 0, 0]) }.octets();
        packet[0] = 0x46; // the first four octets of the payload are options now
        packet[10..12].fill(0);
        let sum = checksum(&packet[..24]);
        packet[10..12].copy_from_slice(&sum);
        wire.say(&frame(OURS, THEIRS, EtherType::IPV4, &packet));
        wire.pass(MS);
        let heard = wire.hear();
        assert_eq!(heard.len(), told.len(), "{dst}");
        assert_eq!(heard.iter().filter_map(Heard::icmp).collect::<Vec<_>>(), told, "{dst}");
    }
}

// ICMP-3
#[test]
fn a_closed_port_is_told_of_whole_and_undamaged_messages_alone() {
    let mut wire = Wire::new();
    let told = |wire: &mut Wire, message: Vec<u8>, cut: usize| {
        let ip = Ip { id: 7, protocol: 17, ..Ip::icmp(THEM, US, &message) };
        wire.ip(&ip.cut(cut));
        let heard = wire.hear();
        heard.iter().filter_map(Heard::icmp).collect::<Vec<_>>()
    };
    let good = udp(THEM, US, b"data of an odd length");
    let [mut unsummed, mut damaged, mut swapped] = [good.clone(), good.clone(), good.clone()];
    unsummed[6..8].fill(0);
    damaged[12] ^= 1;
    swapped[2] ^= 0x40; // another port
    let port = vec![(3, 3)];
    assert_eq!(told(&mut wire, good.clone(), 1480), port);
    assert_eq!(told(&mut wire, unsummed.clone(), 1480), port);
    assert_eq!(told(&mut wire, [&good[..], &[0; 9]].concat(), 1480), port, "it ends before");
    assert_eq!(told(&mut wire, good.clone(), 16), port, "in two fragments");
    assert_eq!(told(&mut wire, udp(THEM, US, &[]), 1480), port, "of nothing");
    for broken in [damaged.clone(), swapped] {
        assert_eq!(told(&mut wire, broken, 1480), []);
    }
    assert_eq!(told(&mut wire, damaged, 16), [], "in two fragments");
    for len in 1..8 {
        assert_eq!(told(&mut wire, good[..len].to_vec(), 1480), [], "{len} octets of a header");
    }
    for len in [0, 7, good.len() as u16 + 1, 0xffff] {
        unsummed[4..6].copy_from_slice(&len.to_be_bytes());
        assert_eq!(told(&mut wire, unsummed.clone(), 1480), [], "{len} octets, as it says");
    }
    let discarded = |reason| wire.host.counters().discarded(reason);
    let all = [Discard::Port, Discard::UdpChecksum, Discard::UdpLength];
    assert_eq!(all.map(discarded), [5, 3, 11]);
}
