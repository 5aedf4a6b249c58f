use std::hint::black_box;

use link::{Filter, FrameIo, FrameTx, Options, SendError};
use nix::libc;

use crate::{
    net::{Measured, Net, now, plain, request},
    raw,
};

/// Frames a second, by a socket that hears nothing.
pub(crate) fn deaf(net: &Net) -> Measured {
    ours(net, plain().filter(Filter::none()))
}

/// By one that hears all the while.
pub(crate) fn hearing(net: &Net) -> Measured {
    ours(net, plain())
}

fn ours(net: &Net, options: Options) -> Measured {
    let mut near = net.near(options)?;
    let request = request();
    let start = now();
    for _ in 0..FRAMES / raw::BATCH {
        for _ in 0..raw::BATCH {
            let queued = near.transmit(request.len(), &mut |slot| slot.copy_from_slice(&request));
            if queued == Err(SendError::Full) {
                near.flush()?;
            }
        }
        near.flush()?;
    }
    Ok(near.stats().sent as f64 / start.elapsed().as_secs_f64())
}

/// By a socket that sends, and nothing else.
pub(crate) fn alone(net: &Net) -> Measured {
    let near = net.near.run(|| raw::socket(net.near_index, 0))?;
    raw(&near)
}

/// The same, while a socket of ours is there to receive, which the kernel has to pass by.
pub(crate) fn beside(net: &Net) -> Measured {
    let (near, _receiver) = net.near.run(|| {
        let receiver = raw::socket(net.near_index, 0)?;
        raw::stamp(&receiver)?;
        raw::ignore_outgoing(&receiver)?;
        raw::bind(&receiver, net.near_index, libc::ETH_P_ALL)?;
        std::io::Result::Ok((raw::socket(net.near_index, 0)?, receiver))
    })?;
    raw(&near)
}

fn raw(near: &std::os::fd::OwnedFd) -> Measured {
    let request = request();
    let mut frames = vec![vec![0; request.len()]; raw::BATCH];
    let start = now();
    let mut sent = 0;
    for _ in 0..FRAMES / raw::BATCH {
        for frame in &mut frames {
            frame.copy_from_slice(black_box(&request));
        }
        sent += raw::send(near, &frames)?;
    }
    Ok(sent as f64 / start.elapsed().as_secs_f64())
}

/// Frames of one round.
const FRAMES: usize = 400_000;
