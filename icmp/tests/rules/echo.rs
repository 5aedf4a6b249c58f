//! Asking: what leaves, when the wait begins, how it ends.

use etherparse::IpNumber;
use icmp::{Config, Corrupt, Discard, Echo, Outcome, SendError, Source, Straying, Unsent};
use ipv4::Sent;
use sidestack_icmp as icmp;

use crate::host::{
    DATA, Host, IDENTIFIER, THEM, US, changed, ended, ms, packet, replied, reply, stray, sum,
    timed_out,
};

// SEC-14, ICMP-6
#[test]
fn a_request_bears_identifier_sequence_cookie_data_and_a_good_checksum() {
    let mut host = Host::new();
    let request = host.ping(0x0102);
    assert_eq!(request[..2], [8, 0]);
    assert_eq!(request[4..8], [0x1d, 0x1d, 0x01, 0x02]);
    assert_ne!(request[8..16], DATA[..8], "the cookie");
    assert_eq!(request[16..], DATA[8..]);
    assert_eq!(sum(&request), 0xffff);
}

#[test]
fn what_is_chosen_about_a_request_is_handed_down() {
    let mut host = Host::new();
    let echo = Echo { ttl: 3, tos: 0xb8, dont_fragment: false, ..Echo::new(THEM, 1, &DATA) };
    host.echo(&echo).unwrap();
    let header = host.below.sent[0].0;
    assert_eq!((header.dst, header.src, header.protocol), (THEM, None, IpNumber::ICMP));
    assert_eq!((header.ttl, header.tos, header.dont_fragment), (3, 0xb8, false));
}

// SEC-14, SEC-17
#[test]
fn a_cookie_depends_on_destination_identifier_sequence_data_and_secret() {
    let cookie = |identifier, secret, dst, sequence, data: &[u8]| {
        let mut host = Host::with(Config { identifier, secret: [secret; 16], ..Config::default() });
        host.echo(&Echo::new(dst, sequence, data)).unwrap();
        host.below.sent[0].1[8..16].to_vec()
    };
    let one = cookie(1, 1, THEM, 1, &DATA);
    assert_eq!(one, cookie(1, 1, THEM, 1, &DATA));
    let others = [
        cookie(2, 1, THEM, 1, &DATA),
        cookie(1, 2, THEM, 1, &DATA),
        cookie(1, 1, US, 1, &DATA),
        cookie(1, 1, THEM, 2, &DATA),
        cookie(1, 1, THEM, 1, &DATA[1..]),
        cookie(1, 1, THEM, 1, &[0; 56]),
    ];
    assert!(!others.contains(&one));
}

#[test]
fn a_reply_ends_its_echo_with_the_round_trip() {
    let mut host = Host::new();
    let request = host.ping(1);
    assert_eq!(host.icmp.in_flight(), 1);
    assert_eq!(host.after(ms(300)), []);
    host.take(THEM, &reply(&request)).unwrap();
    assert_eq!(host.after(ms(0)), [replied(1, ms(300))]);
    assert_eq!(host.icmp.in_flight(), 0);
    assert_eq!(host.after(ms(60_000)), []);
}

#[test]
fn an_echo_that_nobody_answers_times_out_when_its_wait_is_over() {
    let mut host = Host::new();
    let timeout = ms(2500);
    host.echo(&Echo { timeout, ..Echo::new(THEM, 1, &DATA) }).unwrap();
    assert_eq!(host.icmp.deadline(), Some(host.start + timeout));
    assert_eq!(host.after(ms(2499)), []);
    assert_eq!(host.after(ms(1)), [ended(1, Outcome::TimedOut { waited: timeout })]);
    assert_eq!(host.icmp.deadline(), None);
}

#[test]
fn an_echo_may_be_waited_for_for_ever() {
    let mut host = Host::new();
    host.echo(&Echo { timeout: std::time::Duration::MAX, ..Echo::new(THEM, 1, &DATA) }).unwrap();
    assert_eq!(host.icmp.deadline(), None);
    assert_eq!(host.after(ms(1000 * 86_400)), []);
    let request = host.below.sent[0].1.clone();
    host.take(THEM, &reply(&request)).unwrap();
    assert_eq!(host.after(ms(0)), [replied(1, ms(1000 * 86_400))]);
}

#[test]
fn replies_of_every_size_end_their_echoes() {
    for len in (0..20).chain([56, 57, 1471, 1472]) {
        let mut host = Host::new();
        host.echo(&Echo::new(THEM, 1, &vec![0xa5; len])).unwrap();
        let request = host.below.sent[0].1.clone();
        assert_eq!((request.len(), sum(&request)), (8 + len, 0xffff));
        host.take(THEM, &reply(&request)).unwrap();
        assert_eq!(host.icmp.in_flight(), 0, "{len} octets");
    }
}

// SEC-14
#[test]
fn data_too_short_for_a_cookie_is_sent_as_it_is_and_compared_octet_for_octet() {
    for len in 1..8 {
        let mut host = Host::new();
        let data = &b"abcdefg"[..len];
        host.echo(&Echo::new(THEM, 1, data)).unwrap();
        let request = host.below.sent[0].1.clone();
        assert_eq!(request[8..], *data);
        for at in 8..request.len() {
            let forged = changed(&reply(&request), at, b'x');
            assert_eq!(host.take(THEM, &forged), Err(Discard::Corrupt));
            let corrupt = Straying::Corrupt(Corrupt::Data);
            assert_eq!(host.after(ms(0)), [stray(THEM, 1, 8 + len, corrupt)]);
        }
        host.take(THEM, &reply(&request)).unwrap();
        assert_eq!(host.icmp.in_flight(), 0);
    }
}

