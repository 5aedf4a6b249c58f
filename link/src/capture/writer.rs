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

use super::{INBOUND, OUTBOUND, STAMP_MAX, reader::Captured};

/// Writes frames as they are given to it, as pcapng in nanoseconds.
pub struct Writer<W: Write> {
    blocks: PcapNgWriter<W>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture of the interface of that name. Each block is several small writes: `out`
    /// had better have a buffer.
    ///
    /// # Errors
    /// When the head of the file cannot be written.
    pub fn new(interface: &str, out: W) -> io::Result<Self> {
        Ok(Self { blocks: begin(interface, out)? })
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// When it cannot be written; the file is cut then.
    pub fn write(&mut self, frame: &Captured<'_>) -> io::Result<()> {
        let flags = frame.outbound.map(|outbound| if outbound { OUTBOUND } else { INBOUND });
        write_frame(&mut self.blocks, frame.stamp, flags, frame.len, frame.octets)
    }

    /// Gives the file back, flushed.
    ///
    /// # Errors
    /// When it cannot be flushed.
    pub fn finish(self) -> io::Result<W> {
        let mut out = self.blocks.into_inner();
        out.flush()?;
        Ok(out)
    }
}

/// Writes the head of a file.
pub(super) fn begin<W: Write>(interface: &str, out: W) -> io::Result<PcapNgWriter<W>> {
    let mut blocks = PcapNgWriter::new(out).map_err(into_io)?;
    let description = InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: 0,
        options: vec![
            InterfaceDescriptionOption::IfName(interface.into()),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ],
    };
    blocks.write_pcapng_block(description).map_err(into_io)?;
    Ok(blocks)
}

/// Writes one block of a frame that had `len` octets.
pub(super) fn write_frame<W: Write>(
    blocks: &mut PcapNgWriter<W>,
    stamp: Duration,
    flags: Option<u32>,
    len: usize,
    octets: &[u8],
) -> io::Result<()> {
    let block = EnhancedPacketBlock {
        interface_id: 0,
        timestamp: stamp.min(STAMP_MAX),
        original_len: u32::try_from(len).unwrap_or(u32::MAX),
        data: octets.into(),
        options: flags.map(EnhancedPacketOption::Flags).into_iter().collect(),
    };
    blocks.write_pcapng_block(block).map_err(into_io)?;
    Ok(())
}

fn into_io(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(error) => error,
        error => io::Error::other(error),
    }
}
