//! What comes in faster than it is taken.

use libtest_mimic::Trial;
use link::{EtherType, FrameIo, FrameTx, MacAddr6, PacketSocket, SendError};
use nix::sys::signal::Signal;

use crate::{
    net::Net,
    run::{Form, Run, Tested, both},
};

pub(crate) fn tests() -> Vec<Trial> {
    both("frames_that_the_kernel_had_to_drop_are_told_at_the_end", dropped)
        .into_iter()
        .chain([Trial::test("serve_tells_what_the_kernel_dropped", served)])
        .chain(both("where_the_kernel_dropped_nothing_nothing_is_told", none))
        .collect()
}

fn dropped(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(2)?;
    program.signal(Signal::SIGSTOP)?;
    flood(&net)?;
    program.signal(Signal::SIGCONT)?;
    program.until_reply(3)?;
    program.signal(Signal::SIGINT)?;
    let said = program.ends(0)?;
    match form {
        Form::Text => {
            let lines = said.errors.lines();
            let told: Vec<_> = lines.filter_map(|l| l.strip_suffix(TOLD)).collect();
            assert!(matches!(told[..], [count] if count.parse::<u64>()? > 0), "{said:#?}");
        }
        Form::Json => {
            let end = said.of("end").next().ok_or("no end")?;
            assert!(end["dropped"].as_u64().is_some_and(|dropped| dropped > 0), "{end}");
        }
    }
    Ok(())
}

fn served() -> Tested {
    let net = Net::new()?;
    let path = std::env::temp_dir().join(format!("serve-drops-{}.prom", std::process::id()));
    let args = format!("serve -I v0 -S 10.77.0.10/24 --no-probe --metrics {}", path.display());
    let mut program = Run::start(&net.here, Form::Text, &args)?;
    program.until("SERVE 1 address")?;
    program.signal(Signal::SIGSTOP)?;
    flood(&net)?;
    program.signal(Signal::SIGINT)?;
    program.signal(Signal::SIGCONT)?;
    let said = program.ends(0)?;
    let figures = std::fs::read_to_string(&path)?;
    std::fs::remove_file(&path)?;
    let told = " frames dropped by the kernel, which had no room";
    let told: Vec<_> = said.out.iter().filter_map(|line| line.strip_suffix(told)).collect();
    assert!(matches!(told[..], [count] if count.parse::<u64>()? > 0), "{said:#?}");
    let kept = format!("sidestack_frames_dropped_total {}", told[0]);
    assert!(figures.lines().any(|line| line == kept), "{kept}: {figures}");
    Ok(())
}

fn none(form: Form) -> Tested {
    let net = Net::new()?;
    for args in [
        "ping -c 1 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1",
        "arp -c 1 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1",
    ] {
        let said = Run::start(&net.here, form, args)?.ends(0)?;
        match form {
            Form::Text => assert!(!said.says(TOLD), "{said:#?}"),
            Form::Json => assert_eq!(said.of("end").next().ok_or("no end")?["dropped"], 0),
        }
    }
    Ok(())
}

/// Sends more than any receive buffer holds, of what no filter of ours keeps out.
fn flood(net: &Net) -> Tested {
    let mut far = net.far.run(|| PacketSocket::options().stamps(false).open("f0"))?;
    for _ in 0..FRAMES {
        while let Err(refused) = far.send(MacAddr6::broadcast(), EtherType::ARP, 1_500, &mut |_| ())
        {
            assert_eq!(refused, SendError::Full);
            far.flush()?;
        }
    }
    Ok(far.flush()?)
}

const TOLD: &str = " packets dropped by the kernel";

/// Of 1,500 octets each, four times as many as the buffer that is asked for.
const FRAMES: usize = 12_000;
