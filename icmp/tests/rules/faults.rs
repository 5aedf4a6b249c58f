//! Replies under fault: what counts, what does not, and what is said of it.

use icmp::{Corrupt, Discard, Echo, Ended, Event, Outcome, Straying};
use ipv4::{Cast, Datagram};
use sidestack_icmp as icmp;

use crate::host::{
    DATA, Host, ROUTER, THEM, US, changed, config, datagram, message, ms, packet, replied, reply,
    stray, timed_out, with_checksum,
};

// SEC-16; fault: each reply doubled
#[test]
fn a_doubled_reply_counts_once_and_is_told_as_a_duplicate() {
    let mut host = Host::new();
    let request = host.ping(1);
    host.now += ms(100);
    host.take(THEM, &reply(&request)).unwrap();
    host.now += ms(50);
    assert_eq!(host.take(THEM, &reply(&request)), Err(Discard::Duplicate));
    let duplicate = Straying::Duplicate { round_trip: ms(150) };
    assert_eq!(host.after(ms(0)), [replied(1, ms(100)), stray(THEM, 1, 64, duplicate)]);
}

// fault: late by 700 ms
#[test]
fn a_reply_700_ms_late_counts() {
    let mut host = Host::new();
    let request = host.ping(1);
    host.after(ms(700));
    host.take(THEM, &reply(&request)).unwrap();
    assert_eq!(host.after(ms(0)), [replied(1, ms(700))]);
}

// SEC-14, SEC-16; fault: late by 1,500 ms
#[test]
fn a_reply_1500_ms_late_is_told_as_late_whether_or_not_the_clock_was_looked_at_meanwhile() {
    let late = stray(THEM, 1, 64, Straying::Late { round_trip: ms(1500) });
    for looked in [true, false] {
        let mut host = Host::new();
        let request = host.ping(1);
        let mut events = if looked { host.after(ms(1000)) } else { Vec::new() };
        host.now = host.start + ms(1500);
        assert_eq!(host.take(THEM, &reply(&request)), Err(Discard::Late));
        events.extend(host.after(ms(0)));
        assert_eq!(events, [timed_out(1), late]);
    }
}

#[test]
fn a_late_reply_is_not_credited_to_a_newer_request() {
    let mut host = Host::new();
    let first = host.ping(1);
    host.after(ms(1000));
    host.ping(2);
    host.now += ms(500);
    assert_eq!(host.take(THEM, &reply(&first)), Err(Discard::Late));
    let late = stray(THEM, 1, 64, Straying::Late { round_trip: ms(1500) });
    assert_eq!(host.after(ms(500)), [late, timed_out(2)]);
}

// SEC-16
#[test]
fn a_late_reply_that_comes_twice_is_late_twice_and_never_received() {
    let mut host = Host::new();
    let request = host.ping(1);
    host.after(ms(1000));
    for _ in 0..2 {
        host.take(THEM, &reply(&request)).unwrap_err();
        let late = Straying::Late { round_trip: ms(1000) };
        assert_eq!(host.after(ms(0)), [stray(THEM, 1, 64, late)]);
    }
}

#[test]
fn a_forged_reply_to_what_has_ended_is_neither_late_nor_a_duplicate() {
    for answered in [true, false] {
        let (request, mut host) = asked();
        if answered {
            host.take(THEM, &reply(&request)).unwrap();
        }
        host.after(ms(1000));
        let forged = changed(&reply(&request), 63, 0);
        assert_eq!(host.take(THEM, &forged), Err(Discard::Corrupt));
        let corrupt = Straying::Corrupt(Corrupt::Data);
        assert_eq!(host.after(ms(0)), [stray(THEM, 1, 64, corrupt)]);
    }
}

