use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
};

use macaddr::MacAddr6;
use nix::errno::Errno;

use crate::{
    HEADER_LEN,
    frame::{Cast, Checksum, Direction, Facts, Source, Stamp, Unsent},
    io::{FrameTx, SendError},
    socket::{clock::Reading, line::Line},
};

/// The transmit half: the queue, and the frames on their way back.
pub(super) struct Outlet {
    mac: MacAddr6,
    mtu: usize,
    /// Empty slots: every frame below came out of one, and goes back there.
    spare: Vec<Vec<u8>>,
    queue: VecDeque<Vec<u8>>,
    back: VecDeque<(Vec<u8>, Facts)>,
    /// The kernel takes nothing until the device is writable.
    full: bool,
}

impl Outlet {
    pub(super) fn new(line: &Line) -> Self {
        Self {
            mac: line.mac(),
            mtu: line.mtu(),
            spare: (0..SLOTS).map(|_| Vec::new()).collect(),
            queue: VecDeque::with_capacity(SLOTS),
            back: VecDeque::with_capacity(SLOTS),
            full: false,
        }
    }

    /// Speaks by what the line has become.
    pub(super) fn follow(&mut self, line: &Line) {
        self.mac = line.mac();
        self.mtu = line.mtu();
    }

    /// Hands the queue to the kernel.
    pub(super) fn flush(&mut self, mut tun: &File, line: &mut Line) -> io::Result<()> {
        self.full = false;
        while let Some(octets) = self.queue.pop_front() {
            let reading = Reading::now(); // before the kernel has it, for so is its answer's
            let direction = match line.bar() {
                Some(reason) => Direction::Unsent(reason),
                None if octets.len() > HEADER_LEN + self.mtu => Direction::Unsent(Unsent::TooLong),
                None => match tun.write(&octets).map_err(errno) {
                    Ok(_) => Direction::Sent,
                    Err(Errno::EIO) => Direction::Unsent(Unsent::Down),
                    Err(Errno::ENOMEM | Errno::ENOBUFS) => Direction::Unsent(Unsent::Full),
                    Err(Errno::EBADFD | Errno::ENODEV) => {
                        line.cut();
                        Direction::Unsent(Unsent::Down)
                    }
                    Err(error) => {
                        self.queue.push_front(octets);
                        self.full = error == Errno::EAGAIN;
                        return match error {
                            Errno::EAGAIN | Errno::EINTR => Ok(()),
                            error => Err(error.into()),
                        };
                    }
                },
            };
            let facts = self.facts(&octets, direction, reading);
            self.back.push_back((octets, facts));
        }
        Ok(())
    }

    /// The next frame that has left, or could not; to be handed to [`Outlet::recycle`].
    pub(super) fn returned(&mut self) -> Option<(Vec<u8>, Facts)> {
        self.back.pop_front()
    }

    /// Takes a slot back.
    pub(super) fn recycle(&mut self, slot: Vec<u8>) {
        self.spare.push(slot);
    }

    /// Whether there is something to hand back right now.
    pub(super) fn has_returned(&self) -> bool {
        !self.back.is_empty()
    }

    /// Whether the queue can move on only when the device is writable.
    pub(super) fn needs_room(&self) -> bool {
        self.full
    }

    fn facts(&self, octets: &[u8], direction: Direction, reading: Reading) -> Facts {
        let dst = octets.first_chunk().copied().unwrap_or_default();
        Facts {
            direction,
            cast: Cast::of(MacAddr6::from(dst), self.mac),
            at: reading.after,
            stamp: Stamp { since_epoch: reading.wall, source: Source::User },
            checksum: Checksum::Complete,
        }
    }
}

impl FrameTx for Outlet {
    fn mac(&self) -> MacAddr6 {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        SendError::check(len, self.mtu)?;
        let mut slot = self.spare.pop().ok_or(SendError::Full)?;
        slot.clear();
        slot.resize(len, 0);
        write(&mut slot);
        self.queue.push_back(slot);
        Ok(())
    }
}

pub(super) fn errno(error: io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// Frames of ours at any time, queued or on their way back.
const SLOTS: usize = 256;
