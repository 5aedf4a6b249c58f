use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

use crate::failure::Failure;

/// The address that `text` means: an address, or a name, which the system resolves.
pub(crate) fn resolve(text: &str) -> Result<Ipv4Addr, Failure> {
    if let Ok(addr) = text.parse() {
        return check(addr);
    }
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if last.is_empty() || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::usage(format!("{text} is no IPv4 address such as 10.0.0.2")));
    }
    let unknown = |why: &str| Failure::usage(format!("{text}: cannot be resolved: {why}"));
    if last.eq_ignore_ascii_case("invalid") {
        return Err(unknown("such names never exist (RFC 6761)"));
    }
    let addrs = (text, 0).to_socket_addrs().map_err(|error| unknown(&error.to_string()))?;
    let mut addrs = addrs.filter_map(|addr| match addr {
        SocketAddr::V4(addr) => Some(*addr.ip()),
        SocketAddr::V6(_) => None,
    });
    check(addrs.next().ok_or_else(|| unknown("it has no IPv4 address"))?)
}

/// Refuses what no frame on a link can be for.
fn check(addr: Ipv4Addr) -> Result<Ipv4Addr, Failure> {
    match addr.octets()[0] {
        0 => Err(Failure::usage(format!("{addr} is nobody's address"))),
        127 => Err(Failure::usage(format!("{addr} is this host itself, and on no link"))),
        _ => Ok(addr),
    }
}
