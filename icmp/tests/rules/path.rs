//! What routers say of the path: too big, and a better first hop. Told where it is verified.

use std::net::Ipv4Addr;

use icmp::{Config, Discard, Echo, Event, Redirect, TooBig};
use sidestack_icmp as icmp;

use crate::host::{
    Host, ROUTER, THEM, US, changed, config, message, ms, packet, replied, reply, timed_out,
};

// PMTU-1, PMTU-4
#[test]
fn fragmentation_needed_about_an_echo_in_flight_tells_the_path_mtu() {
    for (rest, mtu) in [
        ([0, 0, 0x02, 0x58], Some(600)),
        ([0; 4], None),
        ([0, 0, 0, 67], Some(67)),
        ([0, 0, 0x05, 0xdb], Some(1499)),
    ] {
        let mut host = Host::new();
        let quoted = large(&mut host);
        host.take(ROUTER, &message((3, 4), rest, &quoted[..28])).unwrap();
        assert_eq!(too_big(&mut host), Some(TooBig { dst: THEM, mtu, quoted_len: 1500 }));
    }
}

// PMTU-1
#[test]
fn the_options_of_the_quoted_header_are_part_of_what_was_too_long() {
    for (words, mtu) in [(5_u8, 1496), (6, 1500), (15, 1500), (15, 1539)] {
        let mut host = Host::new();
        let mut quoted = large(&mut host);
        quoted[0] = 0x40 | words;
        quoted.splice(20..20, vec![1; usize::from(words) * 4 - 20]);
        let [high, low] = u16::to_be_bytes(mtu);
        host.take(ROUTER, &message((3, 4), [0, 0, high, low], &quoted)).unwrap();
        let quoted_len = 1480 + u16::from(words) * 4;
        assert_eq!(too_big(&mut host), Some(TooBig { dst: THEM, mtu: Some(mtu), quoted_len }));
    }
}

// PMTU-2
#[test]
fn an_mtu_that_the_datagram_would_have_fitted_is_told_but_tells_nothing_of_the_path() {
    for mtu in [1500_u16, 1501, 65_535] {
        let mut host = Host::new();
        let quoted = large(&mut host);
        let [high, low] = mtu.to_be_bytes();
        host.take(ROUTER, &message((3, 4), [0, 0, high, low], &quoted)).unwrap();
        assert_eq!(too_big(&mut host), None);
    }
}

// PMTU-4
#[test]
fn nothing_is_learned_of_the_path_from_a_quote_without_the_checksum_that_covers_the_cookie() {
    let mut host = Host::new();
    let mut quoted = large(&mut host);
    quoted[22] ^= 1;
    host.take(ROUTER, &message((3, 4), [0, 0, 2, 88], &quoted)).unwrap();
    assert_eq!(too_big(&mut host), None);
}

// PMTU-4
#[test]
fn a_foreign_quote_tells_nothing_of_the_path() {
    let mut host = Host::new();
    let quoted = large(&mut host);
    let foreign = packet(US, THEM, &changed(&quoted[20..], 5, 9));
    let error = message((3, 4), [0, 0, 2, 88], &foreign);
    assert_eq!(host.take(ROUTER, &error), Err(Discard::ForeignError));
    assert_eq!(host.after(ms(0)), []);
}

#[test]
fn other_errors_tell_nothing_of_the_path() {
    let mut host = Host::new();
    let quoted = large(&mut host);
    host.take(ROUTER, &message((3, 13), [0, 0, 2, 88], &quoted)).unwrap();
    assert_eq!(too_big(&mut host), None);
}

// SEC-7
#[test]
fn a_redirect_about_an_echo_in_flight_is_told_where_it_was_asked_for_and_ends_nothing() {
    for code in 0..=3 {
        let (request, mut host) = directed();
        let advice = message((5, code), BETTER.octets(), &packet(US, THEM, &request)[..28]);
        assert_eq!(host.take(ROUTER, &advice), Ok(()));
        let redirect = Redirect { from: ROUTER, dst: THEM, gateway: BETTER };
        assert_eq!(host.after(ms(0)), [Event::Redirect(redirect)]);
        host.take(THEM, &reply(&request)).unwrap();
        assert_eq!(host.after(ms(0)), [replied(1, ms(0))]);
    }
}

// SEC-7
#[test]
fn a_redirect_that_quotes_nothing_of_ours_is_refused() {
    let (request, mut host) = directed();
    let quotes = [
        (packet(THEM, THEM, &request), Discard::ForeignError),
        (packet(US, THEM, &changed(&request, 4, 0)), Discard::ForeignError),
        (packet(US, THEM, &changed(&request, 7, 9)), Discard::StaleError),
        (packet(US, THEM, &request)[..27].to_vec(), Discard::Quote),
        (Vec::new(), Discard::Quote),
    ];
    for (quoted, discard) in quotes {
        let advice = message((5, 1), BETTER.octets(), &quoted);
        assert_eq!(host.take(ROUTER, &advice), Err(discard));
    }
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
}

// SEC-7
#[test]
fn a_redirect_to_what_can_be_no_gateway_is_refused() {
    let (request, mut host) = directed();
    let quoted = packet(US, THEM, &request);
    let gateways = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.0.0.1"];
    for gateway in gateways.map(|gateway| gateway.parse().unwrap()).into_iter().chain([ROUTER]) {
        let advice = message((5, 1), gateway.octets(), &quoted);
        assert_eq!(host.take(ROUTER, &advice), Err(Discard::Gateway), "{gateway}");
    }
    let advice = message((5, 4), BETTER.octets(), &quoted);
    assert_eq!(host.take(ROUTER, &advice), Err(Discard::Gateway), "a code that none has");
    assert_eq!(host.after(ms(1000)), [timed_out(1)]);
}

/// Sends an echo that fills a packet of 1,500 octets, and returns the packet.
fn large(host: &mut Host) -> Vec<u8> {
    host.echo(&Echo::new(THEM, 1, &[7; 1472])).unwrap();
    packet(US, THEM, &host.below.sent[0].1)
}

fn too_big(host: &mut Host) -> Option<TooBig> {
    let [Event::Ended(ended)] = host.after(ms(0))[..] else { panic!("one end") };
    ended.too_big()
}

/// A request in flight, of a host that is told of redirects.
fn directed() -> (Vec<u8>, Host) {
    let mut host = Host::with(Config { redirects: true, ..config() });
    (host.ping(1), host)
}

const BETTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 253);
