//! A host behind a tap: the kernel's neighbour, or on a bridge.

use std::{env, fs::File, process::Command, sync::mpsc::channel, thread, time::Duration};

use caps::{CapSet, Capability};
use libtest_mimic::{Failed, Trial};
use link::{
    State,
    namespace::{Namespace, veth},
};
use nix::sys::signal::Signal;

use crate::{
    net::{FAR, FAR_MAC, OUR_MAC, US},
    raw,
    run::{Form, Run, Tested, both, run},
};

/// None where this system lets us have no tap, which it does let root.
pub(crate) fn tests(is_root: bool) -> Vec<Trial> {
    if let Err(error) = File::options().read(true).write(true).open("/dev/net/tun") {
        eprintln!("tap tests left out: /dev/net/tun: {error}");
        let must_run = is_root && env::var_os("CI").is_some();
        let refused = || Err("/dev/net/tun is closed".into());
        return must_run.then(|| Trial::test("there_are_taps", refused)).into_iter().collect();
    }
    [
        both("behind_a_tap_we_ask_the_kernel_at_its_other_end_and_answer_it", neighbour),
        both("on_a_bridge_we_are_a_host_among_others", bridged),
        both("a_tap_of_the_kernels_own_address_is_no_host_of_ours", taken),
        both("every_command_runs_on_a_tap", every),
        both("a_tap_that_is_not_ours_to_make_is_a_matter_of_permission", refused),
        both("a_tap_that_was_made_for_us_takes_no_privilege", made_for_us),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn neighbour(form: Form) -> Tested {
    let here = kernel()?;
    let args = "ping -i 0.05 -I tap:tap0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&here, form, args)?;
    program.until_reply(2)?;
    assert_eq!(raw::ping(&here, US)?, US);
    program.signal(Signal::SIGINT)?;
    let said = program.ends(0)?;
    match form {
        Form::Text => assert!(said.says("stamps tx=user rx=user"), "{said:#?}"),
        Form::Json => {
            let start = said.of("start").next().ok_or("no start")?;
            assert_eq!((&start["if"], &start["stamps"]["rx"]), (&"tap0".into(), &"user".into()));
            let theirs = here.run(|| link::interface("tap0"))?.mac.ok_or("no MAC")?;
            assert_ne!(start["src_mac"], theirs.to_string().to_lowercase());
        }
    }
    Ok(())
}

/// ```text
/// us ---- tap0  br0  v0 ---- f0  the far kernel
/// ```
fn bridged(form: Form) -> Tested {
    let (here, far) = (Namespace::new()?, Namespace::new()?);
    veth(&here, "v0", OUR_MAC, &far, "f0", FAR_MAC)?;
    far.add_address("f0", FAR, 24)?;
    for args in [
        "link add br0 type bridge",
        "tuntap add dev tap0 mode tap",
        "link set dev v0 master br0",
        "link set dev tap0 master br0",
        "link set dev br0 up",
    ] {
        ip(&here, args)?;
    }
    let args = "ping -i 0.05 -I tap:tap0 -S 10.77.0.10/24 --source-mac 02:00:00:77:00:99 \
                --no-probe 10.77.0.1";
    let mut program = Run::start(&here, form, args)?;
    program.until_reply(2)?;
    assert_eq!(raw::ping(&far, US)?, US);
    program.until_reply(4)?;
    program.signal(Signal::SIGINT)?;
    program.ends(0).map(drop)
}

fn taken(form: Form) -> Tested {
    let here = kernel()?;
    let said = run(&here, form, "arp -D -I tap:tap0 10.77.0.1", 1)?;
    match form {
        Form::Text => assert!(said.says("10.77.0.1 is in use"), "{said:#?}"),
        Form::Json => assert!(said.of("adopt").any(|adopt| adopt["state"] == "taken")),
    }
    let said = run(&here, form, "ping -c 1 -I tap:tap0 10.77.0.1", 2)?;
    match form {
        Form::Text => assert!(said.errors.contains("-S IP/LEN"), "{said:#?}"),
        Form::Json => assert_eq!(said.of("error").count(), 1),
    }
    Ok(())
}

fn every(form: Form) -> Tested {
    let here = kernel()?;
    for (args, code) in [
        ("arp -c 1 -I tap:tap0 -S 10.77.0.10/24 --no-probe 10.77.0.1", 0),
        ("arp -D -I tap:tap0 10.77.0.50", 0),
        ("route -I tap:tap0 -S 10.77.0.10/24 --no-probe 10.77.0.1", 0),
        ("send -I tap:tap0 --ethertype 0x0801 --text hello", 0),
        ("ping -c 1 -I tap:tap0 -S 10.77.0.10/24 --no-probe 10.77.0.1", 0),
        ("ping -c 1 -I tap:lo -S 10.77.0.10/24 10.77.0.1", 4),
        ("ping -c 1 -I tap:a/b -S 10.77.0.10/24 10.77.0.1", 2),
    ] {
        run(&here, form, args, code).map_err(|error| format!("{args}: {error:?}"))?;
    }
    let mut sniff = Run::start(&here, form, "sniff -c 1 -e -I tap:tap0")?;
    await_up(&here)?;
    let asked = thread::spawn(move || raw::ping(&here, US)); // nobody is there to answer
    sniff.until("10.77.0.10")?;
    let said = sniff.ends(0)?;
    if form == Form::Json {
        assert_eq!(said.of("frame").next().ok_or("no frame")?["stamp"], "user");
    }
    drop(asked);
    Ok(())
}

fn refused(form: Form) -> Tested {
    let here = Namespace::new()?;
    let args = "ping -c 1 -I tap:tap0 -S 10.77.0.10/24 10.77.0.1";
    let said = without_privilege(&here, form, args)?.ends(3)?;
    let remedy = "sudo ip tuntap add dev tap0 mode tap user";
    match form {
        Form::Text => assert!(said.errors.contains(remedy), "{said:#?}"),
        Form::Json => {
            let error = said.of("error").next().ok_or("no error")?;
            assert_eq!((&error["kind"], &error["errno"]), (&"permission".into(), &"EPERM".into()));
            assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(remedy)));
        }
    }
    Ok(())
}

