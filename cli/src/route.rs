mod path_mtu;

use std::{
    collections::{HashMap, VecDeque},
    net::Ipv4Addr,
};

use macaddr::MacAddr6;
use stack::{
    Event, What, arp,
    ipv4::{Hop, NextHop, Route, Why},
};

use crate::{
    args::{self, Global},
    failure::Failure,
    open::Us,
    record::{Mac, Record},
    report::Report,
    session::Session,
    signals::Wish,
    target,
};

/// Explains how each target is reached: from which address, by which prefix, through which
/// gateway, at which MAC; and, if it is asked for, how long a packet gets through.
pub(crate) fn run(global: &Global, args: &args::Route, report: &mut Report) -> Result<u8, Failure> {
    let targets: Vec<Ipv4Addr> = target::resolve_all(&args.targets)?;
    let first = targets.first().copied();
    let mut session = Session::open(global, first, Us::Host, arp::Config::default())?;
    if let Some(code) = session.settle(global, report)? {
        session.close(report)?;
        return Ok(code);
    }
    if let Some(via) = global.via {
        targets[1..].iter().try_for_each(|target| session.override_route(*target, via))?;
    }
    if args.mtu {
        targets.iter().try_for_each(|target| check_other(&session, *target))?;
    }
    session.start(report, "route", &targets)?;
    let routes: Vec<_> = targets.iter().map(|dst| (*dst, session.stack.route(*dst))).collect();
    let hops = routes.iter().filter_map(|(_, route)| neighbour(route.as_ref()?));
    let hops: Vec<Ipv4Addr> = hops.filter(|hop| *hop != session.identity.network.ip()).collect();
    let Some(macs) = ask(&mut session, &hops, report)? else {
        session.close(report)?;
        return Ok(130);
    };
    let mut all = true;
    for (dst, route) in &routes {
        let leaves = tell(&session, *dst, route.as_ref(), &macs, report)?;
        all &= leaves;
        if !leaves || !args.mtu {
            continue;
        }
        let Some(found) = path_mtu::find(&mut session, *dst, (args.wait, global.verbose), report)?
        else {
            session.close(report)?;
            return Ok(130);
        };
        all &= found;
    }
    session.close(report)?;
    Ok(u8::from(!all))
}

/// Refuses what is no path to another host.
fn check_other(session: &Session, target: Ipv4Addr) -> Result<(), Failure> {
    let network = session.identity.network;
    if target == network.ip() {
        return Err(Failure::usage(format!("{target} is our own address on {}", session.name)));
    }
    target::check_host(target, network)
}

/// Where each of `hops` is; `None` if somebody wants an end first.
fn ask(
    session: &mut Session,
    hops: &[Ipv4Addr],
    report: &mut Report,
) -> Result<Option<HashMap<Ipv4Addr, MacAddr6>>, Failure> {
    let mut unasked: VecDeque<Ipv4Addr> = hops.iter().copied().collect();
    let pinned =
        session.stack.neighbours().filter(|neighbour| neighbour.state == arp::State::Static);
    let mut macs: HashMap<_, _> =
        pinned.filter_map(|neighbour| Some((neighbour.addr, neighbour.mac?))).collect();
    let mut waiting: Vec<_> = hops.iter().filter(|hop| !macs.contains_key(hop)).collect();
    while !waiting.is_empty() {
        session.ask(&mut unasked)?;
        let polled = session.poll();
        let more = session.or_gone(polled, report)?;
        while let Some(Event { at, what, .. }) = session.stack.event() {
            match what {
                What::Link(event) => session.link_changed(report, at, event)?,
                What::Arp(arp::Event::Resolved { addr, mac, .. }) => {
                    macs.insert(addr, mac);
                    waiting.retain(|hop| **hop != addr);
                }
                What::Arp(
                    arp::Event::Unresolved { addr, .. } | arp::Event::Unsent { addr, .. },
                ) => waiting.retain(|hop| **hop != addr),
                _ => {}
            }
        }
        if !more && !waiting.is_empty() {
            session.wait_for_room(&unasked, None)?;
        }
        if session.wish() == Some(Wish::Stop) {
            return Ok(None);
        }
    }
    Ok(Some(macs))
}

