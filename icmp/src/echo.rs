use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::IpNumber;
use ipv4::{DatagramTx, Header, Options, Quote, Sent, Source};

use crate::{
    config::Config,
    cookie::{COOKIE_LEN, Cookies},
    discard::Discard,
    event::{Ended, Event, Outcome},
    flight::{Awaited, Flights, Key, Slot},
    limit::{Bucket, Buckets, Pair},
    message::{ECHO_REQUEST, HEADER_LEN, Message, write_message},
    ticks::Epoch,
};

/// The echo requests in flight, the answers to other hosts' requests, and what others are told of
/// their datagrams.
///
/// Give it every ICMP datagram by [`input`](Icmp::input), and word of its own packets by
/// [`sent`](Icmp::sent) and [`failed`](Icmp::failed); then [`poll`](Icmp::poll) until `None`,
/// again at [`deadline`](Icmp::deadline).
pub struct Icmp {
    pub(crate) config: Config,
    pub(crate) epoch: Epoch,
    /// None of a host that never asked.
    flights: Option<Box<Flights>>,
    /// None of a host that never sent an error.
    errors: Option<Box<Buckets>>,
    pub(crate) replies: Bucket,
    events: VecDeque<Event>,
}

impl Icmp {
    /// Nothing in flight.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            epoch: Epoch::default(),
            flights: None,
            errors: None,
            replies: Bucket::default(),
            events: VecDeque::new(),
        }
    }

    /// Makes room for so many echoes in flight at once, about 90 octets each: for whoever knows the
    /// number, and wants no pause among them. Without it room is doubled as they come, and all that
    /// are in flight are moved each time.
    pub fn reserve(&mut self, in_flight: usize) {
        self.flights().reserve(in_flight);
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
        if self.asked(key).is_some() {
            return Err(SendError::InFlight { dst: echo.dst, sequence: echo.sequence });
        }
        let (identifier, cookies) = (self.config.identifier, self.cookies());
        let [a, b] = identifier.to_be_bytes();
        let [c, d] = echo.sequence.to_be_bytes();
        let len = HEADER_LEN + echo.data.len();
        let mut checksum = 0;
        let sent = below.send(&echo.header(), len, &mut |out| {
            checksum = write_message(out, (ECHO_REQUEST, 0), [a, b, c, d], |data| {
                data.copy_from_slice(echo.data);
                if let Some((cookie, rest)) = data.split_first_chunk_mut::<COOKIE_LEN>() {
                    *cookie = cookies.bake(echo.dst, identifier, echo.sequence, rest);
                }
            });
        })?;
        let proof = cookies.of_short(key, identifier, echo.data);
        let proof = proof.unwrap_or_else(|| checksum.into());
        let left = self.epoch.ticks(now);
        let flights = self.flights();
        flights.begin(key, echo.timeout, echo.data.len(), proof);
        if sent == Sent::Out {
            flights.start(key, left, Source::User);
        }
        Ok(())
    }

    /// Takes note that a packet of ours left, IP header first: if it is an echo, its wait and its
    /// round trip begin now. A later, better stamp of the same packet replaces an earlier one.
    pub fn sent(&mut self, packet: &[u8], at: Instant, source: Source) {
        let left = self.epoch.ticks(at);
        if let Ok(key) = self.key_of(packet)
            && let Some(flights) = &mut self.flights
        {
            flights.start(key, left, source);
        }
    }

    /// Takes back a packet of ours, IP header first, that could not be delivered.
    ///
    /// # Errors
    /// [`Discard::StaleError`] if it is no echo in flight, or another for what is no echo at all.
    pub fn failed(&mut self, packet: &[u8], outcome: Outcome) -> Result<(), Discard> {
        let key = self.key_of(packet)?;
        self.end(key, outcome).ok_or(Discard::StaleError)
    }

    /// Returns the next event, timing out what is due; call until it returns `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Event> {
        if self.events.is_empty()
            && let Some(flights) = &mut self.flights
            && let Some((key, waited)) = flights.due(self.epoch.ticks(now))
        {
            self.end(key, Outcome::TimedOut { waited });
        }
        self.event()
    }

    /// Returns the next event that is there already, whatever the time.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Icmp::poll`] next has something to say.
    pub fn deadline(&self) -> Option<Instant> {
        self.epoch.instant(self.flights.as_ref()?.deadline()?)
    }

    /// Echo requests that have not ended.
    pub fn in_flight(&self) -> usize {
        self.flights.as_ref().map_or(0, |flights| flights.count().0)
    }

    /// Of those, echo requests that have left.
    pub fn under_way(&self) -> usize {
        self.flights.as_ref().map_or(0, |flights| flights.count().1)
    }

    /// The echo requests that have not ended, in no order.
    pub fn awaited(&self) -> impl Iterator<Item = Awaited> + '_ {
        self.flights.iter().flat_map(|flights| flights.awaited())
    }

    /// What is known of an echo in flight, or remembered.
    pub(crate) fn known(&self, key: Key) -> Option<&Slot> {
        self.flights.as_ref()?.slot(key)
    }

    /// What is known of an echo in flight.
    pub(crate) fn asked(&self, key: Key) -> Option<&Slot> {
        self.flights.as_ref()?.in_flight(key)
    }

    /// Whether `dst` has answered a request that left after `left`.
    pub(crate) fn is_overtaken(&self, dst: Ipv4Addr, left: u64) -> bool {
        self.flights.as_ref().is_some_and(|flights| flights.is_overtaken(dst, left))
    }

    /// Those under way among the first `most` that are looked at.
    pub(crate) fn some_under_way(&self, most: usize) -> impl Iterator<Item = Key> + '_ {
        self.flights.iter().flat_map(move |flights| flights.some_under_way(most))
    }

    pub(crate) fn cookies(&self) -> Cookies {
        Cookies::new(self.config.secret)
    }

    /// Whether an error may be sent now from whom to whom `pair` says; it counts as sent then.
    pub(crate) fn may_tell(&mut self, pair: Pair, now: Instant) -> bool {
        let Config { errors, errors_each, .. } = self.config;
        let buckets =
            self.errors.get_or_insert_with(|| Box::new(Buckets::new(errors, errors_each)));
        buckets.take(pair, self.epoch.ticks(now))
    }

    fn flights(&mut self) -> &mut Flights {
        self.flights.get_or_insert_with(|| Box::new(Flights::new(self.config.remembered)))
    }

    /// Ends an echo; `None` if it is not in flight.
    pub(crate) fn end(&mut self, key: Key, outcome: Outcome) -> Option<()> {
        self.flights.as_mut()?.end(key, matches!(outcome, Outcome::Reply { .. }))?;
        let (dst, sequence) = key;
        self.events.push_back(Event::Ended(Ended { dst, sequence, outcome }));
        Some(())
    }

    /// Tells what others can make happen as often as they like; what nobody fetches is not told.
    pub(crate) fn tell_of(&mut self, event: Event) {
        if self.events.len() < UNFETCHED {
            self.events.push_back(event);
        }
    }

    /// Which echo of ours a packet is.
    fn key_of(&self, packet: &[u8]) -> Result<Key, Discard> {
        let quote = Quote::parse(packet).map_err(|_| Discard::Quote)?;
        self.key_in(&quote)
    }

    /// Which echo of ours the beginning of a packet is.
    pub(crate) fn key_in(&self, quote: &Quote<'_>) -> Result<Key, Discard> {
        if quote.protocol != IpNumber::ICMP {
            return Err(Discard::ForeignError);
        }
        let message = Message::parse(quote.payload).map_err(|_| Discard::Quote)?;
        let ours = (message.icmp_type(), message.code()) == (ECHO_REQUEST, 0)
            && message.identifier() == self.config.identifier;
        if ours { Ok((quote.dst, message.sequence())) } else { Err(Discard::ForeignError) }
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
    /// Whether it is to find out what its path takes, and so bounded by the link alone (RFC 8899
    /// §3); not to be fragmented then.
    pub probe: bool,
    /// Options, of which an answer brings back what was recorded: [`Event::Recorded`].
    pub options: Options,
    /// How long to wait for the reply, from the request's leaving; [`Duration::MAX`] is for ever.
    pub timeout: Duration,
    /// Octets to be echoed.
    pub data: &'a [u8],
}

impl<'a> Echo<'a> {
    /// With the default time to live, not to be fragmented, to be waited for a second.
    pub fn new(dst: Ipv4Addr, sequence: u16, data: &'a [u8]) -> Self {
        let Header { ttl, tos, dont_fragment, probe, options, .. } =
            Header::new(dst, IpNumber::ICMP);
        let timeout = Duration::from_secs(1);
        Self { dst, sequence, ttl, tos, dont_fragment, probe, options, timeout, data }
    }

    fn header(&self) -> Header {
        let Self { dst, ttl, tos, dont_fragment, probe, options, .. } = *self;
        let new = Header::new(dst, IpNumber::ICMP);
        Header { ttl, tos, dont_fragment: dont_fragment || probe, probe, options, ..new }
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

/// Events that wait to be fetched, beyond which strays are only counted.
const UNFETCHED: usize = 1024;
