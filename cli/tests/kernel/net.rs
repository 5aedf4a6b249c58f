//! A wire between us and a kernel.

use std::net::Ipv4Addr;

use libtest_mimic::Failed;
use link::{
    MacAddr6,
    namespace::{Namespace, veth},
};

use crate::tap::Tap;

/// Our end of a wire, `v0` without an address, and a kernel that is [`FAR`] at the other, `f0`.
pub(crate) struct Net {
    pub(crate) here: Namespace,
    pub(crate) far: Namespace,
}

impl Net {
    pub(crate) fn new() -> Result<Self, Failed> {
        let net = Self::bare()?;
        net.far.add_address("f0", FAR, 24)?;
        Ok(net)
    }

    /// With nobody at the far end.
    pub(crate) fn bare() -> Result<Self, Failed> {
        let (here, far) = (Namespace::new()?, Namespace::new()?);
        veth(&here, "v0", OUR_MAC, &far, "f0", FAR_MAC)?;
        Ok(Self { here, far })
    }

    /// Sees all that leaves our end from now on.
    pub(crate) fn tap(&self) -> Result<Tap, Failed> {
        Tap::open(&self.far, "f0")
    }
}

pub(crate) const US: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 10);
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(crate) const OUR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 77, 0, 10);
pub(crate) const FAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 77, 0, 1);
