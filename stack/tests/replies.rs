//! Replies under fault, on the network in memory: three requests to a station that
//! answers them wrongly; what counts, and what is said of the rest.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use sidestack_stack as stack;
use stack::{
    HostId, Lab, What,
    icmp::{self, Echo, Ended, Event, Outcome, Straying},
    link::{Direction, EtherType, FrameIo, FrameTx, memory::Port},
};

/// What came of a run: three requests were sent.
#[derive(Debug, Default, Eq, PartialEq)]
struct Tally {
    replies: u32,
    reordered: u32,
    errors: Vec<(Ipv4Addr, u8, u8, u16)>,
    timed_out: u32,
    duplicate: u32,
    late: u32,
    corrupt: u32,
    elsewhere: u32,
    unasked: u32,
}

#[test]
fn each_fault_is_counted_as_what_it_is_and_received_never_exceeds_sent() {
    let three = || Tally { replies: 3, ..Tally::default() };
    let none = || Tally { timed_out: 3, ..Tally::default() };
    let corrupt = || Tally { corrupt: 3, ..none() };
    let edited = |edit: fn(&mut Vec<u8>)| {
        run(move |request| {
            let mut answer = reply(request);
            edit(&mut answer.message);
            set_checksum(&mut answer.message);
            vec![answer]
        })
    };
    // fault: each reply doubled
    let doubled = run(|request| vec![reply(request), reply(request)]);
    assert_eq!(doubled, Tally { duplicate: 3, ..three() });
    // fault: late by 700 ms
    assert_eq!(run(|request| vec![reply(request).late(700)]), three());
    // fault: late by 1,500 ms
    assert_eq!(run(|request| vec![reply(request).late(1500)]), Tally { late: 3, ..none() });
    // fault: reordered
    let hold = |request: &[u8]| vec![reply(request).late(if request[7] == 1 { 700 } else { 0 })];
    assert_eq!(run_every(SECOND * 3 / 10, hold), Tally { reordered: 1, ..three() });
    assert_eq!(run(hold), three(), "a second apart, nothing overtakes");
    // fault: bad ICMP checksum
    let bad = run(|request| {
        let mut answer = reply(request);
        answer.message[2] ^= 1;
        vec![answer]
    });
    assert_eq!(bad, corrupt());
    // fault: last payload octet changed
    assert_eq!(edited(|message| *message.last_mut().unwrap() ^= 1), corrupt());
    // fault: other identifier
    assert_eq!(edited(|message| message[4] ^= 1), none());
    // fault: sequence never sent
    assert_eq!(edited(|message| message[6] ^= 1), Tally { unasked: 3, ..none() });
    // fault: other source address
    let other = run(|request| vec![Answer { src: STRANGER, ..reply(request) }]);
    assert_eq!(other, Tally { elsewhere: 3, ..none() });
    // fault: cut by 20
    assert_eq!(edited(|message| message.truncate(44)), corrupt());
    // fault: padded by 40
    assert_eq!(edited(|message| message.resize(104, 0)), corrupt());
    // fault: code 5 in an echo reply
    assert_eq!(edited(|message| message[1] = 5), corrupt());
}

// ICMP-18
#[test]
fn each_error_is_told_with_its_source_and_the_run_goes_on() {
    for (icmp_type, code) in [(3, 1), (3, 13), (11, 0), (12, 0)] {
        let tally = run(|request| vec![error((icmp_type, code), US, request)]);
        let errors = [1, 2, 3].map(|sequence| (STRANGER, icmp_type, code, sequence)).to_vec();
        assert_eq!(tally, Tally { errors, ..Tally::default() });
    }
}

// ICMP-13, SEC-7, SEC-15
#[test]
fn advice_and_errors_about_others_change_nothing() {
    for kind in [(4, 0), (5, 1)] {
        let advised = run(|request| vec![error(kind, US, request), reply(request)]);
        assert_eq!(advised, Tally { replies: 3, ..Tally::default() });
    }
    let foreign = run(|request| vec![error((3, 1), STRANGER, request), reply(request)]);
    assert_eq!(foreign, Tally { replies: 3, ..Tally::default() });
}

// SEC-14, SEC-16
#[test]
fn replies_that_are_forged_ahead_by_who_did_not_see_the_request_count_for_nothing() {
    let forged = run(|request| {
        let ahead = (1..=3).map(|more| {
            let mut answer = reply(request);
            answer.message[7] += more;
            answer.message[8..16].fill(0); // they cannot know the cookie
            set_checksum(&mut answer.message);
            answer
        });
        ahead.chain([reply(request)]).collect()
    });
    assert_eq!(forged, Tally { replies: 3, unasked: 9, ..Tally::default() });
}

struct Answer {
    src: Ipv4Addr,
    message: Vec<u8>,
    after: Duration,
}

impl Answer {
    fn late(self, ms: u64) -> Self {
        Self { after: Duration::from_millis(ms), ..self }
    }

    fn packet(&self) -> Vec<u8> {
        packet(self.src, US, &self.message)
    }
}