fn made_for_us(form: Form) -> Tested {
    let here = Namespace::new()?;
    ip(&here, "tuntap add dev tap0 mode tap user root")?;
    ip(&here, "link set dev tap0 up")?;
    here.add_address("tap0", FAR, 24)?;
    let args = "ping -c 2 -i 0.05 -I tap:tap0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = without_privilege(&here, form, args)?.ends(0)?;
    assert_eq!(said.replies(), [1, 2]);
    Ok(())
}

/// Starts it from a thread that may give it no CAP_NET_ADMIN.
fn without_privilege(here: &Namespace, form: Form, args: &str) -> Result<Run, Failed> {
    thread::scope(|scope| {
        let program = scope.spawn(|| {
            here.run(|| {
                caps::drop(None, CapSet::Bounding, Capability::CAP_NET_ADMIN)
                    .map_err(|error| error.to_string())?;
                Run::start_here(form, args.split(' '))
            })
        });
        program.join().map_err(|_| "the thread panicked")?
    })
}

/// A kernel that is [`FAR`] at its end of `tap0`, to which nobody is attached.
fn kernel() -> Result<Namespace, Failed> {
    let here = Namespace::new()?;
    ip(&here, "tuntap add dev tap0 mode tap")?;
    here.add_address("tap0", FAR, 24)?;
    Ok(here)
}

/// Waits until somebody has attached to the tap.
fn await_up(here: &Namespace) -> Tested {
    let (_open, nothing) = channel::<()>();
    for _ in 0..1_000 {
        if here.run(|| link::interface("tap0"))?.state == State::Up {
            return Ok(());
        }
        let _ = nothing.recv_timeout(Duration::from_millis(10)); // nobody says anything
    }
    Err("nobody attaches".into())
}

/// Has `ip` do something in `namespace`.
fn ip(namespace: &Namespace, args: &str) -> Tested {
    let status = namespace.run(|| Command::new("ip").args(args.split(' ')).status())?;
    if status.success() { Ok(()) } else { Err(format!("ip {args}: {status}").into()) }
}
