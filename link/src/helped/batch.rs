use std::{
    iter,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    frame::{Cast, Checksum, Direction, Facts, Source, Stamp, Unsent},
    io::{FrameTx, SendError, Wait},
    socket::PacketSocket,
};

/// Frames that leave together, one after the other in memory.
#[derive(Default)]
pub(super) struct Batch {
    octets: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// How many of them have left it.
    gone: usize,
}

/// A frame that could not leave.
pub(super) struct Returned {
    pub(super) octets: Vec<u8>,
    pub(super) facts: Facts,
}

impl Batch {
    /// Adds a frame of `len` octets.
    pub(super) fn push(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) {
        let start = self.octets.len();
        self.octets.resize(start + len, 0);
        write(&mut self.octets[start..]);
        self.ends.push(self.octets.len());
    }

    /// How many are left.
    pub(super) fn len(&self) -> usize {
        self.ends.len() - self.gone
    }

    /// Moves the frames into the queue of `socket`, and returns how many went there; the rest stay
    /// if it is full. What is too long by now comes back by `unsent`.
    pub(super) fn queue(
        &mut self,
        socket: &mut PacketSocket,
        unsent: &mut impl Extend<Returned>,
    ) -> u64 {
        let mut queued = 0;
        while self.gone < self.ends.len() {
            let start = self.gone.checked_sub(1).map_or(0, |last| self.ends[last]);
            let frame = &self.octets[start..self.ends[self.gone]];
            match socket.transmit(frame.len(), &mut |slot| slot.copy_from_slice(frame)) {
                Ok(()) => queued += 1,
                Err(SendError::Full) => return queued,
                Err(_) => unsent.extend(iter::once(Returned::too_long(frame, socket))),
            }
            self.gone += 1;
        }
        self.clear();
        queued
    }

    /// Forgets all that is left.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.ends.clear();
        self.gone = 0;
    }
}

impl Returned {
    /// The MTU has been lowered.
    fn too_long(frame: &[u8], socket: &PacketSocket) -> Self {
        let at = socket.now();
        let since_epoch = socket.wall(at).duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let dst = frame.first_chunk::<6>().copied().unwrap_or_default();
        let facts = Facts {
            direction: Direction::Unsent(Unsent::TooLong),
            cast: Cast::of(dst.into(), socket.mac()),
            at,
            stamp: Stamp { since_epoch, source: Source::User },
            checksum: Checksum::Complete,
        };
        Self { octets: frame.to_vec(), facts }
    }
}
