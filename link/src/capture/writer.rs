use std::{
    io::{self, Write},
    mem,
};

use super::{
    INBOUND, OUTBOUND,
    format::{Encoder, Entry, Format},
    reader::Captured,
};

/// Writes frames as they are given to it, with stamps in nanoseconds.
///
/// It holds up to 64 KiB, and hands on whole records only: whenever it has, the file can be read to
/// its end. Dropping it also writes what it holds, but tells nobody of a failure.
pub struct Writer<W: Write> {
    /// `None` once finished, or when there was no next.
    out: Option<W>,
    format: Format,
    interface: String,
    encoder: Encoder,
    /// Octets of the present file that `out` has, and of its head.
    len: u64,
    head_len: u64,
    rotation: Option<Rotation<W>>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture, as pcapng, of the interface of that name.
    ///
    /// # Errors
    /// When the head of the file cannot be written.
    pub fn new(interface: &str, out: W) -> io::Result<Self> {
        Self::with_format(Format::PcapNg, interface, out)
    }

    /// Begins a capture in a form of one's choice.
    ///
    /// # Errors
    /// As [`Writer::new`].
    pub fn with_format(format: Format, interface: &str, out: W) -> io::Result<Self> {
        let mut writer = Self {
            out: Some(out),
            format,
            interface: interface.into(),
            encoder: Encoder::begin(format, interface)?,
            len: 0,
            head_len: 0,
            rotation: None,
        };
        writer.hand_on()?;
        writer.head_len = writer.len;
        Ok(writer)
    }

    /// Goes on in the file that `next` gives, as often as the present one would come to have more
    /// than `limit` octets; each is a whole capture, and has one frame at least.
    ///
    /// A file that is full is flushed and dropped before `next` is called. [`numbered`] has names.
    ///
    /// [`numbered`]: super::numbered
    pub fn rotating(
        mut self,
        limit: u64,
        next: impl FnMut() -> io::Result<W> + Send + 'static,
    ) -> Self {
        self.rotation = Some(Rotation { limit, next: Box::new(next) });
        self
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// When what is held cannot be written, or the next file not be begun; the file is cut then.
    pub fn write(&mut self, frame: &Captured<'_>) -> io::Result<()> {
        let flags = frame.outbound.map(|outbound| if outbound { OUTBOUND } else { INBOUND });
        let &Captured { stamp, len, octets, .. } = frame;
        self.add(&Entry { stamp, flags, len, octets })?;
        if self.encoder.buffer().len() >= HELD_MAX { self.hand_on() } else { Ok(()) }
    }

    /// Writes what is held, so that others can read it.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.file()?.flush()
    }

    /// Gives the file back, flushed; of several, the last.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        self.out.take().ok_or_else(closed)
    }

    /// Holds the record of a frame, in the next file if it is too much for this one.
    pub(super) fn add(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let held = self.encoder.buffer().len();
        self.encoder.add(entry)?;
        let Some(Rotation { limit, .. }) = self.rotation else { return Ok(()) };
        let without = self.len + held as u64;
        let with = self.len + self.encoder.buffer().len() as u64;
        if with <= limit || without <= self.head_len {
            return Ok(());
        }
        let record = self.encoder.buffer().split_off(held);
        self.rotate()?;
        self.encoder.buffer().extend(record);
        Ok(())
    }

    /// Writes what is held.
    pub(super) fn hand_on(&mut self) -> io::Result<()> {
        let records = mem::take(self.encoder.buffer());
        self.file()?.write_all(&records)?;
        self.len += records.len() as u64;
        *self.encoder.buffer() = records; // for its room
        self.encoder.buffer().clear();
        Ok(())
    }

    fn file(&mut self) -> io::Result<&mut W> {
        self.out.as_mut().ok_or_else(closed)
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.flush()?;
        let Some(Rotation { next, .. }) = &mut self.rotation else { return Ok(()) };
        self.out = None; // complete before there is another
        self.out = Some(next()?);
        self.encoder = Encoder::begin(self.format, &self.interface)?;
        self.len = 0;
        self.hand_on()
    }
}

impl<W: Write> Drop for Writer<W> {
    fn drop(&mut self) {
        let _ = self.flush(); // nobody is left to be told
    }
}

/// When to begin another file, and where.
struct Rotation<W> {
    limit: u64,
    next: Box<dyn FnMut() -> io::Result<W> + Send>,
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the capture has no file to go on in")
}

/// Octets held before they are written.
const HELD_MAX: usize = 64 << 10;
