use macaddr::MacAddr6;

use crate::io::{FrameTx, SendError};

/// The transmit half of a link, speaking as another station than the link's own.
///
/// So one socket carries any number of hosts: only the source address of what is sent changes.
/// What is addressed to `mac` arrives only where the link hears it, in promiscuous mode if need be.
pub struct As<'a> {
    /// Who speaks.
    pub mac: MacAddr6,
    /// Through what.
    pub below: &'a mut dyn FrameTx,
}

impl FrameTx for As<'_> {
    fn mac(&self) -> MacAddr6 {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.below.transmit(len, write)
    }
}
