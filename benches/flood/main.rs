//! What does a flood of ARP from nobody, of fragments without an end and of broken frames do to a
//! stack that serves: how much memory does it take, and how long does a known neighbour wait?
//!
//! Two namespaces and a wire between them. The flood is as fast as one thread can send, for a
//! bounded time; meanwhile the neighbour sends an echo request every ten milliseconds.

mod flood;
mod neighbour;
#[path = "../question.rs"]
mod question;
mod responder;

use std::{
    error::Error,
    fs,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use link::{
    MacAddr6, PacketSocket,
    namespace::{Namespace, veth},
};

use self::neighbour::Neighbour;

fn main() -> ExitCode {
    question::ask(run)
}

fn run() -> Result<(), Trouble> {
    let (here, far) = (Namespace::new()?, Namespace::new()?);
    veth(&here, "v0", US, &far, "f0", NEIGHBOUR)?;
    let open = || PacketSocket::options().stamps(false).open("f0");
    let [floods, asks] = [far.run(open)?, far.run(open)?];
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let responder = scope.spawn(|| here.run(|| responder::serve("v0", &stop)));
        let told = (|| {
            let mut neighbour = Neighbour::meet(asks)?;
            let quiet = neighbour.ask(QUIET)?;
            println!("quiet      {quiet}");
            let before = resident()?;
            let flood = scope.spawn(|| flood::send(floods, LENGTH));
            let under_flood = neighbour.ask(LENGTH)?;
            let sent = flood.join().map_err(|_| "the flood panicked")??;
            println!("flooded    {under_flood}");
            let per_second = sent as f64 / LENGTH.as_secs_f64();
            println!("flood      {sent} frames, {per_second:.0} a second");
            println!("resident   {before} KiB before, {} KiB after", resident()?);
            Ok::<(), Trouble>(())
        })();
        stop.store(true, Ordering::Relaxed);
        let served = responder.join().map_err(|_| "the responder panicked")??;
        println!("received   {served}");
        told
    })
}

/// What the process has in memory, flood and neighbour included, in KiB.
fn resident() -> Result<u64, Trouble> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS")?.parse()?)
}

type Trouble = Box<dyn Error + Send + Sync>;

const US: MacAddr6 = MacAddr6::new(2, 0, 0, 77, 0, 3);
const NEIGHBOUR: MacAddr6 = MacAddr6::new(2, 0, 0, 77, 0, 1);

const QUIET: Duration = Duration::from_secs(1);
const LENGTH: Duration = Duration::from_secs(5);
