use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use link::PacketSocket;

use super::{
    batch::Batch,
    worker::{Done, Worker},
};

/// A thread that sends batches of frames, as seen by who hands them over.
pub(super) struct Helper {
    /// What it will send by, before it begins.
    socket: Option<PacketSocket>,
    work: Option<Work>,
    /// When each batch was handed over that it is not done with, the oldest first.
    handed: VecDeque<Instant>,
}

/// The thread, and the ways there and back.
struct Work {
    /// Until it is to end.
    batches: Option<Sender<Batch>>,
    done: Receiver<Done>,
    /// Nobody wants any more what has not left yet.
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    /// It will send by `socket`, once it begins.
    pub(super) fn of(socket: PacketSocket) -> Self {
        Self { socket: Some(socket), work: None, handed: VecDeque::with_capacity(BATCHES) }
    }

    /// Begins to work; if no thread can be had, it never has room.
    pub(super) fn begin(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        let (batches, to_send) = channel();
        let (tell, done) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let worker = Worker::new(socket, Arc::clone(&over));
        let work = move || worker.work(&to_send, &tell);
        if let Ok(thread) = thread::Builder::new().name("sender".into()).spawn(work) {
            let (batches, thread) = (Some(batches), Some(thread));
            self.work = Some(Work { batches, done, over, thread });
        }
    }

    /// Whether one more batch can be handed over.
    pub(super) fn has_room(&self) -> bool {
        self.work.is_some() && self.handed.len() < BATCHES
    }

    /// Hands over all of `batch`.
    pub(super) fn hand(&mut self, batch: &mut Batch, now: Instant) {
        let Some(Work { batches: Some(batches), .. }) = &self.work else { return };
        match batches.send(std::mem::take(batch)) {
            Ok(()) => self.handed.push_back(now),
            Err(refused) => {
                *batch = refused.0;
                self.be_gone();
            }
        }
    }

    /// Whether it is not done with all that it was given.
    pub(super) fn is_at_work(&self) -> bool {
        !self.handed.is_empty()
    }

    /// Whether it has had something for too long.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.handed.front().is_some_and(|handed| now.saturating_duration_since(*handed) > LATE)
    }

    /// The next batch that it is done with; it is waited for so long.
    pub(super) fn done(&mut self, most: Duration) -> Option<Done> {
        let Work { done, .. } = self.work.as_ref()?;
        if self.handed.is_empty() {
            return None;
        }
        match done.recv_timeout(most) {
            Ok(done) => {
                self.handed.pop_front();
                Some(done)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.be_gone();
                None
            }
        }
    }

    fn be_gone(&mut self) {
        self.work = None;
        self.handed.clear();
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.batches = None;
        // Its socket is then closed, and nobody would wait for that at the end of the program.
        let _ = self.thread.take().map(JoinHandle::join); // if it panicked, it is closed too
    }
}

/// Batches that it may have at once: enough that it need not wait for the next while we look after
/// what has come in.
const BATCHES: usize = 8;

/// Far longer than it takes to send all of them, unless the machine has other things to do.
const LATE: Duration = Duration::from_millis(5);
