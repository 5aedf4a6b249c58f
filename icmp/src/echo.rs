use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::IpNumber;
use ipv4::{DatagramTx, Header, Quote, Sent, Source};

use crate::{
    cookie::{COOKIE_LEN, Cookies},
    event::{Ended, Event, Outcome},
    message::{Discard, ECHO_REQUEST, HEADER_LEN, Message, write_message},
};

/// The echo requests in flight, and the answers to other hosts' requests.
///
/// Give it every ICMP datagram by [`input`](Icmp::input), and word of its own packets by
/// [`sent`](Icmp::sent) and [`failed`](Icmp::failed); then [`poll`](Icmp::poll) until `None`,
/// again at [`deadline`](Icmp::deadline).
pub struct Icmp {
    pub(crate) config: Config,
    pub(crate) cookies: Cookies,
    pub(crate) in_flight: HashMap<Key, Waiting>,
    /// Those that ended last, for duplicates and late answers, and their order.
    pub(crate) ended: HashMap<Key, Past>,
    ended_order: VecDeque<Key>,
    /// When the latest request left that each host has answered, as long as it stands in `ended`.
    pub(crate) answered: HashMap<Ipv4Addr, Instant>,
    /// At least one item for each echo that has left, no later than its own deadline.
    deadlines: BinaryHeap<Reverse<(Instant, Key)>>,
    pub(crate) events: VecDeque<Event>,
}

impl Icmp {
    /// Nothing in flight.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            cookies: Cookies::new(config.secret),
            in_flight: HashMap::new(),
            ended: HashMap::new(),
            ended_order: VecDeque::new(),
            answered: HashMap::new(),
            deadlines: BinaryHeap::new(),
            events: VecDeque::new(),
        }
    }

    /// Sends an echo request.
    ///
    /// The first 8 octets of its data, where there are so many, give way to a keyed cookie.
    ///
    /// # Errors
    /// [`SendError::InFlight`] while an echo to the same host with the same sequence number is;
    /// otherwise the internet layer's. No [`Event`] follows then.
    pub fn echo(
        &mut self,
        now: Instant,
        echo: &Echo<'_>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), SendError> {
        let key = (echo.dst, echo.sequence);
        if self.in_flight.contains_key(&key) {
            return Err(SendError::InFlight { dst: echo.dst, sequence: echo.sequence });
        }
        let identifier = self.config.identifier;
        let [a, b] = identifier.to_be_bytes();
        let [c, d] = echo.sequence.to_be_bytes();
        let len = HEADER_LEN + echo.data.len();
        let sent = below.send(&echo.header(), len, &mut |out| {
            write_message(out, (ECHO_REQUEST, 0), [a, b, c, d], |data| {
                data.copy_from_slice(echo.data);
                if let Some((cookie, rest)) = data.split_first_chunk_mut::<COOKIE_LEN>() {
                    *cookie = self.cookies.bake(echo.dst, identifier, echo.sequence, rest);
                }
            });
        })?;
        let mut short = [0; COOKIE_LEN];
        if let Some(short) = short.get_mut(..echo.data.len()) {
            short.copy_from_slice(echo.data);
        }
        let waiting = Waiting { timeout: echo.timeout, left: None, len: echo.data.len(), short };
        self.in_flight.insert(key, waiting);
        if sent == Sent::Out {
            self.start(key, now, Source::User);
        }
        Ok(())
    }

    /// Takes note that a packet of ours left, IP header first: if it is an echo, its wait and its
    /// round trip begin now. A later, better stamp of the same packet replaces an earlier one.
    pub fn sent(&mut self, packet: &[u8], at: Instant, source: Source) {
        if let Ok(key) = self.key_of(packet) {
            self.start(key, at, source);
        }
    }

    /// Takes back a packet of ours, IP header first, that could not be delivered.
    ///
    /// # Errors
    /// [`Discard::ForeignError`] if it is no echo in flight.
    pub fn failed(&mut self, packet: &[u8], outcome: Outcome) -> Result<(), Discard> {
        let key = self.key_of(packet)?;
        self.end(key, outcome).map(|_| ()).ok_or(Discard::ForeignError)
    }

    /// Returns the next event, timing out what is due; call until it returns `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Event> {
        while let Some(&Reverse((at, key))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            match self.in_flight.get(&key).and_then(Waiting::deadline) {
                Some(deadline) if deadline > now => self.deadlines.push(Reverse((deadline, key))),
                Some(_) => self.time_out(key),
                None => {}
            }
        }
        self.event()
    }

    /// Returns the next event that is there already, whatever the time.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Icmp::poll`] next has something to say.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// Echo requests that have not ended.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Of those, echo requests that have left.
    pub fn under_way(&self) -> usize {
        self.in_flight.values().filter(|waiting| waiting.left.is_some()).count()
    }

    pub(crate) fn time_out(&mut self, key: Key) {
        let Some(waiting) = self.in_flight.get(&key) else { return };
        self.end(key, Outcome::TimedOut { waited: waiting.timeout });
    }

    /// Ends an echo; `None` if it is not in flight.
    pub(crate) fn end(&mut self, key: Key, outcome: Outcome) -> Option<()> {
        let waiting = self.in_flight.remove(&key)?;
        let (dst, sequence) = key;
        self.events.push_back(Event::Ended(Ended { dst, sequence, outcome }));
        if let Some((left, _)) = waiting.left {
            let answered = matches!(outcome, Outcome::Reply { .. });
            if self.ended.insert(key, Past { left, answered }).is_none() {
                self.ended_order.push_back(key);
            }
            if answered {
                let latest = self.answered.entry(dst).or_insert(left);
                *latest = left.max(*latest);
            }
            if self.ended_order.len() > REMEMBERED {
                self.forget_oldest();
            }
        }
        Some(())
    }

    fn forget_oldest(&mut self) {
        let Some(key) = self.ended_order.pop_front() else { return };
        let past = self.ended.remove(&key);
        if past.is_some_and(|past| self.answered.get(&key.0) == Some(&past.left)) {
            self.answered.remove(&key.0);
        }
    }

    fn start(&mut self, key: Key, at: Instant, source: Source) {
        let Some(waiting) = self.in_flight.get_mut(&key) else { return };
        let first = waiting.left.replace((at, source)).is_none();
        if let (true, Some(deadline)) = (first, waiting.deadline()) {
            if self.deadlines.len() > 2 * self.in_flight.len() + 64 {
                let in_flight = &self.in_flight;
                self.deadlines.retain(|Reverse((_, key))| in_flight.contains_key(key));
            }
            self.deadlines.push(Reverse((deadline, key)));
        }
    }

    /// Which echo of ours a packet, or the beginning of one, is.
    pub(crate) fn key_of(&self, packet: &[u8]) -> Result<Key, Discard> {
        let quote = Quote::parse(packet).map_err(|_| Discard::Length)?;
        let message = Message::parse(quote.payload)?;
        let ours = quote.protocol == IpNumber::ICMP
            && (message.icmp_type(), message.code()) == (ECHO_REQUEST, 0)
            && message.identifier() == self.config.identifier;
        if ours { Ok((quote.dst, message.sequence())) } else { Err(Discard::ForeignError) }
    }
}

