//! Where the frames to be shown come from.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::fd::AsFd,
    path::Path,
    time::Duration,
};

use link::{
    Direction as Went, Event, Filter, FrameIo, Link, Options, PacketSocket, Ring, Wait,
    capture::{Captured, LinkType, Reader},
};

use super::options::{Direction, Sniff};
use crate::{
    args::Global,
    failure::Failure,
    open::{Opened, Us, open},
    privilege::drop_privileges,
    record::{Stamps, source_name},
    signals::Signals,
    value::LinkName,
};

/// A file, or a link.
pub(crate) enum Source {
    File { reader: Reader<Box<dyn Read>>, name: String },
    Socket { socket: Box<PacketSocket>, name: String },
    Lab(Box<Opened>),
}

/// A frame as it is handed on, and who stamped it.
pub(crate) type Each<'e> = dyn FnMut(Captured<'_>, Option<&'static str>) + 'e;

impl Source {
    /// Opens what `-r` or `-I` names.
    pub(crate) fn open(global: &Global, args: &Sniff) -> Result<Self, Failure> {
        match (&args.read, &global.interface) {
            (Some(path), None) => Self::file(path),
            (None, Some(LinkName::Capture(path))) if args.bpf.is_none() => Self::file(path),
            (None, Some(LinkName::Interface(name))) => {
                let options = options().outgoing(args.direction != Some(Direction::In));
                let options = match &args.bpf {
                    None => options,
                    Some(path) => options.filter(filter(path)?),
                };
                let socket = options.open(name).map_err(Failure::open)?;
                drop_privileges()?;
                Ok(Self::Socket { socket: Box::new(socket), name: name.clone() })
            }
            (None, Some(_)) if args.bpf.is_some() => {
                Err(Failure::usage("--bpf needs a kernel to run it: name an interface by -I"))
            }
            (None, Some(_)) => Ok(Self::Lab(Box::new(open(global, None, Us::Nobody, 0)?))),
            (None, None) => Err(Failure::usage("which link? Name it by -I, or a file by -r")),
            (Some(_), Some(_)) => Err(Failure::usage("either -I or -r")),
        }
    }

    fn file(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let file: Box<dyn Read> = if name == "-" {
            Box::new(io::stdin())
        } else {
            let file = File::open(path)
                .map_err(|error| Failure::usage(format!("{name}: cannot be read: {error}")))?;
            Box::new(file)
        };
        let reader =
            Reader::new(file).map_err(|error| Failure::link(format!("{name}: {error}")))?;
        Ok(Self::File { reader, name })
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::File { name, .. } | Self::Socket { name, .. } => name,
            Self::Lab(opened) => &opened.name,
        }
    }

    /// The link, if it is one.
    pub(crate) fn link(&self) -> Option<&dyn Link> {
        match self {
            Self::File { .. } => None,
            Self::Socket { socket, .. } => Some(socket.as_ref()),
            Self::Lab(opened) => Some(opened.link.as_ref()),
        }
    }

    /// Who stamps what passes, if it is a link.
    pub(crate) fn stamps(&self) -> Option<Stamps> {
        let source = match self {
            Self::File { .. } => return None,
            Self::Socket { .. } => link::Source::Kernel,
            Self::Lab(opened) => opened.stamps,
        };
        let source = source_name(source);
        Some(Stamps { tx: source, rx: source })
    }

    /// Hands on what is there; nothing at the end of a file, or while nothing passes.
    pub(crate) fn next(&mut self, each: &mut Each<'_>) -> Result<usize, Failure> {
        let link: &mut dyn Link = match self {
            Self::File { reader, name } => {
                for taken in 0..BATCH {
                    let read = reader.next_frame(&mut |frame| each(frame, None));
                    match read {
                        Ok(true) => {}
                        Ok(false) => return Ok(taken),
                        Err(error) => return Err(Failure::gone(name, &error)),
                    }
                }
                return Ok(BATCH);
            }
            Self::Socket { socket, .. } => socket.as_mut(),
            Self::Lab(opened) => opened.link.as_mut(),
        };
        let now = link.now();
        let taken = link.recv(now, &mut |frame, _| {
            let captured = Captured {
                stamp: frame.stamp().since_epoch,
                outbound: Some(frame.direction() != Went::Received),
                len: frame.octets().len(),
                octets: frame.octets(),
            };
            each(captured, Some(source_name(frame.stamp().source)));
        });
        taken.map_err(|error| Failure::gone(self.name(), &error))
    }

    /// What has become of the link itself.
    pub(crate) fn event(&mut self) -> Option<Event> {
        match self {
            Self::File { .. } => None,
            Self::Socket { socket, .. } => socket.event(),
            Self::Lab(opened) => opened.link.event(),
        }
    }

    /// Sleeps until something passes, or a signal comes; `false` at the end of a file.
    pub(crate) fn wait(&mut self, signals: &Signals) -> Result<bool, Failure> {
        let waited = match self {
            Self::File { .. } => return Ok(false),
            Self::Socket { socket, .. } => socket.wait(None, Some(signals.as_fd())),
            Self::Lab(opened) => opened.link.wait(None, Some(signals.as_fd())),
        };
        waited.map(|()| true).map_err(|error| Failure::gone(self.name(), &error))
    }

    /// How many frames of each other kind than Ethernet's there were, if it is a file.
    pub(crate) fn foreign(&self) -> Option<Vec<(LinkType, u64)>> {
        match self {
            Self::File { reader, .. } => Some(reader.foreign().collect()),
            _ => None,
        }
    }

    /// Frames that were not taken in time, where there is a link to take them from.
    pub(crate) fn dropped(&mut self) -> Option<u64> {
        match self {
            Self::File { .. } => None,
            Self::Socket { socket, .. } => Some(socket.dropped()),
            Self::Lab(opened) => Some(opened.link.dropped()),
        }
    }

    /// Frames that were not shown, and why; where there is a kernel to lose them.
    pub(crate) fn lost(&mut self) -> Option<Lost> {
        match self {
            Self::Socket { socket, .. } => {
                let stats = socket.stats();
                Some(Lost { dropped: stats.dropped, too_long: stats.truncated })
            }
            _ => None,
        }
    }
}

/// Frames that passed, and were not shown.
#[derive(Clone, Copy)]
pub(crate) struct Lost {
    /// The kernel had no room for them.
    pub(crate) dropped: u64,
    /// Longer than the MTU: the kernel had merged them.
    pub(crate) too_long: u64,
}

fn options() -> Options {
    PacketSocket::options().promiscuous(true).stamps(false).ring(RING)
}

fn filter(path: &Path) -> Result<Filter, Failure> {
    let name = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("--bpf {name}: {error}")))?;
    Filter::parse(&text).map_err(|error| Failure::usage(format!("--bpf {name}: {error}")))
}

/// Frames of a file between two looks at what signals came.
const BATCH: usize = 256;

/// Room for what passes in 0.1 s at a million short frames a second: longer than another process
/// keeps us from the processor. Twice as much was measured to cost 30 ms more to begin with.
const RING: Ring =
    Ring::V3 { octets: 16 << 20, block: 1 << 20, timeout: Duration::from_millis(10) };
