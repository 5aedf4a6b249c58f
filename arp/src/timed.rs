use std::{collections::HashMap, net::Ipv4Addr};

use crate::clock::Tick;

/// Values by address, each with a moment when it is due: found at once, first due first.
///
/// The values stand close together in no order; a slot is where one stands until another is
/// removed.
pub(crate) struct Timed<T> {
    index: HashMap<Ipv4Addr, u32>,
    items: Vec<Item<T>>,
    /// Slots; each is due no earlier than its parent, a quarter as far along.
    heap: Vec<u32>,
}

pub(crate) struct Item<T> {
    pub(crate) addr: Ipv4Addr,
    /// Where in the heap its slot stands.
    place: u32,
    due: Tick,
    pub(crate) value: T,
}

impl<T> Timed<T> {
    pub(crate) fn new() -> Self {
        Self { index: HashMap::new(), items: Vec::new(), heap: Vec::new() }
    }

    /// Puts `value` in the place of whatever stood for `addr`, and returns its slot.
    pub(crate) fn insert(&mut self, addr: Ipv4Addr, due: Tick, value: T) -> usize {
        if let Some(slot) = self.find(addr) {
            self.items[slot].value = value;
            self.set_due(slot, due);
            return slot;
        }
        let (slot, place) = (self.items.len(), self.heap.len());
        self.index.insert(addr, slot as u32);
        self.items.push(Item { addr, place: place as u32, due, value });
        self.heap.push(slot as u32);
        self.sift_up(place);
        slot
    }

    /// Removes what stands in `slot`, where another may stand afterwards.
    pub(crate) fn remove(&mut self, slot: usize) -> Item<T> {
        let place = self.items[slot].place as usize;
        let last = self.heap.len() - 1;
        self.swap(place, last);
        self.heap.pop();
        if place < last {
            self.sift_up(place);
            self.sift_down(place);
        }
        let item = self.items.swap_remove(slot);
        self.index.remove(&item.addr);
        if let Some(moved) = self.items.get(slot) {
            self.heap[moved.place as usize] = slot as u32;
            self.index.insert(moved.addr, slot as u32);
        }
        if self.items.capacity() > SMALL && self.items.len() < self.items.capacity() / 4 {
            let room = self.items.len() * 2;
            self.items.shrink_to(room);
            self.heap.shrink_to(room);
            self.index.shrink_to(room);
        }
        item
    }

    pub(crate) fn set_due(&mut self, slot: usize, due: Tick) {
        let item = &mut self.items[slot];
        let earlier = due < item.due;
        item.due = due;
        let place = item.place as usize;
        if earlier {
            self.sift_up(place);
        } else {
            self.sift_down(place);
        }
    }

    pub(crate) fn value_mut(&mut self, slot: usize) -> &mut T {
        &mut self.items[slot].value
    }

    /// What is due first, and when.
    pub(crate) fn first(&self) -> Option<(Tick, usize)> {
        self.heap.first().map(|&slot| (self.items[slot as usize].due, slot as usize))
    }

    pub(crate) fn find(&self, addr: Ipv4Addr) -> Option<usize> {
        self.index.get(&addr).map(|&slot| slot as usize)
    }

    pub(crate) fn get(&self, addr: Ipv4Addr) -> Option<&T> {
        self.find(addr).map(|slot| &self.items[slot].value)
    }

    pub(crate) fn item(&self, slot: usize) -> &Item<T> {
        &self.items[slot]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item<T>> {
        self.items.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn due_at(&self, place: usize) -> Tick {
        self.items[self.heap[place] as usize].due
    }

    fn sift_up(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / WIDTH;
            if self.due_at(parent) <= self.due_at(place) {
                return;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sift_down(&mut self, mut place: usize) {
        loop {
            let children = place * WIDTH + 1..self.heap.len().min(place * WIDTH + 1 + WIDTH);
            let Some(child) = children.min_by_key(|&child| self.due_at(child)) else { return };
            if self.due_at(place) <= self.due_at(child) {
                return;
            }
            self.swap(place, child);
            place = child;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        for place in [a, b] {
            let slot = self.heap[place] as usize;
            self.items[slot].place = place as u32;
        }
    }
}

impl<T> Item<T> {
    pub(crate) fn due(&self) -> Tick {
        self.due
    }
}

/// Children of each parent in the heap.
const WIDTH: usize = 4;

/// Items for whose sake nothing is given back to the allocator.
const SMALL: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{clock::Tick, entry::Entry};

    #[test]
    fn an_entry_with_its_address_and_its_timer_takes_56_octets_and_its_index_few_more() {
        assert_eq!(size_of::<Item<Entry>>(), 56);
    }

    proptest! {
        #[test]
        fn the_first_is_the_least_whatever_came_and_went(
            acts in proptest::collection::vec((0_u8..3, 0_u32..40, 0_u64..50), 1..300),
        ) {
            let mut timed = Timed::new();
            let mut model = std::collections::BTreeMap::new();
            for (act, addr, due) in acts {
                let addr = Ipv4Addr::from(addr);
                match (act, timed.find(addr)) {
                    (0, _) => {
                        timed.insert(addr, Tick(due), ());
                        model.insert(addr, due);
                    }
                    (1, Some(slot)) => {
                        timed.remove(slot);
                        model.remove(&addr);
                    }
                    (2, Some(slot)) => {
                        timed.set_due(slot, Tick(due));
                        model.insert(addr, due);
                    }
                    _ => {}
                }
                prop_assert_eq!(timed.first().map(|(due, _)| due.0), model.values().min().copied());
                for (addr, due) in &model {
                    let found = timed.find(*addr).map(|slot| timed.item(slot).due().0);
                    prop_assert_eq!(found, Some(*due));
                }
                prop_assert_eq!(timed.len(), model.len());
            }
        }
    }
}
