//! Errors, delivered to the echo that caused them (RFC 1122 §3.2.2).

use std::time::Duration;

use icmp::{Discard, Echo, Error, Objects, Outcome};
use ipv4::Sent;
use sidestack_icmp as icmp;

use crate::host::{
    DATA, Host, ROUTER, THEM, US, changed, datagram, ended, message, ms, packet, replied, reply,
    timed_out,
};

// ICMP-18; fault: unreachable, time exceeded, parameter problem
#[test]
fn an_error_ends_the_echo_that_it_quotes_at_once() {
    let unreachable = (0..16).filter(|code| *code != 4).map(|code| (3, code));
    let kinds = unreachable.chain([(11, 0), (11, 1), (12, 0), (12, 1)]);
    for (icmp_type, code) in kinds {
        let mut host = Host::new();
        let request = host.ping(1);
        host.ping(2);
        host.now += ms(30);
        let quoted = packet(US, THEM, &request);
        host.take(ROUTER, &message((icmp_type, code), [0; 4], &quoted)).unwrap();
        let error = error((icmp_type, code), None, ms(30));
        assert_eq!(host.after(ms(0)), [ended(1, Outcome::Error(error))]);
        assert_eq!(host.icmp.in_flight(), 1, "the other goes on");
        assert_eq!(host.after(ms(970)), [timed_out(2)]);
    }
}

// PMTU-1
#[test]
fn fragmentation_needed_tells_the_next_hops_mtu_where_it_was_told() {
    for (rest, told) in
        [([0, 0, 0x05, 0xdc], Some(1500)), ([0, 0, 0, 68], Some(68)), ([0; 4], None)]
    {
        let mut host = Host::new();
        let quoted = packet(US, THEM, &host.ping(1));
        host.take(ROUTER, &message((3, 4), rest, &quoted)).unwrap();
        let too_big = told.is_none_or(|mtu| mtu < 84).then_some(84);
        let error = Error { too_big, ..error((3, 4), told, ms(0)) };
        assert_eq!(host.after(ms(0)), [ended(1, Outcome::Error(error))]);
    }
}

#[test]
fn other_errors_tell_no_mtu_whatever_stands_in_its_place() {
    let mut host = Host::new();
    let quoted = packet(US, THEM, &host.ping(1));
    host.take(ROUTER, &message((3, 1), [0, 0, 5, 0xdc], &quoted)).unwrap();
    let [icmp::Event::Ended(ended)] = host.after(ms(0))[..] else { panic!("one event") };
    assert!(matches!(ended.outcome, Outcome::Error(Error { mtu: None, .. })));
}

// TRC-1
#[test]
fn a_quote_that_routers_changed_on_the_way_is_matched_all_the_same() {
    let changes: [(usize, &[u8]); 7] = [
        (1, b"\xb8"),      // type of service
        (2, b"\x54\x00"),  // total length in the wrong order
        (2, b"\x00\x40"),  // total length without the header
        (4, b"\xff\xff"),  // identification
        (6, b"\x00\x00"),  // don't fragment
        (8, b"\x00"),      // hops left
        (10, b"\x12\x34"), // checksum
    ];
    for (at, change) in changes {
        let mut host = Host::new();
        let mut quoted = packet(US, THEM, &host.ping(1));
        quoted[at..at + change.len()].copy_from_slice(change);
        assert_eq!(host.take(ROUTER, &message((11, 0), [0; 4], &quoted)), Ok(()), "octet {at}");
    }
}

// TRC-2
#[test]
fn eight_quoted_octets_of_the_message_suffice_and_seven_do_not() {
    for (len, taken) in [(64, Ok(())), (9, Ok(())), (8, Ok(())), (7, Err(Discard::Quote))] {
        let mut host = Host::new();
        let quoted = packet(US, THEM, &host.ping(1));
        assert_eq!(host.take(ROUTER, &message((11, 0), [0; 4], &quoted[..20 + len])), taken);
    }
}

// TRC-3
#[test]
fn what_follows_the_quote_is_not_needed() {
    let mut host = Host::new();
    let mut quoted = packet(US, THEM, &host.ping(1));
    quoted.resize(128, 0);
    quoted.extend_from_slice(b"\x20\x00\xff\xff\x00\x08\x01\x01\x01\x86\xa1\x01"); // RFC 4950
    assert_eq!(host.take(ROUTER, &message((11, 0), [0, 32, 0, 0], &quoted)), Ok(()));
}

#[test]
fn options_in_the_quoted_header_are_stepped_over() {
    let mut host = Host::new();
    let mut quoted = packet(US, THEM, &host.ping(1));
    quoted[0] = 0x46;
    quoted.splice(20..20, [7, 4, 4, 0]);
    assert_eq!(host.take(ROUTER, &message((11, 0), [0; 4], &quoted)), Ok(()));
}

// TRC-2
#[test]
fn who_sends_an_error_does_not_matter() {
    for from in [ROUTER, THEM, US] {
        let mut host = Host::new();
        let quoted = packet(US, THEM, &host.ping(1));
        assert_eq!(host.take(from, &message((11, 0), [0; 4], &quoted)), Ok(()));
    }
}

