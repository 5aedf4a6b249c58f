use std::net::Ipv4Addr;

use etherparse::IpNumber;
use ipv4::{Cast, Datagram, DatagramTx, Header, Quote};

use crate::{
    cookie::COOKIE_LEN,
    echo::{Icmp, Key},
    event::{Corrupt, Error, Event, Outcome, Stray, Straying},
    message::{
        Discard, ECHO_REPLY, ECHO_REQUEST, Message, PARAMETER_PROBLEM, REDIRECT, SOURCE_QUENCH,
        TIME_EXCEEDED, UNREACHABLE, write_message,
    },
};

impl Icmp {
    /// Takes in a message: answers requests, and ends the echo that a reply or an error is about.
    ///
    /// # Errors
    /// The reason it was discarded.
    pub fn input(
        &mut self,
        datagram: &Datagram<'_>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), Discard> {
        let message = Message::parse(&datagram.payload)?;
        if !message.checksum_is_good() {
            if message.icmp_type() == ECHO_REPLY && message.identifier() == self.config.identifier {
                self.stray(datagram, message, Straying::Corrupt(Corrupt::Checksum));
            }
            return Err(Discard::Checksum);
        }
        match message.icmp_type() {
            ECHO_REQUEST => self.answer(datagram, message, below),
            ECHO_REPLY => self.reply(datagram, message),
            UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM => self.error(datagram, message),
            SOURCE_QUENCH => Err(Discard::SourceQuench),
            REDIRECT => Err(Discard::Redirect),
            _ => Err(Discard::Type),
        }
    }

    /// RFC 1122 §3.2.2.6: all data comes back, from the address that was asked; RFC 1349 §5.1:
    /// with the request's type of service.
    fn answer(
        &self,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), Discard> {
        if datagram.cast != Cast::Host {
            return Err(Discard::Broadcast);
        }
        if message.code() != 0 {
            return Err(Discard::Code);
        }
        if !self.config.answers {
            return Err(Discard::Unanswered);
        }
        let header = Header {
            src: Some(datagram.dst),
            tos: datagram.tos,
            ..Header::new(datagram.src, IpNumber::ICMP)
        };
        let [a, b] = message.identifier().to_be_bytes();
        let [c, d] = message.sequence().to_be_bytes();
        below
            .send(&header, message.len(), &mut |out| {
                write_message(out, (ECHO_REPLY, 0), [a, b, c, d], |data| {
                    data.copy_from_slice(message.data());
                });
            })
            .map(|_| ())
            .map_err(|_| Discard::Unanswerable)
    }

    fn reply(&mut self, datagram: &Datagram<'_>, message: Message<'_>) -> Result<(), Discard> {
        if message.identifier() != self.config.identifier {
            return Err(Discard::Foreign);
        }
        let key = (datagram.src, message.sequence());
        let straying = match self.judge(key, datagram, message) {
            Ok(outcome) => {
                self.end(key, outcome);
                return Ok(());
            }
            Err(straying) => straying,
        };
        if self.in_flight.contains_key(&key) && matches!(straying, Straying::Late { .. }) {
            self.time_out(key); // it was, and nobody had looked at the clock since
        }
        self.stray(datagram, message, straying);
        Err(Discard::Stray)
    }

