//! A host that answers wrongly, in whichever way a test wants.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use etherparse::checksum::Sum16BitWords;
use libtest_mimic::Failed;
use link::{As, EtherType, Frame, FrameIo, FrameTx, MacAddr6, PacketSocket, Wait};

use crate::net::{FAR, FAR_MAC, Net, OUR_MAC, US};

/// What comes of a request: packets, and how long after it each is to be sent.
pub(crate) type Fault = fn(&Packet) -> Vec<(Duration, Packet)>;

/// A host at [`FAR`], until it is dropped.
pub(crate) struct Responder {
    stop: Arc<AtomicBool>,
    life: Option<JoinHandle<std::io::Result<()>>>,
}

impl Responder {
    pub(crate) fn start(net: &Net, fault: Fault) -> Result<Self, Failed> {
        Self::owned_by(net, &[FAR_MAC], fault)
    }

    /// With an answer to ARP from each of `owners`, one after the other.
    pub(crate) fn owned_by(
        net: &Net,
        owners: &'static [MacAddr6],
        fault: Fault,
    ) -> Result<Self, Failed> {
        let socket = PacketSocket::options().stamps(false);
        let mut socket = net.far.run(|| socket.open("f0"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let life = thread::spawn(move || {
            let mut due: Vec<(Instant, Packet)> = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let now = socket.now();
                socket.recv(now, &mut |frame, tx| {
                    take_in(now, &frame, tx, (owners, fault), &mut due);
                })?;
                for (_, packet) in due.extract_if(.., |(at, _)| *at <= now) {
                    let send = |out: &mut [u8]| out.copy_from_slice(&packet.0);
                    let sent = socket.send(OUR_MAC, EtherType::IPV4, packet.0.len(), &mut { send });
                    sent.expect("there is room for a few");
                }
                socket.flush()?;
                socket.wait(Some(now + STEP), None)?;
            }
            Ok(())
        });
        Ok(Self { stop, life: Some(life) })
    }

    /// Ends it, and says whether it had trouble.
    pub(crate) fn stop(mut self) -> Result<(), Failed> {
        self.stop.store(true, Ordering::Relaxed);
        let life = self.life.take().expect("only this takes it");
        Ok(life.join().map_err(|_| "the responder panicked")??)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Answers ARP for each owner, and anything else as `fault` has it.
fn take_in(
    now: Instant,
    frame: &Frame<'_>,
    tx: &mut dyn FrameTx,
    (owners, fault): (&[MacAddr6], Fault),
    due: &mut Vec<(Instant, Packet)>,
) {
    let payload = frame.payload();
    match frame.ether_type() {
        EtherType::ARP if payload[7] == 1 && payload[24..28] == FAR.octets() => {
            for &mac in owners {
                let mut owner = As { mac, below: &mut *tx };
                let answer = owner.send(frame.src(), EtherType::ARP, 28, &mut |out| {
                    out[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 2]);
                    out[8..14].copy_from_slice(mac.as_bytes());
                    out[14..18].copy_from_slice(&FAR.octets());
                    out[18..28].copy_from_slice(&payload[8..18]);
                });
                answer.expect("there is room for a few");
            }
        }
        EtherType::IPV4 if payload[9] == ICMP && payload[20] == ECHO_REQUEST => {
            let answers = fault(&Packet(payload.to_vec()));
            due.extend(answers.into_iter().map(|(delay, packet)| (now + delay, packet)));
        }
        _ => {}
    }
}

/// An IPv4 packet with a header of 20 octets, and an ICMP message in it.
#[derive(Clone, Debug)]
pub(crate) struct Packet(Vec<u8>);

impl Packet {
    /// The right answer to a request.
    pub(crate) fn reply(&self) -> Self {
        let data = self.0[MESSAGE + 8..].to_vec();
        Self::message([0, 0], self.0[MESSAGE + 4..MESSAGE + 8].to_vec(), data)
    }

    /// An error about a packet, or about what looks like one of ours.
    pub(crate) fn error(&self, kind_and_code: [u8; 2]) -> Self {
        Self::message(kind_and_code, vec![0; 4], self.0[..MESSAGE + 8].to_vec())
    }

    /// The same with an MPLS label behind the quote (RFC 4884 §4, RFC 4950), of which there is no
    /// checksum.
    pub(crate) fn labelled_error(&self, kind_and_code: [u8; 2]) -> Self {
        let mut quote = self.0.clone();
        quote.resize(128, 0);
        quote.extend([0x20, 0, 0, 0, 0, 8, 1, 1, 0x01, 0x86, 0xa1, 1]);
        Self::message(kind_and_code, vec![0, 128 / 4, 0, 0], quote)
    }

    /// The same with an octet changed by `change`, and with checksums that are right.
    pub(crate) fn with(&self, at: usize, change: fn(u8) -> u8) -> Self {
        let mut changed = self.raw(at, change);
        changed.seal();
        changed
    }

    /// The same with an octet changed by `change`, and nothing else.
    pub(crate) fn raw(&self, at: usize, change: fn(u8) -> u8) -> Self {
        let mut changed = self.clone();
        changed.0[at] = change(changed.0[at]);
        changed
    }

    /// The same with another number of octets of data, and with checksums that are right.
    pub(crate) fn resized(&self, by: isize) -> Self {
        let mut changed = self.clone();
        changed.0.resize(self.0.len().saturating_add_signed(by), 0);
        changed.seal();
        changed
    }

    /// The same in fragments of eight octets.
    pub(crate) fn in_fragments(&self) -> Vec<Self> {
        let (header, message) = self.0.split_at(MESSAGE);
        let last = message.len().div_ceil(8) - 1;
        let parts = (0_u16..).zip(message.chunks(8)).map(|(n, part)| {
            let mut fragment = Self([header, part].concat());
            fragment.0[5] = self.sequence();
            let more = if usize::from(n) < last { MORE_FRAGMENTS } else { 0 };
            fragment.0[6..8].copy_from_slice(&(more | n).to_be_bytes());
            fragment.seal_header();
            fragment
        });
        parts.collect()
    }

    pub(crate) fn sequence(&self) -> u8 {
        self.0[SEQUENCE]
    }

    /// Where the last octet is.
    pub(crate) fn last(&self) -> usize {
        self.0.len() - 1
    }

    /// From [`FAR`] to [`US`].
    fn message(kind_and_code: [u8; 2], rest_of_header: Vec<u8>, data: Vec<u8>) -> Self {
        let mut octets = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, ICMP, 0, 0];
        octets.extend(FAR.octets().into_iter().chain(US.octets()));
        octets.extend(kind_and_code.into_iter().chain([0; 2]).chain(rest_of_header).chain(data));
        let mut packet = Self(octets);
        packet.seal();
        packet
    }

    /// Sets the length, and both checksums.
    fn seal(&mut self) {
        self.seal_header();
        self.sum(MESSAGE..self.0.len(), MESSAGE + 2);
    }

    fn seal_header(&mut self) {
        let len = u16::try_from(self.0.len()).expect("a short packet");
        self.0[2..4].copy_from_slice(&len.to_be_bytes());
        self.sum(0..MESSAGE, 10);
    }

    /// Writes the checksum of some octets, at the place that it has among them.
    fn sum(&mut self, octets: Range<usize>, at: usize) {
        self.0[at..at + 2].fill(0);
        let sum = Sum16BitWords::new().add_slice(&self.0[octets]).ones_complement();
        self.0[at..at + 2].copy_from_slice(&sum.to_be().to_be_bytes());
    }
}

/// Where fields of a [`Packet`] are, or their last octets.
pub(crate) const IP_CHECKSUM: usize = 11;
pub(crate) const SOURCE: usize = 15;
pub(crate) const MESSAGE: usize = 20;
pub(crate) const CODE: usize = MESSAGE + 1;
pub(crate) const CHECKSUM: usize = MESSAGE + 3;
pub(crate) const IDENTIFIER: usize = MESSAGE + 5;
pub(crate) const SEQUENCE: usize = MESSAGE + 7;

/// Where the fields of a quoted packet are.
pub(crate) const QUOTED: usize = MESSAGE + 8;

const ICMP: u8 = 1;
const MORE_FRAGMENTS: u16 = 0x2000;
const ECHO_REQUEST: u8 = 8;

/// How long a packet that is due may be kept waiting.
const STEP: Duration = Duration::from_millis(2);
