use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsFd,
    path::Path,
    rc::Rc,
};

use link::capture::{Captured, Writer};
use stack::dissect;

use super::{
    line::Line,
    moment::{Moment, of_day},
    options::{Direction, Sniff},
};
use crate::{
    args::Global,
    failure::Failure,
    frame::{Passed, encode},
    pen::Pen,
};

/// Where the frames go.
pub(crate) struct Shown<'a> {
    args: &'a Sniff,
    form: Form,
    verbose: bool,
    moment: Moment,
    /// What was not written yet.
    text: Vec<u8>,
    out: File,
    kept: Option<Kept>,
    count: u64,
}

/// What is said of a frame.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    Text,
    Json,
    /// It is only kept.
    Nothing,
}

impl<'a> Shown<'a> {
    /// Shows frames of `source` as the command line has it.
    pub(crate) fn open(global: &Global, args: &'a Sniff, source: &str) -> Result<Self, Failure> {
        let form = match (global.json, &args.write) {
            (true, _) => Form::Json,
            (false, Some(_)) if !args.print => Form::Nothing,
            (false, _) => Form::Text,
        };
        refuse(args, form)?;
        Ok(Self {
            args,
            form,
            verbose: global.verbose,
            moment: Moment::new(),
            text: Vec::with_capacity(BUFFER + ROOM),
            out: stdout()?,
            kept: args.write.as_deref().map(|path| Kept::create(path, source, form)).transpose()?,
            count: 0,
        })
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Whether that is as many as were asked for.
    pub(crate) fn is_enough(&self) -> bool {
        self.args.count.is_some_and(|count| self.count >= count)
    }

    /// Whether a number was asked for at all.
    pub(crate) fn is_bounded(&self) -> bool {
        self.args.count.is_some()
    }

    /// Shows a frame that went the way which is asked for.
    pub(crate) fn show(
        &mut self,
        captured: &Captured<'_>,
        stamp: Option<&'static str>,
    ) -> Result<(), Failure> {
        let &Captured { octets, len, outbound, .. } = captured;
        if !self.wants(outbound)? {
            return Ok(());
        }
        self.count += 1;
        let octets = &octets[..octets.len().min(self.args.snaplen())];
        let captured = Captured { octets, ..*captured };
        if let Some(kept) = &mut self.kept {
            kept.writer.write(&captured).map_err(|error| unwritten(&error))?;
        }
        match self.form {
            Form::Nothing => return Ok(()),
            Form::Json => {
                let frame = dissect(octets, len);
                let passed = Passed {
                    n: self.count,
                    ts: self.moment.at(captured.stamp),
                    dir: outbound.map(|outbound| if outbound { "out" } else { "in" }),
                    len,
                    caplen: octets.len(),
                    stamp,
                };
                encode(&passed, &frame, &mut self.text);
            }
            Form::Text => {
                let frame = dissect(octets, len);
                let at = of_day(self.moment.at(captured.stamp));
                let (header, verbose) = (self.args.link_header, self.verbose);
                let mut pen = Pen(&mut self.text);
                Line { at, frame: &frame, len, header, verbose }.write(&mut pen);
                if self.args.hex || self.args.ascii {
                    let begins = frame.eth.map_or(0, |eth| eth.payload_at);
                    pen.dump(&octets[begins.min(octets.len())..], self.args.ascii);
                }
            }
        }
        if self.text.len() >= BUFFER {
            self.write()?;
        }
        Ok(())
    }

    /// Lets go of what is still held.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.write()?;
        self.kept.as_ref().map_or(Ok(()), Kept::flush)
    }

    fn write(&mut self) -> Result<(), Failure> {
        let written = self.out.write_all(&self.text);
        self.text.clear();
        Ok(written?)
    }

    fn wants(&self, outbound: Option<bool>) -> Result<bool, Failure> {
        let wanted = match self.args.direction {
            None | Some(Direction::Inout) => return Ok(true),
            Some(Direction::In) => false,
            Some(Direction::Out) => true,
        };
        let outbound = outbound.ok_or_else(|| {
            Failure::usage("-Q: the capture does not say which way its frames went")
        })?;
        Ok(outbound == wanted)
    }
}

/// What would change nothing is not there by intent.
fn refuse(args: &Sniff, form: Form) -> Result<(), Failure> {
    let shapes = [("-e", args.link_header), ("-x", args.hex), ("-X", args.ascii)];
    let given = shapes.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag);
    match (given, form) {
        (Some(flag), Form::Json) => Err(Failure::usage(format!("{flag} means nothing with -j"))),
        (Some(flag), Form::Nothing) => {
            Err(Failure::usage(format!("{flag} means nothing with -w, which shows no frame"))
                .hint("--print shows them as well"))
        }
        _ => Ok(()),
    }
}

/// The capture file of -w.
struct Kept {
    writer: Writer<Shared>,
    file: Shared,
}

impl Kept {
    fn create(path: &Path, source: &str, form: Form) -> Result<Self, Failure> {
        let name = path.display();
        let same = || path.canonicalize().ok() == Path::new(source).canonicalize().ok();
        if path.exists() && same() {
            return Err(Failure::usage(format!("-w {name}: it is what is being read")));
        }
        let file = if path == Path::new("-") {
            if form != Form::Nothing {
                return Err(Failure::usage("-w -: the output is the capture, and nothing else"));
            }
            stdout()?
        } else {
            File::create(path).map_err(|error| Failure::usage(format!("-w {name}: {error}")))?
        };
        let file = Shared(Rc::new(RefCell::new(BufWriter::with_capacity(BUFFER, file))));
        let writer = Writer::new(source, file.clone()).map_err(|error| unwritten(&error))?;
        Ok(Self { writer, file })
    }

    fn flush(&self) -> Result<(), Failure> {
        self.file.0.borrow_mut().flush().map_err(|error| unwritten(&error))
    }
}

/// A file that its writer and whoever sees that it is time to flush have in common.
#[derive(Clone)]
struct Shared(Rc<RefCell<BufWriter<File>>>);

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Standard output, without the lock and the line buffer of the library's.
fn stdout() -> Result<File, Failure> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

fn unwritten(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::from(io::Error::from(error.kind())),
        _ => Failure::link(format!("-w: {error}")),
    }
}

/// Octets of output held before they are written.
const BUFFER: usize = 128 << 10;

/// Octets of a long line, which may come on top of that.
const ROOM: usize = 16 << 10;
