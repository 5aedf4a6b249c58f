mod line;
mod source;

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
};

use link::capture::{Captured, Writer};
use stack::dissect;

use crate::{
    args::{Global, Sniff},
    capture,
    failure::Failure,
    frame::{Frame, Layers, time},
    record::{Mac, Record, wall_clock},
    report::{self, Report},
    signals::{Signals, Wish},
};
use line::Line;
use source::{Lost, Source};

/// Shows what passes on a link, or is in a capture.
pub(crate) fn run(global: &Global, args: &Sniff, report: &mut Report) -> Result<u8, Failure> {
    let mut signals = Signals::listen()?;
    let mut source = Source::open(global, args)?;
    start(&source, report)?;
    let mut shown = Shown {
        args,
        json: global.json,
        verbose: global.verbose,
        out: BufWriter::with_capacity(BUFFER, io::stdout()),
        file: saved(args, source.name())?,
        count: 0,
        line: Vec::new(),
    };
    let watched = watch(&mut source, &mut shown, &mut signals, report);
    let flushed = shown.finish();
    let code = watched?;
    flushed?;
    Ok(code)
}

/// Shows frame after frame, to the end of a file or whatever else ends it.
fn watch(
    source: &mut Source,
    shown: &mut Shown<'_>,
    signals: &mut Signals,
    report: &mut Report,
) -> Result<u8, Failure> {
    let at_once = io::stdout().is_terminal();
    let code = loop {
        let mut told = Ok(());
        let taken = source.next(&mut |frame, stamp| {
            if told.is_ok() && !shown.is_enough() {
                told = shown.show(&frame, stamp);
            }
        });
        told?;
        let taken = taken?;
        if shown.is_enough() {
            break 0;
        }
        if at_once || taken == 0 {
            shown.settle()?;
        }
        while let Some(event) = source.event() {
            shown.out.flush()?;
            report.link(source.name(), wall_clock(), event)?;
        }
        if taken == 0 && !source.wait(signals)? {
            break 0;
        }
        match signals.heard() {
            Some(Wish::Stop) => break if shown.args.count.is_some() { 130 } else { 0 },
            Some(Wish::Figures) => figures(source, shown.count, report),
            None => {}
        }
    };
    shown.out.flush()?;
    if let Some(dropped) = source.dropped() {
        report.dropped(dropped);
    }
    match source.lost() {
        Some(Lost { dropped: 0, too_long: 0 }) | None => {
            report.note(format_args!("{} frames", shown.count));
        }
        Some(_) => figures(source, shown.count, report),
    }
    Ok(code)
}

fn figures(source: &mut Source, count: u64, report: &mut Report) {
    match source.lost() {
        None => report.aside(format_args!("{count} frames")),
        Some(Lost { dropped, too_long }) => report.aside(format_args!(
            "{count} frames, {dropped} dropped by the kernel, {too_long} too long to be shown"
        )),
    }
}

fn start(source: &Source, report: &mut Report) -> Result<(), Failure> {
    let link = source.link();
    report.record(&Record::Start {
        cmd: "sniff",
        ts: wall_clock(),
        interface: source.name(),
        src: None,
        src_mac: link.map(|link| Mac(link.mac())),
        vlan: Vec::new(),
        targets: Vec::new(),
        stamps: source.stamps(),
    })
}

fn saved(args: &Sniff, source: &str) -> Result<Option<Writer<File>>, Failure> {
    let saved = |path| capture::saved(path, args.file_size, source);
    args.write.as_deref().map(saved).transpose()
}

/// Where the frames go.
struct Shown<'a> {
    args: &'a Sniff,
    json: bool,
    verbose: bool,
    out: BufWriter<Stdout>,
    file: Option<Writer<File>>,
    count: u64,
    /// Of JSON; kept, to be filled anew.
    line: Vec<u8>,
}

impl Shown<'_> {
    fn is_enough(&self) -> bool {
        self.args.count.is_some_and(|count| self.count >= count)
    }

    fn show(
        &mut self,
        captured: &Captured<'_>,
        stamp: Option<&'static str>,
    ) -> Result<(), Failure> {
        self.count += 1;
        if let Some(file) = &mut self.file {
            file.write(captured).map_err(|error| Failure::link(format!("-w: {error}")))?;
        }
        let &Captured { octets, len, outbound, .. } = captured;
        let frame = dissect(octets, len);
        let at = time(captured.stamp);
        if self.json {
            let record = Record::Frame(&Frame {
                n: self.count,
                ts: at,
                dir: outbound.map(|outbound| if outbound { "out" } else { "in" }),
                len,
                caplen: octets.len(),
                stamp,
                layers: Layers::of(&frame),
            });
            self.line.clear();
            report::encode(&record, &mut self.line)?;
            return Ok(self.out.write_all(&self.line)?);
        }
        let (header, verbose) = (self.args.link_header, self.verbose);
        writeln!(self.out, "{}", Line { at, frame: &frame, len, header, verbose })?;
        if self.args.hex {
            let begins = frame.eth.map_or(0, |eth| eth.payload_at);
            self.dump(&octets[begins.min(octets.len())..])?;
        }
        Ok(())
    }

    /// Writes out what is held: nothing more is waiting.
    fn settle(&mut self) -> Result<(), Failure> {
        if let Some(file) = &mut self.file {
            file.flush().map_err(|error| Failure::link(format!("-w: {error}")))?;
        }
        Ok(self.out.flush()?)
    }

    /// What follows the Ethernet header, 16 octets a line.
    fn dump(&mut self, octets: &[u8]) -> Result<(), Failure> {
        for (n, row) in octets.chunks(16).enumerate() {
            write!(self.out, "\t0x{:04x}: ", n * 16)?;
            for word in row.chunks(2) {
                write!(self.out, " ")?;
                for octet in word {
                    write!(self.out, "{octet:02x}")?;
                }
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    /// Writes out what is still held.
    fn finish(mut self) -> Result<(), Failure> {
        if let Some(file) = self.file.take() {
            file.finish().map_err(|error| Failure::link(format!("-w: {error}")))?;
        }
        Ok(self.out.flush()?)
    }
}

/// Octets of output held before they are written.
const BUFFER: usize = 64 << 10;
