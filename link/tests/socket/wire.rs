//! What the tests of the socket do with a wire, besides what those of the rings do.

use libtest_mimic::{Failed, Trial};
use macaddr::MacAddr6;

use sidestack_link::{Direction, FrameIo, PacketSocket, Source, Wait};

use crate::ends;
pub(crate) use crate::ends::{
    FAR, Got, NEAR, Net, PATIENCE, STEP, TYPE, Tested, each, event, gather, passes, payloads, send,
    wire,
};

/// A socket at either end, the near one as it is opened where nothing else is asked for.
pub(crate) fn pair() -> Result<(PacketSocket, PacketSocket, Net), Failed> {
    ends::pair(PacketSocket::options())
}

/// Returns once the kernel stamps what `to` receives: when the first socket asks for stamps, it
/// takes it a moment to begin.
pub(crate) fn warm_up(from: &mut PacketSocket, to: &mut PacketSocket) -> Tested {
    for _ in 0..1_000 {
        send(from, b"is it on?")?;
        from.flush()?;
        if gather(to, 1)?[0].facts.stamp.source == Source::Kernel {
            return Ok(());
        }
    }
    Err("the kernel stamps nothing".into())
}

/// Nothing is left that would end a wait before its time.
pub(crate) fn lasts(link: &mut PacketSocket) -> Tested {
    while each(link, &mut |_, _| ()) > 0 || link.event().is_some() {}
    let until = link.now() + STEP;
    link.wait(Some(until), None)?;
    assert!(link.now() >= until);
    Ok(())
}

pub(crate) fn received(mut got: Vec<Got>) -> Vec<Got> {
    got.retain(|got| got.facts.direction == Direction::Received);
    got
}

pub(crate) fn header(dst: MacAddr6, src: MacAddr6) -> Vec<u8> {
    [&dst.into_array()[..], &src.into_array(), &TYPE.0.to_be_bytes()].concat()
}

pub(crate) fn test(name: &str, run: fn() -> Tested) -> Trial {
    Trial::test(name, run)
}
