//! A packet socket in a `tokio` runtime.
//!
//! ```no_run
//! use sidestack_link::{FrameIo, PacketSocket, tokio::AsyncFrameIo};
//!
//! # async fn count() -> std::io::Result<()> {
//! # let socket = PacketSocket::open("eth0").map_err(std::io::Error::other)?;
//! let mut link = AsyncFrameIo::new(socket)?;
//! loop {
//!     link.ready(None).await?;
//!     let count = link.recv(link.now(), &mut |_frame, _tx| ())?;
//!     link.flush()?;
//!     while link.event().is_some() {}
//!     println!("{count} frames");
//! }
//! # }
//! ```

use std::{io, time::Instant};

use ::tokio::io::{Interest, unix::AsyncFd};

use crate::{
    MacAddr6,
    frame::Frame,
    io::{Event, FrameIo, FrameTx, SendError, Wait},
    socket::{PacketSocket, Stats, Watch},
};

/// A packet socket to be awaited: [`AsyncFrameIo::ready`], then [`FrameIo::recv`], which never
/// blocks.
pub struct AsyncFrameIo {
    socket: PacketSocket,
    watch: AsyncFd<Watch>,
}

impl AsyncFrameIo {
    /// Registers `socket` with the runtime.
    ///
    /// # Errors
    /// When the operating system has no more descriptors.
    ///
    /// # Panics
    /// Outside of a runtime whose input and output are enabled.
    #[allow(
        deprecated,
        reason = "what replaces it is unsafe, for who gives up the descriptor; a `Watch` does not"
    )]
    pub fn new(socket: PacketSocket) -> io::Result<Self> {
        let watch = AsyncFd::with_interest(Watch::new(&socket)?, Interest::READABLE)?;
        Ok(Self { socket, watch })
    }

    /// Returns when there may be something to receive, when queued frames may leave again, or at
    /// `until`; at once while there is a [`FrameIo::event`] to be taken.
    ///
    /// Dropped before that, it has taken nothing: the next call returns for the same reason. The
    /// time is the kernel's own, so that the runtime needs no timers.
    ///
    /// # Errors
    /// When the operating system refuses to wait.
    pub async fn ready(&mut self, until: Option<Instant>) -> io::Result<()> {
        if self.socket.has_news() {
            return Ok(());
        }
        self.watch.get_ref().arm(&self.socket, until)?;
        loop {
            let mut guard = self.watch.readable().await?;
            if guard.get_inner().is_over(&self.socket)? {
                return Ok(()); // and as ready as before, which the next call finds out
            }
            guard.clear_ready();
        }
    }

    /// The time, to be given to [`FrameIo::recv`] and to every layer above.
    pub fn now(&self) -> Instant {
        self.socket.now()
    }

    /// As [`PacketSocket::stats`].
    pub fn stats(&mut self) -> Stats {
        self.socket.stats()
    }

    /// The socket, which the runtime forgets.
    pub fn into_inner(self) -> PacketSocket {
        self.socket
    }
}

impl FrameTx for AsyncFrameIo {
    fn mac(&self) -> MacAddr6 {
        self.socket.mac()
    }

    fn mtu(&self) -> usize {
        self.socket.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        self.socket.transmit(len, write)
    }
}

impl FrameIo for AsyncFrameIo {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        self.socket.recv(now, each)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }

    fn event(&mut self) -> Option<Event> {
        self.socket.event()
    }

    fn returns_sent(&self) -> bool {
        self.socket.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.socket.dropped()
    }
}
