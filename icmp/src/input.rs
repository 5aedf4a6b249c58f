use std::net::Ipv4Addr;

use ipv4::{Cast, Datagram, DatagramTx, Options};

use crate::{
    cookie::COOKIE_LEN,
    discard::Discard,
    echo::Icmp,
    event::{Corrupt, Event, Outcome, Recorded, Stray, Straying},
    flight::{Key, Slot, State},
    message::{
        ECHO_REPLY, ECHO_REQUEST, EXTENDED_ECHO_REPLY, EXTENDED_ECHO_REQUEST, Message,
        PARAMETER_PROBLEM, REDIRECT, ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, SOURCE_QUENCH,
        TIME_EXCEEDED, TIMESTAMP, TIMESTAMP_REPLY, UNREACHABLE,
    },
};

impl Icmp {
    /// Takes in a message: answers requests, and ends the echo that a reply or an error is about.
    ///
    /// # Errors
    /// Why nobody was answered and nothing ended; to be counted. An answer that ended nothing is
    /// told besides, as [`Event::Stray`](crate::Event::Stray).
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
            ECHO_REQUEST => self.answer_echo(datagram, message, below),
            TIMESTAMP => self.answer_timestamp(datagram, message, below),
            ROUTER_ADVERTISEMENT | ROUTER_SOLICITATION => Err(Discard::RouterDiscovery),
            EXTENDED_ECHO_REQUEST | EXTENDED_ECHO_REPLY => Err(Discard::ExtendedEcho),
            SOURCE_QUENCH => Err(Discard::SourceQuench),
            TIMESTAMP_REPLY => Err(Discard::Unasked),
            6 | 15..=18 | 30..=39 => Err(Discard::Deprecated),
            ECHO_REPLY | UNREACHABLE | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM
                if datagram.cast != Cast::Host =>
            {
                Err(Discard::Broadcast)
            }
            ECHO_REPLY => self.reply(datagram, message),
            UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM => self.error(datagram, message),
            REDIRECT => self.redirect(datagram, message),
            _ => Err(Discard::Type),
        }
    }

    fn reply(&mut self, datagram: &Datagram<'_>, message: Message<'_>) -> Result<(), Discard> {
        if message.identifier() != self.config.identifier {
            return Err(Discard::Foreign);
        }
        let key = (datagram.src, message.sequence());
        let straying = match self.judge(key, datagram, message) {
            Ok(outcome) => {
                let options = Options::from_octets(datagram.options());
                if let Some(options) = options.filter(|options| *options != Options::NONE) {
                    let (dst, sequence) = key;
                    self.tell_of(Event::Recorded(Recorded { dst, sequence, options }));
                }
                self.end(key, outcome);
                return Ok(());
            }
            Err(straying) => straying,
        };
        if matches!(straying, Straying::Late { .. }) {
            self.overdue(key);
        }
        self.stray(datagram, message, straying);
        Err(straying.into())
    }

    /// Times out what something came for too late, if nobody had looked at the clock since.
    pub(crate) fn overdue(&mut self, key: Key) {
        if let Some(slot) = self.asked(key) {
            let waited = slot.waited();
            self.end(key, Outcome::TimedOut { waited });
        }
    }

    /// What a reply with our identifier ends its echo in, or why it does not.
    fn judge(
        &mut self,
        key: Key,
        datagram: &Datagram<'_>,
        message: Message<'_>,
    ) -> Result<Outcome, Straying> {
        if message.code() != 0 {
            return Err(Straying::Corrupt(Corrupt::Code));
        }
        let Some(&slot) = self.known(key).filter(|slot| slot.state != State::Kept) else {
            return Err(match self.asked_elsewhere(message) {
                Some(asked) => Straying::Elsewhere { asked },
                None => Straying::Unasked,
            });
        };
        if message.data().len() != slot.len.into() {
            return Err(Straying::Corrupt(Corrupt::Length));
        }
        if !self.is_intact(key, &slot, message) {
            return Err(Straying::Corrupt(Corrupt::Data));
        }
        let at = self.epoch.ticks(datagram.at);
        let round_trip = slot.elapsed(at);
        match slot.state {
            State::Answered => Err(Straying::Duplicate { round_trip }),
            State::Left(tx) if at <= slot.deadline() => {
                let (len, ttl, rx) = (message.len(), datagram.ttl, datagram.stamp.source);
                let reordered = self.is_overtaken(key.0, slot.left);
                Ok(Outcome::Reply { len, ttl, round_trip, reordered, tx, rx })
            }
            State::Left(_) | State::Unanswered | State::Kept => Err(Straying::Late { round_trip }),
        }
    }

    /// Whether the data is what we asked `key.0` to echo.
    fn is_intact(&self, key: Key, slot: &Slot, message: Message<'_>) -> bool {
        match self.cookies().of_short(key, self.config.identifier, message.data()) {
            Some(proof) => proof == slot.proof,
            None => self.bears_cookie(key, message),
        }
    }

    /// Whether the data begins with the cookie of what we asked `key.0` to echo.
    fn bears_cookie(&self, (dst, sequence): Key, message: Message<'_>) -> bool {
        let data = message.data().split_first_chunk::<COOKIE_LEN>();
        data.is_some_and(|(cookie, rest)| {
            *cookie == self.cookies().bake(dst, self.config.identifier, sequence, rest)
        })
    }

    /// Whom we asked what this is the answer to; not looked for when very many are in flight, nor
    /// where the data is too short to tell.
    fn asked_elsewhere(&self, message: Message<'_>) -> Option<Ipv4Addr> {
        let mut keys = self.some_under_way(LOOKED_AT);
        let sequence = message.sequence();
        keys.find(|&key| key.1 == sequence && self.bears_cookie(key, message)).map(|key| key.0)
    }

    fn stray(&mut self, datagram: &Datagram<'_>, message: Message<'_>, straying: Straying) {
        self.tell_of(Event::Stray(Stray {
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
