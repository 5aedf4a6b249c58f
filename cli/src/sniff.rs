mod line;
mod moment;
mod options;
mod shown;
mod source;

use std::io::{self, IsTerminal};

use crate::{
    args::Global,
    failure::{Failure, Kind},
    record::{Mac, Record, wall_clock},
    report::Report,
    signals::{Signals, Wish},
};
pub(crate) use options::Sniff;
use shown::Shown;
use source::{Lost, Source};

/// Shows what passes on a link, or is in a capture.
pub(crate) fn run(global: &Global, args: &Sniff, report: &mut Report) -> Result<u8, Failure> {
    let mut signals = Signals::listen()?;
    let mut source = Source::open(global, args)?;
    let mut shown = Shown::open(global, args, source.name())?;
    start(&source, report)?;
    let watched = watch(&mut source, &mut shown, &mut signals, report);
    let flushed = shown.flush();
    let ended = watched.and_then(|code| flushed.map(|()| code));
    if let Some(dropped) = source.dropped() {
        report.dropped(dropped);
    }
    if ended.as_ref().is_err_and(|failure| failure.kind == Kind::ClosedPipe) {
        return ended;
    }
    match source.lost() {
        Some(Lost { dropped: 0, too_long: 0 }) | None => {
            report.note(format_args!("{} frames", shown.count()));
        }
        Some(_) => figures(&mut source, shown.count(), report),
    }
    let skipped = source.foreign();
    for (link_type, frames) in skipped.iter().flatten() {
        report.note(format_args!("{frames} frames of {link_type} skipped"));
    }
    let lost = source.lost();
    report.record(&Record::Stats {
        ts: wall_clock(),
        frames: shown.count(),
        dropped: lost.map(|lost| lost.dropped),
        too_long: lost.map(|lost| lost.too_long),
        skipped: skipped.map(|kinds| kinds.iter().map(|(_, frames)| frames).sum()),
    })?;
    ended
}

/// Shows frame after frame, to the end of a file or whatever else ends it.
fn watch(
    source: &mut Source,
    shown: &mut Shown<'_>,
    signals: &mut Signals,
    report: &mut Report,
) -> Result<u8, Failure> {
    let at_once = io::stdout().is_terminal();
    let bounded = shown.is_bounded();
    loop {
        let mut told = Ok(());
        let taken = source.next(&mut |frame, stamp| {
            if told.is_ok() && !shown.is_enough() {
                told = shown.show(&frame, stamp);
            }
        });
        told?;
        let taken = taken?;
        if shown.is_enough() {
            return Ok(0);
        }
        if at_once || taken == 0 {
            shown.flush()?;
        }
        while let Some(event) = source.event() {
            shown.flush()?;
            report.link(source.name(), wall_clock(), event)?;
        }
        if taken == 0 && !source.wait(signals)? {
            return Ok(0);
        }
        match signals.heard() {
            Some(Wish::Stop) => return Ok(if bounded { 130 } else { 0 }),
            Some(Wish::Figures) => figures(source, shown.count(), report),
            None => {}
        }
    }
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
