use std::{
    fs::File,
    io::{self, Write},
};

use nix::errno::Errno;

use crate::{
    HEADER_LEN,
    frame::{Direction, Unsent},
    io::FrameTx,
    outbox::Outbox,
    socket::{clock::Reading, line::Line},
};

/// The transmit half.
pub(super) struct Outlet {
    pub(super) outbox: Outbox,
    /// The kernel takes nothing until the device is writable.
    full: bool,
}

impl Outlet {
    pub(super) fn new(line: &Line) -> Self {
        Self { outbox: Outbox::new(line), full: false }
    }

    /// Hands the queue to the kernel.
    pub(super) fn flush(&mut self, mut tun: &File, line: &mut Line) -> io::Result<()> {
        self.full = false;
        while let Some(octets) = self.outbox.pop() {
            let reading = Reading::now(); // before the kernel has it, for so is its answer's
            let direction = match line.bar() {
                Some(reason) => Direction::Unsent(reason),
                None if octets.len() > HEADER_LEN + self.outbox.mtu() => {
                    Direction::Unsent(Unsent::TooLong)
                }
                None => match tun.write(&octets).map_err(errno) {
                    Ok(_) => Direction::Sent,
                    Err(Errno::EIO) => Direction::Unsent(Unsent::Down),
                    Err(Errno::ENOMEM | Errno::ENOBUFS) => Direction::Unsent(Unsent::Full),
                    Err(Errno::EBADFD | Errno::ENODEV) => {
                        line.cut();
                        Direction::Unsent(Unsent::Down)
                    }
                    Err(error) => {
                        self.outbox.put_back(octets);
                        self.full = error == Errno::EAGAIN;
                        return match error {
                            Errno::EAGAIN | Errno::EINTR => Ok(()),
                            error => Err(error.into()),
                        };
                    }
                },
            };
            self.outbox.answer(octets, direction, reading.after, super::user(reading));
        }
        Ok(())
    }

    /// Whether the queue can move on only when the device is writable.
    pub(super) fn needs_room(&self) -> bool {
        self.full
    }
}

pub(super) fn errno(error: io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}
