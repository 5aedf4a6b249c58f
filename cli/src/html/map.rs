mod block;
mod wide;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
    net::Ipv4Addr,
};

use super::{
    findings::{Findings, Host},
    state::{State, sign},
};

/// Where on the network who is: a square for every 256 addresses where these are few, else one
/// for every 65,536.
pub(super) fn section(out: &mut String, findings: &Findings) -> fmt::Result {
    if findings.hosts.is_empty() {
        return Ok(());
    }
    let blocks: BTreeSet<u32> =
        findings.hosts.keys().map(|addr| u32::from(*addr) >> BLOCK).collect();
    let class = if blocks.len() == 1 { "map one" } else { "map" };
    writeln!(out, "<section class=\"{class}\"><h2>Map</h2>")?;
    legend(out, &findings.census())?;
    if blocks.len() <= BLOCKS {
        out.push_str("<div class=\"blocks\">\n");
        for block in blocks {
            block::draw(out, block << BLOCK, &within(findings, block, BLOCK))?;
        }
        out.push_str("</div>\n");
    } else {
        let nets: BTreeSet<u32> =
            findings.hosts.keys().map(|addr| u32::from(*addr) >> NET).collect();
        for &net in nets.iter().take(NETS) {
            wide::draw(out, net << NET, &within(findings, net, NET))?;
        }
        if let Some(more @ 1..) = nets.len().checked_sub(NETS) {
            writeln!(out, "<p class=\"more\">{more} more networks are not drawn.</p>")?;
        }
    }
    out.push_str("</section>\n");
    Ok(())
}

fn within(findings: &Findings, prefix: u32, bits: u32) -> Vec<(Ipv4Addr, &Host)> {
    let first = prefix << bits;
    let last = first | ((1 << bits) - 1);
    let hosts = findings.hosts.range(Ipv4Addr::from(first)..=Ipv4Addr::from(last));
    hosts.map(|(addr, host)| (*addr, host)).collect()
}

fn legend(out: &mut String, census: &BTreeMap<State, u64>) -> fmt::Result {
    out.push_str("<ul class=\"legend\">");
    for state in State::ALL {
        let Some(count) = census.get(&state) else { continue };
        out.push_str("<li>");
        sign(out, state)?;
        write!(out, " {} <b>{count}</b></li>", state.name())?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

/// `11 alive, 3 silent`
fn counts<'a>(hosts: impl Iterator<Item = &'a Host>) -> String {
    let mut census = BTreeMap::<State, u64>::new();
    hosts.for_each(|host| *census.entry(host.state()).or_default() += 1);
    let counted = State::ALL
        .into_iter()
        .filter_map(|state| census.get(&state).map(|count| format!("{count} {}", state.name())));
    counted.collect::<Vec<_>>().join(", ")
}

/// Bits of an address within a block, and within a network of blocks.
const BLOCK: u32 = 8;
const NET: u32 = 16;

/// As many blocks are drawn one by one.
const BLOCKS: usize = 16;

/// Networks that are drawn.
const NETS: usize = 8;
