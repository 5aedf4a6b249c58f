use std::{
    fmt::{self, Display},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use macaddr::MacAddr6;
use stack::{
    arp,
    icmp::{Corrupt, Ended, Outcome, SendError, Stray, Straying, Unsent},
    link::FrameTx,
};

use super::HEADERS;
use crate::{
    args::Ping,
    failure::Failure,
    record::{Mac, Record, RoundTrips, Stamps, Summary, nanoseconds, source_name},
    report::Report,
    session::Session,
    statistics::Statistics,
};

/// What people and programs see of a run: ping(8)'s lines, with what is new at their end.
pub(crate) struct View<'a> {
    args: &'a Ping,
    verbose: bool,
    dst: Ipv4Addr,
    next_hop: Ipv4Addr,
    /// Where the next hop is, how long that took to ask, and by how many requests.
    resolved: Option<(MacAddr6, Duration, u32)>,
    /// The time of an ARP exchange, for the next reply's line.
    arp_time: Option<Duration>,
    conflict: Option<MacAddr6>,
    /// Who stamped the last reply, and the request for it.
    stamped: Option<Stamps>,
}

impl<'a> View<'a> {
    pub(crate) fn new(args: &'a Ping, verbose: bool, dst: Ipv4Addr, next_hop: Ipv4Addr) -> Self {
        let (resolved, arp_time, conflict, stamped) = (None, None, None, None);
        Self { args, verbose, dst, next_hop, resolved, arp_time, conflict, stamped }
    }

    pub(crate) fn header(&self, session: &Session, report: &mut Report) -> Result<(), Failure> {
        let Self { args, dst, next_hop, .. } = self;
        let (src, size) = (session.identity.network.ip(), args.size);
        report.line(format_args!(
            "PING {} ({dst}) from {src} {}: {size}({}) bytes of data.",
            args.target,
            session.name,
            size + HEADERS
        ))?;
        if self.verbose {
            let Stamps { tx, rx } = session.stamps();
            let (mac, mtu) = (Mac(session.mac()), session.stack.link().mtu());
            report.line(format_args!(
                "next hop {next_hop}, our MAC {mac}, MTU {mtu}, stamps asked for: tx={tx} rx={rx}"
            ))?;
            if size < 8 {
                report
                    .line("data too short for a cookie: identifier, sequence and data must do")?;
            }
        }
        Ok(())
    }

    /// An echo that was refused before it could leave.
    pub(crate) fn refused(
        &self,
        session: &Session,
        at: Instant,
        seq: u16,
        error: &SendError,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let ts = session.time(at);
        self.say(session, at, format_args!("icmp_seq={seq} not sent: {error}"), report)?;
        report.record(&Record::Unsent { ts, dst: self.dst, seq, reason: "refused" })
    }

    pub(crate) fn ended(
        &mut self,
        session: &Session,
        at: Instant,
        from_mac: Option<MacAddr6>,
        ended: &Ended,
        reordered: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &Ended { dst, sequence: seq, outcome } = ended;
        let ts = session.time(at);
        let unsent = match outcome {
            Outcome::Reply { len, ttl, round_trip, tx, rx } => {
                self.stamped = Some(Stamps { tx: source_name(tx), rx: source_name(rx) });
                let arp = Shown(self.arp_time.take().map(|time| format!(" arp={} ms", Ms(time))));
                let order = if reordered { " (REORDERED)" } else { "" };
                let time = Ms(round_trip);
                self.say(
                    session,
                    at,
                    format_args!(
                        "{len} bytes from {dst}: icmp_seq={seq} ttl={ttl} time={time} ms{arp}{order}"
                    ),
                    report,
                )?;
                let from_mac = from_mac.map(Mac);
                let rtt_ns = Some(nanoseconds(round_trip));
                let (from, bytes, dup, corrupt) = (dst, len, false, None);
                return report.record(&Record::Reply {
                    ts,
                    dst,
                    from,
                    from_mac,
                    seq,
                    bytes,
                    ttl,
                    rtt_ns,
                    dup,
                    reordered,
                    corrupt,
                });
            }
            Outcome::Error(error) => {
                let from = error.from;
                self.say(session, at, format_args!("From {from} icmp_seq={seq} {error}"), report)?;
                let (icmp_type, icmp_code, what) = (error.icmp_type, error.code, error.name());
                let mtu = error.mtu;
                return report.record(&Record::IcmpError {
                    ts,
                    dst,
                    from,
                    icmp_type,
                    icmp_code,
                    what,
                    seq,
                    mtu,
                });
            }
            Outcome::TimedOut { waited } => {
                let ms = waited.as_millis();
                let text = format_args!("no answer for icmp_seq={seq} within {ms} ms");
                self.say(session, at, text, report)?;
                let waited_ns = nanoseconds(waited);
                return report.record(&Record::Timeout { ts, dst, seq, waited_ns });
            }
            Outcome::Unresolved { .. } => "unresolved", // told by the ARP event
            Outcome::Replaced => "replaced",
            Outcome::Unsent(Unsent::Down) => "link-down",
            Outcome::Unsent(Unsent::NoCarrier) => "no-carrier",
            Outcome::Unsent(Unsent::TooLong) => "mtu",
            _ => "unsent",
        };
        let why = match unsent {
            "unresolved" => None,
            "replaced" => Some(format!("{} has not answered ARP yet", self.next_hop)),
            "link-down" => Some("link down".to_owned()),
            "no-carrier" => Some("no carrier".to_owned()),
            "mtu" => Some("longer than the MTU is now".to_owned()),
            _ => Some("the link refused it".to_owned()),
        };
        if let Some(why) = why {
            self.say(session, at, format_args!("icmp_seq={seq} not sent: {why}"), report)?;
        }
        report.record(&Record::Unsent { ts, dst, seq, reason: unsent })
    }

