//! A neighbour that is known and asks now and then.

use std::{
    fmt,
    time::{Duration, Instant},
};

use link::{PacketSocket, Wait};
use stack::{
    Config, Stack, What,
    icmp::{Echo, Event, Outcome},
};

use crate::Trouble;

pub(crate) struct Neighbour {
    stack: Stack<PacketSocket>,
    sequence: u16,
}

/// How the answers came.
#[derive(Default)]
pub(crate) struct Answers {
    trips: Vec<Duration>,
    lost: u32,
}

impl Neighbour {
    /// Asks until the first answer.
    pub(crate) fn meet(socket: PacketSocket) -> Result<Self, Trouble> {
        let stack = Stack::new(socket, Config::new("10.77.0.1/16".parse()?));
        let mut neighbour = Self { stack, sequence: 0 };
        for _ in 0..20 {
            if !neighbour.ask(Duration::from_millis(100))?.trips.is_empty() {
                return Ok(neighbour);
            }
        }
        Err("nobody answers".into())
    }

    /// Sends a request every ten milliseconds for so long, and waits a second for the last answers.
    pub(crate) fn ask(&mut self, length: Duration) -> Result<Answers, Trouble> {
        let start = self.stack.link().now();
        let (mut answers, mut next) = (Answers::default(), start);
        loop {
            let now = self.stack.link().now();
            let more = self.stack.poll(now)?;
            while let Some(event) = self.stack.event() {
                answers.take(event.what);
            }
            if now >= next && now < start + length {
                self.sequence = self.sequence.wrapping_add(1);
                let data = [0; 56];
                let echo = Echo { timeout: WAIT, ..Echo::new(US.into(), self.sequence, &data) };
                self.stack.echo(now, &echo)?;
                self.stack.poll(now)?;
                next += INTERVAL;
            }
            if now >= start + length && self.stack.in_flight() == 0 {
                return Ok(answers);
            }
            if !more {
                let due = [self.stack.deadline(), Some(next).filter(|at| *at < start + length)];
                let until = due.into_iter().flatten().fold(now + INTERVAL, Instant::min);
                self.stack.link_mut().wait(Some(until), None)?;
            }
        }
    }
}

impl Answers {
    fn take(&mut self, what: What) {
        let What::Icmp(Event::Ended(ended)) = what else { return };
        match ended.outcome {
            Outcome::Reply { round_trip, .. } => self.trips.push(round_trip),
            _ => self.lost += 1,
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut trips = self.trips.clone();
        trips.sort();
        let at = |part: usize| trips.get(trips.len() * part / 100).copied().unwrap_or_default();
        let most = trips.last().copied().unwrap_or_default();
        let (answered, lost) = (trips.len(), self.lost);
        write!(f, "{answered} answered, {lost} lost; median {:.0?}, ", at(50))?;
        write!(f, "99 of 100 within {:.0?}, all within {most:.0?}", at(99))
    }
}

const US: [u8; 4] = [10, 77, 0, 3];
const INTERVAL: Duration = Duration::from_millis(10);
const WAIT: Duration = Duration::from_secs(1);
