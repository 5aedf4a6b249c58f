use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use link::{FrameIo, FrameTx, Wait};

use crate::{
    net::{Measured, NEAR, Net, PATIENCE, STEP, now, request, v2},
    raw,
};

pub(crate) fn ours(net: &Net) -> Measured {
    let mut near = net.near(v2())?;
    ask(net, move || {
        let now = near.now();
        let got = near.recv(now, &mut |frame, tx| {
            let payload = frame.payload();
            let answered = tx.send(frame.src(), frame.ether_type(), payload.len(), &mut |out| {
                out.copy_from_slice(payload);
            });
            debug_assert!(answered.is_ok());
        })?;
        near.flush()?;
        if got == 0 {
            near.wait(Some(now + STEP), None)?;
        }
        Ok(())
    })
}

pub(crate) fn raw(net: &Net) -> Measured {
    let (mut near, out) = net.near.run(|| {
        io::Result::Ok((raw::Ring::slots(net.near_index)?, raw::socket(net.near_index, 0)?))
    })?;
    let mut answers = vec![Vec::new(); raw::BATCH];
    ask(net, move || {
        let mut count = 0;
        near.take_slots(|frame| {
            let answer = &mut answers[count];
            answer.clear();
            answer.extend_from_slice(&frame[6..12]);
            answer.extend_from_slice(&NEAR.into_array());
            answer.extend_from_slice(&frame[12..]);
            count += 1;
        });
        match count {
            0 => near.wait(),
            _ => _ = raw::send(&out, &answers[..count])?,
        }
        Ok(())
    })
}

/// Answers a second that `step` gives in another thread, with 64 questions under way.
fn ask(net: &Net, mut step: impl FnMut() -> io::Result<()> + Send) -> Measured {
    let mut far = net.far(v2())?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let answerer = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                step()?;
            }
            io::Result::Ok(())
        });
        let request = request();
        let start = now();
        let mut answers = 0;
        while answers < FRAMES && start.elapsed() < PATIENCE {
            for _ in 0..raw::BATCH {
                far.transmit(request.len(), &mut |slot| slot.copy_from_slice(&request))?;
            }
            far.flush()?;
            let mut due = raw::BATCH;
            while due > 0 && start.elapsed() < PATIENCE {
                let now = far.now();
                let got = far.recv(now, &mut |_, _| ())?;
                due = due.saturating_sub(got);
                answers += got;
                if got == 0 {
                    far.wait(Some(now + STEP), None)?;
                }
            }
        }
        let took = start.elapsed();
        over.store(true, Ordering::Relaxed);
        answerer.join().map_err(|_| "who answers panicked")??;
        Ok(answers as f64 / took.as_secs_f64())
    })
}

/// Answers of one round.
const FRAMES: usize = 100_000;
