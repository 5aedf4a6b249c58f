use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::value;

#[derive(Args)]
pub(crate) struct Sniff {
    /// Read a capture, pcap or pcapng, instead of a link; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) read: Option<PathBuf>,
    /// Write the frames to a file instead of showing them: classic pcap if its name ends in .pcap,
    /// else pcapng; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// With -w: files of at most so many million octets (or k, m, g): FILE, FILE1, FILE2, ...
    #[arg(
        short = 'C', long, value_name = "SIZE", requires = "write",
        value_parser = value::file_size
    )]
    pub(crate) file_size: Option<u64>,
    /// With -w: show them as well; -j does so unasked
    #[arg(long, requires = "write")]
    pub(crate) print: bool,
    /// Stop after this many frames
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Show only what this filter accepts, in the kernel: what `tcpdump -ddd` prints
    #[arg(long, value_name = "FILE", conflicts_with = "read")]
    pub(crate) bpf: Option<PathBuf>,
    /// Show the Ethernet header
    #[arg(short = 'e', long)]
    pub(crate) link_header: bool,
    /// Show what follows the Ethernet header, in hexadecimal
    #[arg(short = 'x', long)]
    pub(crate) hex: bool,
    /// Show it in hexadecimal and in ASCII
    #[arg(short = 'X', long)]
    pub(crate) ascii: bool,
    /// Only frames that came in, or that went out
    #[arg(short = 'Q', long, value_name = "WAY")]
    pub(crate) direction: Option<Direction>,
    /// Octets of each frame that are taken, the header included; 0: all
    #[arg(short = 's', long = "snapshot-length", value_name = "OCTETS", default_value_t = 0)]
    pub(crate) snapshot: usize,
}

impl Sniff {
    /// Octets of a frame at most.
    pub(crate) fn snaplen(&self) -> usize {
        if self.snapshot == 0 { usize::MAX } else { self.snapshot }
    }
}

/// Which way a frame goes.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum Direction {
    /// To us, or past us
    In,
    /// From this host
    Out,
    /// Either
    Inout,
}
