use std::{io, thread, time::Duration};

use link::{Direction, FrameIo, Options, Wait};
use nix::libc;

use crate::{
    net::{Measured, Net, PATIENCE, STEP, now, request},
    raw,
};

/// Microseconds from the wish for a link to the first frame that it receives.
pub(crate) fn ours(net: &Net, options: Options) -> Measured {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
    settle();
    let start = now();
    let mut near = net.near(options)?;
    raw::send(&far, &[request()])?;
    let mut first = None;
    while first.is_none() && start.elapsed() < PATIENCE {
        let now = near.now();
        near.wait(Some(now + STEP), None)?;
        near.recv(now, &mut |frame, _| {
            first = (frame.direction() == Direction::Received).then(|| start.elapsed());
        })?;
    }
    Ok(first.ok_or("nothing came")?.as_secs_f64() * 1e6)
}

/// The same, for a ring that is not ours.
pub(crate) fn raw_ring(net: &Net, open: fn(u32) -> io::Result<raw::Ring>) -> Measured {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
    settle();
    let start = now();
    let mut near = net.near.run(|| open(net.near_index))?;
    raw::send(&far, &[request()])?;
    while near.take(|_| ()) == 0 && start.elapsed() < PATIENCE {
        near.wait();
    }
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

/// The same, for a socket without a ring.
pub(crate) fn raw_plain(net: &Net) -> Measured {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
    settle();
    let start = now();
    let near = net.near.run(|| raw::socket(net.near_index, libc::ETH_P_ALL))?;
    raw::send(&far, &[request()])?;
    raw::wait(&near);
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

/// Microseconds that it takes to be rid of a link.
pub(crate) fn close(net: &Net, options: Options) -> Measured {
    let near = net.near(options)?;
    settle();
    let start = now();
    drop(near);
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

/// The same, for one socket that is not ours.
pub(crate) fn close_raw(net: &Net) -> Measured {
    let near = net.near.run(|| raw::socket(net.near_index, libc::ETH_P_ALL))?;
    settle();
    let start = now();
    drop(near);
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

/// Lets the kernel end what earlier rounds have it wait for, and meets it at no special moment.
#[expect(clippy::disallowed_methods, reason = "what is measured begins afterwards")]
fn settle() {
    let odd = now().elapsed().subsec_nanos() % 8;
    thread::sleep(Duration::from_millis(30) + Duration::from_millis(1) * odd);
}
