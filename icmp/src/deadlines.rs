use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use crate::flight::Key;

/// When echoes are due, in ticks: the earliest is found at once.
///
/// Whoever asks many waits as long for each, so that most deadlines come in their order: they
/// stand in a queue, which costs nothing, and only the others in a heap.
#[derive(Default)]
pub(crate) struct Deadlines {
    in_order: VecDeque<(u64, Key)>,
    others: BinaryHeap<Reverse<(u64, Key)>>,
}

impl Deadlines {
    pub(crate) fn reserve(&mut self, more: usize) {
        self.in_order.reserve(more);
    }

    pub(crate) fn push(&mut self, item: (u64, Key)) {
        if self.in_order.back().is_none_or(|last| last.0 <= item.0) {
            self.in_order.push_back(item);
        } else {
            self.others.push(Reverse(item));
        }
    }

    pub(crate) fn first(&self) -> Option<(u64, Key)> {
        let other = self.others.peek().map(|Reverse(item)| *item);
        self.in_order.front().copied().into_iter().chain(other).min()
    }

    /// Takes out the earliest, if it is due.
    pub(crate) fn pop(&mut self, now: u64) -> Option<(u64, Key)> {
        let first = self.first().filter(|(at, _)| *at <= now)?;
        if self.in_order.front() == Some(&first) {
            self.in_order.pop_front()
        } else {
            self.others.pop().map(|Reverse(item)| item)
        }
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Key)> + '_ {
        self.in_order.iter().copied().chain(self.others.iter().map(|Reverse(item)| *item))
    }

    pub(crate) fn len(&self) -> usize {
        self.in_order.len() + self.others.len()
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut((u64, Key)) -> bool) {
        self.in_order.retain(|item| keep(*item));
        self.others.retain(|Reverse(item)| keep(*item));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn whatever_their_order_was_they_come_out_by_their_time() {
        let mut deadlines = Deadlines::default();
        let mut n = 1_u64;
        let mut expected = Vec::new();
        for sequence in 0..1000 {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = if sequence % 3 == 0 { n >> 54 } else { u64::from(sequence) };
            deadlines.push((at, (Ipv4Addr::LOCALHOST, sequence)));
            expected.push((at, (Ipv4Addr::LOCALHOST, sequence)));
        }
        expected.sort_unstable();
        assert_eq!((deadlines.len(), deadlines.first()), (1000, Some(expected[0])));
        let halfway = expected[500].0;
        let due: Vec<_> = std::iter::from_fn(|| deadlines.pop(halfway)).collect();
        assert!(due.len() > 500);
        assert_eq!(due, expected[..due.len()]);
        deadlines.retain(|(at, _)| at % 2 == 0);
        expected.retain(|(at, _)| at % 2 == 0 && *at > halfway);
        let rest: Vec<_> = std::iter::from_fn(|| deadlines.pop(u64::MAX)).collect();
        assert_eq!(rest, expected);
    }
}
