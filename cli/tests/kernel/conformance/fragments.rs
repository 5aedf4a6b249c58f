//! Reassembly and fragmentation.

use std::net::Ipv4Addr;

use link::MacAddr6;

use super::{
    Row,
    packet::{Arp, Got, HOST, Ip, echo},
    wire::Wire,
};

pub(crate) const ROWS: &[Row] = &[
    ("FRG-1_fragments_arrive_in_any_order", orders),
    ("FRG-1_time_to_live_service_and_options_may_differ", differing),
    ("FRG-2_up_to_65507_octets_are_echoed_in_full", sizes),
    ("FRG-3_a_hole_is_never_papered_over", hole),
    ("FRG-4_exact_duplicates_are_harmless", duplicates),
    ("FRG-5_fragments_of_eight_octets_are_legal", tiny),
    ("FRG-6_odd_and_empty_fragments_complete_nothing", odd),
    ("FRG-7_datagrams_that_cross_are_kept_apart", crossing),
    ("FRG-7_an_identification_can_be_used_again", again),
    ("FRG-8_fragments_that_must_not_be_fragmented_are_tolerated", unfragmentable),
    ("FRG-10_ETH-8_replies_leave_in_multiples_of_8_octets_and_1514_a_frame", cut),
    ("FRG-11_one_error_for_a_datagram_however_many_fragments", one_error),
    ("SEC-4_any_overlap_kills_the_datagram", overlaps),
    ("SEC-5_incomplete_datagrams_starve_nobody", exhaustion),
    ("SEC-6_nothing_ends_beyond_65535", beyond),
];

fn orders(wire: &mut Wire) {
    let parts = Ip::echo(1, 1200).fragments(&[0, 304, 608, 904]);
    for (id, order) in (0x2000..).zip(permutations(4)) {
        let frames = order.iter().map(|&n| Ip { id, ..parts[n].clone() }.frame());
        let heard = wire.echoed(&frames.collect::<Vec<_>>());
        assert_eq!(heard.len(), 1, "{order:?}");
        assert_eq!(heard[0].message()[4..], echo(1, 1200)[4..], "{order:?}");
    }
}

fn differing(wire: &mut Wire) {
    let mut parts = Ip::echo(1, 1000).fragments(&[0, 504]);
    parts[0].options = vec![1, 1, 1, 1];
    parts[1].ttl = 9;
    parts[1].tos = 0x20;
    assert_eq!(wire.echoed(&frames(&parts)).len(), 1);
}

fn sizes(wire: &mut Wire) {
    for (id, len) in (0x3000..).zip([548, 1472, 1473, 4000, 2000, 9000, 65_507]) {
        let request = Ip { id, ..Ip::echo(5, len) };
        let starts: Vec<usize> = (0..len + 8).step_by(1480).collect();
        let heard = wire.echoed(&frames(&request.fragments(&starts)));
        assert_eq!(reassembled(&heard)[4..], echo(5, len)[4..], "{len}");
    }
}

fn hole(wire: &mut Wire) {
    let mut parts = Ip::echo(1, 1200).fragments(&[0, 400, 800]);
    parts.remove(1);
    wire.silence(frames(&parts));
}

fn duplicates(wire: &mut Wire) {
    let parts = Ip::echo(1, 1200).fragments(&[0, 400, 800]);
    let twice = [0, 1, 1, 2].map(|n| parts[n].clone());
    assert_eq!(wire.echoed(&frames(&twice)).len(), 1);
}

fn tiny(wire: &mut Wire) {
    let first = Ip { id: 1, ..Ip::echo(1, 100) }.fragments(&[0, 8]);
    assert_eq!(wire.echoed(&frames(&first)).len(), 1);
    let starts: Vec<usize> = (0..512).step_by(8).collect();
    let many = Ip { id: 2, ..Ip::echo(1, 504) }.fragments(&starts);
    assert_eq!(wire.echoed(&frames(&many)).len(), 1);
}

fn odd(wire: &mut Wire) {
    let request = Ip::echo(1, 40);
    let mut parts = request.fragments(&[0, 24]);
    parts[0].payload.truncate(13);
    let thirteen = Ip { payload: request.payload[13..].to_vec(), ..parts[1].clone() };
    wire.silence([parts[0].frame(), thirteen.frame()]);
    let empty = |fragment| Ip { id: 9, fragment, payload: Vec::new(), ..request.clone() };
    wire.silence([empty(0x2000).frame(), empty(0x2001).frame(), empty(1).frame()]);
}

fn crossing(wire: &mut Wire) {
    let other = Ipv4Addr::new(10, 77, 0, 60);
    let sha = MacAddr6::new(2, 0, 0, 0, 1, 60);
    wire.exchange([Arp { spa: other, sha, ..Arp::request(HOST) }.broadcast()]);
    let ours = Ip::echo(1, 1000).fragments(&[0, 504]);
    let theirs = Ip { src: other, ..Ip::echo(2, 1000) }.fragments(&[0, 504]);
    let also = Ip { protocol: 17, ..Ip::echo(3, 1000) }.fragments(&[0, 504]);
    let mixed = [&ours[0], &theirs[0], &also[0], &ours[1], &theirs[1]].map(Clone::clone);
    let heard = wire.echoed(&frames(&mixed));
    let echoed: Vec<(Ipv4Addr, u8)> =
        heard.iter().map(|got| (got.addr(16), got.message()[7])).collect();
    assert_eq!(echoed, [(ours[0].src, 1), (other, 2)]);
}

