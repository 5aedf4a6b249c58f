//! The rows of who asks: `ping` and `arp` on a real wire, before neighbours that do as a row says.

use std::{collections::BTreeSet, net::Ipv4Addr};

use libtest_mimic::{Failed, Trial};
use link::MacAddr6;

use super::packet::{Got, IPV4, unpadded};
use crate::{
    net::{FAR_MAC, Net},
    responder::Responder,
    run::{Form, Run, Said, Tested, both, run},
    tap::{Seen, Tap},
};

pub(crate) fn tests() -> Vec<Trial> {
    let both = [
        both("ARP-15_of_two_answers_ping_keeps_the_first_and_shows_both", asked_by_ping),
        both("ARP-15_of_two_answers_arp_shows_both", asked_by_arp),
        both("IP-13_every_service_leaves_as_it_was_chosen_and_comes_back", services),
        both("IP-15_no_broadcast_of_our_network_is_one_hosts_address", broadcasts),
        both("LL-1_what_a_link_local_address_sends_is_refused_a_router", link_local),
        both("SEC-17_each_run_has_an_identifier_and_a_cookie_of_its_own", secrets),
        both("LNK-1_a_neighbour_that_changes_its_mac_without_a_word_is_found_again", moved),
    ];
    both.into_iter().flatten().collect()
}

fn asked_by_ping(form: Form) -> Tested {
    let net = Net::bare()?;
    let mut tap = net.tap()?;
    let _two = Responder::owned_by(&net, &OWNERS, |request| vec![(NOW, request.reply())])?;
    let args = "ping -c 3 -i 0.05 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = run(&net.here, form, args, 0)?;
    assert_eq!(said.replies(), [1, 2, 3]);
    let asked: Vec<_> = tap.seen()?.iter().filter(|seen| seen.is_ipv4()).map(to).collect();
    assert_eq!(asked, [OWNERS[0]; 3], "the first is kept");
    match form {
        Form::Text => {
            assert!(said.says(CONFLICT), "{said:#?}");
            assert!(said.says("CONFLICT: also 02:00:00:4d:00:99"), "{said:#?}");
        }
        Form::Json => told_once(&said),
    }
    Ok(())
}

fn asked_by_arp(form: Form) -> Tested {
    let net = Net::bare()?;
    let _two = Responder::owned_by(&net, &OWNERS, |_| Vec::new())?;
    let args = "arp -c 1 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let said = run(&net.here, form, args, 0)?;
    match form {
        Form::Text => {
            assert!(said.says("Unicast reply from 10.77.0.1 [02:00:00:4d:00:01]"), "{said:#?}");
            assert!(said.says(CONFLICT), "{said:#?}");
        }
        Form::Json => {
            told_once(&said);
            let found: Vec<_> = said.of("arp").map(|arp| &arp["mac"]).collect();
            assert_eq!(found, ["02:00:00:4d:00:01"]);
        }
    }
    Ok(())
}

fn told_once(said: &Said) {
    let conflicts: Vec<_> = said
        .of("conflict")
        .map(|conflict| (&conflict["ip"], &conflict["mac"], &conflict["other"]))
        .collect();
    let (ip, kept, other) = ("10.77.0.1", "02:00:00:4d:00:01", "02:00:00:4d:00:99");
    assert_eq!(conflicts, [(&ip.into(), &kept.into(), &other.into())]);
}

