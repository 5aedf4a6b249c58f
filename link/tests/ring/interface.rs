//! What becomes of the interface while the socket is open.

use libtest_mimic::Trial;

use sidestack_link::{Direction, Event, FrameIo, PacketSocket, Ring, Unsent, Wait};

use crate::wire::{PATIENCE, STEP, Tested, each, either, event, gather, pair, passes, send};

pub(crate) fn tests() -> Vec<Trial> {
    either([
        ("a_link_set_down_ends_no_wait_twice_and_works_again_when_up", down),
        ("a_deleted_interface_is_an_error_and_not_a_loop", deleted),
    ])
}

fn down(ring: Ring) -> Tested {
    let (mut near, mut far, net) = pair(ring)?;
    net.near.down("near0")?;
    send(&mut near, b"not now")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::Down));
    assert_eq!(event(&mut near)?, Event::Down);
    settles(&mut near)?;
    net.near.up("near0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    passes(&mut near, &mut far)
}

fn deleted(ring: Ring) -> Tested {
    let (mut near, _far, net) = pair(ring)?;
    net.far.delete("far0")?;
    for _ in 0..10 {
        let now = near.now();
        if near.recv(now, &mut |_, _| ()).is_err() {
            assert!(near.flush().is_err());
            return Ok(());
        }
        near.wait(Some(now + PATIENCE), None)?;
    }
    Err("ten waits ended without an error".into())
}

/// After a few waits that end early, one lasts.
fn settles(link: &mut PacketSocket) -> Tested {
    for _ in 0..10 {
        while each(link, &mut |_, _| ()) > 0 || link.event().is_some() {}
        let until = link.now() + STEP;
        link.wait(Some(until), None)?;
        if link.now() >= until {
            return Ok(());
        }
    }
    Err("every wait ends early".into())
}
