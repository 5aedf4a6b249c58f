//! How long does a sweep of many hosts take, and how much memory?
//!
//! A million hosts in memory and in virtual time, 1 % of the frames lost: exactly those must be
//! missing whose frames were. Then 65,536 hosts behind a wire between two namespaces, all of them
//! the far kernel's, in turns with fping and arp-scan, which start, sweep and end just as we do.

#[path = "../stack/tests/far/mod.rs"]
mod far;

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    net::Ipv4Addr,
    process::{Command, ExitCode, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use link::{
    EtherType, Filter, MacAddr6, PacketSocket, Ring, Wait,
    memory::{Fate, Network},
    namespace::{self, Namespace, veth},
};
use nix::sys::resource::{UsageWho, getrusage};
use stack::{
    Config as Host, Stack, Sweep, Targets, arp, icmp,
    ipv4::Hop,
    sweep::{Config, Event, Method, Outcome},
};

fn main() -> ExitCode {
    let argument = |wanted: &str| env::args().any(|argument| argument == wanted);
    let ring = argument("by-ring").then_some(Ring::LOW_DELAY);
    let result = if argument("sweep-by-echo") {
        near(Method::Echo, ring)
    } else if argument("sweep-by-arp") {
        near(Method::Arp, ring)
    } else if argument("in-memory") {
        in_memory()
    } else if argument("--bench") && !argument("--test") {
        if let Err(left_out) = namespace::for_tests() {
            return left_out;
        }
        in_turns().and_then(|()| in_memory())
    } else {
        Ok(()) // run as a test: that it can be built is enough
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn in_memory() -> Result<(), Box<dyn Error>> {
    for (name, gateway) in [("behind a gateway", Some(GATEWAY)), ("on the link", None)] {
        let start = now();
        let (found, missing, lost) = million(gateway)?;
        let (took, peak) = (start.elapsed().as_secs_f64(), peak()?);
        println!(
            "{MILLION} hosts in memory, {name}: {took:.2} s, at most {peak} KiB resident; \
             {found} found, {missing} missing, {lost} lost"
        );
        if missing != lost || found + missing != u64::from(MILLION) {
            return Err("not exactly those are missing whose frames were lost".into());
        }
    }
    Ok(())
}

/// How many were found, how many are missing, and how many of those were lost on the way; all of
/// whom were lost are missing, if the numbers are the same.
fn million(gateway: Option<Ipv4Addr>) -> Result<(u64, u64, u64), Box<dyn Error>> {
    let network = Network::new();
    let us = network.attach(NEAR_MAC).without_sent();
    let mut far = network.attach(FAR_MAC).without_sent();
    let host = Host { gateway, ..Host::new("10.77.0.50/24".parse()?) };
    let capacity = if gateway.is_none() { MILLION as usize + 1 } else { 16 };
    let mut stack = Stack::new(us, Host { arp: arp::Config { capacity, ..host.arp }, ..host });
    if gateway.is_none() {
        stack.add_route("10.128.0.0/9".parse()?, Hop::Connected);
    }
    let first = u32::from(Ipv4Addr::new(10, 128, 0, 0));
    let lost = Arc::new(Mutex::new(vec![false; MILLION as usize]));
    let (losing, mut n) = (Arc::clone(&lost), 1_u64);
    network.set_fate(move |transit| {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if transit.ether_type() != EtherType::IPV4 || (n >> 33) % 100 != 0 {
            return Fate::arrives();
        }
        let at = if transit.octets[34] == 8 { 30 } else { 26 };
        let addr: [u8; 4] = transit.octets[at..at + 4].try_into().unwrap_or_default();
        if let Ok(mut lost) = losing.lock() {
            lost[(u32::from_be_bytes(addr) - first) as usize] = true;
        }
        Fate::lost()
    });
    let targets = [first.into()..=(first + MILLION - 1).into()].into_iter().collect();
    let config = Config { seed: Some(1), ..Config::default() };
    let mut sweep = Sweep::new(network.now(), targets, config, &mut stack);
    let (mut found, mut missing, mut missing_and_lost) = (0, 0, 0);
    while !sweep.is_over() {
        let now = network.now();
        far::answer(&mut far, now, &mut |_, _| true)?;
        while sweep.poll(now, &mut stack)? {}
        while let Some(event) = sweep.event() {
            let Event::Ended(ended) = event else { continue };
            if let Outcome::Echo(icmp::Outcome::Reply { .. }) = ended.outcome {
                found += 1;
            } else {
                missing += 1;
                let lost = lost.lock().map_err(|_| "the network panicked")?;
                let n = u32::from(ended.addr) - first;
                missing_and_lost += u64::from(lost[n as usize]);
            }
        }
        let deadline = sweep.deadline(&stack);
        stack.link_mut().wait(deadline, None)?;
    }
    let lost = lost.lock().map_err(|_| "the network panicked")?;
    let lost = lost.iter().filter(|lost| **lost).count() as u64;
    if missing_and_lost != missing {
        return Err("some are missing whose frames were not lost".into());
    }
    Ok((found, missing, lost))
}

fn in_turns() -> Result<(), Box<dyn Error>> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR_MAC, &far, "far0", FAR_MAC)?;
    near.add_address("near0", Ipv4Addr::new(10, 77, 0, 1), 24)?;
    far.add_address("far0", GATEWAY, 24)?;
    near.add_route(HOSTS, 16, GATEWAY)?;
    let local = ["route", "add", "local", "10.9.0.0/16", "dev", "lo"];
    far.run(|| Command::new("ip").args(local).status())?;
    let ours = env::current_exe()?;
    let ours = ours.to_str().ok_or("a path that is no text")?;
    let ping = ["fping", "-i", "0", "-r", "0", "-a", "-g", "10.9.0.0", "10.9.255.255"];
    let scan =
        ["arp-scan", "-I", "near0", "-i", "1u", "-r", "1", "-t", "100", "-q", "-x", "10.9.0.0/16"];
    compare(&near, "echo", &[ours, "sweep-by-echo"], &ping)?;
    compare(&near, "arp", &[ours, "sweep-by-arp"], &scan)?;
    // Is a ring worth it?
    for what in ["sweep-by-echo", "sweep-by-arp"] {
        compare(&near, what, &[ours, what, "by-ring"], &[ours, what])?;
    }
    Ok(())
}

fn compare(
    near: &Namespace,
    what: &str,
    ours: &[&str],
    theirs: &[&str],
) -> Result<(), Box<dyn Error>> {
    let (mut walls, mut processor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let theirs = run(near, theirs)?;
        let ours = run(near, ours)?;
        println!("{what}: theirs {theirs:?}; ours {ours:?}");
        walls.push(ours.wall.as_secs_f64() / theirs.wall.as_secs_f64());
        processor.push(ours.processor.as_secs_f64() / theirs.processor.as_secs_f64());
    }
    let (wall, processor) = (median(walls), median(processor));
    println!("{what}: ours in {wall:.2} of {}'s time, {processor:.2} of its processor", theirs[0]);
    Ok(())
}

#[derive(Debug)]
#[expect(dead_code, reason = "printed")]
struct Run {
    wall: Duration,
    processor: Duration,
    /// Lines that begin with one of the addresses.
    found: usize,
    /// Its last word, ours being our peak.
    said: String,
}

fn run(near: &Namespace, command: &[&str]) -> Result<Run, Box<dyn Error>> {
    let (start, before) = (now(), processor()?);
    let mut command_line = Command::new(command[0]);
    command_line.args(&command[1..]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = near.run(|| command_line.output());
    let output = output.map_err(|error| format!("{}: {error}", command[0]))?;
    let (wall, processor) = (start.elapsed(), processor()? - before);
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().filter(|line| line.starts_with("10.9.")).count();
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().last().unwrap_or_default().to_owned();
    Ok(Run { wall, processor, found, said })
}

/// Sweeps from the near end, and prints who answered; the kernel hands over what comes in by system
/// calls, unless there is a `ring`.
fn near(method: Method, ring: Option<Ring>) -> Result<(), Box<dyn Error>> {
    let options = PacketSocket::options().stamps(false).lingering(true);
    let options = options.filter(Filter::host(&[Ipv4Addr::new(10, 77, 0, 50)]));
    let options = match ring {
        Some(ring) => options.ring(ring),
        None => options,
    };
    let link = options.open("near0")?;
    let host = Host::new("10.77.0.50/24".parse()?);
    let arp = arp::Config { capacity: 70_000, requests: 1, ..arp::Config::default() };
    let mut stack = Stack::new(link, Host { arp, ..host });
    let hop = if method == Method::Arp { Hop::Connected } else { Hop::Gateway(GATEWAY) };
    stack.add_route("10.9.0.0/16".parse()?, hop);
    let targets: Targets = [HOSTS..=Ipv4Addr::new(10, 9, 255, 255)].into_iter().collect();
    let config = Config { method, seed: Some(1), ..Config::default() };
    let mut found = String::new();
    let mut sweep = Sweep::new(stack.link().now(), targets, config, &mut stack);
    while !sweep.is_over() {
        let now = stack.link().now();
        let more = sweep.poll(now, &mut stack)?;
        while let Some(event) = sweep.event() {
            if let Event::Ended(ended) = event
                && let Outcome::Echo(icmp::Outcome::Reply { .. }) | Outcome::At { .. } =
                    ended.outcome
            {
                writeln!(found, "{}", ended.addr)?;
            }
        }
        if !more && !sweep.is_over() {
            let deadline = sweep.deadline(&stack);
            stack.link_mut().wait(deadline, None)?;
        }
    }
    io::stdout().write_all(found.as_bytes())?;
    let dropped = stack.link_mut().stats().dropped;
    eprintln!("{} KiB resident at most, {dropped} dropped", peak()?);
    Ok(())
}

/// The most memory that this process ever had, in KiB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?.parse()?)
}

/// What all children took that have ended.
fn processor() -> Result<Duration, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok(Duration::from_micros(micros.iter().sum::<i64>().unsigned_abs()))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "this is what is measured")]
fn now() -> Instant {
    Instant::now()
}

const NEAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const HOSTS: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 0);

const MILLION: u32 = 1_000_000;

const ROUNDS: usize = 5;