    /// What a reply with our identifier ends its echo in, or why it does not.
    fn judge(
        &self,
        key: Key,
        datagram: &Datagram<'_>,
        message: Message<'_>,
    ) -> Result<Outcome, Straying> {
        if message.code() != 0 {
            return Err(Straying::Corrupt(Corrupt::Code));
        }
        let waiting = match (self.in_flight.get(&key), self.ended.get(&key)) {
            (Some(waiting), _) => waiting,
            (None, Some(past)) => {
                let round_trip = datagram.at.saturating_duration_since(past.left);
                return Err(if !self.bears_cookie(key, message) {
                    Straying::Corrupt(Corrupt::Data)
                } else if past.answered {
                    Straying::Duplicate { round_trip }
                } else {
                    Straying::Late { round_trip }
                });
            }
            (None, None) => {
                return Err(match self.asked_elsewhere(message) {
                    Some(asked) => Straying::Elsewhere { asked },
                    None => Straying::Unasked,
                });
            }
        };
        let Some((left, tx)) = waiting.left else { return Err(Straying::Unasked) };
        let data = message.data();
        if data.len() != waiting.len {
            return Err(Straying::Corrupt(Corrupt::Length));
        }
        let intact = match waiting.short.get(..data.len()) {
            Some(short) if data.len() < COOKIE_LEN => data == short,
            _ => self.bears_cookie(key, message),
        };
        if !intact {
            return Err(Straying::Corrupt(Corrupt::Data));
        }
        let round_trip = datagram.at.saturating_duration_since(left);
        if waiting.deadline().is_some_and(|deadline| datagram.at > deadline) {
            return Err(Straying::Late { round_trip });
        }
        let (len, ttl, rx) = (message.len(), datagram.ttl, datagram.stamp.source);
        let reordered = self.answered.get(&key.0).is_some_and(|latest| left < *latest);
        Ok(Outcome::Reply { len, ttl, round_trip, reordered, tx, rx })
    }

    /// Whether the data is what we asked `key.0` to echo; true where it is too short to tell.
    fn bears_cookie(&self, (dst, sequence): Key, message: Message<'_>) -> bool {
        match message.data().split_first_chunk::<COOKIE_LEN>() {
            Some((cookie, rest)) => {
                *cookie == self.cookies.bake(dst, self.config.identifier, sequence, rest)
            }
            None => true,
        }
    }

    /// Whom we asked what this is the answer to; not looked for when very many are in flight.
    fn asked_elsewhere(&self, message: Message<'_>) -> Option<Ipv4Addr> {
        let mut keys = self.in_flight.keys().take(LOOKED_AT);
        let sequence = message.sequence();
        keys.find(|&&key| key.1 == sequence && self.bears_cookie(key, message)).map(|key| key.0)
    }

    /// RFC 1122 §3.2.2: delivered by what it quotes, of which 8 octets must do, and not by who
    /// sent it.
    fn error(&mut self, datagram: &Datagram<'_>, message: Message<'_>) -> Result<(), Discard> {
        let quote = Quote::parse(message.data()).map_err(|_| Discard::Length)?;
        let key = self.key_of(message.data())?;
        let waiting = self.in_flight.get(&key).ok_or(Discard::ForeignError)?;
        let (left, _) = waiting.left.ok_or(Discard::ForeignError)?;
        if quote.src != datagram.dst {
            return Err(Discard::ForeignError);
        }
        if waiting.deadline().is_some_and(|deadline| datagram.at > deadline) {
            self.time_out(key); // it was, and nobody had looked at the clock since
            return Err(Discard::ForeignError);
        }
        let needs_fragmentation = (message.icmp_type(), message.code()) == (UNREACHABLE, 4);
        let mtu = needs_fragmentation.then(|| message.next_hop_mtu()).filter(|mtu| *mtu != 0);
        let error = Error {
            from: datagram.src,
            icmp_type: message.icmp_type(),
            code: message.code(),
            mtu,
            round_trip: datagram.at.saturating_duration_since(left),
        };
        self.end(key, Outcome::Error(error)).ok_or(Discard::ForeignError)
    }

    fn stray(&mut self, datagram: &Datagram<'_>, message: Message<'_>, straying: Straying) {
        self.events.push_back(Event::Stray(Stray {
            from: datagram.src,
            sequence: message.sequence(),
            len: message.len(),
            ttl: datagram.ttl,
            straying,
        }));
    }
}

/// Echoes in flight that an answer from elsewhere is compared with.
const LOOKED_AT: usize = 256;
