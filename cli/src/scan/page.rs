use super::host::{Change, Echo, Row, State};
use crate::html::{self, Findings, Owner};

/// Adds what is told of a host. Of two owners of one address each has a row, and either may be
/// told of again.
pub(super) fn add(findings: &mut Findings, row: &Row) {
    let addr = row.addr;
    findings.silent(addr);
    if let Some(old) = row.moved_from {
        findings.left(addr, old);
    }
    let is_known = row.mac.is_some_and(|mac| findings.knows(addr, mac));
    if let Some(mac) = row.mac.filter(|_| row.state == State::Up) {
        findings.at(addr, Owner::of(mac), row.arp_time().filter(|_| !is_known));
    }
    match row.echo {
        _ if is_known => {}
        Echo::Answered { round_trip, ttl } => findings.answered(addr, round_trip, ttl),
        Echo::Silent | Echo::Awaited => findings.unanswered(addr),
        Echo::Error(_) => {
            findings.unanswered(addr);
            if row.state == State::Silent {
                findings.mark(addr, html::State::Unreachable);
            }
        }
        Echo::NotAsked => {}
    }
    match (row.state, row.change) {
        (State::Gone, _) => findings.mark(addr, html::State::Gone),
        (State::Up, Some(Change::New)) => findings.mark(addr, html::State::New),
        _ => {}
    }
}
