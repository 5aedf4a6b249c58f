//! Echo requests, so many in flight at any time.

use std::time::{Duration, Instant};

use link::{EtherType, FrameIo, FrameTx, PacketSocket, SendError, Wait};

use crate::{LOAD, Trouble, US};

/// What came of one round.
pub(crate) struct Round {
    pub(crate) answers: f64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) lost: u64,
}

pub(crate) struct Load {
    socket: PacketSocket,
    sequence: u16,
    sent: u64,
    answered: u64,
    /// Looks in vain since the last answer.
    idle: u32,
}

impl Load {
    /// Waits until the responder answers ARP, by which it also learns where we are.
    pub(crate) fn new(socket: PacketSocket) -> Result<Self, Trouble> {
        let mut load = Self { socket, sequence: 0, sent: 0, answered: 0, idle: 0 };
        for _ in 0..100 {
            load.socket.send(link::MacAddr6::broadcast(), EtherType::ARP, 28, &mut |out| {
                out[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
                out[8..14].copy_from_slice(LOAD.as_bytes());
                out[14..18].copy_from_slice(&[10, 77, 0, 1]);
                out[24..28].copy_from_slice(&[10, 77, 0, 3]);
            })?;
            load.socket.flush()?;
            let now = load.socket.now();
            load.socket.wait(Some(now + Duration::from_millis(50)), None)?;
            let mut arp = false;
            load.socket.recv(now, &mut |frame, _| arp |= frame.ether_type() == EtherType::ARP)?;
            if arp {
                return Ok(load);
            }
        }
        Err("nobody answers ARP".into())
    }

    /// Keeps `in_flight` requests on their way for as long as `length`, and waits for the last.
    pub(crate) fn run(&mut self, in_flight: usize, length: Duration) -> Result<Round, Trouble> {
        let start = self.socket.now();
        let (end, mut heard, mut gone) = (start + length, start, 0);
        loop {
            let now = self.socket.now();
            if now < end {
                while ((self.sent - self.answered - gone) as usize) < in_flight && self.ask()? {}
                self.socket.flush()?;
            }
            let before = self.answered;
            self.take_in(now)?;
            if self.answered != before {
                heard = now;
            } else if now > heard + QUIET {
                if now >= end {
                    break;
                }
                (gone, heard) = (self.sent - self.answered, now); // what is lost holds nobody up
            }
            if now >= end && self.answered == self.sent {
                break;
            }
        }
        let seconds = (heard - start).as_secs_f64();
        let lost = self.sent.saturating_sub(self.answered);
        Ok(Round { answers: self.answered as f64, seconds, cpu_seconds: 0.0, lost })
    }

    /// Takes in what has come; after a while without anything, sleeps for a moment.
    fn take_in(&mut self, now: Instant) -> Result<(), Trouble> {
        let answered = &mut self.answered;
        let taken = self.socket.recv(now, &mut |frame, _| {
            let is_reply = frame.ether_type() == EtherType::IPV4 && frame.payload()[20] == 0;
            *answered += u64::from(is_reply);
        })?;
        self.idle = if taken == 0 { self.idle + 1 } else { 0 };
        if self.idle > SPINS {
            self.socket.wait(Some(now + Duration::from_millis(1)), None)?;
        }
        Ok(())
    }

    /// Queues one request; `false` if there is no room.
    fn ask(&mut self) -> Result<bool, Trouble> {
        let sequence = self.sequence.wrapping_add(1);
        let asked = self.socket.send(US, EtherType::IPV4, 84, &mut |out| {
            out[..12].copy_from_slice(&[0x45, 0, 0, 84, 0, 0, 0x40, 0, 64, 1, 0, 0]);
            out[12..20].copy_from_slice(&[10, 77, 0, 1, 10, 77, 0, 3]);
            out[20] = 8;
            out[26..28].copy_from_slice(&sequence.to_be_bytes());
            for (begin, end, at) in [(0, 20, 10), (20, 84, 22)] {
                let sum = checksum(&out[begin..end]);
                out[at..at + 2].copy_from_slice(&sum.to_be_bytes());
            }
        });
        match asked {
            Ok(()) => {
                (self.sequence, self.sent) = (sequence, self.sent + 1);
                Ok(true)
            }
            Err(SendError::Full) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// RFC 1071.
fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}

/// Looks in vain before it sleeps: to be woken up takes longer than an answer.
const SPINS: u32 = 200;

/// After so long without an answer, what is in flight is lost.
const QUIET: Duration = Duration::from_millis(200);
