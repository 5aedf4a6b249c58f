//! What `--explain` tells: the decision for each packet, and each frame octet by octet.

mod octets;

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    os::fd::BorrowedFd,
    time::{Instant, SystemTime},
};

use link::{Direction, Event, Frame, FrameIo, FrameTx, Link, SendError, Wait};
use macaddr::MacAddr6;
use stack::{arp, dissect, ipv4::NextHop};

use crate::{
    frame::{self, Passed},
    record::{Mac, Time},
    report::Report,
    route,
    session::Session,
};

/// A link that tells each frame that passes, the first [`MOST`] of them.
pub(crate) struct Explained {
    below: Box<dyn Link>,
    teller: Teller,
}

impl Explained {
    pub(crate) fn new(below: Box<dyn Link>, json: bool) -> Self {
        Self { below, teller: Teller { json, told: 0 } }
    }
}

impl FrameTx for Explained {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let at = (!self.below.returns_sent()).then(|| self.below.wall(self.below.now()));
        Tx { below: &mut self.below, teller: &mut self.teller, at }.transmit(len, write)
    }
}

impl FrameIo for Explained {
    fn recv(
        &mut self,
        now: Instant,
        each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx),
    ) -> io::Result<usize> {
        let Self { below, teller } = self;
        let at = (!below.returns_sent()).then(|| below.wall(now));
        below.recv(now, &mut |frame, tx| {
            let stamp = SystemTime::UNIX_EPOCH + frame.stamp().since_epoch;
            match frame.direction() {
                Direction::Received => teller.tell(false, stamp, frame.octets()),
                Direction::Sent if at.is_none() => teller.tell(true, stamp, frame.octets()),
                Direction::Sent | Direction::Unsent(_) => {}
            }
            each(frame, &mut Tx { below: tx, teller, at });
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.below.flush()
    }

    fn event(&mut self) -> Option<Event> {
        self.below.event()
    }

    fn returns_sent(&self) -> bool {
        self.below.returns_sent()
    }

    fn dropped(&mut self) -> u64 {
        self.below.dropped()
    }
}

impl Wait for Explained {
    fn now(&self) -> Instant {
        self.below.now()
    }

    fn wall(&self, at: Instant) -> SystemTime {
        self.below.wall(at)
    }

    fn wait(&mut self, until: Option<Instant>, wake: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.below.wait(until, wake)
    }
}

/// The transmit half; tells what is queued, where it will not come back with its stamp.
struct Tx<'a> {
    below: &'a mut dyn FrameTx,
    teller: &'a mut Teller,
    at: Option<SystemTime>,
}

impl FrameTx for Tx<'_> {
    fn mac(&self) -> MacAddr6 {
        self.below.mac()
    }

    fn mtu(&self) -> usize {
        self.below.mtu()
    }

    fn transmit(&mut self, len: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), SendError> {
        let Self { below, teller, at } = self;
        below.transmit(len, &mut |slot| {
            write(slot);
            if let Some(at) = at {
                teller.tell(true, *at, slot);
            }
        })
    }
}

/// Whoever tells.
struct Teller {
    json: bool,
    told: u64,
}

impl Teller {
    fn tell(&mut self, outbound: bool, at: SystemTime, octets: &[u8]) {
        if self.told >= MOST {
            return;
        }
        self.told += 1;
        let (frame, len) = (dissect(octets, octets.len()), octets.len());
        let mut text = Vec::new();
        let told = if self.json {
            let passed = Passed {
                n: self.told,
                ts: &Time(at).to_string(),
                dir: Some(if outbound { "out" } else { "in" }),
                len,
                caplen: len,
                stamp: None,
            };
            frame::encode(&passed, &frame, &mut text);
            Ok(())
        } else {
            let (n, verb) = (self.told, if outbound { "sent" } else { "received" });
            let lines = octets::annotated(octets, &frame);
            writeln!(text, "frame {n}, {verb}, {len} octets:\n{lines}")
        };
        if told.and_then(|()| io::stdout().write_all(&text)).is_err() {
            self.told = MOST; // nobody reads it; the report notices, too
        }
        if self.told == MOST {
            let _ = writeln!(io::stderr(), "explained enough: further frames pass untold");
        }
    }
}

/// The decision for a datagram to `dst`: whom its frame goes to, why, and what ARP knows of it.
pub(crate) fn decision(session: &Session, dst: Ipv4Addr) -> Option<String> {
    let found = session.stack.route(dst)?;
    let (_, because) = route::because(found.why);
    let NextHop::Unicast(hop) = found.next_hop else { return Some(because) };
    let known = session.stack.neighbours().find(|neighbour| neighbour.addr == hop);
    let arp = match known.map(|neighbour| (neighbour.mac, neighbour.state)) {
        Some((Some(mac), arp::State::Static)) => format!("at {}, as was said", Mac(mac)),
        Some((Some(mac), _)) => format!("at {}, as ARP has it", Mac(mac)),
        _ => "not known yet: the packet is kept while ARP asks".to_owned(),
    };
    Some(format!("{because}; {hop} is {arp}"))
}

/// Tells the decision for request `seq`, before it leaves.
pub(crate) fn tell_decision(
    session: &Session,
    dst: Ipv4Addr,
    what: &str,
    report: &mut Report,
) -> Result<(), crate::failure::Failure> {
    match decision(session, dst) {
        Some(decision) => report.line(format_args!("{what}: {decision}")),
        None => Ok(()),
    }
}

/// Frames that are told.
const MOST: u64 = 1000;
