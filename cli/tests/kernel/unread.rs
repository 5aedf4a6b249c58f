//! A program whose lines nobody reads.

use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use libtest_mimic::{Failed, Trial};
use link::namespace::Namespace;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    net::Net,
    raw,
    run::{PATIENCE, PROGRAM, Tested},
    stopped::pause,
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("hosts_answer_though_nobody_reads_and_tell_what_was_lost", late_reader),
        Trial::test("serving_ends_at_its_deadline_though_nobody_reads", no_reader),
        Trial::test("an_interrupt_is_heard_once_there_is_a_reader", interrupted_once),
        Trial::test("a_second_interrupt_ends_whoever_waits_for_a_reader", interrupted_twice),
    ]
}

fn late_reader() -> Tested {
    let net = Net::new()?;
    let mut serve = unread(&net.here, &format!("{SERVE} -w 60"))?;
    claim(&net.far)?;
    assert_eq!(raw::ping(&net.far, OURS.parse()?)?.to_string(), OURS, "it is alive");
    signal(&serve, Signal::SIGINT)?;
    let mut lines = String::new();
    serve.stdout.take().ok_or("no pipe")?.read_to_string(&mut lines)?;
    assert!(serve.wait()?.success());
    let records: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let of = |kind: &str| -> Vec<_> { records.iter().filter(|is| is["type"] == kind).collect() };
    let ended = of("served").pop().ok_or("no summary")?;
    let untold = ended["untold"].as_u64().ok_or("no figure")?;
    assert!(untold > 0, "more than there is room for, or are told in a second");
    assert_eq!(of("conflict").len() as u64 + untold, CLAIMS);
    assert_eq!(of("end").len(), 1);
    Ok(())
}

/// The pipe is full before it begins.
fn no_reader() -> Tested {
    let net = Net::new()?;
    let (_reader, mut full) = io::pipe()?;
    full.write_all(&[b'\n'; PIPE])?;
    let errors = full.try_clone()?;
    let mut serve = start(&net.here, &format!("{SERVE} -w 3"), full.into(), errors.into())?;
    raw::ping(&net.far, OURS.parse()?)?;
    signal(&serve, Signal::SIGUSR1)?; // figures that nobody reads either
    pause(BEGINNING);
    assert_eq!(raw::ping(&net.far, OURS.parse()?)?.to_string(), OURS, "it is alive");
    assert_eq!(until_end(&mut serve)?.code(), Some(0));
    Ok(())
}

/// Whether it was heard is told by who reads on.
fn interrupted_once() -> Tested {
    let net = Net::new()?;
    let mut ping = unread(&net.here, PING)?;
    pause(STUCK);
    signal(&ping, Signal::SIGINT)?;
    pause(BEGINNING);
    assert_eq!(ping.try_wait()?, None, "it has a summary to tell");
    let mut lines = String::new();
    ping.stdout.take().ok_or("no pipe")?.read_to_string(&mut lines)?;
    assert_eq!(until_end(&mut ping)?.code(), Some(130));
    let last: Value = serde_json::from_str(lines.lines().last().ok_or("nothing")?)?;
    assert_eq!((&last["type"], &last["exit"]), (&"end".into(), &130.into()));
    assert_eq!(lines.lines().filter(|line| line.contains(r#""type":"summary""#)).count(), 1);
    Ok(())
}

fn interrupted_twice() -> Tested {
    let net = Net::new()?;
    let mut ping = unread(&net.here, PING)?;
    pause(STUCK);
    signal(&ping, Signal::SIGINT)?;
    pause(BEGINNING);
    signal(&ping, Signal::SIGINT)?;
    assert_eq!(until_end(&mut ping)?.signal(), Some(Signal::SIGINT as i32));
    Ok(())
}

/// The program in JSON, with a pipe that is left full.
fn unread(namespace: &Namespace, args: &str) -> Result<Child, Failed> {
    start(namespace, args, Stdio::piped(), Stdio::null())
}

fn start(namespace: &Namespace, args: &str, out: Stdio, errors: Stdio) -> Result<Child, Failed> {
    let mut command = Command::new(PROGRAM);
    command.arg("-j").args(args.split_whitespace());
    command.stdin(Stdio::null()).stdout(out).stderr(errors);
    Ok(namespace.run(|| command.spawn())?)
}

/// Claims what is served, until that is more than a pipe has room for.
fn claim(far: &Namespace) -> Tested {
    raw::ping(far, OURS.parse()?)?; // it has begun
    let mut command = Command::new(PROGRAM);
    command.args(format!("send -I f0 -c {CLAIMS} -i 100us {CLAIM}").split_whitespace());
    let sent = far.run(|| command.stdout(Stdio::null()).status())?;
    assert!(sent.success());
    Ok(())
}

fn signal(child: &Child, signal: Signal) -> Tested {
    Ok(kill(Pid::from_raw(child.id().cast_signed()), signal)?)
}

/// Waits for its end.
fn until_end(child: &mut Child) -> Result<ExitStatus, Failed> {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        pause(Duration::from_millis(10));
    }
    child.kill()?;
    child.wait()?;
    Err("it does not end".into())
}

const SERVE: &str = "serve -I v0 -S 10.77.0.3/24 --no-probe";
const OURS: &str = "10.77.0.3";
const PING: &str = "ping -I v0 -S 10.77.0.10/24 --no-probe -i 0.001 -c 100000 10.77.0.1";

/// Octets that a pipe has room for.
const PIPE: usize = 64 << 10;

/// Until a program has begun, or has heard a signal.
const BEGINNING: Duration = Duration::from_millis(300);

/// Until a pipe is full.
const STUCK: Duration = Duration::from_secs(2);

/// In a second, or in some if the machine is busy: a thousand are told in each.
const CLAIMS: u64 = 10_000;

/// An announcement of [`OURS`] by another.
const CLAIM: &str = "ffffffffffff 02bb00000909 0806 0001 0800 06 04 0001 02bb00000909 0a4d0003 \
                     000000000000 0a4d0003";
