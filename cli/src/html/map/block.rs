use std::{
    fmt::{self, Write},
    net::Ipv4Addr,
};

use super::counts;
use crate::{
    html::{escape::Escaped, findings::Host, state::SIDE},
    record::Mac,
    text::Ms,
};

/// 256 addresses in 16 rows, each with its sign, and with what is known of it to whoever points
/// at it.
pub(super) fn draw(out: &mut String, first: u32, hosts: &[(Ipv4Addr, &Host)]) -> fmt::Result {
    let (net, counts) = (Ipv4Addr::from(first), counts(hosts.iter().map(|(_, host)| *host)));
    let [width, height] = [LEFT, TOP].map(|margin| margin + ACROSS * SIDE + 2);
    writeln!(
        out,
        "<figure><figcaption><b>{net}/24</b> {counts}</figcaption>\n\
         <svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Map of {net}/24: {counts}\">"
    )?;
    out.push_str("<g class=\"axis\">");
    for n in 0..ACROSS {
        let (x, y) = (LEFT + n * SIDE + SIDE / 2, TOP + n * SIDE + SIDE / 2 + 4);
        write!(out, "<text class=\"mid\" x=\"{x}\" y=\"{}\">+{n}</text>", TOP - 5)?;
        write!(out, "<text class=\"end\" x=\"{}\" y=\"{y}\">.{}</text>", LEFT - 5, n * ACROSS)?;
    }
    let (side, round) = (ACROSS * SIDE + 2, 4);
    writeln!(
        out,
        "</g><rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{side}\" height=\"{side}\" rx=\"{round}\"/>",
        LEFT - 1,
        TOP - 1
    )?;
    for (addr, host) in hosts {
        let n = usize::from(addr.octets()[3]);
        let (x, y) = (LEFT + n % ACROSS * SIDE, TOP + n / ACROSS * SIDE);
        let class = host.state().class();
        write!(out, "<g><title>")?;
        describe(out, *addr, host)?;
        writeln!(out, "</title><use href=\"#{class}\" x=\"{x}\" y=\"{y}\"/></g>")?;
    }
    out.push_str("</svg></figure>\n");
    Ok(())
}

fn describe(out: &mut String, addr: Ipv4Addr, host: &Host) -> fmt::Result {
    write!(out, "{addr} {}", host.state().name())?;
    for owner in &host.owners {
        write!(out, "; {}", Mac(owner.mac))?;
        if let Some(vendor) = owner.vendor {
            write!(out, " {}", Escaped(vendor))?;
        }
    }
    if let Some(time) = host.arp {
        write!(out, "; ARP {} ms", Ms(time))?;
    }
    if let Some(time) = host.echo() {
        write!(out, "; echo {} ms", Ms(time))?;
    }
    Ok(())
}

/// Addresses in a row, and rows.
const ACROSS: usize = 16;

/// Room for what stands beside the rows, and above the columns.
const LEFT: usize = 34;
const TOP: usize = 18;
