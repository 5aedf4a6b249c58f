use std::net::Ipv4Addr;

use stack::link::FrameTx;

use super::{HEADERS, recorded::options};
use crate::{
    args::{MtuDiscovery, Ping},
    failure::Failure,
    session::Session,
};

/// Refuses data that no datagram holds, or that must not be fragmented and has to be.
pub(super) fn check(session: &mut Session, dst: Ipv4Addr, args: &Ping) -> Result<(), Failure> {
    let size = args.size;
    let headers = HEADERS + options(args).octets().len();
    let (total, most) = (size.saturating_add(headers), DATAGRAM - headers);
    if size > most {
        return Err(Failure::usage(format!(
            "-s {size}: with headers {total} octets, and no datagram is longer than {DATAGRAM}: \
             at most -s {most}"
        )));
    }
    let most = unfragmented(session, dst, args);
    if args.mtu_discovery == MtuDiscovery::Do && size > most {
        let (mtu, name) = (session.stack.link().mtu(), &session.name);
        return Err(Failure::usage(format!(
            "-s {size}: with headers {total} octets, beyond the MTU of {mtu} on {name}, and \
             -M do forbids fragments: at most -s {most}"
        )));
    }
    Ok(())
}

/// Whether a request may not be fragmented on its way.
pub(super) fn dont_fragment(session: &mut Session, dst: Ipv4Addr, args: &Ping) -> bool {
    match args.mtu_discovery {
        MtuDiscovery::Do => true,
        MtuDiscovery::Want => args.size <= unfragmented(session, dst, args),
        MtuDiscovery::Dont => false,
    }
}

/// The most data that needs no fragments, as far as the path is known.
fn unfragmented(session: &mut Session, dst: Ipv4Addr, args: &Ping) -> usize {
    let now = session.now();
    session.stack.max_data(now, dst).saturating_sub(options(args).octets().len())
}

/// The longest datagram, header included (RFC 791 §3.1).
const DATAGRAM: usize = 65_535;
