//! What happens to the link while we are on it.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use sidestack_stack::{
    What,
    icmp::{self, Echo, Outcome, Unsent},
    link::{Direction, Event, PacketSocket, Wait},
};

use crate::{
    net::{FAR, Host, Net, Tested, US, ask, ask_for, is_reply, live, next, station, test},
    raw,
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_link_that_was_down_ends_echoes_unsent_and_answers_again_on_the_same_socket", down),
        test("without_a_carrier_echoes_end_unsent_until_it_is_back", no_carrier),
        test("an_echo_to_a_stranger_ends_unsent_while_the_link_is_down", down_unresolved),
        test("a_deleted_interface_ends_in_an_error", deleted),
        test("a_new_mac_address_is_announced_and_used", renewed),
    ]
}

fn down() -> Tested {
    let net = Net::new()?;
    let mut host = known(&net)?;
    net.here.down("here0")?;
    outage(&mut host, Unsent::Down)?;
    net.here.up("here0")?;
    recovers(&net, &mut host)
}

fn no_carrier() -> Tested {
    let net = Net::new()?;
    let mut host = known(&net)?;
    net.far.down("far0")?;
    outage(&mut host, Unsent::NoCarrier)?;
    net.far.up("far0")?;
    recovers(&net, &mut host)
}

fn down_unresolved() -> Tested {
    let net = Net::new()?;
    let mut host = net.host(PacketSocket::options())?;
    net.here.down("here0")?;
    assert_eq!(ask(&mut host, FAR, 1)?, Outcome::Unsent(Unsent::Down));
    net.here.up("here0")?;
    recovers(&net, &mut host)
}

fn deleted() -> Tested {
    let net = Net::new()?;
    let mut host = known(&net)?;
    net.here.delete("here0")?;
    host.echo(host.link().now(), &Echo::new(FAR, 2, &[0; 56]))?;
    let gone = live(&mut host, None, |_| None::<()>).expect_err("the link is gone");
    assert_eq!(gone.message(), Some("interface here0 is gone"));
    let now = host.link().now();
    assert!(host.poll(now).is_err(), "and stays gone");
    Ok(())
}

fn renewed() -> Tested {
    let net = Net::new()?;
    let mut host = known(&net)?;
    let mac = station(0x51);
    net.here.set_mac("here0", mac)?;
    let told = next(&mut host, |event| match event.what {
        What::Link(Event::Mac(mac)) => Some(mac),
        _ => None,
    })?;
    assert_eq!(told, mac);
    assert!(is_reply(ask(&mut host, FAR, 2)?));
    assert_eq!(raw::ping(&net.far, US, b"there now?", &mut host)?.0, US);
    let last = host.link().went(Direction::Sent).last();
    assert_eq!(last.map(|frame| frame.src()), Some(mac));
    Ok(())
}

/// A host that has had one answer.
fn known(net: &Net) -> Result<Host, Failed> {
    let mut host = net.host(PacketSocket::options())?;
    assert!(is_reply(ask(&mut host, FAR, 1)?));
    Ok(host)
}

/// Two echoes end unsent for that reason, and the link is told to be down once.
fn outage(host: &mut Host, reason: Unsent) -> Tested {
    let mut downs = 0;
    for sequence in [2, 3] {
        host.echo(host.link().now(), &Echo::new(FAR, sequence, &[0; 56]))?;
        let outcome = next(host, |event| match event.what {
            What::Link(Event::Down) => {
                downs += 1;
                None
            }
            What::Link(other) => panic!("{other:?}"),
            What::Icmp(icmp::Event::Ended(ended)) => Some(ended),
            _ => None,
        })?;
        assert_eq!((outcome.sequence, outcome.outcome), (sequence, Outcome::Unsent(reason)));
    }
    assert_eq!(downs, 1);
    Ok(())
}

/// The link is told to be up, and both ways are as before.
fn recovers(net: &Net, host: &mut Host) -> Tested {
    next(host, |event| matches!(event.what, What::Link(Event::Up)).then_some(()))?;
    while !is_reply(again(host)?) {} // the far end may find out a moment later
    assert_eq!(raw::ping(&net.far, US, b"there again?", host)?.0, US);
    Ok(())
}

fn again(host: &mut Host) -> Result<Outcome, Failed> {
    let timeout = Duration::from_millis(200);
    ask_for(host, &Echo { timeout, ..Echo::new(FAR, 9, &[0; 56]) })
}
