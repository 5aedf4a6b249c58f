//! Before an address is ours, it is probed for (RFC 5227).

use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    net::{FAR, Net, US},
    run::{Form, Run, Tested, both, run},
    tap::{Arp, Seen},
};

pub(crate) fn tests() -> Vec<Trial> {
    let tests = [
        both("nothing_but_probes_leaves_before_the_address_is_ours", free),
        both("of_a_taken_address_nothing_is_sent_but_probes", in_use),
        both("who_has_an_address_is_told_after_one_probe_and_that_none_has_after_three", probed),
        both("an_address_is_announced_twice_from_the_station_that_was_named", announced),
        both("an_address_that_is_taken_after_an_outage_ends_the_run", taken_later),
        both("an_address_that_is_taken_after_an_outage_ends_a_run_of_many", taken_under_many),
    ];
    let cut = Trial::test("a_signal_ends_the_probing_and_nothing_else_was_sent", interrupted);
    tests.into_iter().flatten().chain([cut]).collect()
}

fn free(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -c 3 -i 1.1 -I v0 -S 10.77.0.10/24 10.77.0.1";
    let said = run(&net.here, form, args, 0)?;
    assert_eq!(said.replies(), [1, 2, 3]);
    let seen = tap.seen()?;
    let arp: Vec<Arp> = seen.iter().map_while(Seen::arp).collect();
    let (probe, ours) = (Arp::probe(US), Arp::announcement(US));
    assert_eq!(arp, [probe, probe, probe, ours, Arp::request(US, FAR)]);
    let announced = seen.iter().filter(|frame| frame.arp() == Some(ours)).count();
    assert_eq!(announced, 2, "the second 2 s after the first");
    match form {
        Form::Text => {
            assert!(said.errors.contains("probing 10.77.0.10 on v0: 4 to 7 s"), "{said:#?}");
        }
        Form::Json => {
            let states: Vec<_> = said.of("adopt").map(|adopt| &adopt["state"]).collect();
            assert_eq!(states, ["probing", "ours"]);
        }
    }
    Ok(())
}

fn in_use(form: Form) -> Tested {
    let net = Net::new()?;
    net.far.add_address("f0", US, 24)?;
    let mut tap = net.tap()?;
    let said = run(&net.here, form, "ping -c 3 -I v0 -S 10.77.0.10/24 10.77.0.1", 1)?;
    let seen = tap.seen()?;
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|frame| frame.arp() == Some(Arp::probe(US))), "{seen:?}");
    match form {
        Form::Text => {
            let verdict = "10.77.0.10 is in use on v0 by 02:00:00:4d:00:01";
            assert!(said.errors.contains(verdict), "{said:#?}");
        }
        Form::Json => {
            let states: Vec<_> =
                said.of("adopt").map(|adopt| (&adopt["state"], &adopt["mac"])).collect();
            assert_eq!(states[1], (&"taken".into(), &"02:00:00:4d:00:01".into()));
        }
    }
    Ok(())
}

fn probed(form: Form) -> Tested {
    let net = Net::new()?;
    let owner = "02:00:00:4d:00:01";
    for (addr, probes, exit, said_of) in [
        (FAR, 1, 1, format!("10.77.0.1 is in use by {owner}")),
        (US, 3, 0, "10.77.0.10 is free".to_owned()),
    ] {
        let mut tap = net.tap()?;
        let said = run(&net.here, form, &format!("arp probe -I v0 {addr}"), exit)?;
        let seen: Vec<_> = tap.seen()?.iter().map(Seen::arp).collect();
        assert_eq!(seen, vec![Some(Arp::probe(addr)); probes]);
        if form == Form::Text {
            assert_eq!(said.out, [said_of]);
            continue;
        }
        let last = said.of("adopt").last().ok_or("no word of it")?;
        let verdict = if exit == 1 { ("taken", owner.into()) } else { ("free", Value::Null) };
        assert_eq!((last["state"].as_str(), &last["mac"]), (Some(verdict.0), &verdict.1));
    }
    Ok(())
}

fn announced(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let station = "02:00:00:00:00:77";
    let args = format!("arp announce -I v0 --no-probe --source-mac {station} 10.77.0.10");
    let said = run(&net.here, form, &args, 0)?;
    let seen = tap.seen()?;
    let arp: Vec<_> = seen.iter().map(Seen::arp).collect();
    assert_eq!(arp, [Some(Arp::announcement(US)); 2]);
    assert!(seen.iter().all(|frame| frame.src().to_string() == station));
    if form == Form::Text {
        let line = |n| format!("announced 10.77.0.10 at {station} on v0, {n} of 2");
        assert_eq!(said.out, [line(1), line(2)]);
    } else {
        let told: Vec<_> = said.of("adopt").filter(|is| is["state"] == "announced").collect();
        assert!(told.len() == 2 && told.iter().all(|is| is["mac"] == station), "{told:?}");
    }
    Ok(())
}

fn taken_later(form: Form) -> Tested {
    taken(form, "-i 0.1 10.77.0.1", "icmp_seq=2 ttl=")
}

fn taken_under_many(form: Form) -> Tested {
    taken(form, "--period 0.1 10.77.0.1-2", "10.77.0.1 : [2], 64 bytes")
}

/// Another host has our address when the link is up again; `part` is in a line for people before.
fn taken(form: Form, args: &str, part: &str) -> Tested {
    let net = Net::new()?;
    let args = format!("ping -c 200 -I v0 -S 10.77.0.10/24 {args}");
    let mut program = Run::start(&net.here, form, &args)?;
    program.until(if form == Form::Text { part } else { r#""seq":2,"bytes""# })?;
    net.here.down("v0")?;
    net.far.add_address("f0", US, 24)?;
    net.here.up("v0")?;
    let said = program.ends(1)?;
    match form {
        Form::Text => {
            let verdict = "CONFLICT: 10.77.0.10 is ours no longer, 02:00:00:4d:00:01 has it";
            assert!(said.says(verdict), "{said:#?}");
        }
        Form::Json => {
            let last = said.of("adopt").last().ok_or("no word of it")?;
            assert_eq!(last["state"], "taken");
        }
    }
    Ok(())
}

fn interrupted() -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let args = "ping -c 3 -I v0 -S 10.77.0.10/24 10.77.0.1";
    let mut program = Run::start(&net.here, Form::Json, args)?;
    program.until("probing")?;
    program.signal(Signal::SIGINT)?;
    let said = program.ends(130)?;
    assert!(said.of("adopt").all(|adopt| adopt["state"] == "probing"));
    assert!(tap.seen()?.iter().all(|frame| frame.arp() == Some(Arp::probe(US))));
    Ok(())
}
