mod device;
mod options;
mod outlet;

use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use macaddr::MacAddr6;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

pub use options::{TapError, TapOptions};

use self::outlet::{Outlet, errno};
use crate::{
    frame::{Direction, Facts, Frame, Source, Stamp},
    io::{Event, FrameIo, FrameTx, SendError, Wait},
    socket::{
        clock::{self, Clock, Reading},
        line::Line,
    },
};

/// A host behind a device of the kernel's: what the kernel, or a bridge, sends through the device
/// comes to us, and what we send comes in by it (Linux `tuntap.rst`).
///
/// ```text
/// us ---- NAME, the kernel's end: an address on it, or a port of a bridge
/// ```
///
/// We are a station of our own, with another MAC address than the kernel's end. Frames that leave
/// come back with the user's stamp, and so do, unsent, those that cannot.
pub struct Tap {
    tun: File,
    line: Line,
    clock: Clock,
    outlet: Outlet,
    room: Vec<u8>,
}

impl Tap {
    /// Opens the tap called `name`, with all that [`Tap::options`] offers left as it is.
    ///
    /// # Errors
    /// As [`TapOptions::open`].
    pub fn open(name: &str) -> Result<Self, TapError> {
        Self::options().open(name)
    }

    /// Other ways to open a tap.
    pub fn options() -> TapOptions {
        TapOptions::default()
    }

    /// Becomes what the device has become.
    fn follow(&mut self) {
        self.line.listen();
        self.outlet.outbox.follow(&self.line);
    }

    fn has_news(&self) -> bool {
        self.outlet.outbox.has_returned() || self.line.has_event() || self.line.is_gone()
    }
}

impl FrameTx for Tap {
    fn mac(&self) -> MacAddr6 {
        self.outlet.outbox.mac()
    }

    fn mtu(&self) -> usize {
        self.outlet.outbox.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.outlet.outbox.transmit(len, write)
    }
}

impl FrameIo for Tap {
    fn recv(
        &mut self,
        _: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        self.follow();
        let mut count = self.outlet.outbox.hand_back(each); // they left before anything that comes now
        for _ in 0..BATCH {
            let len = match self.tun.read(&mut self.room).map_err(errno) {
                Ok(len) => len,
                Err(Errno::EAGAIN | Errno::EINTR) => break,
                Err(Errno::EBADFD | Errno::ENODEV) => {
                    self.line.cut();
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            count += 1; // what is no frame was waiting too
            let reading = Reading::now();
            self.clock.read(reading);
            let octets = &self.room[..len.min(self.room.len())];
            let (us, stamp) = (self.mac(), user(reading));
            let facts = Facts::of(octets, us, Direction::Received, reading.after, stamp);
            if let Ok(frame) = Frame::new(octets, facts) {
                each(frame, &mut self.outlet.outbox);
            }
        }
        if count == 0 {
            self.line.check()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.follow();
        self.outlet.flush(&self.tun, &mut self.line)?;
        self.line.check()
    }

    fn event(&mut self) -> Option<Event> {
        self.follow();
        self.line.event()
    }

    fn returns_sent(&self) -> bool {
        true
    }
}

impl Wait for Tap {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        UNIX_EPOCH + self.clock.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if self.has_news() {
            return Ok(());
        }
        let timeout = until.map(|until| until.saturating_duration_since(clock::now()));
        let room = if self.outlet.needs_room() { PollFlags::POLLOUT } else { PollFlags::empty() };
        let mut fds = vec![
            PollFd::new(self.tun.as_fd(), PollFlags::POLLIN | room),
            PollFd::new(self.line.as_fd(), PollFlags::POLLIN),
        ];
        fds.extend(wake.map(|wake| PollFd::new(wake, PollFlags::POLLIN)));
        match ppoll(&mut fds, timeout.map(TimeSpec::from), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The user's own stamp is all that there is: a tap has no other.
fn user(reading: Reading) -> Stamp {
    Stamp { since_epoch: reading.wall, source: Source::User }
}

/// Frames that one `recv` takes in.
const BATCH: usize = 64;
