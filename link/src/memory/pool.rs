use std::{collections::VecDeque, sync::Arc};

use super::station::Arrived;

/// The octets of a frame; whoever it is on its way to, they are shared until nobody needs them.
pub(super) type Octets = Arc<Vec<u8>>;

/// Buffers to be used again.
#[derive(Debug, Default)]
pub(super) struct Pool(Vec<Octets>);

impl Pool {
    /// A buffer that has no other owner, with whatever is in it.
    pub(super) fn take(&mut self) -> Octets {
        self.0.pop().unwrap_or_default()
    }

    /// Takes a buffer back, unless somebody else still has it.
    pub(super) fn give_back(&mut self, octets: Octets) {
        if self.0.len() < SPARE && Arc::strong_count(&octets) == 1 {
            self.0.push(octets);
        }
    }

    /// Fills `other` up to `count` buffers, as far as there are any.
    pub(super) fn lend(&mut self, other: &mut Self, count: usize) {
        let wanted = count.saturating_sub(other.0.len());
        let kept = self.0.len().saturating_sub(wanted);
        other.0.extend(self.0.drain(kept..));
    }
}

/// Empty queues to be used again: only a station that something waits for has one.
#[derive(Debug, Default)]
pub(super) struct Queues(Vec<VecDeque<Arrived>>);

impl Queues {
    /// An empty queue, which has room for one: of 65,536 stations that hear a broadcast, each takes
    /// a queue for nothing else.
    pub(super) fn take(&mut self) -> VecDeque<Arrived> {
        self.0.pop().unwrap_or_else(|| VecDeque::with_capacity(1))
    }

    /// Takes back an empty queue.
    pub(super) fn give_back(&mut self, queue: VecDeque<Arrived>) {
        if self.0.len() < SPARE && queue.capacity() > 0 {
            self.0.push(queue);
        }
    }
}

/// Buffers kept at most, and queues.
const SPARE: usize = 4096;
