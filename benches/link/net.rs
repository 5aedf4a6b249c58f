use std::{
    error::Error,
    io,
    time::{Duration, Instant},
};

use link::{
    EtherType, MacAddr6, Options, PacketSocket, Ring,
    namespace::{Namespace, veth},
};

/// Two namespaces and a wire between them.
pub(crate) struct Net {
    pub(crate) near: Namespace,
    pub(crate) near_index: u32,
    pub(crate) far: Namespace,
    pub(crate) far_index: u32,
}

impl Net {
    pub(crate) fn new() -> io::Result<Self> {
        let (near, far) = (Namespace::new()?, Namespace::new()?);
        veth(&near, "near0", NEAR, &far, "far0", FAR)?;
        let near_index = near.run(|| link::interface("near0"))?.index;
        let far_index = far.run(|| link::interface("far0"))?.index;
        Ok(Self { near, near_index, far, far_index })
    }

    pub(crate) fn near(&self, options: Options) -> Result<PacketSocket, Box<dyn Error>> {
        Ok(self.near.run(|| options.open("near0"))?)
    }

    pub(crate) fn far(&self, options: Options) -> Result<PacketSocket, Box<dyn Error>> {
        Ok(self.far.run(|| options.open("far0"))?)
    }
}

pub(crate) fn plain() -> Options {
    PacketSocket::options().stamps(false)
}

pub(crate) fn v2() -> Options {
    plain().ring(Ring::LOW_DELAY)
}

pub(crate) fn v3() -> Options {
    plain().ring(Ring::CAPTURE)
}

/// A frame of 64 octets from the far end to the near one.
pub(crate) fn request() -> Vec<u8> {
    let ether_type = EtherType(0x0801).0.to_be_bytes();
    let mut frame = [&NEAR.into_array()[..], &FAR.into_array(), &ether_type].concat();
    frame.resize(64, 0);
    frame
}

#[expect(clippy::disallowed_methods, reason = "this is what is measured")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// One round's figure, in the unit of its row.
pub(crate) type Measured = Result<f64, Box<dyn Error>>;

pub(crate) const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
pub(crate) const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// The longest sleep on a link.
pub(crate) const STEP: Duration = Duration::from_millis(20);

/// When a round that gets nowhere ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
