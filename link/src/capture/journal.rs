use std::{
    io::{self, Write},
    time::Duration,
};

use pcap_file::pcapng::PcapNgWriter;

use super::writer::{self, write_frame};

/// A pcapng file, and the records that are not yet in it because an older one may still come.
pub(super) struct Journal<W: Write> {
    /// `None` once finished, an error once a write has failed.
    out: Option<io::Result<W>>,
    /// The next write to `out`: whole blocks.
    blocks: PcapNgWriter<Vec<u8>>,
    held: Vec<Record>,
}

impl<W: Write> Journal<W> {
    /// Writes the head of the file.
    pub(super) fn open(interface: &str, mut out: W) -> io::Result<Self> {
        let mut blocks = writer::begin(interface, Vec::new())?;
        write_out(&mut blocks, &mut out)?;
        Ok(Self { out: Some(Ok(out)), blocks, held: Vec::new() })
    }

    /// Keeps a copy of a frame that came or left at `stamp`, since the epoch.
    pub(super) fn hold(&mut self, stamp: Duration, flags: u32, octets: &[u8]) {
        if !matches!(self.out, Some(Ok(_))) {
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
        let mut out = self.out.take().expect("only this takes it, and takes the journal too")?;
        out.flush()?;
        Ok(out)
    }

    pub(super) fn error(&self) -> Option<&io::Error> {
        self.out.as_ref()?.as_ref().err()
    }

    fn write_oldest(&mut self, count: usize) {
        let Self { out: Some(Ok(out)), blocks, held } = self else { return };
        if count == 0 {
            return;
        }
        held.sort_by_key(|record| record.stamp);
        let written = held
            .drain(..count)
            .try_for_each(|record| record.write(blocks))
            .and_then(|()| write_out(blocks, out));
        if let Err(error) = written {
            self.out = Some(Err(error));
            self.held = Vec::new();
        }
    }
}

impl<W: Write> Drop for Journal<W> {
    fn drop(&mut self) {
        self.settle();
        if let Some(Ok(out)) = &mut self.out {
            let _ = out.flush(); // nobody is left to be told
        }
    }
}

/// A frame on its way to the file.
struct Record {
    stamp: Duration,
    flags: u32,
    octets: Vec<u8>,
}

impl Record {
    fn write(self, blocks: &mut PcapNgWriter<Vec<u8>>) -> io::Result<()> {
        write_frame(blocks, self.stamp, Some(self.flags), self.octets.len(), &self.octets)
    }
}

fn write_out(blocks: &mut PcapNgWriter<Vec<u8>>, out: &mut impl Write) -> io::Result<()> {
    let blocks = blocks.get_mut();
    out.write_all(blocks)?;
    blocks.clear();
    Ok(())
}

/// Records held before the older half is written, come what may.
const HELD_MAX: usize = 4_096;
