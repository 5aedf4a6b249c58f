use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, VecDeque},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::IpNumber;
use link::{Cast, Frame};

use crate::{
    datagram::Datagram,
    discard::Discard,
    event::Event,
    packet::{Packet, TOTAL_LEN},
    partial::{Fragment, Partial},
};

/// Datagrams of which not all fragments are here (RFC 791 §3.2, RFC 1122 §3.3.2).
#[derive(Default)]
pub(crate) struct Reassembly {
    partials: HashMap<Key, Waiting>,
    /// In the order in which their first fragments came, which is that in which they expire.
    by_age: BTreeMap<u64, Key>,
    sources: HashMap<Ipv4Addr, Held>,
    octets: usize,
    /// How many have begun.
    begun: u64,
    evicted: u64,
    /// How many waited in vain.
    timed_out: u64,
    /// Those found expired while fragments were taken in, and when they expired.
    expired: VecDeque<(Instant, Event)>,
}

/// Whose fragments belong together (RFC 791 §2.3).
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Key {
    src: Ipv4Addr,
    dst: Ipv4Addr,
    protocol: IpNumber,
    identification: u16,
}

struct Waiting {
    serial: u64,
    expires: Instant,
    cast: Cast,
    /// `None` once it is condemned: it only keeps its other fragments from a new start.
    partial: Option<Partial>,
}

/// What one source's fragments take.
#[derive(Default)]
struct Held {
    octets: usize,
    /// The oldest first.
    serials: VecDeque<u64>,
}

impl Reassembly {
    /// Takes in a fragment, and returns the datagram that it completes.
    pub(crate) fn input(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        frame: &Frame<'_>,
        cast: Cast,
    ) -> Result<Datagram<'static>, Discard> {
        let fragment = read(packet)?;
        let key = Key {
            src: packet.src(),
            dst: packet.dst(),
            protocol: packet.protocol(),
            identification: packet.identification(),
        };
        if self.partials.get(&key).is_some_and(|waiting| waiting.expires <= now) {
            let expired = self.expire_one(key);
            self.expired.extend(expired.filter(|_| self.expired.len() < EXPIRED));
        }
        let serial = self.begun;
        let waiting = self.partials.entry(key).or_insert_with(|| Waiting {
            serial,
            expires: now + TIMEOUT,
            cast,
            partial: Some(Partial::default()),
        });
        if waiting.serial == serial {
            self.begun += 1;
            self.by_age.insert(serial, key);
            self.sources.entry(key.src).or_default().serials.push_back(serial);
            self.charge(key.src, 0, OVERHEAD);
        }
        let waiting = self.partials.get_mut(&key).ok_or(Discard::Incomplete)?;
        let partial = waiting.partial.as_mut().ok_or(Discard::FragmentCondemned)?;
        let before = partial.octets();
        match partial.add(&fragment) {
            Ok(()) if partial.is_complete() => {
                let partial = waiting.partial.take();
                self.charge(key.src, before, 0);
                self.remove(key);
                let (header, payload) = partial.and_then(Partial::complete).unwrap_or_default();
                if header.len() + payload.len() > TOTAL_LEN {
                    return Err(Discard::FragmentBeyond); // the first header is the longer
                }
                Ok(datagram(packet, frame, cast, header, payload))
            }
            Ok(()) => {
                let after = partial.octets();
                self.charge(key.src, before, after);
                self.evict(key.src);
                Err(Discard::Incomplete)
            }
            Err(Discard::FragmentDuplicate) => Err(Discard::FragmentDuplicate),
            Err(discard) => {
                waiting.partial = None;
                self.charge(key.src, before, 0);
                self.evict(key.src);
                Err(discard)
            }
        }
    }

    /// What has waited in vain, one at a time.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Event> {
        loop {
            if let Some((_, event)) = self.expired.pop_front() {
                return Some(event);
            }
            let key = *self.by_age.first_key_value()?.1;
            if self.partials.get(&key).is_some_and(|waiting| now < waiting.expires) {
                return None;
            }
            let expired = self.expire_one(key);
            self.expired.extend(expired);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        if let Some((expired, _)) = self.expired.front() {
            return Some(*expired);
        }
        let (_, key) = self.by_age.first_key_value()?;
        self.partials.get(key).map(|waiting| waiting.expires)
    }

    pub(crate) fn state(&self) -> Reassembling {
        let Self { octets, evicted, timed_out, .. } = *self;
        Reassembling { datagrams: self.partials.len(), octets, evicted, timed_out }
    }

    /// RFC 1122 §3.3.2: who sent it is told, by somebody else; of what is condemned, nobody.
    fn expire_one(&mut self, key: Key) -> Option<(Instant, Event)> {
        let waiting = self.remove(key)?;
        let first = waiting.partial?.first();
        self.timed_out += 1;
        let Key { src, dst, protocol, .. } = key;
        let cast = waiting.cast;
        Some((waiting.expires, Event::Expired { src, dst, protocol, cast, first }))
    }

    /// Makes room: a greedy source's oldest goes first, else the oldest of all.
    fn evict(&mut self, src: Ipv4Addr) {
        while let Some(held) = self.sources.get(&src)
            && (held.octets > SOURCE_OCTETS || held.serials.len() > SOURCE_DATAGRAMS)
            && let Some(key) = held.serials.front().and_then(|serial| self.by_age.get(serial))
        {
            self.remove(*key);
            self.evicted += 1;
        }
        while (self.octets > OCTETS || self.partials.len() > DATAGRAMS)
            && let Some((_, &key)) = self.by_age.first_key_value()
        {
            self.remove(key);
            self.evicted += 1;
        }
    }

    fn remove(&mut self, key: Key) -> Option<Waiting> {
        let waiting = self.partials.remove(&key)?;
        self.by_age.remove(&waiting.serial);
        let freed = OVERHEAD + waiting.partial.as_ref().map_or(0, Partial::octets);
        self.charge(key.src, freed, 0);
        if let Some(held) = self.sources.get_mut(&key.src) {
            held.serials.retain(|serial| *serial != waiting.serial);
            if held.serials.is_empty() {
                self.sources.remove(&key.src);
            }
        }
        Some(waiting)
    }

    fn charge(&mut self, src: Ipv4Addr, before: usize, after: usize) {
        self.octets = self.octets + after - before;
        if let Some(held) = self.sources.get_mut(&src) {
            held.octets = held.octets + after - before;
        }
    }
}

