use std::{
    io::{self, Write},
    time::Duration,
};

use pcap_file::{
    DataLink,
    pcapng::{
        PcapNgWriteError, PcapNgWriter,
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{
                InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
            },
        },
    },
};

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
        let mut blocks = PcapNgWriter::new(Vec::new()).map_err(into_io)?;
        let description = InterfaceDescriptionBlock {
            linktype: DataLink::ETHERNET,
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(interface.into()),
                InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
            ],
        };
        blocks.write_pcapng_block(description).map_err(into_io)?;
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
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: self.stamp.min(STAMP_MAX),
            original_len: u32::try_from(self.octets.len()).unwrap_or(u32::MAX),
            data: self.octets.into(),
            options: vec![EnhancedPacketOption::Flags(self.flags)],
        };
        blocks.write_pcapng_block(block).map_err(into_io)?;
        Ok(())
    }
}

fn write_out(blocks: &mut PcapNgWriter<Vec<u8>>, out: &mut impl Write) -> io::Result<()> {
    let blocks = blocks.get_mut();
    out.write_all(blocks)?;
    blocks.clear();
    Ok(())
}

fn into_io(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// Records held before the older half is written, come what may.
const HELD_MAX: usize = 4_096;

/// The last point in time that 64 bits of nanoseconds reach, in the year 2554.
const STAMP_MAX: Duration = Duration::from_nanos(u64::MAX);
