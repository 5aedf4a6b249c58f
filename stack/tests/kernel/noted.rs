use std::{
    io,
    os::fd::BorrowedFd,
    time::{Instant, SystemTime},
};

use sidestack_stack::link::{
    Direction, Event, Facts, Frame, FrameIo, FrameTx, Link, MacAddr6, SendError, Wait,
};

/// A link that keeps all that it handed up.
pub(crate) struct Noted<L> {
    inner: L,
    frames: Vec<(Facts, Vec<u8>)>,
}

impl<L: Link> Noted<L> {
    pub(crate) fn new(inner: L) -> Self {
        Self { inner, frames: Vec::new() }
    }

    /// What went that way, as views.
    pub(crate) fn went(&self, direction: Direction) -> impl Iterator<Item = Frame<'_>> {
        let frames = self.frames.iter().filter(move |(facts, _)| facts.direction == direction);
        frames.map(|(facts, octets)| Frame::new(octets, *facts).expect("it was a frame before"))
    }
}

impl<L: FrameTx> FrameTx for Noted<L> {
    fn mac(&self) -> MacAddr6 {
        self.inner.mac()
    }

    fn mtu(&self) -> usize {
        self.inner.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.inner.transmit(len, write)
    }
}

impl<L: FrameIo> FrameIo for Noted<L> {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let Self { inner, frames } = self;
        inner.recv(now, &mut |frame, tx| {
            frames.push((frame.facts(), frame.octets().to_vec()));
            each(frame, tx);
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn event(&mut self) -> Option<Event> {
        self.inner.event()
    }

    fn returns_sent(&self) -> bool {
        self.inner.returns_sent()
    }
}

impl<L: Wait> Wait for Noted<L> {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.inner.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.inner.wait(until, wake)
    }
}
