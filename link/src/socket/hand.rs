use std::time::Instant;

use nix::libc;

use super::{
    inlet::{HEADROOM, Message},
    receive::ReceiveStats,
    transmit::Transmit,
};
use crate::{
    frame::{
        Batch, Checksum, Direction, Facts, Frame, HEADER_LEN, Said, Source, TAG_LEN, payload_at,
    },
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
        if message.truncated {
            self.stats.truncated += 1;
            return;
        }
        let Message { kind, control, .. } = message;
        let Some((octets, payload)) = whole(message) else {
            self.stats.runts += 1;
            return;
        };
        let checksum =
            if control.is_unfinished() { Checksum::Unfinished } else { Checksum::Complete };
        let said =
            |direction| Said { direction, checksum, stamp: control.stamp, batch: self.batch };
        // Each frame is written down where it is handed on: one that is copied from what was just
        // written, in pieces of other sizes, costs more than all the rest.
        if kind == libc::PACKET_OUTGOING {
            let frame = Frame::told(octets, payload, said(Direction::Sent));
            return self.sent(&frame);
        }
        self.stats.received += 1;
        (self.each)(
            Frame::told(octets, payload, said(Direction::Received)),
            &mut self.transmit.outbox,
        );
    }

    /// How many were handed up.
    pub(super) fn count(&self) -> usize {
        self.stats.received as usize + self.sent
    }

    /// Hands one up that left, whoever sent it.
    #[inline(never)]
    fn sent(&mut self, frame: &Frame<'_>) {
        let frame = match self.transmit.seen(frame.octets()) {
            Some(since) => left(*frame, since),
            None if self.outgoing => *frame,
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

/// The frame of a message and where its payload begins, once the tag is back that the kernel took
/// off; nothing if its header is not whole.
#[inline(always)]
fn whole(message: Message<'_>) -> Option<(&[u8], usize)> {
    let Message { room, control, .. } = message;
    if room.len() < HEADROOM + HEADER_LEN {
        return None;
    }
    let octets = match control.tag() {
        Some(tag) => {
            room.copy_within(HEADROOM..HEADROOM + ADDRESSES, HEADROOM - TAG_LEN);
            room[HEADROOM - TAG_LEN + ADDRESSES..][..TAG_LEN].copy_from_slice(&tag);
            &room[HEADROOM - TAG_LEN..]
        }
        None => &room[HEADROOM..],
    };
    Some((octets, payload_at(octets).ok()?))
}

/// Octets of the two addresses that a frame begins with.
const ADDRESSES: usize = 12;
