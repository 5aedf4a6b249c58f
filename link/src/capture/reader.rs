use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use pcap_file::pcap::{PcapReadError, PcapReader, PcapTsResolution};

use super::{
    blocks::{Blocks, SECTION},
    link_type::LinkType,
};

/// Reads the frames of a capture in order: pcap in microseconds or nanoseconds, or pcapng, in
/// either order of octets.
///
/// A pcapng file may have frames of other kinds beside Ethernet's: they are left out, and counted.
///
/// It holds a part of the file of fixed length, however long that is.
pub struct Reader<R: Read> {
    format: Format<R>,
    /// Whether there was one of Ethernet's.
    found: bool,
    foreign: BTreeMap<LinkType, u64>,
}

enum Format<R: Read> {
    Pcap {
        reader: PcapReader<Source<R>>,
        /// Where the next record begins.
        begins: u64,
    },
    PcapNg(Blocks<Source<R>>),
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
        let format = match u32::from_be_bytes(magic) {
            SECTION => Format::PcapNg(Blocks::open(source)?),
            0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 => {
                let reader = PcapReader::with_capacity(source, CAPACITY)
                    .map_err(|error| at(0, of_pcap(error)))?;
                // Above 16 bits it says whether frames end with a check sequence.
                let link_type = LinkType(u32::from(reader.header().datalink) as u16);
                if link_type != LinkType::ETHERNET {
                    return Err(invalid(format!(
                        "a capture of {link_type}, not of Ethernet frames"
                    )));
                }
                Format::Pcap { reader, begins: HEAD_LEN }
            }
            _ => return Err(invalid("neither pcap nor pcapng")),
        };
        Ok(Self { format, found: false, foreign: BTreeMap::new() })
    }

    /// Hands the next frame to `each`; `false` at the end.
    ///
    /// # Errors
    /// When the file cannot be read, is cut, or makes no sense; the error names the octet at which
    /// the record begins. Nothing more can be read then. And when it ends, but none of its frames
    /// is Ethernet's.
    pub fn next_frame(&mut self, each: &mut dyn FnMut(Captured<'_>)) -> io::Result<bool> {
        let Self { format, found, foreign } = self;
        let blocks = match format {
            Format::Pcap { reader, begins } => return next_of_pcap(reader, begins, each),
            Format::PcapNg(blocks) => blocks,
        };
        let mut ours = false;
        while !ours {
            let more = blocks.next_frame(&mut |link_type, captured| {
                ours = link_type == LinkType::ETHERNET;
                if ours {
                    each(captured);
                } else {
                    *foreign.entry(link_type).or_default() += 1;
                }
            })?;
            if more {
                continue;
            }
            return match foreign.first_key_value() {
                Some((link_type, _)) if !*found => {
                    Err(invalid(format!("a capture of {link_type}, not of Ethernet frames")))
                }
                _ => Ok(false),
            };
        }
        *found = true;
        Ok(true)
    }

    /// How many frames of each other kind than Ethernet's there were so far.
    pub fn foreign(&self) -> impl Iterator<Item = (LinkType, u64)> {
        self.foreign.iter().map(|(link_type, frames)| (*link_type, *frames))
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

fn of_pcap(error: PcapReadError) -> io::Error {
    match error {
        PcapReadError::Io(error) => error,
        error => invalid(error),
    }
}

/// What is wrong with the record that begins there.
pub(super) fn at(octet: u64, error: io::Error) -> io::Error {
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "cut short, or a record longer than 4 MiB",
        _ => &error.to_string(),
    };
    io::Error::new(error.kind(), format!("at octet {octet}: {what}"))
}

pub(super) fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Octets before the first record of a pcap file.
const HEAD_LEN: u64 = 24;

/// Octets of a record of a pcap file before the frame.
const RECORD_LEN: u64 = 16;

/// Octets of the file held at a time, and so of the longest record.
const CAPACITY: usize = 4 << 20;
