//! What becomes of the interface while the socket is open.

use std::process::Command;

use libtest_mimic::Trial;
use macaddr::MacAddr6;

use sidestack_link::{
    Direction, Event, FrameIo, FrameTx, PacketSocket, SendError, Unsent, Wait, namespace::veth,
};

use crate::wire::{
    FAR, NEAR, PATIENCE, Tested, event, gather, lasts, pair, passes, payloads, send, test, wire,
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("without_a_carrier_frames_come_back_unsent_until_it_is_there", no_carrier),
        test("a_frame_lost_with_the_carrier_comes_back_unsent", carrier_lost),
        test("a_link_set_down_gives_frames_back_and_works_again_when_up", down),
        test("a_link_may_be_opened_before_it_is_up", opened_down),
        test("a_frame_longer_than_a_lowered_mtu_comes_back_and_the_next_is_refused", mtu_lowered),
        test("with_a_raised_mtu_longer_frames_pass", mtu_raised),
        test("a_new_address_of_the_interface_is_told_once", new_mac),
        test("a_deleted_interface_is_an_error_at_once_and_for_ever", deleted),
        test("an_interface_that_is_renamed_is_still_the_one_it_was", renamed),
        test("another_interface_of_the_same_name_must_be_opened_anew", same_name),
    ]
}

fn no_carrier() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.far.down("far0")?;
    assert_eq!(event(&mut near)?, Event::Down);
    for n in 0..3 {
        send(&mut near, &[n])?;
    }
    near.flush()?;
    let got = gather(&mut near, 3)?;
    assert_eq!(payloads(&got), [[0], [1], [2]]);
    assert!(got.iter().all(|got| got.facts.direction == Direction::Unsent(Unsent::NoCarrier)));
    net.far.up("far0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    assert_eq!(near.event(), None);
    passes(&mut near, &mut far)
}

fn carrier_lost() -> Tested {
    let (mut near, _far, net) = pair()?;
    net.far.down("far0")?;
    send(&mut near, b"too late")?; // before the socket has looked
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::NoCarrier));
    assert_eq!(payloads(&got), [b"too late"]);
    Ok(())
}

fn down() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.near.down("near0")?;
    send(&mut near, b"not now")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::Down));
    assert_eq!(payloads(&got), [b"not now"]);
    assert_eq!(near.stats().unsent, 1);
    assert_eq!(event(&mut near)?, Event::Down);
    assert_eq!(near.event(), None);
    lasts(&mut near)?;
    net.near.up("near0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    assert_eq!(near.event(), None);
    passes(&mut near, &mut far)
}

fn opened_down() -> Tested {
    let net = wire()?;
    net.near.down("near0")?;
    let mut near = net.near.run(|| PacketSocket::open("near0"))?;
    send(&mut near, b"not yet")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::Down));
    net.near.up("near0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    passes(&mut near, &mut far)
}

fn mtu_lowered() -> Tested {
    let (mut near, _far, net) = pair()?;
    send(&mut near, &[0; 1_500])?;
    net.near.set_mtu("near0", 1_000)?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::TooLong));
    assert_eq!(event(&mut near)?, Event::Mtu(1_000));
    assert_eq!(near.event(), None);
    assert_eq!(near.mtu(), 1_000);
    let refused = send(&mut near, &[0; 1_001]);
    assert_eq!(refused, Err(SendError::TooLong { len: 1_001, mtu: 1_000 }));
    Ok(())
}

fn mtu_raised() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.near.set_mtu("near0", 9_000)?;
    net.far.set_mtu("far0", 9_000)?;
    assert_eq!(event(&mut near)?, Event::Mtu(9_000));
    assert_eq!(event(&mut far)?, Event::Mtu(9_000));
    send(&mut near, &[7; 9_000])?;
    near.flush()?;
    assert_eq!(payloads(&gather(&mut far, 1)?), [[7; 9_000]]);
    Ok(())
}

fn new_mac() -> Tested {
    let (mut near, _far, net) = pair()?;
    let mac = MacAddr6::new(2, 0, 0, 0, 1, 1);
    net.near.set_mac("near0", mac)?;
    assert_eq!(event(&mut near)?, Event::Mac(mac));
    assert_eq!(near.event(), None);
    assert_eq!(near.mac(), mac);
    Ok(())
}

fn deleted() -> Tested {
    let (mut near, mut far, net) = pair()?;
    send(&mut near, b"too late")?;
    net.near.delete("near0")?;
    let flushed = near.flush();
    assert!(flushed.is_err_and(|error| error.to_string() == "interface near0 is gone"));
    let mut back = Vec::new();
    let now = near.now();
    let outcome = near.recv(now, &mut |frame, _| back.push(frame.direction()));
    assert!(outcome.is_err());
    assert_eq!(back, [Direction::Unsent(Unsent::Down)]);
    for _ in 0..3 {
        let now = near.now();
        assert!(near.recv(now, &mut |_, _| ()).is_err());
        assert!(near.flush().is_err());
    }
    // Its peer is gone with it, and waiting must end in the error, not in a loop.
    let mut waits = 0;
    loop {
        let now = far.now();
        if far.recv(now, &mut |_, _| ()).is_err() {
            return Ok(());
        }
        far.wait(Some(now + PATIENCE), None)?;
        waits += 1;
        assert!(waits < 10);
    }
}

fn same_name() -> Tested {
    let (mut old, _far, net) = pair()?;
    net.near.delete("near0")?;
    veth(&net.near, "near0", NEAR, &net.far, "far0", FAR)?;
    let mut near = net.near.run(|| PacketSocket::open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    passes(&mut near, &mut far)?;
    for _ in 0..3 {
        let _ = send(&mut old, b"is it me?"); // accepted or not, it cannot leave
        assert!(old.flush().is_err());
        let (now, mut heard) = (old.now(), 0);
        let is_received = |direction| direction == Direction::Received;
        let taken =
            old.recv(now, &mut |frame, _| heard += u32::from(is_received(frame.direction())));
        assert!(taken.is_err() && heard == 0);
        passes(&mut near, &mut far)?;
    }
    assert_eq!(old.stats().sent, 0);
    Ok(())
}

fn renamed() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.near.down("near0")?;
    assert_eq!(event(&mut near)?, Event::Down);
    let rename = ["link", "set", "dev", "near0", "name", "other0"];
    let done = net.near.run(|| Command::new("ip").args(rename).status())?;
    assert!(done.success());
    net.near.up("other0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    assert_eq!(near.event(), None);
    passes(&mut near, &mut far)?;
    send(&mut near, b"too late")?;
    net.near.delete("other0")?;
    assert!(near.flush().is_err());
    Ok(())
}
