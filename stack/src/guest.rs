use std::{
    io,
    os::fd::BorrowedFd,
    time::{Instant, SystemTime},
};

use link::{Event, Frame, FrameIo, FrameTx, MacAddr6, SendError, Wait, memory::Port};

use crate::lab::Lab;

/// A port of a [`Lab`] as a link of its own: whoever waits on it lets the laboratory live.
pub struct Guest {
    lab: Lab,
    port: Port,
}

impl Guest {
    /// `port`, which is plugged into a network of `lab`.
    pub fn new(lab: Lab, port: Port) -> Self {
        Self { lab, port }
    }

    /// The laboratory.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }
}

impl FrameTx for Guest {
    fn mac(&self) -> MacAddr6 {
        self.port.mac()
    }

    fn mtu(&self) -> usize {
        self.port.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.port.transmit(len, write)
    }
}

impl FrameIo for Guest {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        self.port.recv(now, each)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.port.flush()
    }

    fn event(&mut self) -> Option<Event> {
        self.port.event()
    }

    fn returns_sent(&self) -> bool {
        self.port.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.port.dropped()
    }
}

impl Wait for Guest {
    fn now(&self) -> Instant {
        self.lab.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.port.wall(at)
    }

    /// Lets the laboratory go on until something arrives here, or until `until`; where neither
    /// will ever be, it returns at once.
    fn wait(&mut self, until: Option<Instant>, _wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        while !self.port.has_arrived() {
            if !self.lab.step(until)? || until.is_some_and(|until| until <= self.lab.now()) {
                break;
            }
        }
        Ok(())
    }
}