    pub(crate) fn stray(
        &self,
        session: &Session,
        at: Instant,
        from_mac: Option<MacAddr6>,
        stray: &Stray,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &Stray { from, sequence: seq, len: bytes, ttl, straying } = stray;
        let (ts, dst) = (session.time(at), self.dst);
        let other = from_mac.filter(|mac| self.resolved.is_some_and(|(known, ..)| known != *mac));
        let other = Shown(other.map(|mac| format!(" from {}", Mac(mac))));
        let from_mac = from_mac.map(Mac);
        let begin = format!("{bytes} bytes from {from}: icmp_seq={seq} ttl={ttl}");
        let reply = |rtt_ns, dup, corrupt| {
            let reordered = false;
            Record::Reply {
                ts,
                dst,
                from,
                from_mac,
                seq,
                bytes,
                ttl,
                rtt_ns,
                dup,
                reordered,
                corrupt,
            }
        };
        match straying {
            Straying::Duplicate { round_trip } => {
                let time = Ms(round_trip);
                let text = format_args!("{begin} time={time} ms (DUP!){other}");
                self.say(session, at, text, report)?;
                report.record(&reply(Some(nanoseconds(round_trip)), true, None))
            }
            Straying::Late { round_trip } => {
                let time = Ms(round_trip);
                let text = format_args!("{begin} time={time} ms (LATE, not counted){other}");
                self.say(session, at, text, report)?;
                let rtt_ns = nanoseconds(round_trip);
                report.record(&Record::Late { ts, dst, from_mac, seq, bytes, ttl, rtt_ns })
            }
            Straying::Corrupt(corrupt) => {
                let what = match corrupt {
                    Corrupt::Checksum => "checksum",
                    Corrupt::Code => "code",
                    Corrupt::Length => "length",
                    Corrupt::Data => "data",
                };
                let text = format_args!("{begin} (CORRUPT {what}, not counted){other}");
                self.say(session, at, text, report)?;
                report.record(&reply(None, false, Some(what)))
            }
            Straying::Elsewhere { asked } => {
                let text = format_args!(
                    "answer from {from} for icmp_seq={seq}, which {asked} was asked (not counted){other}"
                );
                self.say(session, at, text, report)?;
                report.record(&Record::Foreign { ts, from, from_mac, seq, asked: Some(asked) })
            }
            _ => {
                let text =
                    format_args!("answer from {from} to no request of ours, icmp_seq={seq}{other}");
                self.say(session, at, text, report)?;
                report.record(&Record::Foreign { ts, from, from_mac, seq, asked: None })
            }
        }
    }

    pub(crate) fn arp(
        &mut self,
        session: &Session,
        at: Instant,
        event: &arp::Event,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if let arp::Event::Resolved { addr, mac, round_trip, requests } = *event
            && addr == self.next_hop
        {
            self.resolved = Some((mac, round_trip, requests));
            self.arp_time = Some(round_trip);
        }
        if let arp::Event::Conflict { addr, other, .. } = *event
            && addr == self.next_hop
        {
            self.conflict = Some(other);
        }
        if let arp::Event::Moved { addr, new, .. } = *event
            && addr == self.next_hop
            && let Some((mac, ..)) = &mut self.resolved
        {
            *mac = new;
        }
        let gateway = (self.dst != self.next_hop).then_some(self.dst);
        if let Some(text) = crate::arp::line(&session.name, event, gateway) {
            self.say(session, at, text, report)?;
        }
        crate::arp::record(session, at, event, report)
    }

