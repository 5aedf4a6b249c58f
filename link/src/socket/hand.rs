use std::time::Instant;

use nix::libc;

use super::{
    control::Control,
    inlet::{HEADROOM, Message},
    receive::ReceiveStats,
    transmit::Transmit,
};
use crate::{
    frame::{Batch, Direction, Facts, Frame, HEADER_LEN, Said, Source, TAG_LEN},
    io::FrameTx,
};

/// Makes frames of the messages of a batch, and hands them up.
pub(super) struct Hand<'a> {
    pub(super) batch: &'a Batch,
    pub(super) transmit: &'a mut Transmit,
    /// What others of this host sent is wanted too.
    pub(super) outgoing: bool,
    pub(super) each: &'a mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    /// How many were handed up that had left.
    pub(super) sent: usize,
    pub(super) stats: ReceiveStats,
}

impl Hand<'_> {
    /// Hands one up, unless it is not wanted. It is to be part of the loop that finds the messages:
    /// to call it would cost as much as all that it does.
    #[inline(always)]
    pub(super) fn up(&mut self, message: Message<'_>) {
        let Message { room, truncated, kind, control } = message;
        if truncated {
            self.stats.truncated += 1;
            return;
        }
        if kind != libc::PACKET_OUTGOING && !control.has_tag() && room.len() >= HEADROOM {
            // Each frame is written down where it is handed on: one that is copied from what was
            // just written, in pieces of other sizes, costs more than all the rest.
            let said = said(&control, Direction::Received, self.batch);
            if let Some(frame) = Frame::untagged(&room[HEADROOM..], said) {
                self.stats.received += 1;
                return (self.each)(frame, &mut self.transmit.outbox);
            }
        }
        let is_ours = kind == libc::PACKET_OUTGOING;
        let direction = if is_ours { Direction::Sent } else { Direction::Received };
        self.other(room, control.tag(), said(&control, direction, self.batch));
    }

    /// Hands one up that is not as most are.
    #[cold]
    #[inline(never)]
    fn other(&mut self, room: &mut [u8], tag: Option<[u8; TAG_LEN]>, said: Said<'_>) {
        let Some(frame) = whole(room, tag).and_then(|octets| Frame::told(octets, said).ok()) else {
            self.stats.runts += 1;
            return;
        };
        if frame.direction() == Direction::Sent {
            return self.sent(frame);
        }
        self.stats.received += 1;
        (self.each)(frame, &mut self.transmit.outbox);
    }

    /// How many were handed up.
    pub(super) fn count(&self) -> usize {
        self.stats.received as usize + self.sent
    }

    /// Hands one up that left, whoever sent it.
    fn sent(&mut self, frame: Frame<'_>) {
        let frame = match self.transmit.seen(frame.octets()) {
            Some(since) => left(frame, since),
            None if self.outgoing => frame,
            None => return,
        };
        self.sent += 1;
        (self.each)(frame, &mut self.transmit.outbox);
    }
}

/// The frame of ours that was given to the kernel just after `since`, which is nearer the truth
/// than the time of reading.
fn left(frame: Frame<'_>, since: Instant) -> Frame<'_> {
    let facts = frame.facts();
    match facts.stamp.source {
        Source::User => frame.with_facts(Facts { at: since, ..facts }),
        _ => frame,
    }
}

/// What the kernel said of a frame that went in `direction`.
#[inline(always)]
fn said<'a>(control: &Control, direction: Direction, batch: &'a Batch) -> Said<'a> {
    let Control { stamp, status, .. } = *control;
    Said { direction, status, stamp, batch }
}

/// The octets of a message, once the tag is back that the kernel took off; nothing if there are too
/// few for that.
fn whole(room: &mut [u8], tag: Option<[u8; TAG_LEN]>) -> Option<&[u8]> {
    if room.len() < HEADROOM + HEADER_LEN {
        return None;
    }
    Some(match tag {
        Some(tag) => {
            room.copy_within(HEADROOM..HEADROOM + ADDRESSES, HEADROOM - TAG_LEN);
            room[HEADROOM - TAG_LEN + ADDRESSES..][..TAG_LEN].copy_from_slice(&tag);
            &room[HEADROOM - TAG_LEN..]
        }
        None => &room[HEADROOM..],
    })
}

/// Octets of the two addresses that a frame begins with.
const ADDRESSES: usize = 12;