// fault: reordered
#[test]
fn reordered_replies_end_each_its_own_echo() {
    let mut host = Host::new();
    let requests = [1, 2, 3].map(|sequence| host.ping(sequence));
    for (n, sequence) in [3, 1, 2].into_iter().enumerate() {
        host.now = host.start + ms(10 + n as u64);
        host.take(THEM, &reply(&requests[sequence - 1])).unwrap();
    }
    let expected = [replied(3, ms(10)), replied(1, ms(11)), replied(2, ms(12))];
    assert_eq!(host.after(ms(0)), expected);
}

// fault: reordered
#[test]
fn a_reply_that_a_later_one_has_overtaken_is_told_as_reordered() {
    let mut host = Host::new();
    let requests = [1, 2, 3].map(|sequence| {
        host.now = host.start + ms(sequence.into());
        host.ping(sequence)
    });
    for sequence in [2, 1, 3] {
        host.now = host.start + ms(10);
        host.take(THEM, &reply(&requests[sequence - 1])).unwrap();
    }
    let told = host.after(ms(10)).into_iter().map(|event| match event {
        Event::Ended(Ended { sequence, outcome: Outcome::Reply { reordered, .. }, .. }) => {
            (sequence, reordered)
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [(2, false), (1, true), (3, false)]);
}

// SEC-14; fault: bad ICMP checksum
#[test]
fn a_bad_icmp_checksum_does_not_count() {
    let (request, mut host) = asked();
    let mut bad = reply(&request);
    bad[2] ^= 0x40;
    refuse(&mut host, &bad, Discard::Checksum, Corrupt::Checksum);
}

// SEC-14; fault: last payload octet changed
#[test]
fn a_changed_octet_of_the_data_does_not_count_wherever_it_is() {
    for at in 8..64 {
        let (request, mut host) = asked();
        let bad = changed(&reply(&request), at, !request[at]);
        refuse(&mut host, &bad, Discard::Corrupt, Corrupt::Data);
    }
}

#[test]
fn exchanged_words_which_no_checksum_sees_do_not_count() {
    let mut host = Host::new();
    let data: Vec<u8> = (0..56).collect();
    host.echo(&Echo::new(THEM, 1, &data)).unwrap();
    let mut bad = reply(&host.below.sent[0].1);
    bad.swap(40, 42);
    bad.swap(41, 43);
    assert_eq!(bad, with_checksum(bad.clone()));
    refuse(&mut host, &bad, Discard::Corrupt, Corrupt::Data);
}

// fault: cut by 20, padded by 40
#[test]
fn a_reply_cut_by_20_or_padded_by_40_octets_does_not_count() {
    let (request, mut host) = asked();
    let cut = with_checksum(reply(&request)[..44].to_vec());
    refuse(&mut host, &cut, Discard::Corrupt, Corrupt::Length);
    let (request, mut host) = asked();
    let padded = with_checksum([reply(&request), vec![0; 40]].concat());
    refuse(&mut host, &padded, Discard::Corrupt, Corrupt::Length);
}

// fault: code 5 in an echo reply
#[test]
fn a_code_in_an_echo_reply_does_not_count() {
    let (request, mut host) = asked();
    refuse(&mut host, &changed(&reply(&request), 1, 5), Discard::Corrupt, Corrupt::Code);
}

// SEC-14; fault: other identifier
#[test]
fn another_identifier_is_another_process_and_no_news() {
    let (request, mut host) = asked();
    let other = changed(&reply(&request), 5, 0x1e);
    assert_eq!(host.take(THEM, &other), Err(Discard::Foreign));
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
}

// SEC-14; fault: sequence never sent
#[test]
fn a_sequence_that_was_never_sent_does_not_count() {
    let (request, mut host) = asked();
    let other = changed(&reply(&request), 7, 9);
    assert_eq!(host.take(THEM, &other), Err(Discard::Unasked));
    let unasked = stray(THEM, 9, 64, Straying::Unasked);
    assert_eq!(host.after(ms(1000)), [unasked, timed_out(1)]);
}

// SEC-14; fault: other source address
#[test]
fn an_answer_from_another_address_does_not_count_and_both_are_told() {
    let (request, mut host) = asked();
    assert_eq!(host.take(ROUTER, &reply(&request)), Err(Discard::Elsewhere));
    let elsewhere = stray(ROUTER, 1, 64, Straying::Elsewhere { asked: THEM });
    assert_eq!(host.after(ms(0)), [elsewhere]);
    host.take(THEM, &reply(&request)).unwrap();
    assert_eq!(host.after(ms(0)), [replied(1, ms(0))], "and the right one does");
}

// SEC-14, SEC-16; fault: next sequences forged by an off-path host
#[test]
fn next_sequences_forged_by_an_off_path_host_never_count() {
    let mut host = Host::new();
    let real: Vec<_> = (1..=3)
        .map(|sequence| {
            for next in sequence as u8..=5 {
                let forged = message((0, 0), [0x1d, 0x1d, 0, next], &DATA);
                assert_eq!(host.take(THEM, &forged), Err(Discard::Unasked));
            }
            let request = host.ping(sequence);
            for next in 1..=5 {
                let forged = message((0, 0), [0x1d, 0x1d, 0, next], &DATA);
                let asked = u16::from(next) <= sequence;
                let discard = if asked { Discard::Corrupt } else { Discard::Unasked };
                assert_eq!(host.take(THEM, &forged), Err(discard));
            }
            request
        })
        .collect();
    assert_eq!(ends(&host.after(ms(0))), []);
    for request in &real {
        host.take(THEM, &reply(request)).unwrap();
    }
    assert_eq!(ends(&host.after(ms(0))), [1, 2, 3].map(|n| replied(n, ms(0))));
}

// SEC-17
#[test]
fn a_reply_to_an_earlier_run_does_not_count() {
    let earlier = icmp::Config { secret: [8; 16], ..config() };
    let old = Host::with(earlier).ping(1);
    let (_, mut host) = asked();
    refuse(&mut host, &reply(&old), Discard::Corrupt, Corrupt::Data);
}

// ICMP-13, SEC-7; fault: source quench, redirect
#[test]
fn source_quench_and_redirect_change_nothing() {
    for (kind, discard) in
        [((4, 0), Discard::SourceQuench), ((5, 0), Discard::Redirect), ((5, 1), Discard::Redirect)]
    {
        let (request, mut host) = asked();
        for _ in 0..20 {
            let advice = message(kind, [10, 0, 0, 253], &packet(US, THEM, &request));
            assert_eq!(host.take(ROUTER, &advice), Err(discard));
        }
        assert_eq!(host.after(ms(10)), []);
        host.take(THEM, &reply(&request)).unwrap();
        assert_eq!(host.after(ms(0)), [replied(1, ms(10))]);
        assert_eq!(host.below.sent.len(), 1, "nor is any sent");
    }
}

// SEC-14
#[test]
fn a_reply_to_many_hosts_is_not_believed() {
    for cast in [Cast::Broadcast, Cast::Multicast] {
        let (request, mut host) = asked();
        let reply = Datagram { cast, ..datagram(THEM, &reply(&request), host.now) };
        assert_eq!(host.icmp.input(&reply, &mut host.below), Err(Discard::Broadcast));
        assert_eq!(host.after(ms(1000)), [timed_out(1)]);
    }
}

fn asked() -> (Vec<u8>, Host) {
    let mut host = Host::new();
    (host.ping(1), host)
}

/// `bad` is discarded and told of, and its echo waits on until it times out.
fn refuse(host: &mut Host, bad: &[u8], discard: Discard, corrupt: Corrupt) {
    assert_eq!(host.take(THEM, bad), Err(discard));
    let told = stray(THEM, 1, bad.len(), Straying::Corrupt(corrupt));
    assert_eq!(host.after(ms(0)), [told]);
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
}

fn ends(events: &[Event]) -> Vec<Event> {
    events.iter().filter(|event| matches!(event, Event::Ended(_))).copied().collect()
}
