//! A program that signals hold up.

use std::{fs, sync::mpsc::channel, time::Duration};

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::Signal;

use crate::{
    net::Net,
    responder::{Fault, Responder},
    run::{Form, PATIENCE, Run, Said, Tested, both},
    tap::Tap,
};

pub(crate) fn tests() -> Vec<Trial> {
    let tests = [
        both("a_run_that_was_stopped_makes_up_for_nothing_and_ends_in_time", no_burst),
        both("an_answer_that_came_in_time_counts_though_we_were_stopped", in_time),
        both("an_answer_that_came_late_is_late_though_we_were_stopped", late),
    ];
    let signals = "a_signal_in_the_middle_of_a_wait_leaves_it_the_rest_of_its_time";
    tests.into_iter().flatten().chain([Trial::test(signals, interrupted)]).collect()
}

/// Of five seconds three are spent stopped, in which twelve more requests would have left; there are
/// two at most in which to go on: nine, with one at their beginning.
fn no_burst(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -i 0.25 -W 0.5 -w 5 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(1)?;
    stop(&program)?;
    let before = requests(&mut tap)?;
    pause(Duration::from_secs(3));
    program.signal(Signal::SIGCONT)?;
    let said = program.ends(0)?;
    let after = requests(&mut tap)?;
    assert!(after <= 9, "{after} requests in two seconds");
    let (sent, received) = said.counts()?;
    assert_eq!(sent, before + after);
    assert!(received >= sent - 1, "only what was asked for at the very end may be unanswered");
    assert!(form == Form::Json || said.says(" packets transmitted, "), "{said:#?}");
    Ok(())
}

fn in_time(form: Form) -> Tested {
    let said = asked_while_stopped(form, |request| vec![(MS_300, request.reply())], 0)?;
    assert_eq!((said.replies(), said.counts()?), (vec![1], (1, 1)));
    if form == Form::Json {
        let times: Vec<_> = said.of("reply").filter_map(|reply| reply["rtt_ns"].as_u64()).collect();
        let waking = STOPPED.as_nanos() as u64; // if it were timed when it was looked at
        assert!(times.iter().all(|nanos| (300_000_000..waking).contains(nanos)), "{times:?}");
    }
    Ok(())
}

fn late(form: Form) -> Tested {
    let said = asked_while_stopped(form, |request| vec![(4 * MS_300, request.reply())], 1)?;
    assert_eq!(said.counts()?, (1, 0));
    match form {
        Form::Text => assert!(said.says("no answer for icmp_seq=1 within 1000 ms"), "{said:#?}"),
        Form::Json => {
            assert_eq!((said.of("timeout").count(), said.of("reply").count()), (1, 0));
            assert_eq!((said.of("late").count(), said.total("late")?), (1, 1));
        }
    }
    Ok(())
}

/// Each wakes the program up.
fn interrupted() -> Tested {
    let net = Net::bare()?;
    let mute = Responder::start(&net, |_| Vec::new())?;
    let mut tap = net.tap()?;
    let mut program = Run::start(&net.here, Form::Text, ONE)?;
    until_asked(&mut program, &mut tap)?;
    for _ in 0..8 {
        pause(Duration::from_millis(50));
        program.signal(Signal::SIGUSR1)?;
    }
    let said = program.ends(1)?;
    mute.stop()?;
    assert!(said.errors.matches(" packets, ").count() >= 2, "they were heard: {said:#?}");
    assert_eq!(said.counts()?, (1, 0));
    assert!(said.says("no answer for icmp_seq=1 within 1000 ms"), "{said:#?}");
    Ok(())
}

/// One request, with a wait of a second, of a program that is stopped right behind it.
fn asked_while_stopped(form: Form, fault: Fault, code: i32) -> Result<Said, Failed> {
    let net = Net::bare()?;
    let responder = Responder::start(&net, fault)?;
    let mut tap = net.tap()?;
    let mut program = Run::start(&net.here, form, ONE)?;
    until_asked(&mut program, &mut tap)?;
    stopped(&program, STOPPED)?;
    let said = program.ends(code)?;
    responder.stop()?;
    Ok(said)
}

/// Returns when the first request has left.
fn until_asked(program: &mut Run, tap: &mut Tap) -> Tested {
    program.until("")?; // it has begun
    for _ in 0..PATIENCE.as_millis() {
        if requests(tap)? > 0 {
            return Ok(());
        }
        pause(Duration::from_millis(1));
    }
    Err("it asks nothing".into())
}

/// Stops the program for so long.
fn stopped(program: &Run, time: Duration) -> Tested {
    stop(program)?;
    pause(time);
    program.signal(Signal::SIGCONT)
}

/// Returns when it stands still.
fn stop(program: &Run) -> Tested {
    program.signal(Signal::SIGSTOP)?;
    let stat = format!("/proc/{}/stat", program.pid());
    while !fs::read_to_string(&stat)?.contains(") T ") {
        pause(Duration::from_millis(1));
    }
    Ok(())
}

fn requests(tap: &mut Tap) -> Result<u64, Failed> {
    Ok(tap.seen()?.iter().filter(|seen| seen.is_ipv4()).count() as u64)
}

/// Does nothing for so long.
pub(crate) fn pause(time: Duration) {
    let (_open, nothing) = channel::<()>();
    let _ = nothing.recv_timeout(time); // nobody says anything
}

const ONE: &str = "ping -c 1 -W 1 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";

/// Longer than the wait for an answer.
const STOPPED: Duration = Duration::from_millis(1_600);

const MS_300: Duration = Duration::from_millis(300);