/// All eight bits, those of RFC 3168 too.
fn services(form: Form) -> Tested {
    let net = Net::bare()?;
    let mut host =
        Run::start(&net.far, Form::Json, "serve -I f0 --no-probe -S 10.77.0.1/24 -w 15")?;
    host.until(r#""state":"serving""#)?;
    let (mut there, mut here) = (net.tap()?, Tap::open(&net.here, "v0")?);
    for tos in [0_u8, 1, 2, 3, 0x10, 0x28, 0xb8, 0xb9, 0xfc, 0xff] {
        let args = format!("ping -c 1 -Q {tos:#x} -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1");
        assert_eq!(run(&net.here, form, &args, 0)?.replies(), [1]);
        for (tap, kind) in [(&mut there, 8), (&mut here, 0)] {
            let seen: Vec<Got> =
                tap.seen()?.iter().filter(|seen| seen.is_ipv4()).map(got).collect();
            let services: Vec<_> = seen.iter().map(|got| (got.icmp(), got.payload[1])).collect();
            assert_eq!(services, [((kind, 0), tos)]);
        }
    }
    Ok(())
}

fn broadcasts(form: Form) -> Tested {
    let net = Net::bare()?;
    let mut tap = net.tap()?;
    for (source, others) in [
        ("10.77.0.10/24", ["10.77.0.255", "10.77.0.0"]),
        ("10.77.0.10/25", ["10.77.0.127", "10.77.0.0"]),
        ("10.77.0.10/16", ["10.77.255.255", "10.77.0.0"]),
    ] {
        for dst in others {
            let args = format!("ping -c 1 -I v0 -S {source} --no-probe {dst}");
            let said = run(&net.here, form, &args, 2)?;
            assert!(form == Form::Json || said.says("is not one host's address"), "{said:#?}");
        }
    }
    assert!(tap.seen()?.is_empty(), "not even a question");
    Ok(())
}

fn link_local(form: Form) -> Tested {
    let net = Net::new()?;
    net.far.add_address("f0", Ipv4Addr::new(169, 254, 7, 1), 16)?;
    let mut tap = net.tap()?;
    let us = "-I v0 -S 169.254.7.10/16 --no-probe --gateway 169.254.7.1";
    for dst in ["10.77.0.1", "10.99.1.2"] {
        let said = run(&net.here, form, &format!("ping -c 1 {us} {dst}"), 2)?;
        assert!(form == Form::Json || said.says(&format!("no route to {dst}")), "{said:#?}");
    }
    assert!(tap.seen()?.is_empty(), "not even a question");
    let said = run(&net.here, form, &format!("ping -c 1 {us} 169.254.7.1"), 0)?;
    assert_eq!(said.replies(), [1]);
    Ok(())
}

fn secrets(form: Form) -> Tested {
    let net = Net::new()?;
    let mut tap = net.tap()?;
    let mut asked = |seed: &str| {
        let us = "-I v0 -S 10.77.0.10/24 --no-probe";
        run(&net.here, form, &format!("ping -c 1 {us} {seed} 10.77.0.1"), 0)?;
        let seen = tap.seen()?;
        let request = seen.iter().find(|seen| seen.is_ipv4()).map(got).ok_or("no request")?;
        Ok::<_, Failed>([&request.message()[4..6], &request.message()[8..16]].map(<[u8]>::to_vec))
    };
    let runs: Vec<_> = (0..4).map(|_| asked("")).collect::<Result<_, _>>()?;
    let distinct = |part: usize| runs.iter().map(|run| &run[part]).collect::<BTreeSet<_>>().len();
    assert!(distinct(0) > 1, "always the same identifier: {runs:?}");
    assert_eq!(distinct(1), 4, "a cookie came twice: {runs:?}");
    assert_eq!(asked("--seed 7")?, asked("--seed 7")?, "but for those who ask for it");
    Ok(())
}

fn moved(form: Form) -> Tested {
    let net = Net::new()?;
    let args = "ping -c 9 -i 1 -W 0.9 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, args)?;
    program.until_reply(2)?;
    let mut tap = net.tap()?;
    net.far.set_mac("f0", OWNERS[1])?;
    let replies = program.ends(0)?.replies();
    assert_eq!(replies.last(), Some(&9), "{replies:?}");
    assert!(replies.len() >= 9 - 5, "not found again within five requests: {replies:?}");
    let last = tap.seen()?.iter().filter(|seen| seen.is_ipv4()).map(to).next_back();
    assert_eq!(last, Some(OWNERS[1]));
    Ok(())
}

/// Whom a frame is for.
fn to(seen: &Seen) -> MacAddr6 {
    seen.frame().dst()
}

/// The same, read strictly.
fn got(seen: &Seen) -> Got {
    let frame = seen.frame();
    Got::parse(&unpadded(frame.dst(), frame.src(), IPV4, frame.payload()))
}

/// Two stations that have one address.
const OWNERS: [MacAddr6; 2] = [FAR_MAC, MacAddr6::new(2, 0, 0, 77, 0, 0x99)];

const CONFLICT: &str =
    "CONFLICT: 10.77.0.1 is at 02:00:00:4d:00:01, and 02:00:00:4d:00:99 claims it too";

const NOW: std::time::Duration = std::time::Duration::ZERO;
