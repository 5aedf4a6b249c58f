//! A kernel that takes frames more slowly than we have them: a queue in front of the wire, with a
//! bound of its own or of our socket's.

use std::{env, process::Command};

use libtest_mimic::{Failed, Trial};

use sidestack_link::{Direction, FrameIo, PacketSocket, SendError, Unsent, Wait};

use crate::wire::{Net, PATIENCE, Tested, each, gather, payloads, send, test, wire};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_queue_that_is_full_takes_the_rest_a_little_later", full_for_a_while),
        test("what_a_queue_that_stays_full_does_not_take_comes_back", full_for_long),
        test("a_send_buffer_that_is_full_is_waited_for_without_a_spin", no_room),
    ]
}

/// ENOBUFS, which poll does not wait for.
fn full_for_a_while() -> Tested {
    let Some((net, mut near)) = behind("rate 20mbit burst 1600 limit 3200")? else { return Ok(()) };
    let mut far = net.far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    let frames: Vec<_> = (0..40).map(|n| vec![n; 1_500]).collect();
    for frame in &frames {
        send(&mut near, frame)?;
    }
    near.flush()?;
    assert!(near.stats().sent < 40, "the queue has room for two");
    until_sent(&mut near, 40)?;
    assert_eq!(payloads(&gather(&mut far, 40)?), frames);
    assert_eq!(near.stats().unsent, 0);
    Ok(())
}

fn full_for_long() -> Tested {
    let Some((_net, mut near)) = behind("rate 1kbit burst 1600 limit 3200")? else { return Ok(()) };
    for n in 0..9 {
        send(&mut near, &[n; 1_500])?;
    }
    near.flush()?;
    let taken = near.stats().sent;
    assert!((1..9).contains(&taken), "{taken}");
    let mut back = Vec::new();
    let end = near.now() + PATIENCE;
    while near.stats().unsent < 9 - taken && near.now() < end {
        near.wait(Some(end), None)?;
        near.flush()?;
        let full = Direction::Unsent(Unsent::Full);
        each(&mut near, &mut |frame, _| {
            assert_eq!(frame.direction(), full);
            back.push(frame.payload()[0]);
        });
    }
    assert_eq!(back, (taken as u8..9).collect::<Vec<u8>>(), "in order, and each once");
    assert_eq!((near.stats().sent, near.stats().unsent), (taken, 9 - taken));
    Ok(())
}

/// EAGAIN: the queue would take more, but our socket may not have more in it.
fn no_room() -> Tested {
    let Some((net, mut near)) = behind("rate 20mbit burst 1600 limit 10mb")? else { return Ok(()) };
    let mut far = net.far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    let mut frames = 0;
    while send(&mut near, &[7; 1_500]) != Err(SendError::Full) {
        frames += 1;
    }
    near.flush()?;
    assert!((1..frames).contains(&near.stats().sent), "{} of {frames}", near.stats().sent);
    let waits = until_sent(&mut near, frames)?;
    assert!(waits < frames, "{waits} waits: it is a spin");
    assert_eq!(gather(&mut far, frames as usize)?.len() as u64, frames);
    assert_eq!(near.stats().unsent, 0);
    Ok(())
}

/// Waits and flushes until so many have left, and returns how often.
fn until_sent(near: &mut PacketSocket, frames: u64) -> Result<u64, Failed> {
    let end = near.now() + PATIENCE;
    let mut waits = 0;
    while near.stats().sent < frames {
        if near.now() > end {
            return Err(format!("only {} have left", near.stats().sent).into());
        }
        near.wait(Some(end), None)?;
        each(near, &mut |_, _| ());
        near.flush()?;
        waits += 1;
    }
    Ok(waits)
}

/// A wire with a bucket of tokens before it, and a socket on it; `None`, with a word to say so,
/// where this system has no such thing.
fn behind(bucket: &str) -> Result<Option<(Net, PacketSocket)>, Failed> {
    let net = wire()?;
    let args = format!("qdisc replace dev near0 root tbf {bucket}");
    let done = net.near.run(|| Command::new("tc").args(args.split(' ')).output());
    if done.is_ok_and(|output| output.status.success()) {
        let near = net.near.run(|| PacketSocket::options().stamps(false).open("near0"))?;
        return Ok(Some((net, near)));
    }
    if env::var_os("CI").is_some() {
        return Err("tc makes no token bucket here".into());
    }
    eprintln!("left out: tc makes no token bucket here");
    Ok(None)
}
