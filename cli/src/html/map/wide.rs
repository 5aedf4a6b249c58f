use std::{
    fmt::{self, Write},
    net::Ipv4Addr,
};

use super::counts;
use crate::html::{findings::Host, state::State};

/// 65,536 addresses in 256 rows, a point each: what is next to each other and in the same state
/// is one line, so that no page grows beyond measure. What is rare has its sign.
pub(super) fn draw(out: &mut String, first: u32, hosts: &[(Ipv4Addr, &Host)]) -> fmt::Result {
    let (net, all) = (Ipv4Addr::from(first), counts(hosts.iter().map(|(_, host)| *host)));
    writeln!(
        out,
        "<figure class=\"wide\"><figcaption><b>{net}/16</b> {all}; a row is a /24</figcaption>\n\
         <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Map of {net}/16: {all}\">",
        LEFT + SIDE + 6,
        TOP + SIDE + 2
    )?;
    axes(out)?;
    for state in State::ALL {
        points(out, state, hosts)?;
    }
    rows(out, first, hosts)?;
    signs(out, hosts)?;
    out.push_str("</svg></figure>\n");
    Ok(())
}

fn axes(out: &mut String) -> fmt::Result {
    out.push_str("<g class=\"axis\">");
    for n in (0..=SIDE).step_by(32) {
        let label = n.min(255);
        let (x, y) = (LEFT + n, TOP + n + 2);
        write!(out, "<text class=\"mid\" x=\"{x}\" y=\"{}\">.{label}</text>", TOP - 3)?;
        write!(out, "<text class=\"end\" x=\"{}\" y=\"{y}\">.{label}.</text>", LEFT - 3)?;
    }
    writeln!(
        out,
        "</g><rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/>"
    )
}

/// Lines along the rows, each from where the last one began.
fn points(out: &mut String, state: State, hosts: &[(Ipv4Addr, &Host)]) -> fmt::Result {
    let mut runs: Vec<(u32, u32)> = Vec::new(); // where it begins, and how long it is
    for (addr, _) in hosts.iter().filter(|(_, host)| host.state() == state) {
        let n = u32::from(*addr) & 0xffff;
        match runs.last_mut() {
            Some((begins, len)) if *begins + *len == n && n % 256 != 0 => *len += 1,
            _ => runs.push((n, 1)),
        }
    }
    if runs.is_empty() {
        return Ok(());
    }
    write!(out, "<path class=\"run {}\" d=\"M{LEFT} {TOP}.5", state.class())?;
    let (mut x, mut y) = (0_i64, 0_i64);
    for (begins, len) in runs {
        let (to_x, to_y) = (i64::from(begins % 256), i64::from(begins / 256));
        write!(out, "m{} {}h{len}", to_x - x, to_y - y)?;
        (x, y) = (to_x + i64::from(len), to_y);
    }
    out.push_str("\"/>\n");
    Ok(())
}

/// The signs of what is rare, larger than the points they stand on.
fn signs(out: &mut String, hosts: &[(Ipv4Addr, &Host)]) -> fmt::Result {
    for state in [State::Conflict, State::New, State::Gone] {
        let of: Vec<_> = hosts.iter().filter(|(_, host)| host.state() == state).collect();
        if of.len() > SIGNS {
            continue;
        }
        for (addr, _) in of {
            let [_, _, c, d] = addr.octets();
            let (x, y) = (LEFT + u32::from(d), TOP + u32::from(c));
            let (class, name) = (state.class(), state.name());
            writeln!(
                out,
                "<g transform=\"translate({x} {y}) scale(.3) translate(-9.3 -9.3)\">\
                 <title>{addr} {name}</title><use href=\"#{class}\"/></g>"
            )?;
        }
    }
    Ok(())
}

/// Who points at a row is told what is in it.
fn rows(out: &mut String, first: u32, hosts: &[(Ipv4Addr, &Host)]) -> fmt::Result {
    let rows = hosts.chunk_by(|(a, _), (b, _)| a.octets()[2] == b.octets()[2]);
    for row in rows {
        let Some((addr, _)) = row.first() else { continue };
        let third = u32::from(addr.octets()[2]);
        let (net, counts) =
            (Ipv4Addr::from(first | third << 8), counts(row.iter().map(|(_, host)| *host)));
        writeln!(
            out,
            "<rect class=\"field\" x=\"{LEFT}\" y=\"{}\" width=\"{SIDE}\" height=\"1\"><title>{net}/24: {counts}</title></rect>",
            TOP + third
        )?;
    }
    Ok(())
}

/// Addresses in a row, and rows.
const SIDE: u32 = 256;

/// Room for what stands beside the rows, and above the columns.
const LEFT: u32 = 24;
const TOP: u32 = 12;

/// So many signs are drawn; more would hide everything.
const SIGNS: usize = 64;
