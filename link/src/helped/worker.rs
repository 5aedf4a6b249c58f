use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

use super::batch::{Batch, Returned};
use crate::{
    frame::Direction,
    io::{FrameIo, Wait},
    socket::PacketSocket,
};

/// Sends batches of frames by a socket of its own, on a thread of its own.
pub(super) struct Worker {
    socket: PacketSocket,
    over: Arc<AtomicBool>,
    /// Frames that the socket has taken so far.
    queued: u64,
    /// Those of them that it has handed back.
    returned: u64,
}

/// What became of a batch.
pub(super) struct Done {
    /// Empty, to be used again.
    pub(super) batch: Batch,
    /// Those of its frames that could not leave.
    pub(super) unsent: Vec<Returned>,
    /// An error if the link is gone.
    pub(super) result: io::Result<()>,
}

impl Worker {
    /// Sends by `socket`, all of it unless it is `over`.
    pub(super) fn new(socket: PacketSocket, over: Arc<AtomicBool>) -> Self {
        Self { socket, over, queued: 0, returned: 0 }
    }

    /// Sends what comes, until nobody is there to send more; once the link is gone, all that comes
    /// is handed back.
    pub(super) fn work(mut self, batches: &Receiver<Batch>, tell: &Sender<Done>) {
        for mut batch in batches {
            let mut unsent = Vec::new();
            let result = self.send(&mut batch, &mut unsent);
            batch.clear();
            if tell.send(Done { batch, unsent, result }).is_err() {
                return;
            }
        }
    }

    fn send(&mut self, batch: &mut Batch, unsent: &mut Vec<Returned>) -> io::Result<()> {
        loop {
            self.queued += batch.queue(&mut self.socket, unsent);
            if let Err(error) = self.socket.flush() {
                let _ = self.take_back(unsent); // the link is gone, as the first error says
                return Err(error);
            }
            let stats = self.socket.stats();
            if stats.unsent > self.returned {
                self.take_back(unsent)?;
            }
            if batch.len() == 0 && stats.sent + stats.unsent == self.queued {
                return Ok(());
            }
            if self.over.load(Ordering::Relaxed) {
                return Ok(());
            }
            while self.socket.event().is_some() {} // it would not wait while there is one
            let soon = self.socket.now() + PAUSE;
            self.socket.wait(Some(soon), None)?;
        }
    }

    fn take_back(&mut self, unsent: &mut Vec<Returned>) -> io::Result<()> {
        let Self { socket, returned, .. } = self;
        socket.recv(socket.now(), &mut |frame, _| {
            if let Direction::Unsent(_) = frame.direction() {
                *returned += 1;
                unsent.push(Returned { octets: frame.octets().to_vec(), facts: frame.facts() });
            }
        })?;
        Ok(())
    }
}

impl Done {
    /// The thread has panicked.
    pub(super) fn lost() -> Self {
        let error = io::Error::other("the thread that sends has ended too early");
        Self { batch: Batch::default(), unsent: Vec::new(), result: Err(error) }
    }
}

/// Until it is looked whether what the kernel does not take is still wanted.
const PAUSE: Duration = Duration::from_millis(10);