/// What tells us from others.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Marks our requests; to be drawn at random for each run.
    pub identifier: u16,
    /// What cookies are made with; to be drawn at random for each run.
    pub secret: [u8; 16],
    /// Whether to answer echo requests; not where another stack already does.
    pub answers: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { identifier: 0, secret: [0; 16], answers: true }
    }
}

/// An echo request to send.
#[derive(Clone, Copy, Debug)]
pub struct Echo<'a> {
    /// Whom to ask.
    pub dst: Ipv4Addr,
    /// Tells this request from others to `dst`.
    pub sequence: u16,
    /// Hops the request may take.
    pub ttl: u8,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Whether no router may fragment it.
    pub dont_fragment: bool,
    /// How long to wait for the reply, from the request's leaving.
    pub timeout: Duration,
    /// Octets to be echoed.
    pub data: &'a [u8],
}

impl<'a> Echo<'a> {
    /// With the default time to live, not to be fragmented, to be waited for a second.
    pub fn new(dst: Ipv4Addr, sequence: u16, data: &'a [u8]) -> Self {
        let Header { ttl, tos, dont_fragment, .. } = Header::new(dst, IpNumber::ICMP);
        Self { dst, sequence, ttl, tos, dont_fragment, timeout: Duration::from_secs(1), data }
    }

    fn header(&self) -> Header {
        let Self { dst, ttl, tos, dont_fragment, .. } = *self;
        Header { ttl, tos, dont_fragment, ..Header::new(dst, IpNumber::ICMP) }
    }
}

/// Why an echo request could not be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The internet layer's reason.
    #[error(transparent)]
    Ipv4(#[from] ipv4::SendError),
    /// One like it has not ended yet.
    #[error("an echo to {dst} with the sequence number {sequence} is still in flight")]
    InFlight {
        /// Whom it asks.
        dst: Ipv4Addr,
        /// Its sequence number.
        sequence: u16,
    },
}

impl SendError {
    /// Whether trying again after a flush can help.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Ipv4(error) if error.is_full())
    }
}

/// Whom an echo asks, and its sequence number.
pub(crate) type Key = (Ipv4Addr, u16);

/// An echo that has not ended.
pub(crate) struct Waiting {
    timeout: Duration,
    /// When it left, and who says so; `None` while it waits for its next hop to answer ARP.
    pub(crate) left: Option<(Instant, Source)>,
    /// Octets of its data.
    pub(crate) len: usize,
    /// Its data, where that is too short for a cookie.
    pub(crate) short: [u8; COOKIE_LEN],
}

impl Waiting {
    /// `None` also where the wait is longer than any clock runs.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.left.and_then(|(at, _)| at.checked_add(self.timeout))
    }
}

/// An echo that ended after it had left.
pub(crate) struct Past {
    pub(crate) left: Instant,
    pub(crate) answered: bool,
}

/// Ended echoes that late and doubled answers are still told for.
const REMEMBERED: usize = 4096;