fn again(wire: &mut Wire) {
    let parts = Ip::echo(1, 1000).fragments(&[0, 504]);
    for _ in 0..3 {
        assert_eq!(wire.echoed(&frames(&parts)).len(), 1);
    }
}

fn unfragmentable(wire: &mut Wire) {
    let mut parts = Ip::echo(1, 1000).fragments(&[0, 504]);
    parts.iter_mut().for_each(|part| part.fragment |= 0x4000);
    assert!(wire.echoed(&frames(&parts)).len() <= 1);
}

fn cut(wire: &mut Wire) {
    let request = Ip { id: 0x3000, ..Ip::echo(1, 4000) };
    let parts: Vec<_> = request.fragments(&[0, 1480, 2960]).iter().map(Ip::frame).collect();
    let heard = wire.echoed(&parts);
    let said = |got: &Got| (u16::from_be_bytes([got.payload[6], got.payload[7]]), got.ip().len());
    // Flags and offset in units of 8, and the packet's length.
    let said: Vec<_> = heard.iter().map(said).collect();
    assert_eq!(said, [(0x2000, 1500), (0x2000 | 185, 1500), (370, 20 + 4008 - 2960)]);
    assert!(heard.iter().all(|got| got.payload.len() <= 1500), "{heard:02x?}");
}

fn one_error(wire: &mut Wire) {
    let parts = Ip { protocol: 253, ..Ip::echo(1, 1200) }.fragments(&[0, 400, 800]);
    let heard = wire.echoed(&frames(&parts));
    assert!(heard.len() <= 1 && heard.iter().all(|got| got.icmp() == (3, 2)), "{heard:?}");
}

fn overlaps(wire: &mut Wire) {
    let data = echo(1, 232); // 240 octets: three times 80
    let base = Ip::echo(1, 232);
    let part = |id: u16, from: usize, to: usize| {
        let more = u16::from(to < 240) << 13;
        let payload = data[from..to].to_vec();
        Ip { id, fragment: more | (from / 8) as u16, payload, ..base.clone() }.frame()
    };
    let shapes: [&[(usize, usize)]; 9] = [
        &[(0, 80), (72, 160), (160, 240)],
        &[(0, 88), (80, 160), (160, 240)],
        &[(0, 80), (0, 160), (160, 240)],
        &[(0, 160), (0, 80), (160, 240)],
        &[(0, 80), (40, 72), (80, 160), (160, 240)],
        &[(0, 80), (80, 160), (152, 240)],
        &[(160, 240), (152, 168), (0, 80), (80, 160)],
        &[(80, 160), (0, 240), (0, 80)],
        &[(80, 160), (72, 168), (0, 80), (160, 240)],
    ];
    for (id, shape) in (0x7000..).zip(shapes) {
        let sent: Vec<_> = shape.iter().map(|&(from, to)| part(id, from, to)).collect();
        let heard = wire.echoed(&sent);
        // Before the overlap came, it may have been complete.
        let whole = matches!(shape, [_, (0, 240), ..]);
        assert!(heard.is_empty() || whole, "{shape:?}: {heard:02x?}");
    }
}

fn exhaustion(wire: &mut Wire) {
    let parts = Ip::echo(1, 1000).fragments(&[0, 504]);
    for id in 0..2_000 {
        wire.send(
            &Ip { id, src: Ipv4Addr::new(10, 77, 0, 90 + (id % 8) as u8), ..parts[0].clone() }
                .frame(),
        );
    }
    assert_eq!(wire.answer(&Ip::echo(9, 8).frame()).icmp(), (0, 0));
    let mine: Vec<Ip> = parts.iter().map(|part| Ip { id: 0x9999, ..part.clone() }).collect();
    assert_eq!(wire.echoed(&frames(&mine)).len(), 1);
}

fn beyond(wire: &mut Wire) {
    let request = Ip::echo(1, 1400);
    let last = |at: usize, len: usize, more: u16| Ip {
        fragment: more << 13 | (at / 8) as u16,
        payload: vec![0; len],
        ..request.clone()
    };
    wire.silence(
        [last(65_528, 16, 0), last(65_528, 8, 1), last(65_512, 1400, 0)].map(|ip| ip.frame()),
    );
}

/// The message of a datagram whose fragments came in order, each of which is well cut.
fn reassembled(heard: &[Got]) -> Vec<u8> {
    let mut message = Vec::new();
    for (n, got) in heard.iter().enumerate() {
        let fragment = u16::from_be_bytes([got.payload[6], got.payload[7]]);
        let more = n + 1 < heard.len();
        assert_eq!(usize::from(fragment & 0x1fff) * 8, message.len());
        assert_eq!(fragment & 0x2000 != 0, more);
        assert!(!more || got.message().len() % 8 == 0);
        message.extend_from_slice(got.message());
    }
    assert_eq!(super::packet::checksum(&message), 0);
    message
}

fn frames(parts: &[Ip]) -> Vec<Vec<u8>> {
    parts.iter().map(Ip::frame).collect()
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    let with = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, n - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..n).map(move |at| with(order, at))).collect()
}
