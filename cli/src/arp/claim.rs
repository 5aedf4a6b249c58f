use std::net::Ipv4Addr;

use link::SendError;
use stack::{
    Event, Pace, What,
    arp::{self, Operation},
};

use super::{line, record};
use crate::{
    args::{Arp, Global},
    failure::Failure,
    open::Us,
    record::Mac,
    report::Report,
    session::{Probed, Session},
    signals::Wish,
};

/// RFC 5227 §2.1: is the address free?
pub(super) fn probe(
    global: &Global,
    args: &Arp,
    addr: Ipv4Addr,
    report: &mut Report,
) -> Result<u8, Failure> {
    let mut session = Session::open(global, Some(addr), Us::Nobody, arp::Config::default())?;
    session.start(report, "arp", &[addr])?;
    let probed = if session.host_owns(addr) {
        report.note(format_args!("{addr} is the host's own"));
        Probed::Taken(session.mac())
    } else {
        let now = session.now();
        session.stack.probe(now, addr);
        report.note(format_args!("probing {addr} on {}: 4 to 7 s", session.name));
        session.note_if_down(report);
        session.adoption(report, addr, "probing", None)?;
        session.probed(addr, report)?
    };
    let (code, text) = match probed {
        Probed::Free => {
            session.adoption(report, addr, "free", None)?;
            (0, format!("{addr} is free"))
        }
        Probed::Taken(mac) => {
            session.adoption(report, addr, "taken", Some(mac))?;
            (1, format!("{addr} is in use by {}", Mac(mac)))
        }
        Probed::Stopped => (130, format!("{addr}: nobody has answered yet")),
    };
    if !args.quiet {
        report.line(text)?;
    }
    session.close(report)?;
    Ok(code)
}

/// RFC 5227 §2.3 and §3: tells everybody where the address is, once we know that it is ours.
pub(super) fn announce(
    global: &Global,
    args: &Arp,
    addr: Ipv4Addr,
    report: &mut Report,
) -> Result<u8, Failure> {
    let us = Us::Claimant(addr);
    let mut session = Session::open(global, Some(addr), us, arp::Config::default())?;
    session.start(report, "arp", &[addr])?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    let count = args.count.unwrap_or(arp::ANNOUNCE_NUM);
    let mut pace =
        Pace::new(session.now(), args.interval.unwrap_or_default().max(arp::ANNOUNCE_INTERVAL));
    let deadline = args.deadline.map(|deadline| session.now() + deadline);
    let (mut announced, mut code) = (0, 0);
    loop {
        let now = session.now();
        if pace.next() <= now && speak(&mut session, args, addr).is_ok() {
            announced += 1;
            pace.done(now);
            let (mac, name) = (session.mac(), &session.name);
            if !args.quiet {
                report.line(format_args!(
                    "announced {addr} at {} on {name}, {announced} of {count}",
                    Mac(mac)
                ))?;
            }
            session.adoption(report, addr, "announced", Some(mac))?;
        }
        let polled = session.poll();
        while let Some(Event { at, what, .. }) = session.stack.event() {
            let event = match what {
                What::Arp(event) => event,
                What::Link(event) => {
                    session.link_changed(report, at, event)?;
                    continue;
                }
                What::Icmp(_) => continue,
            };
            if matches!(event, arp::Event::Conflict { .. }) {
                code = 1;
            }
            if let Some(text) = line(&session.name, &event, None) {
                report.line(text)?;
            }
            record(&session, at, &event, report)?;
        }
        let more = session.or_gone(polled, report)?;
        if announced == count || deadline.is_some_and(|deadline| deadline <= now) {
            break;
        }
        if !more {
            session.wait(Some(pace.next()).into_iter().chain(deadline).min())?;
        }
        if session.wish() == Some(Wish::Stop) {
            code = 130;
            break;
        }
    }
    session.close(report)?;
    Ok(code)
}

fn speak(session: &mut Session, args: &Arp, addr: Ipv4Addr) -> Result<(), SendError> {
    let operation = if args.advertise { Operation::REPLY } else { Operation::REQUEST };
    session.stack.announce(addr, operation)
}
