//! What the tests of the rings do with a wire, besides what those of the socket do.

use libtest_mimic::{Failed, Trial};

use sidestack_link::{Options, PacketSocket, Ring, namespace::Namespace};

use crate::ends;
pub(crate) use crate::ends::{
    FAR, NEAR, Net, PATIENCE, STEP, Tested, each, event, gather, passes, payloads, send, wire,
};

/// What holds of either ring.
pub(crate) fn either<const N: usize>(rules: [(&str, Rule); N]) -> Vec<Trial> {
    let rings = [("v2", Ring::LOW_DELAY), ("v3", Ring::CAPTURE)].into_iter();
    let of = |(name, ring)| {
        rules.map(|(rule, run)| Trial::test(format!("{name}::{rule}"), move || run(ring)))
    };
    rings.flat_map(of).collect()
}

pub(crate) fn pair(ring: Ring) -> Result<(PacketSocket, PacketSocket, Net), Failed> {
    ends::pair(with(ring))
}

pub(crate) fn with(ring: Ring) -> Options {
    PacketSocket::options().ring(ring)
}

pub(crate) fn small(ring: Ring) -> Ring {
    match ring {
        Ring::V3 { timeout, .. } => Ring::V3 { octets: 1, block: 1, timeout },
        _ => Ring::V2 { octets: 1 },
    }
}

pub(crate) fn open(net: &Namespace, name: &str, options: Options) -> Result<PacketSocket, Failed> {
    Ok(net.run(|| options.open(name))?)
}

pub(crate) type Rule = fn(Ring) -> Tested;
