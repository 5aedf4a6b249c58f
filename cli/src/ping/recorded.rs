use std::{fmt, time::Instant};

use stack::{
    icmp,
    ipv4::{Options, Recorded},
};

use super::view::View;
use crate::{
    args::{Ping, Times},
    failure::Failure,
    record::{Record, Stop},
    report::Report,
    session::Session,
};

/// The options that -R or -T ask for.
pub(super) fn options(args: &Ping) -> Options {
    match (args.letters.record_route, args.letters.record_times) {
        (true, _) => Options::record_route(MOST),
        (_, Some(Times::Only)) => Options::timestamps(MOST),
        (_, Some(Times::AndAddresses)) => Options::timestamps_and_addresses(MOST_PAIRS),
        (false, None) => Options::NONE,
    }
}

impl View<'_> {
    /// What was recorded on the way to the host and back.
    pub(super) fn recorded(
        &mut self,
        session: &Session,
        at: Instant,
        recorded: &icmp::Recorded,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let icmp::Recorded { dst, sequence: seq, options } = *recorded;
        let stops: Vec<Stop> = options.recorded().map(stop).collect();
        self.way = stops.iter().map(Stop::to_string).collect();
        report.record(&Record::Recorded { ts: session.time(at), dst, seq, stops })
    }

    /// Shows it below the reply, as ping(8) does.
    pub(super) fn way(&mut self, report: &mut Report) -> Result<(), Failure> {
        let begin = if self.args.letters.record_route { "RR:" } else { "TS:" };
        for (n, stop) in std::mem::take(&mut self.way).into_iter().enumerate() {
            report.line(format_args!("{}\t{stop}", if n == 0 { begin } else { "" }))?;
        }
        Ok(())
    }
}

fn stop(recorded: Recorded) -> Stop {
    match recorded {
        Recorded::Route(ip) => Stop { ip: Some(ip), time_ms: None },
        Recorded::Time(time) => Stop { ip: None, time_ms: Some(time) },
        Recorded::RouteAndTime(ip, time) => Stop { ip: Some(ip), time_ms: Some(time) },
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ip) = self.ip {
            write!(f, "{ip}")?;
        }
        let Some(time) = self.time_ms else { return Ok(()) };
        if self.ip.is_some() {
            f.write_str("\t")?;
        }
        if time & NOT_STANDARD != 0 {
            return write!(f, "{} of a clock of its own", time & !NOT_STANDARD);
        }
        let (seconds, ms) = (time / 1000, time % 1000);
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        write!(f, "{hours:02}:{:02}:{:02}.{ms:03}", minutes % 60, seconds % 60)
    }
}

/// Addresses, or times, that a header has room for.
const MOST: usize = 9;

/// As many have both.
const MOST_PAIRS: usize = 4;

/// The bit of a time that is not in milliseconds since midnight UT (RFC 791 §3.1).
const NOT_STANDARD: u32 = 1 << 31;
