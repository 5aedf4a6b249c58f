use std::{
    fmt::{self, Display, Write},
    net::Ipv4Addr,
};

use super::{
    escape::Escaped,
    findings::{Findings, Host},
    lists::more,
    state::{State, sign},
};
use crate::{
    record::Mac,
    text::{Ms, Percent},
};

/// Everybody of whom there is more to say than silence.
pub(super) fn section(out: &mut String, findings: &Findings) -> fmt::Result {
    let known = findings.hosts.iter().filter(|(_, host)| host.state() != State::Silent);
    let hosts: Vec<_> = known.collect();
    if hosts.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section class=\"hosts\"><h2>Hosts</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Hosts\"><table><thead><tr>",
    );
    for (label, class) in COLUMNS {
        write!(out, "<th scope=\"col\"{class}>{label}</th>")?;
    }
    out.push_str("</tr></thead><tbody>\n");
    for (addr, host) in hosts.iter().take(ROWS) {
        row(out, **addr, host)?;
    }
    out.push_str("</tbody></table></div>\n");
    more(out, hosts.len(), ROWS)?;
    out.push_str("</section>\n");
    Ok(())
}

fn row(out: &mut String, addr: Ipv4Addr, host: &Host) -> fmt::Result {
    write!(out, "<tr><th scope=\"row\">{addr}</th><td class=\"state\">")?;
    sign(out, host.state())?;
    write!(out, " {}</td>", host.state().name())?;
    let owner = host.owners.first();
    cell(out, "", owner.map(|owner| format!("<code>{}</code>", Mac(owner.mac))))?;
    let vendor = owner.and_then(|owner| owner.vendor);
    cell(out, "", vendor.map(Escaped))?;
    cell(out, NUMBER, host.arp.map(Ms))?;
    cell(out, NUMBER, host.echo().map(Ms))?;
    cell(out, NUMBER, host.ttl)?;
    cell(out, NUMBER, host.loss().map(|loss| format!("{}%", Percent(loss.round()))))?;
    out.push_str("</tr>\n");
    Ok(())
}

fn cell(out: &mut String, class: &str, text: Option<impl Display>) -> fmt::Result {
    match text {
        Some(text) => write!(out, "<td{class}>{text}</td>"),
        None => write!(out, "<td{class}>\u{2013}</td>"),
    }
}

const COLUMNS: [(&str, &str); 8] = [
    ("Address", ""),
    ("State", ""),
    ("MAC", ""),
    ("Vendor", ""),
    ("ARP, ms", NUMBER),
    ("Echo, ms", NUMBER),
    ("TTL", NUMBER),
    ("Loss", NUMBER),
];

const NUMBER: &str = " class=\"n\"";

/// Lines of the table; JSON lines are for more.
const ROWS: usize = 1024;
