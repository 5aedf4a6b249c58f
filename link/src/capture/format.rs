use std::{ffi::OsString, io, path::Path, path::PathBuf, time::Duration};

use pcap_file::{
    DataLink, Endianness,
    pcap::{PcapHeader, PcapTsResolution, PcapWriter},
    pcapng::{
        PcapNgWriteError, PcapNgWriter,
        blocks::interface_description::{
            InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
        },
    },
};

use super::STAMP_MAX;

/// In which form a capture is written; both have stamps in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// pcapng (draft-ietf-opsawg-pcapng), with the interface's name and each frame's direction.
    #[default]
    PcapNg,
    /// Classic pcap (draft-ietf-opsawg-pcap), for readers of nothing newer: neither name nor
    /// direction, and no stamp later than the year 2106.
    Pcap,
}

impl Format {
    /// The form that a file of that name should have: pcap's if it ends in `.pcap`, else pcapng's.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|is| is == "pcap") { Self::Pcap } else { Self::PcapNg }
    }
}

/// The names of a capture in several files, as tcpdump counts them: `path`, `path1`, `path2`, ...
pub fn numbered(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let first = path.to_owned();
    let counted = first.clone().into_os_string();
    let rest = (1_u64..).map(move |n| {
        let mut name: OsString = counted.clone();
        name.push(n.to_string());
        name.into()
    });
    std::iter::once(first).chain(rest)
}

/// A frame of which all is known that a capture can say.
pub(super) struct Entry<'e> {
    pub(super) stamp: Duration,
    /// epb_flags.
    pub(super) flags: Option<u32>,
    /// Octets that it had.
    pub(super) len: usize,
    pub(super) octets: &'e [u8],
}

/// Makes records of frames, into a buffer.
pub(super) enum Encoder {
    PcapNg(PcapNgWriter<Vec<u8>>),
    Pcap(Vec<u8>),
}

impl Encoder {
    /// Begins with the head of a file.
    pub(super) fn begin(format: Format, interface: &str) -> io::Result<Self> {
        if format == Format::Pcap {
            let head = PcapHeader {
                snaplen: SNAPLEN,
                ts_resolution: PcapTsResolution::NanoSecond,
                endianness: Endianness::native(),
                ..PcapHeader::default()
            };
            let head = PcapWriter::with_header(Vec::new(), head).map_err(io::Error::other)?;
            return Ok(Self::Pcap(head.into_inner()));
        }
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
        Ok(Self::PcapNg(blocks))
    }

    /// What has been encoded, and not been taken yet.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::PcapNg(blocks) => blocks.get_mut(),
            Self::Pcap(buffer) => buffer,
        }
    }

    /// Appends the record of a frame.
    pub(super) fn add(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let len = u32::try_from(entry.len).unwrap_or(u32::MAX);
        match self {
            Self::PcapNg(blocks) => packet(entry, len, blocks.get_mut())?,
            Self::Pcap(buffer) => {
                let octets = &entry.octets[..entry.octets.len().min(SNAPLEN as usize)];
                let stamp = entry.stamp.min(PCAP_STAMP_MAX);
                let seconds = u32::try_from(stamp.as_secs()).unwrap_or(u32::MAX);
                for long in [seconds, stamp.subsec_nanos(), octets.len() as u32, len] {
                    buffer.extend(long.to_ne_bytes());
                }
                buffer.extend(octets);
            }
        }
        Ok(())
    }
}

/// Appends an enhanced packet block (draft-ietf-opsawg-pcapng §4.3); the library goes through each
/// one twice.
fn packet(entry: &Entry<'_>, len: u32, out: &mut Vec<u8>) -> io::Result<()> {
    let padding = entry.octets.len().next_multiple_of(4) - entry.octets.len();
    let options = if entry.flags.is_some() { 12 } else { 0 };
    let total = PACKET_LEN + entry.octets.len() + padding + options;
    let total = u32::try_from(total).map_err(io::Error::other)?;
    let stamp = entry.stamp.min(STAMP_MAX).as_nanos() as u64;
    let (high, low) = ((stamp >> 32) as u32, stamp as u32);
    let captured = entry.octets.len() as u32; // less than the total
    for long in [PACKET, total, 0, high, low, captured, len] {
        out.extend(long.to_ne_bytes());
    }
    out.extend(entry.octets);
    out.extend(&[0; 3][..padding]);
    if let Some(flags) = entry.flags {
        for short in [FLAGS, 4] {
            out.extend(short.to_ne_bytes());
        }
        out.extend(flags.to_ne_bytes());
        out.extend([0; 4]); // opt_endofopt
    }
    out.extend(total.to_ne_bytes());
    Ok(())
}

fn into_io(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// The type of an enhanced packet block.
const PACKET: u32 = 6;

/// Octets of such a block besides the frame and the options.
const PACKET_LEN: usize = 32;

/// epb_flags.
const FLAGS: u16 = 2;

/// Octets of a frame that a pcap file may hold: what tcpdump and Wireshark take for the most.
const SNAPLEN: u32 = 262_144;

/// The last point in time that 32 bits of seconds reach.
const PCAP_STAMP_MAX: Duration = Duration::new(u32::MAX as u64, 999_999_999);