#[test]
fn the_same_sequence_to_the_same_host_is_refused_while_it_is_in_flight() {
    let mut host = Host::new();
    host.ping(1);
    let refused = host.echo(&Echo::new(THEM, 1, &DATA));
    assert_eq!(refused, Err(SendError::InFlight { dst: THEM, sequence: 1 }));
    assert!(!refused.unwrap_err().is_full());
    assert_eq!(host.below.sent.len(), 1);
    host.echo(&Echo::new(THEM, 2, &DATA)).unwrap();
    host.echo(&Echo::new(US, 1, &DATA)).unwrap();
    assert_eq!(host.after(ms(1000)).len(), 3, "one each, and none for what was refused");
    host.ping(1);
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
}

#[test]
fn an_echo_that_the_layer_below_refuses_has_no_event() {
    let mut host = Host::new();
    host.below.next = Err(ipv4::SendError::NoRoute(THEM));
    let refused = host.echo(&Echo::new(THEM, 1, &DATA));
    assert_eq!(refused, Err(SendError::Ipv4(ipv4::SendError::NoRoute(THEM))));
    assert_eq!((host.icmp.in_flight(), host.icmp.deadline()), (0, None));
    assert_eq!(host.after(ms(60_000)), []);
    host.below.next = Err(ipv4::SendError::Link(link::SendError::Full));
    assert!(host.echo(&Echo::new(THEM, 1, &DATA)).unwrap_err().is_full());
    host.below.next = Ok(Sent::Out);
    host.ping(1);
}

// LNK-5
#[test]
fn the_wait_of_a_kept_echo_begins_when_its_frame_leaves() {
    let mut host = Host::new();
    host.below.next = Ok(Sent::Kept);
    let request = host.ping(1);
    assert_eq!(host.icmp.deadline(), None);
    assert_eq!(host.after(ms(2500)), [], "it is arp's to give up");
    host.icmp.sent(&packet(US, THEM, &request), host.now, Source::Kernel);
    assert_eq!(host.icmp.deadline(), Some(host.start + ms(3500)));
    assert_eq!(host.after(ms(999)), []);
    assert_eq!(host.after(ms(1)), [timed_out(1)]);
}

#[test]
fn a_reply_to_what_has_not_left_is_not_believed() {
    let mut host = Host::new();
    host.below.next = Ok(Sent::Kept);
    let request = host.ping(1);
    assert_eq!(host.take(THEM, &reply(&request)), Err(Discard::Unasked));
    assert_eq!(host.after(ms(0)), [stray(THEM, 1, 64, Straying::Unasked)]);
    assert_eq!(host.icmp.in_flight(), 1);
}

#[test]
fn the_round_trip_is_counted_from_the_best_stamp_of_the_requests_leaving() {
    let mut host = Host::new();
    let request = host.ping(1);
    let left = host.start + ms(20);
    host.icmp.sent(&packet(US, THEM, &request), left, Source::Hardware);
    host.now += ms(1010);
    host.take(THEM, &reply(&request)).unwrap();
    let (tx, rx, round_trip) = (Source::Hardware, Source::Virtual, ms(990));
    let reply = Outcome::Reply { len: 64, ttl: 60, round_trip, reordered: false, tx, rx };
    assert_eq!(host.after(ms(0)), [ended(1, reply)]);
}

#[test]
fn a_better_stamp_moves_the_end_of_the_wait_with_it() {
    let mut host = Host::new();
    let request = host.ping(1);
    host.icmp.sent(&packet(US, THEM, &request), host.start + ms(20), Source::Kernel);
    assert_eq!(host.after(ms(1019)), []);
    assert_eq!(host.after(ms(1)), [timed_out(1)]);
}

// LNK-5
#[test]
fn a_packet_that_comes_back_ends_its_echo_with_the_reason() {
    let outcomes = [
        Outcome::Unresolved { requests: 3 },
        Outcome::Replaced,
        Outcome::Unsent(Unsent::NoCarrier),
    ];
    for (outcome, next) in outcomes.into_iter().flat_map(|o| [(o, Sent::Kept), (o, Sent::Out)]) {
        let mut host = Host::new();
        host.below.next = Ok(next);
        let request = packet(US, THEM, &host.ping(1));
        assert_eq!(host.icmp.failed(&request, outcome), Ok(()));
        assert_eq!(host.after(ms(0)), [ended(1, outcome)]);
        assert_eq!(host.icmp.failed(&request, outcome), Err(Discard::StaleError));
        assert_eq!(host.after(ms(60_000)), []);
    }
}

#[test]
fn what_was_no_echo_of_ours_ends_nothing_by_leaving_or_coming_back() {
    let mut host = Host::new();
    host.below.next = Ok(Sent::Kept);
    let request = host.ping(1);
    let others = [
        packet(US, US, &request),
        packet(US, THEM, &reply(&request)),
        packet(US, THEM, &changed(&request, 1, 1)),
        packet(US, THEM, &changed(&request, 4, !(IDENTIFIER >> 8) as u8)),
        packet(US, THEM, &changed(&request, 7, 9)),
        packet(US, THEM, &request[..7]),
        packet(US, THEM, &request)[..19].to_vec(),
        vec![],
    ];
    for other in others {
        host.icmp.sent(&other, host.now, Source::Kernel);
        assert!(host.icmp.failed(&other, Outcome::Replaced).is_err());
    }
    assert_eq!(host.after(ms(60_000)), []);
    assert_eq!(host.icmp.in_flight(), 1);
}
