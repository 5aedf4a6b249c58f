//! Answering timestamp requests (RFC 1122 §3.2.2.8).

use icmp::{Config, Discard, Limit};
use ipv4::{Cast, Datagram, Source, Stamp};
use sidestack_icmp as icmp;

use crate::host::{Host, THEM, US, datagram, message, ms, sum};

// ICMP-11
#[test]
fn a_timestamp_reply_tells_the_milliseconds_since_midnight_twice() {
    let day = 86_400_000;
    for (since_epoch, since_midnight) in [
        (0, 0_u32),
        (1, 1),
        (day - 1, 86_399_999),
        (day, 0),
        (20_000 * day + 12 * 3_600_000 + 34, 43_200_034),
    ] {
        let mut host = telling();
        let stamp = Stamp { since_epoch: ms(since_epoch), source: Source::Kernel };
        let asked = Datagram { stamp, tos: 0xb8, ..datagram(THEM, &request(), host.now) };
        assert_eq!(host.icmp.input(&asked, &mut host.below), Ok(()));
        let [(header, answer)] = &host.below.sent[..] else { panic!("one reply") };
        assert_eq!((header.dst, header.src, header.tos), (THEM, Some(US), 0xb8));
        let came = since_midnight.to_be_bytes();
        let times = [&[0, 1, 2, 3][..], &came, &came].concat();
        assert_eq!(*answer, message((14, 0), [1, 2, 3, 4], &times));
        assert_eq!((answer.len(), sum(answer)), (20, 0xffff));
    }
}

// ICMP-11
#[test]
fn nobody_is_told_the_time_unless_it_was_asked_for() {
    let mut host = Host::new();
    assert_eq!(host.take(THEM, &request()), Err(Discard::Timestamp));
    let mut host = Host::with(Config { timestamps: true, answers: false, ..Config::default() });
    assert_eq!(host.take(THEM, &request()), Err(Discard::Unanswered));
    assert_eq!(host.below.sent.len(), 0);
}

// ICMP-2, ICMP-11
#[test]
fn a_timestamp_request_that_is_cut_or_padded_is_not_answered() {
    let mut host = telling();
    for len in (0..12).chain([13, 16, 40]) {
        let request = message((13, 0), [1, 2, 3, 4], &vec![7; len]);
        assert_eq!(host.take(THEM, &request), Err(Discard::Length), "{len} octets of times");
    }
    assert_eq!(host.take(THEM, &message((13, 1), [0; 4], &[0; 12])), Err(Discard::Code));
    assert_eq!(host.below.sent.len(), 0);
}

// ICMP-11, SEC-8
#[test]
fn a_timestamp_request_to_many_is_not_answered_even_where_echo_is() {
    let config = Config { timestamps: true, answers_broadcast: true, ..Config::default() };
    for cast in [Cast::Broadcast, Cast::Multicast, Cast::Other] {
        let mut host = Host::with(config);
        let request = Datagram { cast, ..datagram(THEM, &request(), host.now) };
        assert_eq!(host.icmp.input(&request, &mut host.below), Err(Discard::Broadcast));
        assert_eq!(host.below.sent.len(), 0);
    }
}

// ICMP-14
#[test]
fn echo_and_timestamp_replies_are_limited_together() {
    let replies = Some(Limit { per_second: 1, burst: 2 });
    let mut host = Host::with(Config { timestamps: true, replies, ..Config::default() });
    assert_eq!(host.take(THEM, &message((8, 0), [0; 4], b"")), Ok(()));
    assert_eq!(host.take(THEM, &request()), Ok(()));
    assert_eq!(host.take(THEM, &request()), Err(Discard::Limited));
}

fn telling() -> Host {
    Host::with(Config { timestamps: true, ..Config::default() })
}

fn request() -> Vec<u8> {
    message((13, 0), [1, 2, 3, 4], &[0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0])
}
