//! A socket that a second thread sends by as well.

use std::collections::BTreeMap;

use libtest_mimic::{Failed, Trial};
use macaddr::MacAddr6;

use sidestack_link::{
    Direction, Filter, FrameIo, FrameTx, Helped, Link, PacketSocket, Ring, Unsent,
};

use crate::wire::{Net, PATIENCE, TYPE, Tested, test, wire};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("by_two_threads_each_frame_leaves_once", all_leave),
        test("what_two_threads_could_not_send_comes_back_once", cut_off),
        test("what_is_too_long_once_a_thread_would_send_it_comes_back", too_long),
    ]
}

fn all_leave() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    let (mut heard, mut back) = (Got::new(), Got::new());
    for burst in 0..BURSTS {
        write(&mut near, burst, SHORT)?;
        recv(&mut near, DOWN, &mut back)?;
    }
    gather(&mut far, Direction::Received, &mut heard, ALL)?;
    assert!(heard.keys().copied().eq(0..ALL) && heard.values().all(|times| *times == 1));
    assert_eq!((far.dropped(), back.len()), (0, 0));
    Ok(())
}

/// The first half finds the link up, the second finds it down.
fn cut_off() -> Tested {
    let (mut near, mut far, net) = pair()?;
    let (mut heard, mut back) = (Got::new(), Got::new());
    for burst in 0..BURSTS {
        if burst == BURSTS / 2 {
            gather(&mut far, Direction::Received, &mut heard, ALL / 2)?;
            net.near.down("near0")?;
        }
        write(&mut near, burst, SHORT)?;
        recv(&mut near, DOWN, &mut back)?;
    }
    gather(&mut near, DOWN, &mut back, ALL / 2)?;
    assert!(heard.keys().chain(back.keys()).copied().eq(0..ALL));
    assert!(heard.values().chain(back.values()).all(|times| *times == 1));
    Ok(())
}

fn too_long() -> Tested {
    let (mut near, mut far, net) = pair()?;
    let (mut heard, mut back) = (Got::new(), Got::new());
    for burst in 0..BURSTS {
        write(&mut near, burst, SHORT)?;
    }
    gather(&mut far, Direction::Received, &mut heard, ALL)?;
    queue(&mut near, 0, LONG)?;
    net.near.set_mtu("near0", LONG as u32 - 1)?;
    near.flush()?;
    gather(&mut near, Direction::Unsent(Unsent::TooLong), &mut back, BURST)?;
    assert!(back.keys().copied().eq(0..BURST) && back.values().all(|times| *times == 1));
    Ok(())
}

/// A wire with a second thread at its near end, and with room for all at its far end.
fn pair() -> Result<(Helped, PacketSocket, Net), Failed> {
    let net = wire()?;
    let options = || PacketSocket::options().stamps(false);
    let near = net.near.run(|| options().open("near0"))?;
    let other = net.near.run(|| options().filter(Filter::none()).open("near0"))?;
    let far = options().ring(Ring::V2 { octets: 8 << 20 });
    let far = net.far.run(|| far.open("far0"))?;
    Ok((Helped::new(near, other), far, net))
}

/// A burst of frames, each with its number.
fn queue(link: &mut Helped, burst: u32, len: usize) -> Tested {
    for number in burst * BURST..(burst + 1) * BURST {
        link.send(MacAddr6::broadcast(), TYPE, len, &mut |payload| {
            payload[..4].copy_from_slice(&number.to_be_bytes());
        })?;
    }
    Ok(())
}

fn write(link: &mut Helped, burst: u32, len: usize) -> Tested {
    queue(link, burst, len)?;
    link.flush()?;
    Ok(())
}

/// Takes in what has come, which may only have come so.
fn recv(link: &mut impl Link, direction: Direction, got: &mut Got) -> Tested {
    let now = link.now();
    link.recv(now, &mut |frame, _| {
        assert_eq!(frame.direction(), direction);
        let number = frame.payload().first_chunk().expect("each has a number");
        *got.entry(u32::from_be_bytes(*number)).or_default() += 1;
    })?;
    Ok(())
}

/// Waits for so many frames in all.
fn gather(link: &mut impl Link, direction: Direction, got: &mut Got, count: u32) -> Tested {
    let end = link.now() + PATIENCE;
    loop {
        recv(link, direction, got)?;
        if got.len() as u32 >= count {
            return Ok(());
        }
        if link.now() > end {
            return Err(format!("{} frames instead of {count}", got.len()).into());
        }
        while link.event().is_some() {}
        link.wait(Some(end), None)?;
        link.flush()?;
    }
}

/// How often each number came.
type Got = BTreeMap<u32, u32>;

/// Enough that the second thread begins, and has most of them.
const BURSTS: u32 = 40;

/// Frames between two flushes.
const BURST: u32 = 64;

const ALL: u32 = BURSTS * BURST;

const DOWN: Direction = Direction::Unsent(Unsent::Down);

/// Octets of a payload.
const SHORT: usize = 46;
const LONG: usize = 1_400;
