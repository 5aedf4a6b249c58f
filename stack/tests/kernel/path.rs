//! PMTU-2, PMTU-3, PMTU-4: what errors say of the path, and which of them.

use std::net::Ipv4Addr;

use etherparse::{Icmpv4Type, icmpv4::DestUnreachableHeader};
use libtest_mimic::{Failed, Trial};

use sidestack_stack::icmp::{Echo, Outcome};

use crate::{
    far::{Far, Heard, to_us},
    net::{PATIENCE, Tested, is_reply, station, test},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("no_error_raises_what_is_known_of_a_path_and_impossible_ones_say_nothing", raised),
        test("without_a_figure_the_next_plateau_is_believed", plateau),
        test("nobody_can_command_tiny_fragments", tiny),
        test("an_error_about_what_is_not_in_flight_says_nothing_of_a_path", foreign),
    ]
}

fn raised() -> Tested {
    let mut far = far()?;
    assert_eq!(told(&mut far, 1_472, 1, says::<600>)?, 600 - 28);
    let later = [says::<599>, says::<600>, says::<1_400>, says::<1_500>, says::<65_535>];
    for (sequence, says) in (2..).zip(later) {
        assert_eq!(told(&mut far, 572, sequence, says)?, 599 - 28);
    }
    Ok(())
}

fn plateau() -> Tested {
    let mut far = far()?;
    assert_eq!(told(&mut far, 1_400, 1, says::<0>)?, 1_006 - 28, "below 1,428");
    Ok(())
}

fn tiny() -> Tested {
    for says in [says::<67>, says::<68>, says::<100>] {
        let mut far = far()?;
        assert_eq!(told(&mut far, 1_400, 1, says)?, 552 - 28);
        far.hear();
        far.answer = |_| None;
        let echo = Echo { dont_fragment: false, ..Echo::new(BEYOND, 2, &[0x5a; 1_400]) };
        assert!(matches!(far.ask_for(&echo)?, Outcome::TimedOut { .. }));
        let lens: Vec<_> = far.hear().iter().map(|heard| heard.octets().len()).collect();
        assert_eq!(lens, [548, 548, 20 + 1_408 - 2 * 528]);
    }
    Ok(())
}

fn foreign() -> Tested {
    let mut far = far()?;
    far.answer = Heard::reply;
    assert!(matches!(ask(&mut far, 1_400, 1)?, Outcome::Reply { .. }));
    let heard = far.hear();
    let sent = heard.last().ok_or("nothing was sent")?;
    let mut to_another = sent.octets().to_vec();
    to_another[19] += 1;
    for quote in [sent.octets(), &to_another] {
        far.say(&too_long(quote, 600))?;
    }
    assert!(is_reply(far.ask(BEYOND, 2)?), "both were taken in before this");
    assert_eq!(max_data(&mut far), 1_472);
    Ok(())
}

/// A gateway, behind which nobody answers yet.
fn far() -> Result<Far, Failed> {
    let mut far = Far::new()?;
    far.host.add_gateway("0.0.0.0/0".parse()?, GATEWAY, 0);
    far.owners = vec![(GATEWAY, station(2))];
    Ok(far)
}

/// The data that fits the path after so much of it was too much.
fn told(
    far: &mut Far,
    len: usize,
    sequence: u16,
    says: fn(&Heard) -> Option<Vec<u8>>,
) -> Result<usize, Failed> {
    far.answer = says;
    let len = len.min(max_data(far));
    let outcome = ask(far, len, sequence)?;
    assert!(matches!(outcome, Outcome::Error(error) if error.code == 4), "{outcome:?}");
    Ok(max_data(far))
}

fn ask(far: &mut Far, len: usize, sequence: u16) -> Result<Outcome, Failed> {
    let data = vec![0x5a; len];
    far.ask_for(&Echo { timeout: PATIENCE / 2, ..Echo::new(BEYOND, sequence, &data) })
}

fn max_data(far: &mut Far) -> usize {
    let now = far.now();
    far.host.max_data(now, BEYOND)
}

fn says<const MTU: u16>(heard: &Heard) -> Option<Vec<u8>> {
    Some(too_long(heard.octets(), MTU))
}

/// The gateway's word that a packet is too long for its next link.
fn too_long(packet: &[u8], next_hop_mtu: u16) -> Vec<u8> {
    let error = DestUnreachableHeader::FragmentationNeeded { next_hop_mtu };
    to_us(GATEWAY, Icmpv4Type::DestinationUnreachable(error), &packet[..packet.len().min(548)])
}

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);
