//! Signals in the middle of a wait.

use std::{
    ffi::c_int,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::channel,
    },
    thread,
    time::Duration,
};

use libtest_mimic::{Failed, Trial};
use nix::{
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction},
    unistd::Pid,
};

use sidestack_link::{FrameIo, Wait};

use crate::wire::{STEP, Tested, each, gather, pair, passes, payloads, send, test};

pub(crate) fn tests() -> Vec<Trial> {
    vec![test(
        "a_signal_in_the_middle_of_a_wait_is_no_error_and_takes_nothing_from_it",
        interrupted,
    )]
}

/// Keeps the signal from every thread that is started from now on, and does not ask for it.
pub(crate) fn keep_away() -> nix::Result<()> {
    only().thread_block()
}

fn interrupted() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    catch()?;
    only().thread_unblock()?;
    let (enough, over) = channel::<()>();
    let sender = thread::spawn(move || {
        while over.recv_timeout(Duration::from_millis(1)).is_err() {
            kill(Pid::this(), Signal::SIGUSR2).expect("we are there");
        }
    });
    let until = near.now() + 5 * STEP;
    let mut waits = 0;
    while near.now() < until {
        near.wait(Some(until), None)?;
        assert_eq!(each(&mut near, &mut |_, _| ()), 0);
        waits += 1;
    }
    assert!(waits > 1 && HEARD.load(Ordering::Relaxed) > 1, "{waits} waits: none was cut short");
    for n in 0..100 {
        send(&mut far, &[n; 60])?;
        far.flush()?;
        assert_eq!(payloads(&gather(&mut near, 1)?), [[n; 60]]);
    }
    passes(&mut near, &mut far)?;
    enough.send(())?;
    sender.join().map_err(|_| Failed::from("the sender panicked"))
}

/// A signal that is caught, and not ignored, cuts system calls short.
#[expect(unsafe_code, reason = "there is no other way to catch one")]
fn catch() -> Tested {
    extern "C" fn hear(_: c_int) {
        HEARD.fetch_add(1, Ordering::Relaxed);
    }
    let action = SigAction::new(SigHandler::Handler(hear), SaFlags::empty(), SigSet::empty());
    // SAFETY: all that `hear` does is to count in an atomic, which any moment allows.
    unsafe { sigaction(Signal::SIGUSR2, &action) }?;
    Ok(())
}

fn only() -> SigSet {
    SigSet::from(Signal::SIGUSR2)
}

static HEARD: AtomicU64 = AtomicU64::new(0);
