//! How many echo requests a second are answered by a stack that serves, and how many by smoltcp's
//! interface over its own raw socket?
//!
//! Two namespaces and a wire between them. The two answer in turns, so that a busy machine is busy
//! for both; the median of some rounds is printed, by the clock and by the processor time of the
//! thread that answers, which is the one to believe on a machine that has other things to do.

mod load;
#[path = "../question.rs"]
mod question;
mod responder;

use std::{
    error::Error,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use link::{
    MacAddr6, PacketSocket, Ring,
    namespace::{Namespace, veth},
};

use self::load::{Load, Round};

fn main() -> ExitCode {
    question::ask(table)
}

fn table() -> Result<(), Trouble> {
    println!("in flight  who        answers/s  answers/CPU s   lost");
    for in_flight in [64, 1_024] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(round(in_flight, responder::ours)?);
            theirs.push(round(in_flight, responder::smoltcp)?);
        }
        let ours = line(in_flight, "sidestack", &mut ours);
        let theirs = line(in_flight, "smoltcp", &mut theirs);
        println!(
            "{in_flight:>9}  ratio      {:>9.2}  {:>13.2}",
            ours.0 / theirs.0,
            ours.1 / theirs.1
        );
    }
    Ok(())
}

/// Prints the medians, and returns them.
fn line(in_flight: usize, who: &str, rounds: &mut [Round]) -> (f64, f64) {
    let median = |figures: &mut dyn Iterator<Item = f64>| {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let by_clock = median(&mut rounds.iter().map(|round| round.answers / round.seconds));
    let by_cpu = median(&mut rounds.iter().map(|round| round.answers / round.cpu_seconds));
    let lost: u64 = rounds.iter().map(|round| round.lost).sum();
    println!("{in_flight:>9}  {who:<9}  {by_clock:>9.0}  {by_cpu:>13.0}  {lost:>5}");
    (by_clock, by_cpu)
}

/// One responder under load, on a wire of its own.
fn round(in_flight: usize, respond: Respond) -> Result<Round, Trouble> {
    let (here, far) = (Namespace::new()?, Namespace::new()?);
    veth(&here, "v0", US, &far, "f0", LOAD)?;
    let options = PacketSocket::options().stamps(false).ring(Ring::V2 { octets: 8 << 20 });
    let socket = far.run(|| options.open("f0"))?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let responder = scope.spawn(|| here.run(|| respond("v0", &stop)));
        let loaded = Load::new(socket).and_then(|mut load| load.run(in_flight, LENGTH));
        stop.store(true, Ordering::Relaxed);
        let cpu = responder.join().map_err(|_| "the responder panicked")??;
        let round = loaded?;
        Ok(Round { cpu_seconds: cpu.as_secs_f64(), ..round })
    })
}

/// Answers on the interface of that name until it is to stop; returns the processor time it took.
type Respond = fn(&str, &AtomicBool) -> Result<Duration, Trouble>;

type Trouble = Box<dyn Error + Send + Sync>;

const US: MacAddr6 = MacAddr6::new(2, 0, 0, 77, 0, 3);
const LOAD: MacAddr6 = MacAddr6::new(2, 0, 0, 77, 0, 1);

const ROUNDS: usize = 7;
const LENGTH: Duration = Duration::from_millis(500);
