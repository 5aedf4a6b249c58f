use std::{
    error::Error,
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use pcap_file::{
    DataLink,
    pcap::{PcapReadError, PcapReader, PcapTsResolution},
    pcapng::{PcapNgReadError, PcapNgReader},
};

use super::block;

/// Reads the frames of a capture in order: pcap in microseconds or nanoseconds, or pcapng, in
/// either order of octets.
///
/// It holds a part of the file of fixed length, however long that is.
pub struct Reader<R: Read> {
    format: Format<R>,
    /// Where the next record begins.
    at: u64,
}

enum Format<R: Read> {
    Pcap(PcapReader<Source<R>>),
    PcapNg(PcapNgReader<Source<R>>),
}

/// A file, its first four octets read already.
type Source<R> = io::Chain<io::Cursor<[u8; 4]>, R>;

/// A frame of a capture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Captured<'r> {
    /// When it passed, since 1970-01-01 00:00:00 UTC.
    pub stamp: Duration,
    /// Whether it went out rather than came in; `None` if the capture does not say.
    pub outbound: Option<bool>,
    /// Octets that it had on the wire.
    pub len: usize,
    /// Those that were captured.
    pub octets: &'r [u8],
}

impl Reader<File> {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// As [`Reader::new`], and when the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(File::open(path)?)
    }
}

impl<R: Read> Reader<R> {
    /// Reads the head of a capture.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for what is no capture, or not one of Ethernet frames.
    pub fn new(mut file: R) -> io::Result<Self> {
        let mut magic = [0; 4];
        file.read_exact(&mut magic).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => invalid("too short for a capture"),
            _ => error,
        })?;
        let source = io::Cursor::new(magic).chain(file);
        match u32::from_be_bytes(magic) {
            PCAPNG => {
                let reader = PcapNgReader::with_capacity(source, CAPACITY)
                    .map_err(|error| at(0, of_pcapng(error)))?;
                Ok(Self { at: reader.bytes_parsed(), format: Format::PcapNg(reader) })
            }
            0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 => {
                let reader = PcapReader::with_capacity(source, CAPACITY)
                    .map_err(|error| at(0, of_pcap(error)))?;
                check_ethernet(reader.header().datalink)?;
                Ok(Self { at: HEAD_LEN, format: Format::Pcap(reader) })
            }
            _ => Err(invalid("neither pcap nor pcapng")),
        }
    }

    /// Hands the next frame to `each`; `false` at the end.
    ///
    /// # Errors
    /// When the file cannot be read, is cut, or makes no sense; the error names the octet at which
    /// the record begins. Nothing more can be read then.
    pub fn next_frame(&mut self, each: &mut dyn FnMut(Captured<'_>)) -> io::Result<bool> {
        match &mut self.format {
            Format::Pcap(reader) => next_of_pcap(reader, &mut self.at, each),
            Format::PcapNg(reader) => next_of_pcapng(reader, &mut self.at, each),
        }
    }
}

fn next_of_pcap<R: Read>(
    reader: &mut PcapReader<R>,
    begins: &mut u64,
    each: &mut dyn FnMut(Captured<'_>),
) -> io::Result<bool> {
    let resolution = reader.header().ts_resolution;
    let Some(packet) = reader.next_raw_packet() else { return Ok(false) };
    let packet = packet.map_err(|error| at(*begins, of_pcap(error)))?;
    let nanoseconds = match resolution {
        PcapTsResolution::MicroSecond => u64::from(packet.ts_frac) * 1_000,
        PcapTsResolution::NanoSecond => packet.ts_frac.into(),
    };
    *begins += RECORD_LEN + packet.data.len() as u64;
    each(Captured {
        stamp: Duration::from_secs(packet.ts_sec.into()) + Duration::from_nanos(nanoseconds),
        outbound: None,
        len: packet.data.len().max(packet.orig_len as usize),
        octets: &packet.data,
    });
    Ok(true)
}

fn next_of_pcapng<R: Read>(
    reader: &mut PcapNgReader<R>,
    begins: &mut u64,
    each: &mut dyn FnMut(Captured<'_>),
) -> io::Result<bool> {
    loop {
        let Some(read) = reader.next_raw_block() else { return Ok(false) };
        let (block, state) = read.map_err(|error| at(*begins, of_pcapng(error)))?;
        let started = *begins;
        *begins += u64::from(block.initial_len);
        if !block::is_packet(block.type_) {
            continue;
        }
        let (interface, captured) =
            block::packet(block.type_, &block.body, state).map_err(|error| at(started, error))?;
        check_ethernet(interface.linktype).map_err(|error| at(started, error))?;
        each(captured);
        return Ok(true);
    }
}

/// # Errors
/// If `link_type` has other frames than Ethernet's.
fn check_ethernet(link_type: DataLink) -> io::Result<()> {
    // Above 16 bits it says whether frames end with a check sequence.
    match u32::from(link_type) & 0xffff {
        1 => Ok(()),
        other => Err(invalid(format!("a capture of link type {other}, not of Ethernet frames"))),
    }
}

fn of_pcap(error: PcapReadError) -> io::Error {
    match error {
        PcapReadError::Io(error) => cut(error),
        error => invalid(error),
    }
}

fn of_pcapng(error: PcapNgReadError) -> io::Error {
    match error {
        PcapNgReadError::Io(error) => cut(error),
        error => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            invalid(format!("{error}{cause}"))
        }
    }
}

fn cut(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "cut short, or a record longer than 4 MiB")
        }
        _ => error,
    }
}

fn at(octet: u64, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("at octet {octet}: {error}"))
}

pub(super) fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The type of the block that a pcapng file begins with; the same in either order of octets.
const PCAPNG: u32 = 0x0a0d_0d0a;

/// Octets before the first record of a pcap file.
const HEAD_LEN: u64 = 24;

/// Octets of a record of a pcap file before the frame.
const RECORD_LEN: u64 = 16;

/// Octets of the file held at a time, and so of the longest record.
const CAPACITY: usize = 4 << 20;
