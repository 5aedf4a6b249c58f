//! What does a packet socket cost beside the system calls that it makes?
//!
//! Two namespaces and a wire between them. Each figure is held against a loop of the same calls
//! without our types, in turns with it; the median of some rounds is printed.

mod raw;

use std::{
    env,
    error::Error,
    hint::black_box,
    io,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use link::{
    Direction, EtherType, FrameIo, FrameTx, MacAddr6, Options, PacketSocket, Ring, SendError, Wait,
    namespace::{self, Namespace, veth},
};

fn main() -> ExitCode {
    if !env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS; // run as a test: that it can be built is enough
    }
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    match table() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn table() -> Result<(), Box<dyn Error>> {
    let net = Net::new()?;
    println!("{:42} {:>12} {:>12} {:>6}", "64 octets a frame", "raw", "ours", "ratio");
    row("receive, V3: ns of processor a frame", || receive_raw(&net), || receive(&net))?;
    row("receive and answer, V2: frames/s", || answer_raw(&net), || answer(&net))?;
    row("send, batches of 64: frames/s", || send_raw(&net), || send(&net))?;
    row("open to first frame, V2: us", || open_raw(&net), || open(&net, v2()))?;
    row("open to first frame, V3 (raw: V2): us", || open_raw(&net), || open(&net, v3()))?;
    let plain = || open(&net, PacketSocket::options());
    row("open to first frame, no ring (raw: V2): us", || open_raw(&net), plain)?;
    Ok(())
}

fn row(
    name: &str,
    mut raw: impl FnMut() -> Measured,
    mut ours: impl FnMut() -> Measured,
) -> Result<(), Box<dyn Error>> {
    let (mut raws, mut all, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (raw, ours) = (raw()?, ours()?);
        raws.push(raw);
        all.push(ours);
        ratios.push(ours / raw);
    }
    println!("{name:42} {:>12.1} {:>12.1} {:>6.2}", median(raws), median(all), median(ratios));
    Ok(())
}

fn receive(net: &Net) -> Measured {
    let mut near = net.near(v3())?;
    under_fire(net, move |count| {
        let now = near.now();
        let got = near.recv(now, &mut |frame, _| {
            black_box(frame.octets()[0]);
        })?;
        if got == 0 {
            near.wait(Some(now + STEP), None)?;
        }
        *count += got;
        Ok(())
    })
}

fn receive_raw(net: &Net) -> Measured {
    let mut near = net.near.run(|| raw::Ring::blocks(net.near_index))?;
    under_fire(net, move |count| {
        let got = near.take_block(|frame| {
            black_box(frame[0]);
        });
        if got == 0 {
            near.wait();
        }
        *count += got;
        Ok(())
    })
}

/// Nanoseconds of processor time a frame that `step` takes, as fast as they can be sent.
fn under_fire(net: &Net, mut step: impl FnMut(&mut usize) -> io::Result<()>) -> Measured {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
    let frames = vec![request(); raw::BATCH];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                raw::send(&far, &frames)?;
            }
            io::Result::Ok(())
        });
        let (begin, start) = (raw::processor_time(), now());
        let mut count = 0;
        while count < FRAMES && start.elapsed() < PATIENCE {
            step(&mut count)?;
        }
        let spent = raw::processor_time() - begin;
        over.store(true, Ordering::Relaxed);
        sender.join().map_err(|_| "the sender panicked")??;
        Ok(spent.as_nanos() as f64 / count as f64)
    })
}

fn answer(net: &Net) -> Measured {
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

fn answer_raw(net: &Net) -> Measured {
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
        while answers < FRAMES / 4 && start.elapsed() < PATIENCE {
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

fn send(net: &Net) -> Measured {
    let mut near = net.near(PacketSocket::options().stamps(false))?;
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

fn send_raw(net: &Net) -> Measured {
    let near = net.near.run(|| raw::socket(net.near_index, 0))?;
    let request = request();
    let mut frames = vec![vec![0; request.len()]; raw::BATCH];
    let start = now();
    let mut sent = 0;
    for _ in 0..FRAMES / raw::BATCH {
        for frame in &mut frames {
            frame.copy_from_slice(black_box(&request));
        }
        sent += raw::send(&near, &frames)?;
    }
    Ok(sent as f64 / start.elapsed().as_secs_f64())
}

/// Microseconds from the wish for a link to the first frame that it receives.
fn open(net: &Net, options: Options) -> Measured {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
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

/// The same, for a V2 ring that is not ours.
fn open_raw(net: &Net) -> Measured {
    let far = net.far.run(|| raw::socket(net.far_index, 0))?;
    let start = now();
    let mut near = net.near.run(|| raw::Ring::slots(net.near_index))?;
    raw::send(&far, &[request()])?;
    while near.take_slots(|_| ()) == 0 && start.elapsed() < PATIENCE {
        near.wait();
    }
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

fn v2() -> Options {
    PacketSocket::options().stamps(false).ring(Ring::LOW_DELAY)
}

fn v3() -> Options {
    PacketSocket::options().stamps(false).ring(Ring::CAPTURE)
}

struct Net {
    near: Namespace,
    near_index: u32,
    far: Namespace,
    far_index: u32,
}

impl Net {
    fn new() -> io::Result<Self> {
        let (near, far) = (Namespace::new()?, Namespace::new()?);
        veth(&near, "near0", NEAR, &far, "far0", FAR)?;
        let near_index = near.run(|| link::interface("near0"))?.index;
        let far_index = far.run(|| link::interface("far0"))?.index;
        Ok(Self { near, near_index, far, far_index })
    }

    fn near(&self, options: Options) -> Result<PacketSocket, Box<dyn Error>> {
        Ok(self.near.run(|| options.open("near0"))?)
    }

    fn far(&self, options: Options) -> Result<PacketSocket, Box<dyn Error>> {
        Ok(self.far.run(|| options.open("far0"))?)
    }
}

/// A frame of 64 octets from the far end to the near one.
fn request() -> Vec<u8> {
    let ether_type = EtherType(0x0801).0.to_be_bytes();
    let mut frame = [&NEAR.into_array()[..], &FAR.into_array(), &ether_type].concat();
    frame.resize(64, 0);
    frame
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "this is what is measured")]
fn now() -> Instant {
    Instant::now()
}

type Measured = Result<f64, Box<dyn Error>>;

const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

const ROUNDS: usize = 5;

/// Frames of one round.
const FRAMES: usize = 400_000;

const STEP: Duration = Duration::from_millis(20);

/// When a round that gets nowhere ends.
const PATIENCE: Duration = Duration::from_secs(5);
