use std::{
    io,
    os::fd::BorrowedFd,
    time::{Instant, SystemTime},
};

use macaddr::MacAddr6;

use crate::{
    frame::{Frame, HEADER_LEN, TAG_LEN, Tag},
    io::{Event, FrameIo, FrameTx, SendError, Wait},
};

/// A link that speaks inside one VLAN of the link below (IEEE 802.1Q §9).
///
/// It tags what it transmits, and hands up, its tags hidden ([`Frame::without_tags`]), only what
/// bears the same tags: the same protocols and identifiers in the same order; priorities may
/// differ, and a mere priority tag, of VID 0, is as good as none (IEEE 802.1Q §6.9). All else is
/// dropped and counted, frames of our own that come back included. Without any tag of its own it
/// changes nothing and hands up everything.
///
/// A [`Recorder`](crate::capture::Recorder) belongs below it, where the tags still are.
pub struct Tagged<L> {
    inner: L,
    tags: Vec<Tag>,
    foreign: u64,
}

impl<L> Tagged<L> {
    /// Speaks through `inner` with `tags`, outermost first.
    ///
    /// Each tag takes four octets of the MTU of `inner`; open that for tagged frames
    /// ([`Options::tagged`](crate::Options::tagged)), and the first is free (IEEE 802.3 §3.2.7).
    pub fn new(inner: L, tags: Vec<Tag>) -> Self {
        Self { inner, tags, foreign: 0 }
    }

    /// The link below.
    pub fn into_inner(self) -> L {
        self.inner
    }

    /// The link below.
    pub fn inner(&self) -> &L {
        &self.inner
    }

    /// Frames dropped because their tags were not ours.
    pub fn foreign(&self) -> u64 {
        self.foreign
    }
}

impl<L: FrameTx> FrameTx for Tagged<L> {
    fn mac(&self) -> MacAddr6 {
        self.inner.mac()
    }

    fn mtu(&self) -> usize {
        mtu(&self.inner, &self.tags)
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        Tx { below: &mut self.inner, tags: &self.tags }.transmit(len, write)
    }
}

impl<L: FrameIo> FrameIo for Tagged<L> {
    /// The frames that were dropped count too, for 0 means that nothing is waiting.
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let Self { inner, tags, foreign } = self;
        if tags.is_empty() {
            return inner.recv(now, each);
        }
        inner.recv(now, &mut |frame, tx| {
            if is_ours(&frame, tags) {
                each(frame.without_tags(), &mut Tx { below: tx, tags });
            } else {
                *foreign += 1;
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// An [`Event::Mtu`] says the MTU inside the VLAN.
    fn event(&mut self) -> Option<Event> {
        self.inner.event().map(|event| match event {
            Event::Mtu(mtu) => Event::Mtu(mtu.saturating_sub(TAG_LEN * self.tags.len())),
            event => event,
        })
    }

    fn returns_sent(&self) -> bool {
        self.inner.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.inner.dropped()
    }
}

impl<L: Wait> Wait for Tagged<L> {
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

/// The transmit half, as it is also lent to whoever answers from inside `recv`.
struct Tx<'a> {
    below: &'a mut dyn FrameTx,
    tags: &'a [Tag],
}

impl FrameTx for Tx<'_> {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        mtu(self.below, self.tags)
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        SendError::check(len, self.mtu())?;
        let tags = self.tags;
        let room = TAG_LEN * tags.len();
        self.below.transmit(len + room, &mut |slot| {
            write(&mut slot[room..]);
            slot.copy_within(room..room + ADDRESSES_LEN, 0);
            for (out, tag) in slot[ADDRESSES_LEN..].chunks_exact_mut(TAG_LEN).zip(tags) {
                out.copy_from_slice(&tag.octets());
            }
        })
    }
}

fn is_ours(frame: &Frame<'_>, tags: &[Tag]) -> bool {
    let vlan = |tag: Tag| (tag.id != 0).then_some((tag.protocol, tag.id));
    frame.tags().filter_map(vlan).eq(tags.iter().copied().filter_map(vlan))
}

fn mtu(below: &dyn FrameTx, tags: &[Tag]) -> usize {
    below.mtu().saturating_sub(TAG_LEN * tags.len())
}

/// Octets of the two addresses, which stand before the tags (IEEE 802.1Q §9.3).
const ADDRESSES_LEN: usize = HEADER_LEN - 2;
