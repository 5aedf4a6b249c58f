//! Inside a VLAN. Kernels without VLAN interfaces are common, so both ends are ours.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use sidestack_stack::{
    Config, Stack, What,
    icmp::{self, Echo, Outcome},
    link::{Frame, FrameIo, PacketSocket, Tag, Tagged, Wait},
};

use crate::net::{FAR, Net, PATIENCE, Tested, config, test};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("two_hosts_in_one_vlan_hear_each_other_through_tagged_frames", together),
        test("hosts_in_different_vlans_do_not_hear_each_other", apart),
    ]
}

fn together() -> Tested {
    let (outcome, tags) = between(42, 42)?;
    assert!(matches!(outcome, Outcome::Reply { len: 1_480, .. }), "{outcome:?}");
    assert_eq!(tags.len(), 2, "a question and an echo of 1,500 octets in full");
    assert!(tags.iter().all(|tags| *tags == [Tag::new(42, 5)]));
    Ok(())
}

fn apart() -> Tested {
    let (outcome, tags) = between(42, 43)?;
    assert_eq!(outcome, Outcome::Unresolved { requests: 1 });
    assert!(tags.iter().all(|tags| *tags == [Tag::new(42, 5)]));
    Ok(())
}

/// What comes of an echo from one VLAN to another, and the tags that the far end saw coming.
fn between(ours: u16, theirs: u16) -> Result<(Outcome, Vec<Vec<Tag>>), Failed> {
    let net = Net::bare()?;
    let tagged = || PacketSocket::options().tagged(true);
    let here = net.here.run(|| tagged().open("here0"))?;
    let far = net.far.run(|| tagged().open("far0"))?;
    let mut watcher = net.far.run(|| PacketSocket::open("far0"))?;
    let mut config = config()?;
    config.arp.requests = 1;
    let mut here = Stack::new(Tagged::new(here, vec![Tag::new(ours, 5)]), config);
    let network = "10.77.0.1/24".parse()?;
    let mut far =
        Stack::new(Tagged::new(far, vec![Tag::new(theirs, 0)]), Config { network, ..config });
    here.echo(here.link().now(), &Echo::new(FAR, 1, &[0; 1_472]))?;
    let end = here.link().now() + PATIENCE;
    let outcome = loop {
        let now = here.link().now();
        here.poll(now)?;
        far.poll(now)?;
        if let Some(ended) = ended(&mut here) {
            break ended;
        }
        if now > end {
            return Err("the echo never ends".into());
        }
        here.link_mut().wait(Some(now + STEP), None)?;
    };
    let mut tags = Vec::new();
    let now = watcher.now();
    while watcher.recv(now, &mut |frame: Frame<'_>, _| tags.push(frame.tags().collect()))? > 0 {}
    Ok((outcome, tags))
}

fn ended<L: FrameIo>(stack: &mut Stack<L>) -> Option<Outcome> {
    while let Some(event) = stack.event() {
        if let What::Icmp(icmp::Event::Ended(ended)) = event.what {
            return Some(ended.outcome);
        }
    }
    None
}

/// How long one end may keep the other waiting.
const STEP: Duration = Duration::from_millis(2);
