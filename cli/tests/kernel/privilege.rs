//! What the program may, and what it says when it may not.

use std::{fs, thread};

use caps::{CapSet, Capability};
use libtest_mimic::{Failed, Trial};
use link::namespace::Namespace;
use nix::sys::signal::Signal;

use crate::{
    net::Net,
    run::{Form, PROGRAM, Run, Said, Tested, both, run},
};

pub(crate) fn tests() -> Vec<Trial> {
    [
        both("without_privilege_it_says_what_to_do", refused),
        both("in_mid_run_the_privileges_are_gone_from_every_set", dropped),
        both("the_kernel_lab_answers_here_and_beyond", kernel_lab),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn refused(form: Form) -> Tested {
    let net = Net::new()?;
    let said = without_privilege(net.here, form)?;
    let remedy = format!("sudo setcap cap_net_raw+ep {PROGRAM}");
    match form {
        Form::Text => {
            assert!(said.errors.lines().any(|line| line.trim() == remedy), "{said:#?}");
            assert!(said.errors.contains("-I lab, or -I kernel-lab"));
            assert_eq!(said.out, [""; 0]);
        }
        Form::Json => {
            let error = said.of("error").next().ok_or("no error")?;
            assert_eq!((&error["kind"], &error["errno"]), (&"permission".into(), &"EPERM".into()));
            let hint = error["hint"].as_str().ok_or("no hint")?;
            assert!(hint.contains(&remedy) && hint.contains("-I lab, or -I kernel-lab"));
        }
    }
    Ok(())
}

/// Runs it to its end on a thread that may give it no CAP_NET_RAW; the thread ends with it.
fn without_privilege(namespace: Namespace, form: Form) -> Result<Said, Failed> {
    let program = thread::spawn(move || {
        namespace.run(|| {
            caps::drop(None, CapSet::Bounding, Capability::CAP_NET_RAW)
                .map_err(|error| error.to_string())?;
            Run::start_here(form, "ping -c 1 -I v0 -S 10.77.0.10/24 10.77.0.1".split(' '))
        })
    });
    program.join().map_err(|_| "the thread panicked")??.ends(3)
}

fn dropped(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(1)?;
    let tasks = fs::read_dir(format!("/proc/{}/task", program.pid()))?;
    for task in tasks {
        let status = fs::read_to_string(task?.path().join("status"))?;
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            let line = status.lines().find_map(|line| line.strip_prefix(set)?.strip_prefix(":\t"));
            let held = u64::from_str_radix(line.ok_or("no such set")?, 16)?;
            for capability in [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN] {
                assert_eq!(held & capability.bitmask(), 0, "{capability} in {set}");
            }
        }
    }
    program.until_reply(3)?; // and it goes on without
    program.signal(Signal::SIGINT)?;
    program.ends(0).map(drop)
}

fn kernel_lab(form: Form) -> Tested {
    let net = Net::new()?; // any namespace, with nothing of the lab in it
    for (target, ttl) in [("10.0.0.2", 64), ("10.0.1.2", 63)] {
        let said = run(&net.here, form, &format!("ping -c 3 -i 0.05 -I kernel-lab {target}"), 0)?;
        assert_eq!(said.replies(), [1, 2, 3]);
        match form {
            Form::Text => assert!(said.says(&format!("{target}: icmp_seq=3 ttl={ttl} "))),
            Form::Json => assert!(said.of("reply").all(|reply| reply["ttl"] == ttl)),
        }
    }
    Ok(())
}
