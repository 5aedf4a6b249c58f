//! Interfaces that are not there, not up, or not for long.

use std::{sync::mpsc::channel, time::Duration};

use libtest_mimic::Trial;

use crate::{
    net::Net,
    run::{Form, Run, Tested, both, run},
};

pub(crate) fn tests() -> Vec<Trial> {
    [
        both("an_interface_that_is_not_there_ends_with_4", not_there),
        both("on_an_interface_that_is_down_nothing_is_sent_and_nothing_is_lost", down),
        both("a_link_deleted_in_mid_run_ends_with_4_after_the_summary", deleted),
        both("a_run_survives_an_outage_of_our_end", outage_here),
        both("a_run_survives_an_outage_of_the_far_end", outage_far),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn not_there(form: Form) -> Tested {
    let net = Net::new()?;
    let said = run(&net.here, form, "ping -c 1 -I v9 -S 10.77.0.10/24 10.77.0.1", 4)?;
    match form {
        Form::Text => assert!(said.errors.contains("v9: no such interface"), "{said:#?}"),
        Form::Json => {
            let errors: Vec<_> =
                said.of("error").map(|error| (&error["kind"], &error["errno"])).collect();
            assert_eq!(errors, [(&"link".into(), &"ENODEV".into())]);
        }
    }
    Ok(())
}

fn down(form: Form) -> Tested {
    let net = Net::new()?;
    net.here.down("v0")?;
    let args = "ping -c 3 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = run(&net.here, form, args, 1)?;
    assert_eq!(said.counts()?, (0, 0));
    match form {
        Form::Text => assert!(said.says("icmp_seq=1 not sent: link down"), "{said:#?}"),
        Form::Json => {
            assert_eq!(said.total("unsent")?, 3);
            assert!(said.of("unsent").all(|unsent| unsent["reason"] == "link-down"));
        }
    }
    Ok(())
}

fn deleted(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -i 0.002 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(3)?;
    net.here.delete("v0")?;
    let said = program.ends(4)?;
    let (sent, received) = said.counts()?;
    // On a busy machine the first requests give way to newer ones while ARP is asked.
    assert!(received >= 1 && sent >= received, "{received} of {sent}");
    match form {
        Form::Text => assert!(said.errors.contains("sidestack: interface v0 is gone"), "{said:#?}"),
        Form::Json => {
            assert_eq!(said.of("error").count(), 1);
            assert_eq!(said.of("link").last().ok_or("no word of it")?["state"], "gone");
            assert_eq!(said.of("unsent").count() as u64, said.total("unsent")?, "all are told");
        }
    }
    Ok(())
}

fn outage_here(form: Form) -> Tested {
    outage(form, |net| net.here.down("v0"), |net| net.here.up("v0"), "link-down")
}

fn outage_far(form: Form) -> Tested {
    outage(form, |net| net.far.down("f0"), |net| net.far.up("f0"), "no-carrier")
}

/// A run of 40 requests, of which some fall into an outage of 1.4 s.
fn outage(
    form: Form,
    break_it: fn(&Net) -> std::io::Result<()>,
    mend_it: fn(&Net) -> std::io::Result<()>,
    reason: &str,
) -> Tested {
    let net = Net::new()?;
    let args = "ping -c 40 -i 0.1 -W 0.5 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(3)?;
    break_it(&net)?;
    let (_open, nothing) = channel::<()>();
    let _ = nothing.recv_timeout(Duration::from_millis(1_400)); // nobody says anything
    mend_it(&net)?;
    let said = program.ends(0)?;
    let (sent, received) = said.counts()?;
    assert_eq!(received, said.replies().len() as u64);
    assert_eq!(said.replies().last(), Some(&40), "it has resumed");
    assert!(sent < 40 && received >= 2);
    match form {
        Form::Text => {
            assert!(said.says("v0: link down") && said.says("v0: link up"), "{said:#?}");
            assert!(said.says(&format!("+{} not sent", 40 - sent)), "{said:#?}");
        }
        Form::Json => {
            let states: Vec<_> = said.of("link").map(|link| &link["state"]).collect();
            assert_eq!(states, ["down", "up"]);
            assert_eq!(sent + said.total("unsent")?, 40);
            assert!(said.of("unsent").any(|unsent| unsent["reason"] == reason), "{said:#?}");
        }
    }
    Ok(())
}
