use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fmt::{self, Write},
    net::Ipv4Addr,
};

use super::{
    escape::Escaped,
    findings::{Findings, Host},
    state::State,
};
use crate::{record::Mac, text::Percent};

/// Addresses that several stations claim.
pub(super) fn conflicts(out: &mut String, findings: &Findings) -> fmt::Result {
    let of = findings.hosts.iter().filter(|(_, host)| host.state() == State::Conflict);
    let conflicts: Vec<_> = of.collect();
    if conflicts.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section class=\"conflicts\"><h2>Conflicts</h2>\n<div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\">Address</th><th scope=\"col\">Claimed by</th>\
         <th scope=\"col\">Vendor</th></tr></thead>\n",
    );
    for (addr, host) in conflicts.iter().take(ROWS) {
        out.push_str("<tbody>");
        for (n, owner) in host.owners.iter().enumerate() {
            out.push_str("<tr>");
            if n == 0 {
                let rows = host.owners.len();
                write!(out, "<th scope=\"rowgroup\" rowspan=\"{rows}\">{addr}</th>")?;
            }
            let (mac, vendor) = (Mac(owner.mac), owner.vendor.unwrap_or("unknown"));
            writeln!(out, "<td><code>{mac}</code></td><td>{}</td></tr>", Escaped(vendor))?;
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div>\n");
    more(out, conflicts.len(), ROWS)?;
    out.push_str("</section>\n");
    Ok(())
}

/// Who lost some of the requests, and who answered none.
pub(super) fn loss(out: &mut String, findings: &Findings) -> fmt::Result {
    let (asked, answered) = findings.requests();
    if asked == 0 {
        return Ok(());
    }
    let percent = Percent(two_digits((asked - answered) as f64 * 100.0 / asked as f64));
    out.push_str("<section class=\"loss\"><h2>Loss</h2>\n");
    writeln!(
        out,
        "<p>{percent}% of all requests came to nothing: {answered} of {asked} were answered.</p>"
    )?;
    let partly = |(_, host): &(&Ipv4Addr, &Host)| (1..host.asked).contains(&host.answered);
    let mut lossy: Vec<_> = findings.hosts.iter().filter(partly).collect();
    lossy.sort_by(|(_, a), (_, b)| b.loss().unwrap_or(0.0).total_cmp(&a.loss().unwrap_or(0.0)));
    if !lossy.is_empty() {
        out.push_str("<h3>Answered some</h3>\n<ul class=\"bars\">\n");
        for (addr, host) in lossy.iter().take(ROWS) {
            let loss = two_digits(host.loss().unwrap_or_default());
            let note = format!("{}% of {}", Percent(loss), host.asked);
            bar(out, &addr.to_string(), loss / 100.0, &note)?;
        }
        out.push_str("</ul>\n");
        more(out, lossy.len(), ROWS)?;
    }
    let silent = findings.hosts.iter().filter(|(_, host)| host.asked > 0 && host.answered == 0);
    let ranges = ranges(silent.map(|(addr, _)| *addr));
    if !ranges.is_empty() {
        out.push_str("<h3>Answered none</h3>\n<p class=\"ranges\">");
        for (n, (first, last)) in ranges.iter().take(ROWS).enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            match first == last {
                true => write!(out, "{comma}<span>{first}</span>")?,
                false => write!(out, "{comma}<span>{first}\u{2013}{last}</span>")?,
            }
        }
        out.push_str("</p>\n");
        more(out, ranges.len(), ROWS)?;
    }
    out.push_str("</section>\n");
    Ok(())
}

/// Who made what was found.
pub(super) fn vendors(out: &mut String, findings: &Findings) -> fmt::Result {
    let mut counts = BTreeMap::<&str, u64>::new();
    for owner in findings.hosts.values().flat_map(|host| &host.owners) {
        *counts.entry(owner.vendor.unwrap_or("unknown")).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(());
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(name, count)| (Reverse(count), name));
    let most = counts.first().map_or(1, |(_, count)| *count);
    out.push_str("<section class=\"vendors\"><h2>Vendors</h2>\n<ul class=\"bars\">\n");
    for &(name, count) in counts.iter().take(VENDORS) {
        bar(out, name, count as f64 / most as f64, &count.to_string())?;
    }
    out.push_str("</ul>\n");
    more(out, counts.len(), VENDORS)?;
    out.push_str("</section>\n");
    Ok(())
}

/// A line with a bar of this part, of 1, of the whole length.
fn bar(out: &mut String, name: &str, part: f64, note: &str) -> fmt::Result {
    let width = (part * 100.0).clamp(0.5, 100.0);
    writeln!(
        out,
        "<li><span class=\"name\">{}</span><span class=\"track\" aria-hidden=\"true\">\
         <span style=\"width:{width:.1}%\"></span></span><span class=\"n\">{note}</span></li>",
        Escaped(name)
    )
}

/// Says what a list of `shown` lines leaves out.
pub(super) fn more(out: &mut String, all: usize, shown: usize) -> fmt::Result {
    match all.checked_sub(shown) {
        Some(more @ 1..) => writeln!(out, "<p class=\"more\">And {more} more.</p>"),
        _ => Ok(()),
    }
}

/// Addresses in order, joined where they follow each other.
fn ranges(addrs: impl Iterator<Item = Ipv4Addr>) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let mut ranges: Vec<(Ipv4Addr, Ipv4Addr)> = Vec::new();
    for addr in addrs {
        match ranges.last_mut() {
            Some((_, last)) if u32::from(*last).checked_add(1) == Some(addr.into()) => *last = addr,
            _ => ranges.push((addr, addr)),
        }
    }
    ranges
}

fn two_digits(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

/// Lines of a list.
const ROWS: usize = 64;

/// Vendors that are named.
const VENDORS: usize = 16;
