use caps::{CapSet, Capability};

use crate::failure::Failure;

/// Gives up, in every set, what only the opening of a link needed.
pub(crate) fn drop_privileges() -> Result<(), Failure> {
    for capability in [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN] {
        let gone = |set| match caps::has_cap(None, set, capability) {
            Ok(true) => caps::drop(None, set, capability),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        // A process may only shrink its bounding set if it has a capability for that; without it
        // the set bounds nothing that is left.
        if let Ok(true) = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP) {
            gone(CapSet::Bounding).map_err(refused)?;
        }
        for set in [CapSet::Ambient, CapSet::Effective, CapSet::Inheritable, CapSet::Permitted] {
            gone(set).map_err(refused)?;
        }
    }
    Ok(())
}

fn refused(error: caps::errors::CapsError) -> Failure {
    Failure::link(format!("cannot drop privileges: {error}"))
}
