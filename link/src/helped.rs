mod batch;
mod helper;
mod worker;

use std::{
    collections::VecDeque,
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant, SystemTime},
};

use macaddr::MacAddr6;

use self::{
    batch::{Batch, Returned},
    helper::Helper,
    worker::Done,
};
use crate::{
    frame::Frame,
    io::{Event, FrameIo, FrameTx, SendError, Wait},
    socket::PacketSocket,
};

/// A socket that a second thread sends by as well, once there is much to send: most of what a frame
/// costs is the kernel's work of sending it.
///
/// Whoever drives it drives one link: he writes every frame and takes in every frame, so that what
/// is asked, when, and what comes of it is as it is without a helper. Only which of two frames is
/// the first to leave may be otherwise.
pub struct Helped {
    /// Its frames do not come back once they have left.
    link: PacketSocket,
    helper: Helper,
    /// Frames for the helper.
    batch: Batch,
    /// Frames written since the last flush.
    written: usize,
    /// Flushes with much to send, up to when the helper begins.
    busy: usize,
    /// Frames of the helper's that could not leave.
    unsent: VecDeque<Returned>,
}

impl Helped {
    /// Sends by `link`, which returns nothing that has left ([`FrameIo::returns_sent`]), and later
    /// by `other` too: a socket on the same interface, with [`Filter::none`](crate::Filter::none), for
    /// nobody takes in what it hears.
    pub fn new(link: PacketSocket, other: PacketSocket) -> Self {
        debug_assert!(!link.returns_sent() && !other.returns_sent());
        let (helper, batch) = (Helper::of(other), Batch::default());
        Self { link, helper, batch, written: 0, busy: 0, unsent: VecDeque::new() }
    }

    /// Whether the next frame is for the helper.
    fn is_shared(&self) -> bool {
        self.helper.has_room() && self.batch.len() < MOST
    }

    /// Hands the batch over if that is worth it, or else lets it leave by our own queue, as far as
    /// there is room.
    fn share(&mut self) {
        let written = std::mem::take(&mut self.written);
        if self.batch.len() >= MUCH && self.helper.has_room() {
            return self.helper.hand(&mut self.batch, self.link.now());
        }
        self.batch.queue(&mut self.link, &mut self.unsent);
        if written >= MUCH && self.busy < LONG {
            self.busy += 1;
            if self.busy == LONG {
                self.helper.begin();
            }
        }
    }

    /// Has all leave that is written; what our own queue had no room for stays in the batch, and
    /// then there is something that the link is waited for.
    fn leave(&mut self) -> io::Result<()> {
        self.share();
        self.link.flush()?;
        if self.batch.len() > 0 {
            self.batch.queue(&mut self.link, &mut self.unsent);
            self.link.flush()?;
        }
        Ok(())
    }

    /// Takes note of all batches that the helper is done with, and of those that are still to come
    /// if it failed: they come back at once.
    fn gather(&mut self) -> io::Result<()> {
        let (mut gathered, mut most) = (Ok(()), Duration::ZERO);
        while let Some(done) = self.helper.done(most) {
            if let Err(error) = self.done(done) {
                (gathered, most) = (gathered.and(Err(error)), SOON);
            }
        }
        gathered
    }

    /// Takes note of a batch that the helper is done with.
    fn done(&mut self, done: Done) -> io::Result<()> {
        self.unsent.extend(done.unsent);
        if self.batch.len() == 0 {
            self.batch = done.batch; // for its memory
        }
        done.result
    }
}

impl FrameTx for Helped {
    fn mac(&self) -> MacAddr6 {
        self.link.mac()
    }

    fn mtu(&self) -> usize {
        self.link.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        if self.is_shared() {
            SendError::check(len, self.mtu())?;
            self.batch.push(len, write);
        } else {
            self.link.transmit(len, write)?;
        }
        self.written += 1;
        Ok(())
    }
}

impl FrameIo for Helped {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let mut count = 0;
        while let Some(Returned { octets, facts }) = self.unsent.pop_front() {
            if let Ok(frame) = Frame::new(&octets, facts) {
                each(frame, &mut self.link);
                count += 1;
            }
        }
        Ok(count + self.link.recv(now, each)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gather()?;
        // What has not left by now would be waited for before it has been asked.
        if self.helper.is_late(self.link.now())
            && let Some(done) = self.helper.done(SOON)
        {
            self.done(done)?;
        }
        self.leave()
    }

    fn event(&mut self) -> Option<Event> {
        self.link.event()
    }

    fn dropped(&mut self) -> u64 {
        self.link.dropped()
    }
}

impl Wait for Helped {
    fn now(&self) -> Instant {
        self.link.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.link.wall(at)
    }

    /// Whoever waits has first sent all that he had to send.
    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        while self.helper.is_at_work() {
            let left = until.map(|until| until.saturating_duration_since(self.now()));
            match self.helper.done(left.map_or(SOON, |left| left.min(SOON))) {
                Some(done) => self.done(done)?,
                None => return Ok(()), // what has come meanwhile is not to wait for it
            }
        }
        if !self.unsent.is_empty() {
            return Ok(());
        }
        // The link does not know of what is still in the batch.
        let soon = (self.batch.len() > 0).then(|| self.now() + SOON);
        self.link.wait(until.into_iter().chain(soon).min(), wake)
    }
}

/// Frames that are worth waking a thread for.
const MUCH: usize = 32;

/// Frames of one batch, at most.
const MOST: usize = 64;

/// So many flushes with much to send are the beginning of a long sweep.
const LONG: usize = 16;

/// How long the helper is waited for without looking at anything else.
const SOON: Duration = Duration::from_millis(10);
