//! Every echo that is accepted ends in exactly one event, every echo refused in none.

use std::collections::HashMap;

use icmp::{Echo, Event, Outcome, Source};
use ipv4::{SendError, Sent};
use proptest::prelude::*;
use sidestack_icmp as icmp;

use crate::host::{Host, ROUTER, THEM, US, changed, message, ms, packet, reply};

#[derive(Clone, Debug)]
enum Act {
    /// To one of two hosts, with so many octets; kept, sent or refused below.
    Echo {
        to_router: bool,
        sequence: u16,
        len: usize,
        next: Result<Sent, SendError>,
    },
    /// The request sent so many before the last one left, or came back.
    Left(usize),
    Failed(usize),
    /// It was answered, rightly or with another octet somewhere.
    Reply(usize, Option<(usize, u8)>),
    Error(usize),
    Wait(u64),
    Poll,
}

fn act() -> impl Strategy<Value = Act> {
    let next = prop_oneof![
        4 => Just(Ok(Sent::Out)),
        2 => Just(Ok(Sent::Kept)),
        1 => Just(Err(SendError::NoRoute(THEM))),
    ];
    let which = 0_usize..6;
    let change = proptest::option::weighted(0.3, (0_usize..40, any::<u8>()));
    prop_oneof![
        5 => (any::<bool>(), 0_u16..4, 0_usize..20, next)
            .prop_map(|(to_router, sequence, len, next)| {
                Act::Echo { to_router, sequence, len, next }
            }),
        3 => which.clone().prop_map(Act::Left),
        1 => which.clone().prop_map(Act::Failed),
        3 => (which.clone(), change).prop_map(|(which, change)| Act::Reply(which, change)),
        1 => which.prop_map(Act::Error),
        3 => (0_u64..1500).prop_map(Act::Wait),
        2 => Just(Act::Poll),
    ]
}

proptest! {
    #[test]
    fn accepted_echoes_end_once_and_refused_ones_never(
        acts in proptest::collection::vec(act(), 0..80),
    ) {
        let mut host = Host::new();
        let mut accepted = HashMap::<_, u32>::new();
        let mut events = Vec::new();
        for act in acts {
            let asked = |host: &Host, which: usize| {
                let mut sent = host.below.sent.iter().rev().filter(|(_, m)| m[0] == 8);
                sent.nth(which).map(|(header, message)| (header.dst, message.clone()))
            };
            match act {
                Act::Echo { to_router, sequence, len, next } => {
                    let dst = if to_router { ROUTER } else { THEM };
                    host.below.next = next;
                    if host.echo(&Echo::new(dst, sequence, &vec![7; len])).is_ok() {
                        *accepted.entry((dst, sequence)).or_default() += 1;
                    }
                }
                Act::Left(which) => if let Some((dst, request)) = asked(&host, which) {
                    host.icmp.sent(&packet(US, dst, &request), host.now, Source::Kernel);
                },
                Act::Failed(which) => if let Some((dst, request)) = asked(&host, which) {
                    let _ = host.icmp.failed(&packet(US, dst, &request), Outcome::Replaced);
                },
                Act::Reply(which, change) => if let Some((dst, request)) = asked(&host, which) {
                    let answer = match change {
                        Some((at, octet)) => changed(&reply(&request), at % request.len(), octet),
                        None => reply(&request),
                    };
                    let _ = host.take(dst, &answer);
                },
                Act::Error(which) => if let Some((dst, request)) = asked(&host, which) {
                    let quote = packet(US, dst, &request);
                    let _ = host.take(ROUTER, &message((11, 0), [0; 4], &quote));
                },
                Act::Wait(pause) => host.now += ms(pause),
                Act::Poll => events.extend(host.after(ms(0))),
            }
        }
        let kept = host.icmp.in_flight();
        for (header, request) in host.below.sent.clone() {
            host.icmp.sent(&packet(US, header.dst, &request), host.now, Source::Kernel);
        }
        events.extend(host.after(ms(1000)));
        let left = (host.icmp.in_flight(), host.icmp.deadline());
        prop_assert_eq!(left, (0, None), "{} before", kept);
        let mut ended = HashMap::<_, u32>::new();
        for event in events {
            if let Event::Ended(event) = event {
                *ended.entry((event.dst, event.sequence)).or_default() += 1;
            }
        }
        prop_assert_eq!(accepted, ended);
    }
}
