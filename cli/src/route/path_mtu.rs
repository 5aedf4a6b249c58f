use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use link::FrameTx;
use stack::{
    Event as Happened, MtuSearch, What,
    icmp::Outcome,
    path_mtu::{Config, Ended, Error, Event},
};

use crate::{
    failure::Failure,
    record::{Record, nanoseconds},
    report::Report,
    session::Session,
    signals::Wish,
};

/// Finds out what the path to `dst` takes, and tells it: whether it was found, or `None` if
/// somebody wanted an end first.
pub(super) fn find(
    session: &mut Session,
    dst: Ipv4Addr,
    (wait, verbose): (Option<Duration>, bool),
    report: &mut Report,
) -> Result<Option<bool>, Failure> {
    let start = session.now();
    let default = Config::default();
    let config = Config { probe_timer: wait.unwrap_or(default.probe_timer), ..default };
    let mut search = MtuSearch::new(start, dst, config, &session.stack);
    loop {
        let polled = search.poll(session.now(), &mut session.stack);
        let polled = polled.map_err(|error| Failure::gone(&session.name, &error));
        let more = session.or_gone(polled, report)?;
        while let Some(event) = search.event() {
            match event {
                Event::Ended(ended) if verbose => probed(dst, &ended, report)?,
                Event::Other(Happened { at, what: What::Link(event), .. }) => {
                    session.link_changed(report, at, event)?;
                }
                Event::Over(found) => {
                    tell(session, dst, found.map_err(why_not), (start, &search), report)?;
                    return Ok(Some(found.is_ok()));
                }
                Event::Ended(_) | Event::Other(_) => {}
            }
        }
        if !more {
            session.wait(search.deadline(&session.stack))?;
        }
        match session.wish() {
            Some(Wish::Stop) => {
                let interrupted = ("interrupted", "interrupted".to_owned());
                tell(session, dst, Err(interrupted), (start, &search), report)?;
                return Ok(None);
            }
            Some(Wish::Figures) => report.aside(format_args!("{dst}: {} probes", search.probes())),
            None => {}
        }
    }
}

fn probed(dst: Ipv4Addr, ended: &Ended, report: &mut Report) -> Result<(), Failure> {
    let size = ended.size;
    match ended.outcome {
        Outcome::Reply { .. } => report.line(format_args!("{dst}: {size} octets: answered")),
        Outcome::Error(error) => report.line(format_args!("{dst}: {size} octets: {error}")),
        _ => report.line(format_args!("{dst}: {size} octets: no answer")),
    }
}

/// Says what was found, or why nothing was, for programs and for people.
fn tell(
    session: &Session,
    dst: Ipv4Addr,
    found: Result<u16, (&str, String)>,
    (start, search): (Instant, &MtuSearch),
    report: &mut Report,
) -> Result<(), Failure> {
    let (now, probes, link_mtu) = (session.now(), search.probes(), session.stack.link().mtu());
    let took = now.saturating_duration_since(start);
    let name = &session.name;
    let by = format!("{probes} probes in {:.1} s", took.as_secs_f64());
    match &found {
        Ok(mtu) => report.line(format_args!("{dst}: path MTU {mtu} of {link_mtu} on {name}, {by}")),
        Err((_, why)) => report.line(format_args!("{dst}: path MTU not found: {why}, {by}")),
    }?;
    report.record(&Record::PathMtu {
        ts: session.time(now),
        dst,
        mtu: found.as_ref().ok().copied(),
        link_mtu,
        probes,
        took_ns: nanoseconds(took),
        why_not: found.as_ref().err().map(|(name, _)| *name),
    })
}

/// For programs, and for people.
fn why_not(error: Error) -> (&'static str, String) {
    let name = match error {
        Error::Refused(_) => "refused",
        Error::Unsteady { .. } => "unsteady",
        _ => "unreachable",
    };
    match error {
        Error::Unreachable { last: Outcome::Error(last) } => {
            (name, format!("{error} ({last}, says {})", last.from))
        }
        _ => (name, error.to_string()),
    }
}
