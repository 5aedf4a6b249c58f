use std::{
    cell::Cell,
    io,
    os::fd::BorrowedFd,
    rc::Rc,
    time::{Instant, SystemTime},
};

use link::{Direction, Event, Frame, FrameIo, FrameTx, Link, SendError, Wait};
use macaddr::MacAddr6;
use stack::dissect;

/// A link that counts the requests that leave: those for an address by ARP, and those for an echo.
pub(super) struct Counted {
    below: Box<dyn Link>,
    /// Taken, and not given back unsent.
    requests: Rc<Cell<u64>>,
    /// Those of them since the link last took all.
    latest: u64,
}

impl Counted {
    pub(super) fn new(below: Box<dyn Link>, requests: Rc<Cell<u64>>) -> Self {
        Self { below, requests, latest: 0 }
    }
}

impl FrameTx for Counted {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let Self { below, requests, latest } = self;
        Tx { below, requests, latest }.transmit(len, write)
    }
}

impl FrameIo for Counted {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let Self { below, requests, latest } = self;
        below.recv(now, &mut |frame, tx| {
            if matches!(frame.direction(), Direction::Unsent(_)) && is_request(frame.octets()) {
                requests.set(requests.get().saturating_sub(1));
            }
            each(frame, &mut Tx { below: tx, requests, latest });
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.below.flush();
        let latest = std::mem::take(&mut self.latest);
        if flushed.is_err() {
            self.requests.set(self.requests.get().saturating_sub(latest));
        }
        flushed
    }

    fn event(&mut self) -> Option<Event> {
        self.below.event()
    }

    fn returns_sent(&self) -> bool {
        self.below.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.below.dropped()
    }
}

impl Wait for Counted {
    fn now(&self) -> Instant {
        self.below.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.below.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.below.wait(until, wake)
    }
}

/// The transmit half.
struct Tx<'a> {
    below: &'a mut dyn FrameTx,
    requests: &'a Cell<u64>,
    latest: &'a mut u64,
}

impl FrameTx for Tx<'_> {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let mut is_one = false;
        self.below.transmit(len, &mut |slot| {
            write(slot);
            is_one = is_request(slot);
        })?;
        if is_one {
            self.requests.set(self.requests.get() + 1);
            *self.latest += 1;
        }
        Ok(())
    }
}

fn is_request(frame: &[u8]) -> bool {
    dissect(frame, frame.len()).is_request()
}
