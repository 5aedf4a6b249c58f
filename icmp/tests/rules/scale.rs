//! Very many: in flight, ended, forged.

use icmp::{Discard, Event, Outcome};
use sidestack_icmp as icmp;

use crate::host::{Host, THEM, changed, config, ms, replied, reply};

// SEC-14
#[test]
fn among_65_536_in_flight_each_reply_ends_its_own() {
    let mut host = Host::with(icmp::Config { remembered: 65_536, ..config() });
    host.icmp.reserve(65_536);
    for sequence in 0..=u16::MAX {
        host.ping(sequence);
    }
    assert_eq!((host.icmp.in_flight(), host.icmp.under_way()), (65_536, 65_536));
    let sent = std::mem::take(&mut host.below.sent);
    host.now += ms(1);
    for (_, request) in sent.iter().step_by(2) {
        host.take(THEM, &reply(request)).unwrap();
    }
    let events = host.after(ms(999));
    let replies = events.iter().filter(|event| {
        matches!(event, Event::Ended(ended)
        if matches!(ended.outcome, Outcome::Reply { .. }) && ended.sequence % 2 == 0)
    });
    let timed_out = events.iter().filter(|event| {
        matches!(event, Event::Ended(ended)
        if matches!(ended.outcome, Outcome::TimedOut { .. }) && ended.sequence % 2 == 1)
    });
    assert_eq!((replies.count(), timed_out.count(), events.len()), (32_768, 32_768, 65_536));
    assert_eq!(host.take(THEM, &reply(&sent[0].1)), Err(Discard::Duplicate));
    assert_eq!(host.take(THEM, &reply(&sent[1].1)), Err(Discard::Late));
}

// SEC-16
#[test]
fn as_many_ended_echoes_are_remembered_as_was_asked_for() {
    let mut host = Host::with(icmp::Config { remembered: 2, ..config() });
    let requests = [1, 2, 3].map(|sequence| host.ping(sequence));
    for request in &requests {
        host.take(THEM, &reply(request)).unwrap();
    }
    let discards = requests.map(|request| host.take(THEM, &reply(&request)).unwrap_err());
    assert_eq!(discards, [Discard::Unasked, Discard::Duplicate, Discard::Duplicate]);
}

// SEC-13
#[test]
fn a_flood_of_strays_that_nobody_fetches_is_told_up_to_1024_and_ends_no_echo() {
    let mut host = Host::new();
    let request = host.ping(1);
    for _ in 0..5000 {
        host.take(THEM, &changed(&reply(&request), 7, 9)).unwrap_err();
    }
    host.take(THEM, &reply(&request)).unwrap();
    let events = host.after(ms(0));
    assert_eq!((events.len(), events.last()), (1025, Some(&replied(1, ms(0)))));
}

// SEC-16
#[test]
fn a_run_that_uses_every_sequence_again_remembers_the_latest_of_each() {
    let mut host = Host::with(icmp::Config { remembered: 4, ..config() });
    for sequence in [0, 1, 2, 3, 0, 1, 2, 3, 0] {
        let request = host.ping(sequence);
        host.take(THEM, &reply(&request)).unwrap();
        host.after(ms(1));
        assert_eq!(host.take(THEM, &reply(&request)), Err(Discard::Duplicate), "{sequence}");
    }
}

#[test]
fn poll_times_out_one_echo_a_call_in_the_order_of_their_deadlines() {
    let mut host = Host::new();
    for sequence in 0..100 {
        host.ping(sequence);
        host.now += ms(1);
    }
    host.now += ms(1000);
    for sequence in 0..100 {
        assert_eq!(host.icmp.in_flight(), 100 - usize::from(sequence));
        assert_eq!(host.icmp.poll(host.now), Some(crate::host::timed_out(sequence)));
    }
    assert_eq!(host.icmp.poll(host.now), None);
}
