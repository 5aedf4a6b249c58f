use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    path::Path,
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
    capture,
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
    kept: Option<Writer<File>>,
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
            kept: args.write.as_deref().map(|path| kept(args, path, source)).transpose()?,
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
            kept.write(&captured).map_err(|error| unwritten(&error))?;
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
        let Some(kept) = &mut self.kept else { return Ok(()) };
        kept.flush().map_err(|error| unwritten(&error))
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
        _ if args.write.as_deref() != Some(Path::new(STDOUT)) => Ok(()),
        _ if form != Form::Nothing => {
            Err(Failure::usage("-w -: the output is the capture, and nothing else"))
        }
        _ if args.file_size.is_some() => {
            Err(Failure::usage("-C: standard output is one file, and no other follows it"))
        }
        _ => Ok(()),
    }
}

/// The capture of -w.
fn kept(args: &Sniff, path: &Path, source: &str) -> Result<Writer<File>, Failure> {
    if path == Path::new(STDOUT) {
        return Writer::new(source, stdout()?).map_err(|error| unwritten(&error));
    }
    capture::saved(path, args.file_size, source)
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

/// The name that standard output has here.
const STDOUT: &str = "-";

/// Octets of output held before they are written.
const BUFFER: usize = 128 << 10;

/// Octets of a long line, which may come on top of that.
const ROOM: usize = 16 << 10;