/// `true` if frames for `dst` can leave, as far as we know.
fn tell(
    session: &Session,
    dst: Ipv4Addr,
    route: Option<&Route>,
    macs: &HashMap<Ipv4Addr, MacAddr6>,
    report: &mut Report,
) -> Result<bool, Failure> {
    let interface = session.name.as_str();
    let Some(route) = route else {
        report.line(format_args!(
            "{dst}: no route on {interface}: it is on no network of ours, and there is no gateway"
        ))?;
        say(session, dst, None, None, report)?;
        return Ok(false);
    };
    let src = route.src;
    let next_hop = neighbour(route);
    let mac = match route.next_hop {
        NextHop::Unicast(hop) => macs.get(&hop).copied(),
        _ => None,
    };
    let (via, because) = because(route.why);
    let at = match (mac, next_hop) {
        (Some(mac), _) => format!(" at {}", Mac(mac)),
        (None, Some(_)) => " at no known MAC: no ARP reply".to_owned(),
        (None, None) => " to all".to_owned(),
    };
    report.line(format_args!("{dst} from {src} on {interface}{via}{at}: {because}"))?;
    say(session, dst, Some(route), mac, report)?;
    Ok(mac.is_some() || next_hop.is_none())
}

/// Through whom, if through anybody, and why.
pub(crate) fn because(why: Why) -> (String, String) {
    match why {
        Why::Broadcast => (String::new(), "everybody's address here".to_owned()),
        Why::Multicast => (String::new(), "a group's address".to_owned()),
        Why::Prefix(prefix, Hop::Connected) => {
            let (ip, len) = (prefix.network(), prefix.prefix());
            (String::new(), format!("{ip}/{len} is the longest prefix, and on the link"))
        }
        Why::Prefix(prefix, Hop::Gateway(gateway)) => {
            let (ip, len) = (prefix.network(), prefix.prefix());
            (
                format!(" via {gateway}"),
                format!("{ip}/{len} is the longest prefix, and through a gateway"),
            )
        }
        Why::Instead { prefix, gateway, dead } => {
            let (ip, len) = (prefix.network(), prefix.prefix());
            (
                format!(" via {gateway}"),
                format!("{ip}/{len} is the longest prefix, and the gateway {dead} is dead"),
            )
        }
    }
}

fn say(
    session: &Session,
    dst: Ipv4Addr,
    route: Option<&Route>,
    mac: Option<MacAddr6>,
    report: &mut Report,
) -> Result<(), Failure> {
    let (why, prefix, gateway) = match route.map(|route| route.why) {
        None => ("unreachable", None, None),
        Some(Why::Broadcast) => ("broadcast", None, None),
        Some(Why::Multicast) => ("multicast", None, None),
        Some(Why::Prefix(prefix, Hop::Connected)) => ("connected", Some(prefix), None),
        Some(Why::Prefix(prefix, Hop::Gateway(gateway))) => {
            ("gateway", Some(prefix), Some(gateway))
        }
        Some(Why::Instead { prefix, gateway, .. }) => ("gateway", Some(prefix), Some(gateway)),
    };
    report.record(&Record::Route {
        ts: session.time(session.now()),
        dst,
        src: route.map(|route| route.src),
        interface: &session.name,
        why,
        prefix: prefix.map(|prefix| format!("{}/{}", prefix.network(), prefix.prefix())),
        gateway,
        next_hop: route.and_then(neighbour),
        mac: mac.map(Mac),
    })
}

fn neighbour(route: &Route) -> Option<Ipv4Addr> {
    match route.next_hop {
        NextHop::Unicast(hop) => Some(hop),
        NextHop::Broadcast | NextHop::Multicast(_) => None,
    }
}