    /// Running figures, on stderr.
    pub(crate) fn figures(&self, statistics: &Statistics, report: &mut Report) {
        let Statistics { sent, received, .. } = *statistics;
        let loss = Percent(statistics.loss().unwrap_or_default());
        let times = statistics.round_trips().map(|RoundTrips { min, avg, max, .. }| {
            format!(", min/avg/max = {}/{}/{} ms", ms(min), ms(avg), ms(max))
        });
        report.aside(format_args!("{received}/{sent} packets, {loss}% loss{}", Shown(times)));
    }

    pub(crate) fn summary(
        &self,
        session: &Session,
        statistics: &Statistics,
        began: Instant,
        (interrupted, pass): (bool, bool),
        report: &mut Report,
    ) -> Result<(), Failure> {
        let &Statistics { sent, received, duplicates, late, corrupt, foreign, errors, .. } =
            statistics;
        let &Statistics { unsent, reordered, .. } = statistics;
        let counted = [
            (duplicates, "duplicates"),
            (late, "late"),
            (corrupt, "corrupted"),
            (foreign, "foreign"),
            (errors, "errors"),
            (unsent, "not sent"),
        ];
        let counted: String = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("+{count} {what}, "))
            .collect();
        let loss = Shown(statistics.loss().map(|loss| format!("{}% packet loss, ", Percent(loss))));
        let time = session.now().saturating_duration_since(began).as_millis();
        report.line(format_args!("\n--- {} ping statistics ---", self.args.target))?;
        report.line(format_args!(
            "{sent} packets transmitted, {received} received, {counted}{loss}time {time}ms"
        ))?;
        let (rtt_ns, jitter_ns) = (statistics.round_trips(), statistics.jitter());
        if let Some(RoundTrips { min, avg, max, mdev, p50, p90, p99 }) = rtt_ns {
            let [min, avg, max, mdev] = [min, avg, max, mdev].map(ms);
            let [p50, p90, p99] = [p50, p90, p99].map(ms);
            let Stamps { tx, rx } = self.stamped.unwrap_or_else(|| session.stamps());
            let jitter = jitter_ns.map_or(Ms(Duration::ZERO), ms);
            report.line(format_args!("rtt min/avg/max/mdev = {min}/{avg}/{max}/{mdev} ms"))?;
            report.line(format_args!(
                "rtt p50/p90/p99 = {p50}/{p90}/{p99} ms, jitter {jitter} ms, \
                 reordered {reordered}, stamps tx={tx} rx={rx}"
            ))?;
        }
        if let Some((mac, time, requests)) = self.resolved {
            let plural = if requests == 1 { "" } else { "s" };
            let also = self.conflict.map(|mac| format!(", CONFLICT: also {}", Mac(mac)));
            let (mac, time, also) = (Mac(mac), Ms(time), Shown(also));
            report
                .line(format_args!("arp {mac} in {time} ms, {requests} request{plural}{also}"))?;
        }
        report.record(&Record::Summary(Summary {
            dst: self.dst,
            sent,
            received,
            dup: duplicates,
            late,
            corrupt,
            foreign,
            errors,
            unsent,
            reordered,
            loss_pct: statistics.loss(),
            rtt_ns,
            jitter_ns,
            interrupted,
            pass,
        }))
    }

    /// A line about one request.
    fn say(
        &self,
        session: &Session,
        at: Instant,
        text: impl Display,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if self.args.quiet {
            return Ok(());
        }
        if !self.args.timestamps {
            return report.line(text);
        }
        let since_epoch = session.time(at).since_epoch();
        report.line(format_args!(
            "[{}.{:06}] {text}",
            since_epoch.as_secs(),
            since_epoch.subsec_micros()
        ))
    }
}

/// Milliseconds, to the microsecond.
pub(crate) struct Ms(pub(crate) Duration);

impl Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0.as_secs_f64() * 1e3)
    }
}

fn ms(nanos: u64) -> Ms {
    Ms(Duration::from_nanos(nanos))
}

/// At most four decimals, and none for nothing.
struct Percent(f64);

impl Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (self.0 * 1e4).round() / 1e4)
    }
}

/// A part of a line that is not always there.
struct Shown(Option<String>);

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().map_or(Ok(()), |text| f.write_str(text))
    }
}
