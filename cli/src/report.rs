mod out;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use link::Event;
use serde::Serialize;
use stack::Dissected;

use crate::{
    failure::{Failure, Kind},
    frame::{self, Passed},
    record::{Mac, Record, Time},
};
use out::{Out, has_room};

/// Where all that a command says goes: lines for people, or JSON lines for programs.
pub(crate) struct Report {
    json: bool,
    out: Out,
    /// Nobody waits for whoever reads.
    live: bool,
    /// Lines that there were too many of.
    withheld: u64,
    /// Somebody watches, and what is drawn may be drawn over.
    watched: bool,
    /// Frames that were not taken from the link in time, where there was one.
    dropped: Option<u64>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        let watched = !json && io::stdout().is_terminal();
        Self { json, watched, out: Out::new(), live: false, withheld: 0, dropped: None }
    }

    /// Lets lines wait from now on until there are many, or until [`Report::flush`], which is to be
    /// called before every wait; unless they go to a terminal.
    pub(crate) fn gather(&mut self) {
        self.out.gather();
    }

    /// Lets nothing wait from now on for whoever reads: what he does not take in time is lost.
    pub(crate) fn go_live(&mut self) {
        self.live = true;
        self.out.go_live();
    }

    /// Says that what follows is the last, of which nothing is lost for want of room.
    pub(crate) fn keep_all(&mut self) {
        self.out.keep_all();
    }

    /// Whether there are lines that he has not taken yet.
    pub(crate) fn is_behind(&self) -> bool {
        self.out.is_behind()
    }

    /// One of too many lines was not told.
    pub(crate) fn withhold(&mut self) {
        self.withheld += 1;
    }

    /// Lines that were not told, or that nobody took.
    pub(crate) fn untold(&self) -> u64 {
        self.withheld + self.out.lost()
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// A line for people.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        Ok(self.out.add(|lines| writeln!(lines, "{text}"))?)
    }

    /// What is drawn for whoever watches a terminal, without an end of the line.
    pub(crate) fn draw(&mut self, text: &str) -> Result<(), Failure> {
        if !self.watched {
            return Ok(());
        }
        let mut out = io::stdout();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Whether what is drawn is seen at all.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// A line for people that is no result.
    pub(crate) fn note(&mut self, text: impl Display) {
        if !self.json {
            self.aside(text);
        }
    }

    /// A line on stderr for whoever asked for it, in either form.
    pub(crate) fn aside(&mut self, text: impl Display) {
        let _ = self.flush(); // stays in its order; a closed pipe is met again by the next line
        if self.live && !has_room(io::stderr()) {
            return self.withhold();
        }
        let _ = writeln!(io::stderr(), "{text}"); // nobody reads it: nothing to be done
    }

    /// Whether programs read it: if not, no record need be made.
    pub(crate) fn is_for_programs(&self) -> bool {
        self.json
    }

    /// A line for programs.
    pub(crate) fn record(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        Ok(self.out.add(|lines| encode(record, lines))?)
    }

    /// A frame, for programs.
    pub(crate) fn frame(
        &mut self,
        passed: &Passed<'_>,
        frame: &Dissected<'_>,
    ) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        Ok(self.out.add(|lines| {
            frame::encode(passed, frame, lines);
            Ok(())
        })?)
    }

    /// What became of the link `name` itself.
    pub(crate) fn link(&mut self, name: &str, ts: Time, event: Event) -> Result<(), Failure> {
        change_of(name, event).map_or(Ok(()), |text| self.line(text))?;
        self.link_record(name, ts, event)
    }

    /// As [`Report::link`], where lines are results, and this is none.
    pub(crate) fn link_note(&mut self, name: &str, ts: Time, event: Event) -> Result<(), Failure> {
        change_of(name, event).into_iter().for_each(|text| self.note(text));
        self.link_record(name, ts, event)
    }

    fn link_record(&mut self, name: &str, ts: Time, event: Event) -> Result<(), Failure> {
        let (state, mtu, mac) = match event {
            Event::Down => ("down", None, None),
            Event::Up => ("up", None, None),
            Event::Mtu(mtu) => ("mtu", Some(mtu), None),
            Event::Mac(mac) => ("mac", None, Some(Mac(mac))),
            _ => return Ok(()),
        };
        self.record(&Record::Link { ts, interface: name, state, mtu, mac })
    }

    /// How many frames were not taken from the link in time, all in all.
    pub(crate) fn dropped(&mut self, frames: u64) {
        self.dropped = Some(frames);
    }

    /// Says how the command ended, and with which exit code.
    pub(crate) fn end(mut self, ended: Result<u8, Failure>) -> ExitCode {
        let code = match &ended {
            Ok(code) => *code,
            Err(failure) => {
                if failure.kind != Kind::ClosedPipe {
                    self.fail(failure);
                }
                failure.code()
            }
        };
        let _ = self.record(&Record::End { exit: code, dropped: self.dropped }); // nobody is left to be told
        let _ = self.out.finish(); // nor here
        ExitCode::from(code)
    }

    fn fail(&mut self, failure: &Failure) {
        self.note(format_args!("sidestack: {failure}"));
        let record = Record::Error {
            ts: crate::record::wall_clock(),
            kind: failure.kind.name(),
            errno: failure.errno,
            message: &failure.message,
            hint: failure.hint.as_deref(),
        };
        if self.record(&record).and_then(|()| self.flush()).is_err() {
            self.aside(format_args!("sidestack: {failure}")); // the output is what has failed
        }
    }
}

/// What `event` says of the link `name` to people.
fn change_of(name: &str, event: Event) -> Option<String> {
    Some(match event {
        Event::Down => format!("{name}: link down"),
        Event::Up => format!("{name}: link up"),
        Event::Mtu(mtu) => format!("{name}: MTU is now {mtu}"),
        Event::Mac(mac) => format!("{name}: MAC is now {}", Mac(mac)),
        _ => return None,
    })
}

/// Appends `record` to `out` as a line.
fn encode(record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { v: 1, record })?;
    out.push(b'\n');
    Ok(())
}

#[derive(Serialize)]
struct Line<'a> {
    v: u8,
    #[serde(flatten)]
    record: &'a Record<'a>,
}