/// What is being reassembled (RFC 1122 §3.3.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reassembling {
    /// Datagrams of which not all fragments are here, condemned ones included.
    pub datagrams: usize,
    /// Octets of memory that they take.
    pub octets: usize,
    /// Datagrams given up so far because not all of their fragments came in time, told or not.
    pub timed_out: u64,
    /// Datagrams given up so far because they, or those of their source, took too much.
    pub evicted: u64,
}

/// Checks what can be told from a fragment alone.
fn read<'p>(packet: &Packet<'p>) -> Result<Fragment<'p>, Discard> {
    let (payload, start) = (packet.payload(), packet.fragment_offset());
    if payload.is_empty() {
        return Err(Discard::FragmentEmpty);
    }
    if packet.more_fragments() && !payload.len().is_multiple_of(8) {
        return Err(Discard::FragmentLength);
    }
    if packet.header().len() + start + payload.len() > TOTAL_LEN {
        return Err(Discard::FragmentBeyond);
    }
    Ok(Fragment { start, payload, last: !packet.more_fragments(), header: packet.header() })
}

/// The first fragment's header counts (RFC 791 §3.2), the last frame's time of arrival.
fn datagram(
    packet: &Packet<'_>,
    frame: &Frame<'_>,
    cast: Cast,
    header: Vec<u8>,
    payload: Vec<u8>,
) -> Datagram<'static> {
    Datagram {
        src: packet.src(),
        dst: packet.dst(),
        protocol: packet.protocol(),
        ttl: header.get(8).copied().unwrap_or_default(),
        tos: header.get(1).copied().unwrap_or_default(),
        cast,
        link_cast: frame.cast(),
        reassembled: true,
        at: frame.at(),
        stamp: frame.stamp(),
        header: Cow::Owned(header),
        payload: Cow::Owned(payload),
    }
}

/// From the first fragment that came, whichever it was (RFC 1122 §3.3.2: 60 to 120 seconds).
const TIMEOUT: Duration = Duration::from_secs(60);

/// Octets of memory for all fragments, and for those of one source.
const OCTETS: usize = 4 << 20;
const SOURCE_OCTETS: usize = 1 << 20;

/// Datagrams that wait, and those of one source.
const DATAGRAMS: usize = 1024;
const SOURCE_DATAGRAMS: usize = 64;

/// What a datagram takes besides its fragments, in octets, about.
const OVERHEAD: usize = 256;

/// Events kept between two polls.
const EXPIRED: usize = 64;
