use std::fmt::{self, Write};

use super::{
    escape::Escaped,
    findings::Findings,
    hosts, latency,
    lists::{conflicts, loss, vendors},
    map,
    state::{State, define_signs},
};
use crate::{
    record::Time,
    text::{Ms, Percent},
};

/// The page, whole.
pub(super) fn of(findings: &Findings) -> Result<String, fmt::Error> {
    let mut page = String::new();
    let out = &mut page;
    let title = Escaped(&findings.title);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>"
    )?;
    define_signs(out)?;
    header(out, findings)?;
    out.push_str("<main>\n");
    tiles(out, findings)?;
    conflicts(out, findings)?;
    map::section(out, findings)?;
    vendors(out, findings)?;
    latency::section(out, findings)?;
    loss(out, findings)?;
    hosts::section(out, findings)?;
    out.push_str("</main>\n");
    writeln!(out, "<footer>sidestack {}</footer>\n</body>\n</html>", env!("CARGO_PKG_VERSION"))?;
    Ok(page)
}

fn header(out: &mut String, findings: &Findings) -> fmt::Result {
    let Findings { title, command, interface, from, .. } = findings;
    let [title, command, interface] = [title, command, interface].map(Escaped);
    let (began, ended) = (findings.began, findings.ended);
    let took = ended.since_epoch().saturating_sub(began.since_epoch());
    let seconds = took.as_secs_f64();
    writeln!(
        out,
        "<header>\n<h1>{title}</h1>\n<p class=\"command\"><code>{command}</code></p>\n\
         <dl><div><dt>Began</dt><dd>{}</dd></div><div><dt>Took</dt><dd>{seconds:.1} s</dd></div>\
         <div><dt>Interface</dt><dd>{interface}</dd></div><div><dt>From</dt><dd>{from}</dd></div></dl>",
        time(began)
    )?;
    if findings.interrupted {
        out.push_str("<p class=\"note\">Interrupted: not everybody was asked.</p>\n");
    }
    if findings.dropped > 0 {
        writeln!(
            out,
            "<p class=\"note\">{} frames came in faster than they were taken, and are lost: \
             somebody may have answered who is silent here.</p>",
            findings.dropped
        )?;
    }
    out.push_str("</header>\n");
    Ok(())
}

/// What to know first.
fn tiles(out: &mut String, findings: &Findings) -> fmt::Result {
    let census = findings.census();
    let there: u64 =
        census.iter().filter(|(state, _)| state.is_there()).map(|(_, count)| count).sum();
    let of = |state| census.get(&state).copied().unwrap_or_default();
    let (asked, answered) = findings.requests();
    let none = || "\u{2013}".to_owned();
    let loss = (asked > 0).then(|| (asked - answered) as f64 * 100.0 / asked as f64);
    let loss = loss.map_or_else(none, |loss| format!("{}%", Percent(loss.round())));
    let median =
        |times: Option<u64>| times.map_or_else(none, |nanos| Ms::of_nanos(nanos).to_string());
    out.push_str("<ul class=\"tiles\">");
    for (label, value) in [
        ("targets", findings.targets.to_string()),
        ("found", there.to_string()),
        ("silent", of(State::Silent).to_string()),
        ("conflicts", of(State::Conflict).to_string()),
        ("requests lost", loss),
        ("median echo, ms", median(findings.echo.quantile(0.5))),
        ("median ARP, ms", median(findings.arp.quantile(0.5))),
    ] {
        let class = if label == "conflicts" && value != "0" { " class=\"alarm\"" } else { "" };
        write!(out, "<li{class}><b>{value}</b> {label}</li>")?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

/// To the second, in universal time.
fn time(at: Time) -> String {
    let text = humantime::format_rfc3339_seconds(at.0).to_string();
    text.replace('T', " ").replace('Z', " UTC")
}

const STYLE: &str = include_str!("style.css");