/// The right answer to an echo request.
fn reply(request: &[u8]) -> Answer {
    let mut message = request.to_vec();
    message[0] = 0;
    set_checksum(&mut message);
    Answer { src: THEM, message, after: Duration::ZERO }
}

/// An error about that echo request of `src`, from somebody on the way.
fn error((icmp_type, code): (u8, u8), src: Ipv4Addr, request: &[u8]) -> Answer {
    let quote = packet(src, THEM, request);
    let mut message = [&[icmp_type, code, 0, 0, 10, 0, 0, 3], &quote[..28]].concat();
    set_checksum(&mut message);
    Answer { src: STRANGER, message, after: Duration::ZERO }
}

fn packet(src: Ipv4Addr, dst: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let len = (20 + message.len() as u16).to_be_bytes();
    let mut header = vec![0x45, 0, len[0], len[1], 0, 0, 0x40, 0, 64, 1, 0, 0];
    header.extend([src.octets(), dst.octets()].concat());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum);
    [&header[..], message].concat()
}

fn set_checksum(message: &mut [u8]) {
    message[2..4].fill(0);
    let sum = checksum(message);
    message[2..4].copy_from_slice(&sum);
}

fn checksum(octets: &[u8]) -> [u8; 2] {
    let words = octets.chunks(2).map(|w| u32::from(w[0]) << 8 | w.get(1).map_or(0, |&w| w.into()));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!sum as u16).to_be_bytes()
}

fn run(answers: impl FnMut(&[u8]) -> Vec<Answer>) -> Tally {
    run_every(SECOND, answers)
}

/// Three requests to a station that answers each by `answers`; and ten seconds to see the end.
fn run_every(interval: Duration, mut answers: impl FnMut(&[u8]) -> Vec<Answer>) -> Tally {
    let mut lab = Lab::new();
    let wire = lab.network();
    let us = lab.host(wire, "10.0.0.1/24".parse().unwrap(), None);
    let mut them = lab.plug(wire, THEM);
    let start = lab.now();
    lab.stack(us).pin(start, THEM, them.mac());
    let mac = lab.stack(us).link().mac();
    let mut waiting: Vec<(Instant, Vec<u8>)> = Vec::new();
    let mut asks = (1..=3).map(|n| (start + interval * (n - 1), n as u16)).peekable();
    let mut tally = Tally::default();
    loop {
        while let Some((_, sequence)) = asks.next_if(|(at, _)| *at <= lab.now()) {
            let now = lab.now();
            lab.stack(us).echo(now, &Echo::new(THEM, sequence, &[0x5a; 56])).unwrap();
        }
        for (at, packet) in answered(&mut them, lab.now(), &mut answers) {
            waiting.push((at, packet));
        }
        for (_, packet) in waiting.extract_if(.., |(at, _)| *at <= lab.now()) {
            let write = &mut |out: &mut [u8]| out.copy_from_slice(&packet);
            them.send(mac, EtherType::IPV4, packet.len(), write).unwrap();
        }
        them.flush().unwrap();
        count(&mut lab, us, &mut tally);
        let due = waiting.iter().map(|(at, _)| *at).chain(asks.peek().map(|(at, _)| *at)).min();
        if lab.now() >= start + SECOND * 10 {
            return tally;
        }
        lab.step(Some(due.unwrap_or(start + SECOND * 10))).unwrap();
    }
}

/// Takes in what reached the station, and returns when to send what.
fn answered(
    them: &mut Port,
    now: Instant,
    answers: &mut impl FnMut(&[u8]) -> Vec<Answer>,
) -> Vec<(Instant, Vec<u8>)> {
    let mut packets = Vec::new();
    them.recv(now, &mut |frame, _| {
        let ours = frame.direction() == Direction::Received
            && frame.ether_type() == EtherType::IPV4
            && frame.payload()[20] == 8;
        if ours {
            let answers = answers(&frame.payload()[20..]);
            packets.extend(answers.iter().map(|answer| (now + answer.after, answer.packet())));
        }
    })
    .unwrap();
    packets
}

fn count(lab: &mut Lab, us: HostId, tally: &mut Tally) {
    while let Some(event) = lab.stack(us).event() {
        let What::Icmp(event) = event.what else { continue };
        match event {
            Event::Ended(Ended { sequence, outcome, dst: THEM }) => match outcome {
                Outcome::Reply { reordered, .. } => {
                    tally.replies += 1;
                    tally.reordered += u32::from(reordered);
                }
                Outcome::Error(icmp::Error { from, icmp_type, code, .. }) => {
                    tally.errors.push((from, icmp_type, code, sequence));
                }
                Outcome::TimedOut { .. } => tally.timed_out += 1,
                other => panic!("{other:?}"),
            },
            Event::Stray(stray) => match stray.straying {
                Straying::Duplicate { .. } => tally.duplicate += 1,
                Straying::Late { .. } => tally.late += 1,
                Straying::Corrupt(_) => tally.corrupt += 1,
                Straying::Elsewhere { asked: THEM } => tally.elsewhere += 1,
                Straying::Unasked => tally.unasked += 1,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const THEM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 77);
const SECOND: Duration = Duration::from_secs(1);
