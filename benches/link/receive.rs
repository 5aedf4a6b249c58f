use std::{
    cell::Cell,
    hint::black_box,
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use link::{FrameIo, Wait};

use crate::{
    net::{Measured, Net, PATIENCE, STEP, now, request, v3},
    raw,
};

/// What became of the frames of all rounds, besides the time that they took.
#[derive(Default)]
pub(crate) struct Tally {
    received: Cell<u64>,
    dropped: Cell<u64>,
    took: Cell<Duration>,
}

impl Tally {
    /// Frames that the kernel had no room for (PACKET_STATISTICS).
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Frames received a second.
    pub(crate) fn rate(&self) -> f64 {
        self.received.get() as f64 / self.took.get().as_secs_f64()
    }

    fn add(&self, received: usize, dropped: u64, took: Duration) {
        self.received.set(self.received.get() + received as u64);
        self.dropped.set(self.dropped.get() + dropped);
        self.took.set(self.took.get() + took);
    }
}

pub(crate) fn ours(net: &Net, tally: &Tally) -> Measured {
    let mut near = net.near(v3())?;
    let mut types = 0_u64; // whoever receives a frame looks at least at this
    let step = |count: &mut usize| {
        let now = near.now();
        let got = near.recv(now, &mut |frame, _| {
            types = types.wrapping_add(frame.ether_type().0.into());
        })?;
        if got == 0 {
            near.wait(Some(now + STEP), None)?;
        }
        *count += got;
        Ok(())
    };
    let fire = under_fire(net, step)?;
    black_box(types);
    tally.add(fire.count, near.stats().dropped, fire.took);
    Ok(fire.cost())
}

pub(crate) fn raw(net: &Net, tally: &Tally) -> Measured {
    let mut near = net.near.run(|| raw::Ring::blocks(net.near_index))?;
    let mut types = 0_u64;
    let step = |count: &mut usize| {
        let got = near.take_block(|frame| {
            types = types.wrapping_add(u16::from_be_bytes([frame[12], frame[13]]).into());
        });
        if got == 0 {
            near.wait();
        }
        *count += got;
        Ok(())
    };
    let fire = under_fire(net, step)?;
    black_box(types);
    tally.add(fire.count, near.dropped()?, fire.took);
    Ok(fire.cost())
}

struct Fire {
    count: usize,
    /// Processor time of who received.
    spent: Duration,
    took: Duration,
}

impl Fire {
    /// Nanoseconds of processor time a frame.
    fn cost(&self) -> f64 {
        self.spent.as_nanos() as f64 / self.count as f64
    }
}

/// Repeats `step`, which adds to the count, while frames come at [`RATE`], or as fast as they can
/// be sent.
fn under_fire(
    net: &Net,
    mut step: impl FnMut(&mut usize) -> io::Result<()>,
) -> Result<Fire, Box<dyn std::error::Error>> {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
    let frames = vec![request(); raw::BATCH];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut next = now();
            while !over.load(Ordering::Relaxed) {
                raw::send(&far, &frames)?;
                next += Duration::from_secs(raw::BATCH as u64) / RATE;
                while now() < next {} // asleep, it would be late
            }
            io::Result::Ok(())
        });
        let (begin, start) = (raw::processor_time(), now());
        let mut count = 0;
        let mut outcome = Ok(());
        while outcome.is_ok() && count < FRAMES && start.elapsed() < PATIENCE {
            outcome = step(&mut count);
        }
        let (spent, took) = (raw::processor_time() - begin, start.elapsed());
        over.store(true, Ordering::Relaxed);
        sender.join().map_err(|_| "the sender panicked")??;
        outcome?;
        Ok(Fire { count, spent, took })
    })
}

/// Frames offered a second.
const RATE: u32 = 700_000;

/// Frames of one round.
const FRAMES: usize = 350_000;
