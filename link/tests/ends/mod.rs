//! Two kernels at the ends of a wire, and what the tests do with them.

mod gather;

use std::time::Duration;

use etherparse::EtherType;
use libtest_mimic::Failed;
use macaddr::MacAddr6;

use sidestack_link::{
    Direction, Event, Frame, FrameIo, FrameTx, Options, PacketSocket, SendError, Wait,
    namespace::{Namespace, veth},
};

pub(crate) use self::gather::{Got, PATIENCE};

pub(crate) struct Net {
    pub(crate) near: Namespace,
    pub(crate) far: Namespace,
}

pub(crate) fn wire() -> Result<Net, Failed> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR, &far, "far0", FAR)?;
    Ok(Net { near, far })
}

/// A socket at either end, the near one with these options.
pub(crate) fn pair(near: Options) -> Result<(PacketSocket, PacketSocket, Net), Failed> {
    let net = wire()?;
    let near = net.near.run(|| near.open("near0"))?;
    let far = net.far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    Ok((near, far, net))
}

/// Queues a frame to everybody.
pub(crate) fn send(link: &mut PacketSocket, payload: &[u8]) -> Result<(), SendError> {
    link.send(MacAddr6::broadcast(), TYPE, payload.len(), &mut |slot| slot.copy_from_slice(payload))
}

/// What comes up in one call of `recv`.
pub(crate) fn each(
    link: &mut PacketSocket,
    each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
) -> usize {
    let now = link.now();
    link.recv(now, each).expect("the link is there")
}

/// The next `count` frames, exactly.
pub(crate) fn gather(link: &mut PacketSocket, count: usize) -> Result<Vec<Got>, Failed> {
    let got = gather::gather(link, count, |_| true);
    got.map_err(|failed| format!("{}: {:?}", failed.message().unwrap_or("?"), link.stats()).into())
}

/// The next event.
pub(crate) fn event(link: &mut PacketSocket) -> Result<Event, Failed> {
    let end = link.now() + PATIENCE;
    while link.now() < end {
        if let Some(event) = link.event() {
            return Ok(event);
        }
        link.wait(Some(end), None)?;
        each(link, &mut |_, _| ());
    }
    Err("no event".into())
}

/// Frames pass both ways, as soon as both ends have found out that they may.
pub(crate) fn passes(near: &mut PacketSocket, far: &mut PacketSocket) -> Tested {
    reaches(near, far)?;
    reaches(far, near)
}

fn reaches(from: &mut PacketSocket, to: &mut PacketSocket) -> Tested {
    let end = from.now() + PATIENCE;
    while from.now() < end {
        send(from, b"anybody")?;
        from.flush()?;
        each(from, &mut |_, _| ());
        to.wait(Some(to.now() + STEP), None)?;
        let mut heard = false;
        each(to, &mut |frame, _| heard |= frame.direction() == Direction::Received);
        if heard {
            return Ok(());
        }
    }
    Err("no frame passes".into())
}

pub(crate) fn payloads(got: &[Got]) -> Vec<Vec<u8>> {
    got.iter().map(|got| got.octets[14..].to_vec()).collect()
}

pub(crate) type Tested = Result<(), Failed>;

/// An EtherType that no kernel answers.
pub(crate) const TYPE: EtherType = EtherType(0x0801);

pub(crate) const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
pub(crate) const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// Long enough for a wait that should not end to be seen ending.
pub(crate) const STEP: Duration = Duration::from_millis(20);
