//! RTE-6: what is for many.

use std::{net::Ipv4Addr, time::Duration};

use libtest_mimic::Trial;

use sidestack_stack::{icmp::Echo, link::MacAddr6};

use crate::{
    far::Far,
    net::{Tested, US, test},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![test("what_is_for_many_leaves_to_their_hardware_address_and_nobody_is_asked", to_many)]
}

fn to_many() -> Tested {
    let mut far = Far::new()?;
    let group = |a, b, c| MacAddr6::new(0x01, 0, 0x5e, a, b, c);
    let all = MacAddr6::broadcast();
    for (sequence, (dst, to)) in (1..).zip([
        (Ipv4Addr::BROADCAST, all),
        (Ipv4Addr::new(10, 77, 0, 255), all),
        (Ipv4Addr::new(10, 77, 0, 0), all),
        (Ipv4Addr::new(224, 0, 0, 1), group(0, 0, 1)),
        (Ipv4Addr::new(239, 129, 2, 3), group(1, 2, 3)),
    ]) {
        far.host.echo(far.now(), &Echo::new(dst, sequence, &[0; 56]))?;
        let heard = far.hear_at_least(1)?;
        let [heard] = &heard[..] else { panic!("{dst}: {heard:?}") };
        let packet = heard.packet();
        let header = packet.header();
        assert_eq!((heard.dst, header.destination_addr()), (to, dst));
        assert_eq!(header.source_addr(), US);
    }
    far.pass(Duration::from_millis(1_100))?; // as long as ARP waits
    assert!(far.hear().is_empty(), "nor does anything follow");
    Ok(())
}
