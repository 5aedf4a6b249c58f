mod dots;
mod linger;
mod many;
mod recorded;
mod rhythm;
mod run;
mod size;
mod summary;
mod view;

use std::{net::Ipv4Addr, time::Duration};

use stack::{arp, ipv4::NextHop};

use crate::{
    args::{Global, Ping},
    failure::Failure,
    open::Us,
    report::Report,
    session::Session,
    target, targets,
    threshold::Measured,
};
use run::Run;
use summary::Verdict;
use view::View;

/// Asks one host for echoes, and tells what comes of each; or many, and tells who answers.
pub(crate) fn run(global: &Global, args: &Ping, report: &mut Report) -> Result<u8, Failure> {
    if args.many.is_wanted() || !targets::are_one(&args.targets) {
        return many::run(global, args, report);
    }
    refuse(global, args)?;
    let dst = target::resolve(&args.targets[0])?;
    let us = if args.letters.flood { flooder(args) } else { Us::Host };
    let mut session = Session::open(global, Some(dst), us, arp::Config::default())?;
    let next_hop = next_hop(&session, dst)?;
    size::check(&mut session, dst, args)?;
    session.start(report, "ping", &[dst])?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    let view = View::new(args, global.verbose, dst, next_hop);
    let mut run = Run::new(session, args, dst, view, global.explain, report.is_watched());
    run.view.header(&run.session, report)?;
    let ended = run.go(report);
    let statistics = &run.statistics;
    let (pass, missed) = args.thresholds.judge(&Measured {
        received: statistics.received,
        loss: statistics.loss(),
        round_trip: &|figure| statistics.round_trip(figure),
        owners: &run.view.owners,
    });
    let pass = pass && !run.taken;
    let verdict = Verdict { interrupted: run.stopped.is_some(), pass, missed };
    run.view.summary(&run.session, &run.statistics, run.began, &verdict, report)?;
    let closed = run.session.close(report);
    ended.and(closed)?;
    let bounded = args.count.is_some() || args.deadline.is_some();
    Ok(if run.stopped.is_some() && bounded { 130 } else { u8::from(!pass) })
}

/// Refuses letters that mean nothing together.
fn refuse(global: &Global, args: &Ping) -> Result<(), Failure> {
    if args.interval == Some(Duration::ZERO) {
        return Err(Failure::usage("-i 0: must be more than nothing for one target")
            .hint("-f asks as fast as it answers"));
    }
    let letters = &args.letters;
    let records = letters.record_route || letters.record_times.is_some();
    let lines = !(args.quiet || global.json || letters.flood);
    let unseen = [
        (!lines && args.many.alive, "-a"),
        (!lines && letters.outstanding, "-O"),
        (!lines && args.timestamps, "-D"),
        (args.quiet && records, "-R or -T"),
    ];
    match unseen.into_iter().find(|(unseen, _)| *unseen) {
        None => Ok(()),
        Some((_, letter)) => Err(Failure::usage(format!(
            "{letter} means nothing where no line is shown for an answer"
        ))),
    }
}

/// Who asks as fast as it is answered, and how many frames may come of all that is under way.
fn flooder(args: &Ping) -> Us {
    let under_way = rhythm::window(args).map_or(UNTOLD, usize::from);
    let fragments = args.size / FRAGMENT + 1;
    Us::Flooder { frames: (2 * under_way).saturating_mul(fragments).max(FRAMES) }
}

/// Whom frames for `dst` go to; refuses what cannot be asked at all.
fn next_hop(session: &Session, dst: Ipv4Addr) -> Result<Ipv4Addr, Failure> {
    let network = session.identity.network;
    if dst == network.ip() {
        return Err(Failure::usage(format!("{dst} is our own address on {}", session.name)));
    }
    match session.stack.route(dst).map(|route| route.next_hop) {
        Some(NextHop::Unicast(next_hop)) => Ok(next_hop),
        Some(_) => Err(Failure::usage(format!("{dst} is not one host's address"))),
        None => {
            let (ip, len) = (network.network(), network.prefix());
            Err(Failure::usage(format!("no route to {dst}: it is not in our network, {ip}/{len}"))
                .hint("name a router of that network by --gateway"))
        }
    }
}

/// What is to be echoed: the pattern again and again, or octets that count up.
fn data(args: &Ping) -> Vec<u8> {
    let counting = (0..args.size).map(|n| n as u8);
    match &args.pattern {
        Some(pattern) => pattern.0.iter().copied().cycle().take(args.size).collect(),
        None => counting.collect(),
    }
}

/// Requests that are under way, perhaps, where only their pace is known.
const UNTOLD: usize = 512;

/// Octets of data in one fragment, at least, where frames have the usual length.
const FRAGMENT: usize = 1400;

/// Frames that may come from others meanwhile, and be for us.
const FRAMES: usize = 128;

/// Octets of the IPv4 and ICMP headers.
const HEADERS: usize = 20 + 8;
