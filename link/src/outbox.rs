use std::{collections::VecDeque, time::Instant};

use macaddr::MacAddr6;

use crate::{
    frame::{Direction, Facts, Frame, HEADER_LEN, Stamp},
    io::{FrameTx, SendError},
    socket::line::Line,
};

/// Frames of ours, from when they are written until they are handed back: those that are to leave,
/// and those that have, or could not.
pub(crate) struct Outbox {
    mac: MacAddr6,
    mtu: usize,
    /// Empty slots: every frame below came out of one, and goes back there.
    spare: Vec<Vec<u8>>,
    queue: VecDeque<Vec<u8>>,
    back: VecDeque<(Vec<u8>, Facts)>,
}

impl Outbox {
    pub(crate) fn new(line: &Line) -> Self {
        let room = HEADER_LEN + line.mtu();
        Self {
            mac: line.mac(),
            mtu: line.mtu(),
            spare: (0..SLOTS).map(|_| Vec::with_capacity(room)).collect(),
            queue: VecDeque::with_capacity(SLOTS),
            back: VecDeque::with_capacity(SLOTS),
        }
    }

    /// Speaks by what the line has become.
    pub(crate) fn follow(&mut self, line: &Line) {
        self.mac = line.mac();
        self.mtu = line.mtu();
    }

    /// Takes the first frame that is to leave.
    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        self.queue.pop_front()
    }

    /// Takes the first `count` frames that are to leave.
    pub(crate) fn take(&mut self, count: usize) -> impl Iterator<Item = Vec<u8>> {
        self.queue.drain(..count.min(self.queue.len()))
    }

    /// Forgets the first `count` frames that are to leave: they have.
    pub(crate) fn forget(&mut self, count: usize) {
        self.spare.extend(self.queue.drain(..count.min(self.queue.len())));
    }

    /// Puts the frame back that was taken as the first.
    pub(crate) fn put_back(&mut self, octets: Vec<u8>) {
        self.queue.push_front(octets);
    }

    /// Has a frame handed back, to say what became of it at `at`.
    pub(crate) fn answer(
        &mut self,
        octets: Vec<u8>,
        direction: Direction,
        at: Instant,
        stamp: Stamp,
    ) {
        let facts = Facts::of(&octets, self.mac, direction, at, stamp);
        self.back.push_back((octets, facts));
    }

    /// Takes a slot back.
    pub(crate) fn recycle(&mut self, slot: Vec<u8>) {
        self.spare.push(slot);
    }

    /// Hands up what is handed back, and returns how many frames that were.
    pub(crate) fn hand_back(&mut self, each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx)) -> usize {
        let mut count = 0;
        while let Some((octets, facts)) = self.back.pop_front() {
            if let Ok(frame) = Frame::new(&octets, facts) {
                each(frame, self);
                count += 1;
            }
            self.recycle(octets);
        }
        count
    }

    /// The frames that are to leave.
    pub(crate) fn queue(&self) -> impl Iterator<Item = &[u8]> {
        self.queue.iter().map(Vec::as_slice)
    }

    /// Whether no frame is to leave.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether there is something to hand back right now.
    pub(crate) fn has_returned(&self) -> bool {
        !self.back.is_empty()
    }
}

impl FrameTx for Outbox {
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

/// Frames of ours at any time, queued, waiting or on their way back.
pub(crate) const SLOTS: usize = 256;
