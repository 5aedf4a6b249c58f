use crate::{discard::Discard, packet::HEADER_LEN};

/// One fragment, as its header says.
pub(crate) struct Fragment<'p> {
    /// Where its payload belongs in that of the datagram.
    pub(crate) start: usize,
    pub(crate) payload: &'p [u8],
    pub(crate) last: bool,
    pub(crate) header: &'p [u8],
}

/// The fragments of one datagram that are here.
#[derive(Default)]
pub(crate) struct Partial {
    /// Their payloads, in the order they came: nothing is allocated for what is not here.
    data: Vec<u8>,
    /// In the order of what they are part of.
    pieces: Vec<Piece>,
    /// Of the first fragment; empty until that is here.
    header: Vec<u8>,
    /// Octets of payload in all; known from the last fragment.
    total: Option<usize>,
}

#[derive(Clone, Copy)]
struct Piece {
    start: u16,
    len: u16,
    /// Where it is in the data.
    at: u32,
}

impl Partial {
    /// Takes in a fragment.
    ///
    /// # Errors
    /// [`Discard::FragmentDuplicate`], which is harmless; all others condemn the datagram.
    pub(crate) fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), Discard> {
        let Fragment { start, payload, last, header } = *fragment;
        let end = start + payload.len();
        let next = self.pieces.partition_point(|piece| piece.start() < start);
        if let Some(same) = self.pieces.get(next)
            && same.start() == start
            && self.octets_of(same) == payload
            && last == (self.total == Some(end))
        {
            return Err(Discard::FragmentDuplicate);
        }
        let previous = next.checked_sub(1).and_then(|previous| self.pieces.get(previous));
        let overlaps = previous.is_some_and(|previous| start < previous.end())
            || self.pieces.get(next).is_some_and(|next| next.start() < end);
        let contradicts = match self.total {
            Some(total) => last || end > total,
            None => last && next < self.pieces.len(),
        };
        if overlaps || contradicts {
            return Err(Discard::FragmentOverlap);
        }
        if self.pieces.len() == FRAGMENTS {
            return Err(Discard::FragmentExcess);
        }
        // The longest datagram has 65,535 octets, so these fit.
        let piece =
            Piece { start: start as u16, len: payload.len() as u16, at: self.data.len() as u32 };
        self.pieces.insert(next, piece);
        self.data.extend_from_slice(payload);
        if last {
            self.total = Some(end);
        }
        if start == 0 {
            self.header = header.to_vec();
        }
        Ok(())
    }

    /// Whether there is no hole: there is no overlap either, so the octets need only be counted.
    pub(crate) fn is_complete(&self) -> bool {
        self.total == Some(self.data.len())
    }

    /// The first fragment's header, and all of the payload; `None` with a hole.
    pub(crate) fn complete(self) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.is_complete() {
            return None;
        }
        let in_order = self.pieces.iter().all(|piece| piece.at as usize == piece.start());
        let payload = if in_order {
            self.data
        } else {
            let mut payload = Vec::with_capacity(self.data.len());
            self.pieces.iter().for_each(|piece| payload.extend_from_slice(self.octets_of(piece)));
            payload
        };
        Some((self.header, payload))
    }

    /// The first fragment as it came, header first, if it came.
    pub(crate) fn first(&self) -> Option<Vec<u8>> {
        let first = self.pieces.first().filter(|_| self.header.len() >= HEADER_LEN)?;
        Some([&self.header[..], self.octets_of(first)].concat())
    }

    /// Octets of memory.
    pub(crate) fn octets(&self) -> usize {
        self.data.capacity() + self.pieces.capacity() * size_of::<Piece>() + self.header.capacity()
    }

    fn octets_of(&self, piece: &Piece) -> &[u8] {
        let at = piece.at as usize;
        self.data.get(at..at + usize::from(piece.len)).unwrap_or_default()
    }
}

impl Piece {
    fn start(self) -> usize {
        self.start.into()
    }

    fn end(self) -> usize {
        self.start() + usize::from(self.len)
    }
}

/// Fragments of one datagram: more than the longest one has where the MTU is 104.
const FRAGMENTS: usize = 1024;
