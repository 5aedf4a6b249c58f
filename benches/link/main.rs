//! What does a packet socket cost beside the system calls that it makes?
//!
//! Two namespaces and a wire between them. Each figure is held against a loop of the same calls
//! without our types, in turns with it; medians of the rounds are printed, the ratio's too.
//! `cargo bench -p benches --bench link -- receive` asks only what has that word in its row.

mod answer;
mod net;
mod open;
mod raw;
mod receive;
mod send;

use std::{env, error::Error, fmt, process::ExitCode};

use link::namespace;

use self::{
    net::{Measured, Net, plain, v2, v3},
    raw::Ring,
    receive::Tally,
};

fn main() -> ExitCode {
    let asked = |what: &str| env::args().any(|argument| argument == what);
    if !asked("--bench") || asked("--test") {
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
    let net = &Net::new()?;
    println!("{:46} {:>9} {:>9} {:>6}  goal", "64 octets a frame", "raw", "ours", "ratio");
    let (raws, ours) = (&Tally::default(), &Tally::default());
    if row(
        "receive, V3: ns of processor a frame",
        Goal::AtMost(1.3),
        || receive::raw(net, raws),
        || receive::ours(net, ours),
    )? {
        let (dropped, rate) = ("  the same: frames dropped", "  the same: frames/s");
        println!("{dropped:46} {:>9} {:>9} {:>6}  none", raws.dropped(), ours.dropped(), "");
        println!("{rate:46} {:>9.0} {:>9.0}", raws.rate(), ours.rate());
    }
    let name = "receive and answer, V2: frames/s";
    row(name, Goal::AtLeast(0.9), || answer::raw(net), || answer::ours(net))?;
    let name = "send, batches of 64: frames/s";
    row(name, Goal::AtLeast(0.95), || send::alone(net), || send::deaf(net))?;
    let name = "send, batches of 64, while hearing: frames/s";
    row(name, Goal::AtLeast(0.95), || send::beside(net), || send::hearing(net))?;
    let name = "open to first frame, no ring: us";
    row(name, Goal::Below(5_000.0), || open::raw_plain(net), || open::ours(net, plain()))?;
    let raw = || open::raw_ring(net, Ring::slots);
    row("open to first frame, V2: us", Goal::Within(1_000.0), raw, || open::ours(net, v2()))?;
    let raw = || open::raw_ring(net, Ring::blocks);
    row("open to first frame, V3: us", Goal::Within(1_000.0), raw, || open::ours(net, v3()))?;
    // The kernel makes each of these wait until nobody can be looking at a ring or a socket.
    let stamped = || open::close(net, plain().stamps(true));
    row("close, raw one socket, ours two: us", Goal::None, || open::close_raw(net), stamped)?;
    Ok(())
}

/// Prints a row, unless another was asked for.
fn row(
    name: &str,
    goal: Goal,
    mut raw: impl FnMut() -> Measured,
    mut ours: impl FnMut() -> Measured,
) -> Result<bool, Box<dyn Error>> {
    if !env::args().skip(1).filter(|word| !word.starts_with('-')).all(|word| name.contains(&word)) {
        return Ok(false);
    }
    let (mut raws, mut all, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (raw, ours) = (raw()?, ours()?);
        raws.push(raw);
        all.push(ours);
        ratios.push(ours / raw);
    }
    let (raw, ours, ratio) = (median(raws), median(all), median(ratios));
    let verdict = if goal.is_met(raw, ours, ratio) { "" } else { ": missed" };
    println!("{name:46} {raw:>9.1} {ours:>9.1} {ratio:>6.2}  {goal}{verdict}");
    Ok(true)
}

/// What is to be reached.
#[derive(Clone, Copy)]
enum Goal {
    /// A ratio to raw.
    AtMost(f64),
    /// A ratio to raw.
    AtLeast(f64),
    /// The figure itself.
    Below(f64),
    /// Beyond raw, in the figure's own unit.
    Within(f64),
    None,
}

impl Goal {
    fn is_met(self, raw: f64, ours: f64, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
            Self::Below(most) => ours <= most,
            Self::Within(more) => ours <= raw + more,
            Self::None => true,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(out, "<= {most:.2}"),
            Self::AtLeast(least) => write!(out, ">= {least:.2}"),
            Self::Below(most) => write!(out, "<= {most}"),
            Self::Within(more) => write!(out, "<= raw + {more}"),
            Self::None => Ok(()),
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

const ROUNDS: usize = 21;
