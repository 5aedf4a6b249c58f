use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use link::capture::{Format, Writer, numbered};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::failure::Failure;

/// The file of --pcap, and what became of it: whoever writes is somewhere down in the link.
pub(crate) struct Capture {
    name: String,
    format: Format,
    error: Arc<Mutex<Option<io::Error>>>,
}

impl Capture {
    /// Begins the file, in the place of any other of that name.
    pub(crate) fn create(path: &Path) -> Result<(Self, CaptureFile), Failure> {
        let name = path.display().to_string();
        let file = create(path).map_err(|error| {
            Failure::usage(format!("--pcap {name}: cannot be written: {error}"))
        })?;
        let error = Arc::default();
        let writer = CaptureFile { file, error: Arc::clone(&error) };
        let format = Format::of(path);
        Ok((Self { name, format, error }, writer))
    }

    /// The form that its name asks for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether all of it was written; to be asked once the link is closed.
    pub(crate) fn verdict(self) -> Result<(), Failure> {
        match self.error.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(error) => Err(Failure::link(format!(
                "--pcap {}: the capture is cut short: {error}",
                self.name
            ))),
        }
    }
}

/// Begins the capture of `sniff -w`, of what comes from `source`, which it must not be; in files of
/// at most `limit` octets, if that is given.
pub(crate) fn saved(
    path: &Path,
    limit: Option<u64>,
    source: &str,
) -> Result<Writer<File>, Failure> {
    let source_path = Path::new(source).canonicalize().ok();
    let mut files = numbered(path).map(move |path| {
        if source_path.is_some() && path.canonicalize().ok() == source_path {
            return Err(io::Error::other("it is what is being read"));
        }
        File::create(path)
    });
    let mut next = move || files.next().unwrap_or_else(|| Err(io::ErrorKind::StorageFull.into()));
    let begun = next().and_then(|file| Writer::with_format(Format::of(path), source, file));
    let writer =
        begun.map_err(|error| Failure::usage(format!("-w {}: {error}", path.display())))?;
    Ok(match limit {
        Some(limit) => writer.rotating(limit, next),
        None => writer,
    })
}

/// A pipe that nobody reads is refused, for opening it would wait for ever.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true).custom_flags(OFlag::O_NONBLOCK.bits());
    let file = options.open(path)?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

/// What a recorder writes to.
pub(crate) struct CaptureFile {
    file: File,
    error: Arc<Mutex<Option<io::Error>>>,
}

impl CaptureFile {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return; // it is tried again
            }
            let copy = io::Error::new(error.kind(), error.to_string());
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        })
    }
}

impl Write for CaptureFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.file.write(octets);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.note(flushed)
    }
}
