use std::{
    io::{self, Write},
    mem,
    time::Duration,
};

use super::{format::Entry, writer::Writer};

/// A capture, and the records that are not yet in it because an older one may still come.
pub(super) struct Journal<W: Write> {
    /// What it is written by, until a write has failed.
    writer: Result<Writer<W>, io::Error>,
    held: Vec<Record>,
}

impl<W: Write> Journal<W> {
    pub(super) fn over(writer: Writer<W>) -> Self {
        Self { writer: Ok(writer), held: Vec::new() }
    }

    /// Keeps a copy of a frame that came or left at `stamp`, since the epoch.
    pub(super) fn hold(&mut self, stamp: Duration, flags: u32, octets: &[u8]) {
        if self.writer.is_err() {
            return;
        }
        self.held.push(Record { stamp, flags, octets: octets.to_vec() });
        if self.held.len() > HELD_MAX {
            self.write_oldest(self.held.len() / 2);
        }
    }

    /// Writes all that is held: nothing older can come any more.
    pub(super) fn settle(&mut self) {
        self.write_oldest(self.held.len());
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.settle();
        let finished = io::Error::other("finished");
        mem::replace(&mut self.writer, Err(finished))?.finish()
    }

    pub(super) fn error(&self) -> Option<&io::Error> {
        self.writer.as_ref().err()
    }

    fn write_oldest(&mut self, count: usize) {
        let Self { writer: Ok(writer), held } = self else { return };
        if count == 0 {
            return;
        }
        held.sort_by_key(|record| record.stamp);
        let written = held
            .drain(..count)
            .try_for_each(|record| record.write(writer))
            .and_then(|()| writer.hand_on());
        if let Err(error) = written {
            self.writer = Err(error);
            self.held = Vec::new();
        }
    }
}

impl<W: Write> Drop for Journal<W> {
    fn drop(&mut self) {
        self.settle(); // and the writer flushes
    }
}

/// A frame on its way to the file.
struct Record {
    stamp: Duration,
    flags: u32,
    octets: Vec<u8>,
}

impl Record {
    fn write(self, writer: &mut Writer<impl Write>) -> io::Result<()> {
        let Self { stamp, flags, octets } = self;
        writer.add(&Entry { stamp, flags: Some(flags), len: octets.len(), octets: &octets })
    }
}

/// Records held before the older half is written, come what may.
const HELD_MAX: usize = 4_096;
