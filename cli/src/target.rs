use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

use ipnetwork::Ipv4Network;

use crate::failure::Failure;

/// The address that `text` means: an address, or a name, which the system resolves.
pub(crate) fn resolve(text: &str) -> Result<Ipv4Addr, Failure> {
    if let Ok(addr) = text.parse() {
        return check(addr);
    }
    if text.is_empty() {
        return Err(Failure::usage("an empty target, where an address or a name is needed"));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
        return Err(Failure::usage(format!("{text:?} is neither an IPv4 address nor a name")));
    }
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if last.is_empty() || numeric {
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

/// Refuses what is no one host's address in `network`.
pub(crate) fn check_host(addr: Ipv4Addr, network: Ipv4Network) -> Result<(), Failure> {
    if network.prefix() < 31 && [network.network(), network.broadcast()].contains(&addr) {
        return Err(Failure::usage(format!("{addr} is everybody's address in {network}")));
    }
    if addr.octets()[0] >= 224 {
        return Err(Failure::usage(format!("{addr} is not one host's address")));
    }
    Ok(())
}

/// The addresses that `texts` mean, each once.
pub(crate) fn resolve_all(texts: &[String]) -> Result<Vec<Ipv4Addr>, Failure> {
    let mut addrs = Vec::new();
    for text in texts {
        let addr = resolve(text)?;
        if !addrs.contains(&addr) {
            addrs.push(addr);
        }
    }
    Ok(addrs)
}

/// Refuses what no frame on a link can be for.
fn check(addr: Ipv4Addr) -> Result<Ipv4Addr, Failure> {
    match addr.octets()[0] {
        0 => Err(Failure::usage(format!("{addr} is nobody's address"))),
        127 => Err(Failure::usage(format!("{addr} is this host itself, and on no link"))),
        _ => Ok(addr),
    }
}
