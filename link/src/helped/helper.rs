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

use super::{
    batch::Batch,
    worker::{Done, Worker},
};
use crate::socket::PacketSocket;

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

    /// Hands over all of `batch`; it stays if the thread has ended, and [`Helper::done`] says why.
    pub(super) fn hand(&mut self, batch: &mut Batch, now: Instant) {
        let Some(Work { batches: Some(batches), .. }) = &self.work else { return };
        match batches.send(std::mem::take(batch)) {
            Ok(()) => self.handed.push_back(now),
            Err(refused) => *batch = refused.0,
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
    ///
    /// What it had when it ended unasked, by a panic, is an error: nobody knows what has left.
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
                self.work = None;
                self.handed.clear();
                Some(Done::lost())
            }
        }
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::memory::Network;

    #[test]
    fn what_went_wrong_is_told_though_more_was_to_be_handed_over_meanwhile() {
        let (mut helper, to_send, tell) = helper();
        helper.hand(&mut batch(64), now());
        let done = Done { result: Err(io::ErrorKind::NotConnected.into()), ..Done::lost() };
        tell.send(done).unwrap();
        drop((to_send, tell));
        let mut next = batch(32);
        helper.hand(&mut next, now());
        assert_eq!(next.len(), 32, "it is not lost");
        let done = helper.done(Duration::ZERO).unwrap();
        assert_eq!(done.result.unwrap_err().kind(), io::ErrorKind::NotConnected);
        assert!(helper.done(Duration::ZERO).is_none() && !helper.is_at_work());
    }

    #[test]
    fn what_a_thread_had_that_panicked_is_an_error_once() {
        let (mut helper, to_send, tell) = helper();
        helper.hand(&mut batch(64), now());
        helper.hand(&mut batch(64), now());
        drop((to_send, tell));
        let done = helper.done(Duration::ZERO).unwrap();
        assert_eq!(done.result.unwrap_err().kind(), io::ErrorKind::Other);
        assert!(helper.done(Duration::ZERO).is_none());
        assert!(!helper.is_at_work() && !helper.has_room(), "it is gone for good");
    }

    /// At work, with the thread's ends of the ways there and back.
    fn helper() -> (Helper, Receiver<Batch>, Sender<Done>) {
        let (batches, to_send) = channel();
        let (tell, done) = channel();
        let work = Work { batches: Some(batches), done, over: Arc::default(), thread: None };
        (Helper { socket: None, work: Some(work), handed: VecDeque::new() }, to_send, tell)
    }

    fn now() -> Instant {
        Network::new().now()
    }

    fn batch(frames: usize) -> Batch {
        let mut batch = Batch::default();
        (0..frames).for_each(|_| batch.push(60, &mut |_| {}));
        batch
    }
}
