use std::time::Instant;

use link::{Direction, EtherType, Frame, FrameIo, FrameTx, Link, SendError, Tag, Unsent};
use macaddr::MacAddr6;
use stack::{Pace, arp, dissect};

use crate::{
    args::{Global, Send},
    failure::Failure,
    frame::{Frame as Decoded, Layers, time},
    open::Us,
    record::{Mac, Record, source_name},
    report::Report,
    session::Session,
    signals::Wish,
    value,
};

/// Sends a frame as it is given, or a payload under an Ethernet header of ours.
pub(crate) fn run(global: &Global, args: &Send, report: &mut Report) -> Result<u8, Failure> {
    let octets = octets(args)?;
    let mut session = Session::open(global, None, Us::Deaf, arp::Config::default())?;
    session.start(report, "send", &[""; 0])?;
    let mut pace = Pace::new(session.now(), args.interval);
    let mut sent = Sent { out: 0, refused: 0, vlan: global.vlan.clone() };
    let mut queued = 0;
    let mut stopped = false;
    while !stopped && sent.out + sent.refused < args.count {
        let now = session.now();
        if queued < args.count && pace.next() <= now {
            match queue(session.stack.link_mut(), args, &octets) {
                Ok(()) => {
                    queued += 1;
                    pace.done(now);
                }
                Err(SendError::Full) => {} // the next turn tries again
                Err(error) => {
                    return Err(Failure::usage(format!(
                        "nothing is sent on {}: {error}",
                        session.name
                    )));
                }
            }
        }
        sent.collect(&mut session, now, report)?;
        while let Some(event) = session.stack.link_mut().event() {
            session.link_changed(report, now, event)?;
        }
        if sent.out + sent.refused < queued || queued < args.count {
            session.wait((queued < args.count).then(|| pace.next()))?;
        }
        match session.wish() {
            Some(Wish::Stop) => stopped = true,
            Some(Wish::Figures) => {
                let Sent { out, refused, .. } = sent;
                report.aside(format_args!("{out} sent, {refused} refused, of {}", args.count));
            }
            None => {}
        }
    }
    session.close(report)?;
    Ok(if stopped { 130 } else { u8::from(sent.out == 0) })
}

/// What became of the frames.
struct Sent {
    out: u64,
    refused: u64,
    /// The tags that they leave in, which the link takes off those that come back.
    vlan: Vec<Tag>,
}

impl Sent {
    /// Flushes, and tells which frames have left since, and which could not.
    fn collect(
        &mut self,
        session: &mut Session,
        now: Instant,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let name = session.name.clone();
        let link = session.stack.link_mut();
        let mut told = Ok(());
        let mut each = |frame: Frame<'_>, _: &mut dyn FrameTx| match frame.direction() {
            Direction::Sent => {
                self.out += 1;
                if told.is_ok() {
                    told = tell(&frame, &self.vlan, self.out, &name, report);
                }
            }
            Direction::Unsent(reason) => {
                self.refused += 1;
                report.note(format_args!("{name}: not sent: {}", why(reason)));
            }
            Direction::Received => {}
        };
        let done = link.flush().and_then(|()| link.recv(now, &mut each));
        done.map_err(|error| Failure::gone(&name, &error))?;
        told
    }
}

/// The octets to send: a whole frame, or with --ethertype its payload.
fn octets(args: &Send) -> Result<Vec<u8>, Failure> {
    match &args.text {
        Some(text) => Ok(text.clone().into_bytes()),
        None => value::hex(&args.hex.concat())
            .map_err(|error| Failure::usage(format!("the frame is not hexadecimal: {error}"))),
    }
}

fn queue(link: &mut dyn Link, args: &Send, octets: &[u8]) -> Result<(), SendError> {
    let mut copy = |out: &mut [u8]| out.copy_from_slice(octets);
    match args.ethertype {
        None => link.transmit(octets.len(), &mut copy),
        Some(ether_type) => {
            let everybody = if link.mac().is_nil() { link.mac() } else { MacAddr6::broadcast() };
            link.send(args.to.unwrap_or(everybody), EtherType(ether_type), octets.len(), &mut copy)
        }
    }
}

fn tell(
    frame: &Frame<'_>,
    vlan: &[Tag],
    n: u64,
    name: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    let octets = frame.octets(); // with all tags
    let len = octets.len();
    let (dst, src) = (Mac(frame.dst()), Mac(frame.src()));
    let ether_type = frame.ether_type().0;
    let tags = vlan.iter().copied().chain(frame.tags());
    let within: String = tags.map(|tag| format!("VLAN {}, ", tag.id)).collect();
    report.line(format_args!(
        "sent {len} octets on {name}: {src} > {dst}, {within}EtherType 0x{ether_type:04x}"
    ))?;
    report.record(&Record::Frame(&Decoded {
        n,
        ts: time(frame.stamp().since_epoch),
        dir: Some("out"),
        len,
        caplen: len,
        stamp: Some(source_name(frame.stamp().source)),
        layers: Layers::of(&dissect(octets, len)),
    }))
}

fn why(reason: Unsent) -> &'static str {
    match reason {
        Unsent::Down => "the link is down",
        Unsent::NoCarrier => "no carrier",
        Unsent::TooLong => "it is longer than the MTU",
        Unsent::Full => "the queue stayed full",
        _ => "the link refused it",
    }
}
