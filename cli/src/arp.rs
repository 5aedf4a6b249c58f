mod claim;
mod resolve;

use std::{net::Ipv4Addr, time::Instant};

use ipnetwork::Ipv4Network;
use stack::arp;

use crate::{
    args::{Arp, Global},
    failure::Failure,
    record::{Mac, Record, nanoseconds},
    report::Report,
    session::Session,
    target,
};
use claim::{announce, probe};
use resolve::resolve;

/// Resolves addresses; or probes for one, or announces one.
pub(crate) fn run(global: &Global, args: &Arp, report: &mut Report) -> Result<u8, Failure> {
    let targets: Vec<Ipv4Addr> = target::resolve_all(&args.targets)?;
    for addr in &targets {
        target::check_host(*addr, Ipv4Network::from(*addr))?;
    }
    let alone = match targets.as_slice() {
        [target] => Ok(*target),
        _ => Err(Failure::usage("one address at a time can be probed for or announced")),
    };
    if args.probe {
        probe(global, args, alone?, report)
    } else if args.announce || args.advertise {
        announce(global, args, alone?, report)
    } else {
        resolve(global, args, &targets, report)
    }
}

/// What an ARP event has to say to people; `beyond` is whom the neighbour is the gateway to.
pub(crate) fn line(name: &str, event: &arp::Event, beyond: Option<Ipv4Addr>) -> Option<String> {
    Some(match event {
        arp::Event::Unresolved { addr, requests, .. } => {
            let ms = (arp::REQUEST_INTERVAL * *requests).as_millis();
            let who = gateway_to(beyond);
            let plural = if *requests == 1 { "" } else { "s" };
            format!(
                "{addr}{who}: no ARP reply on {name} after {requests} request{plural} ({ms} ms): \
                 host down, or not on this segment or VLAN"
            )
        }
        arp::Event::Unsent { addr, .. } => {
            format!("{addr}{}: cannot be asked for: {name} is down", gateway_to(beyond))
        }
        arp::Event::Conflict { addr, kept, other } => {
            format!("CONFLICT: {addr} is at {}, and {} claims it too", Mac(*kept), Mac(*other))
        }
        arp::Event::Moved { addr, old, new } => {
            format!("{addr} moved from {} to {}", Mac(*old), Mac(*new))
        }
        arp::Event::Taken { addr, mac } | arp::Event::Lost { addr, mac } => {
            format!("CONFLICT: {addr} is ours no longer, {} has it", Mac(*mac))
        }
        _ => return None,
    })
}

/// What an ARP event has to say to programs.
pub(crate) fn record(
    session: &Session,
    at: Instant,
    event: &arp::Event,
    report: &mut Report,
) -> Result<(), Failure> {
    let (ts, conflict) = (session.time(at), None);
    report.record(&match *event {
        arp::Event::Resolved { addr: ip, mac, round_trip, requests: tries } => {
            let rtt_ns = round_trip.map(nanoseconds);
            Record::Arp { ts, ip, mac: Some(Mac(mac)), rtt_ns, tries, conflict }
        }
        arp::Event::Unresolved { addr: ip, requests: tries, .. } => {
            Record::Arp { ts, ip, mac: None, rtt_ns: None, tries, conflict }
        }
        arp::Event::Conflict { addr: ip, kept, other } => {
            Record::Conflict { ts, ip, mac: Mac(kept), other: Mac(other) }
        }
        arp::Event::Moved { addr: ip, old, new } => {
            Record::Pairing { ts, ip, old_mac: Mac(old), mac: Mac(new) }
        }
        arp::Event::Taken { addr: ip, mac } | arp::Event::Lost { addr: ip, mac } => {
            Record::Adopt { ts, ip, state: "taken", mac: Some(Mac(mac)) }
        }
        _ => return Ok(()),
    })
}

fn gateway_to(beyond: Option<Ipv4Addr>) -> String {
    beyond.map_or_else(String::new, |dst| format!(" (the gateway to {dst})"))
}