// SEC-15; fault: error that quotes another host's datagram
#[test]
fn an_error_about_anything_that_is_not_ours_and_in_flight_is_ignored() {
    let mut host = Host::new();
    let request = host.ping(1);
    let mut udp = packet(US, THEM, &request);
    udp[9] = 17;
    let foreign = [
        packet(THEM, THEM, &request),               // another source
        packet(US, THEM, &changed(&request, 5, 9)), // another identifier
        packet(US, THEM, &reply(&request)),         // an answer
        packet(US, THEM, &changed(&request, 1, 1)), // a code
        udp,
    ];
    for quoted in foreign {
        let error = message((3, 1), [0; 4], &quoted);
        assert_eq!(host.take(ROUTER, &error), Err(Discard::ForeignError));
    }
    let never = packet(US, THEM, &changed(&request, 7, 9));
    assert_eq!(host.take(ROUTER, &message((3, 1), [0; 4], &never)), Err(Discard::StaleError));
    let elsewhere = packet(US, ROUTER, &request);
    assert_eq!(host.take(ROUTER, &message((3, 1), [0; 4], &elsewhere)), Err(Discard::StaleError));
    assert_eq!(host.after(ms(10)), []);
    host.take(THEM, &reply(&request)).unwrap();
    assert_eq!(host.after(ms(0)), [replied(1, ms(10))]);
}

#[test]
fn an_error_about_a_later_fragment_is_ignored() {
    let mut host = Host::new();
    let mut quoted = packet(US, THEM, &host.ping(1));
    quoted[6..8].copy_from_slice(&[0x20, 0x01]);
    let error = message((11, 1), [0; 4], &quoted);
    assert_eq!(host.take(ROUTER, &error), Err(Discard::Quote));
    assert_eq!(host.icmp.in_flight(), 1);
}

// SEC-15
#[test]
fn an_error_must_reach_the_address_that_the_echo_left_from() {
    let mut host = Host::new();
    let quoted = packet(US, THEM, &host.ping(1));
    let error = datagram(ROUTER, &message((11, 0), [0; 4], &quoted), host.now);
    let astray = ipv4::Datagram { dst: [10, 0, 0, 5].into(), ..error };
    assert_eq!(host.icmp.input(&astray, &mut host.below), Err(Discard::ForeignError));
    assert_eq!(host.icmp.in_flight(), 1);
}

#[test]
fn an_error_after_the_end_of_its_echo_ends_nothing_twice() {
    let mut host = Host::new();
    let request = host.ping(1);
    let error = message((11, 0), [0; 4], &packet(US, THEM, &request));
    host.take(THEM, &reply(&request)).unwrap();
    assert_eq!(host.take(ROUTER, &error), Err(Discard::StaleError));
    assert_eq!(host.after(ms(60_000)), [replied(1, ms(0))]);
}

#[test]
fn an_error_that_comes_after_the_wait_is_over_ends_nothing_although_nobody_polled() {
    let mut host = Host::new();
    let request = host.ping(1);
    host.now += ms(1500);
    let error = message((11, 0), [0; 4], &packet(US, THEM, &request));
    assert_eq!(host.take(ROUTER, &error), Err(Discard::StaleError));
    assert_eq!(host.after(ms(0)), [timed_out(1)]);
}

#[test]
fn an_error_about_what_has_not_left_is_not_believed() {
    let mut host = Host::new();
    host.below.next = Ok(Sent::Kept);
    let request = host.ping(1);
    let error = message((3, 1), [0; 4], &packet(US, THEM, &request));
    assert_eq!(host.take(ROUTER, &error), Err(Discard::StaleError));
    assert_eq!(host.icmp.in_flight(), 1);
}

// ICMP-2
#[test]
fn an_error_with_a_bad_checksum_is_discarded() {
    let mut host = Host::new();
    let mut error = message((3, 1), [0; 4], &packet(US, THEM, &host.ping(1)));
    error[3] ^= 1;
    assert_eq!(host.take(ROUTER, &error), Err(Discard::Checksum));
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
}

// ICMP-18; fault: unreachable, time exceeded, parameter problem
#[test]
fn each_of_many_echoes_has_its_own_error_and_the_run_goes_on() {
    let mut host = Host::new();
    for sequence in 1..=3 {
        let quoted = packet(US, THEM, &host.ping(sequence));
        host.take(ROUTER, &message((3, 13), [0; 4], &quoted)).unwrap();
        let [icmp::Event::Ended(ended)] = host.after(ms(1000))[..] else { panic!("one event") };
        assert_eq!(ended.sequence, sequence);
    }
    assert_eq!(host.echo(&Echo::new(THEM, 4, &DATA)), Ok(()));
}

fn error((icmp_type, code): (u8, u8), mtu: Option<u16>, round_trip: Duration) -> Error {
    let objects = Objects::default();
    Error { from: ROUTER, icmp_type, code, mtu, too_big: None, round_trip, objects }
}
