use ipv4::{Datagram, Quote};

use crate::{
    cookie::COOKIE_LEN,
    discard::Discard,
    echo::Icmp,
    error::Error,
    event::{Event, Outcome, Redirect},
    flight::{Key, Slot, State},
    message::{HEADER_LEN, Message, UNREACHABLE},
    object::Objects,
    view::View,
};

impl Icmp {
    /// RFC 1122 §3.2.2: delivered by what it quotes, and not by who sent it.
    pub(crate) fn error(
        &mut self,
        datagram: &Datagram<'_>,
        message: Message<'_>,
    ) -> Result<(), Discard> {
        let about = self.about(datagram)?;
        let needs_fragmentation = (message.icmp_type(), message.code()) == (UNREACHABLE, 4);
        let mtu = needs_fragmentation.then(|| message.next_hop_mtu()).filter(|mtu| *mtu != 0);
        let too_big = needs_fragmentation.then(|| about.len_if_checked()).flatten();
        let error = Error {
            from: datagram.src,
            icmp_type: message.icmp_type(),
            code: message.code(),
            mtu,
            too_big: too_big.filter(|len| mtu.is_none_or(|mtu| mtu < *len)),
            round_trip: about.slot.elapsed(self.epoch.ticks(datagram.at)),
            objects: about.objects,
        };
        self.end(about.key, Outcome::Error(error)).ok_or(Discard::StaleError)
    }

    /// RFC 1122 §3.2.2.2: only ever about a datagram of ours, and to what can be a gateway. Whether
    /// it comes from the first hop, and names a neighbour, is for those to see who know the routes.
    pub(crate) fn redirect(
        &mut self,
        datagram: &Datagram<'_>,
        message: Message<'_>,
    ) -> Result<(), Discard> {
        if !self.config.redirects {
            return Err(Discard::Redirect);
        }
        let (dst, _) = self.about(datagram)?.key;
        let (from, gateway) = (datagram.src, message.gateway());
        let usable = !matches!(gateway.octets()[0], 0 | 127 | 224..);
        if message.code() > 3 || !usable || gateway == datagram.dst || gateway == from {
            return Err(Discard::Gateway);
        }
        self.tell_of(Event::Redirect(Redirect { from, dst, gateway }));
        Ok(())
    }

    /// Which echo of ours in flight a message quotes, whatever routers changed in its IP header.
    fn about(&mut self, datagram: &Datagram<'_>) -> Result<About, Discard> {
        let message = &datagram.payload;
        let view = View::read(message, message.len(), false).map_err(|_| Discard::Length)?;
        let octets = view.quoted.map_or(&[][..], |quoted| quoted.octets);
        let quote = Quote::parse(octets).map_err(|_| Discard::Quote)?;
        let key = self.key_in(&quote)?;
        if quote.src != datagram.dst {
            return Err(Discard::ForeignError);
        }
        let slot = self.asked(key).filter(|slot| slot.state != State::Kept);
        let &slot = slot.ok_or(Discard::StaleError)?;
        if self.epoch.ticks(datagram.at) > slot.deadline() {
            self.overdue(key);
            return Err(Discard::StaleError);
        }
        let checksum = Message::parse(quote.payload)?.checksum();
        let sound = view.extensions.filter(|extensions| extensions.is_sound());
        let objects = sound.map_or_else(Objects::default, |found| Objects::copy(&found));
        let header_len = octets.len() - quote.payload.len();
        Ok(About { key, slot, header_len, checksum, objects })
    }
}

/// What an error is about, and what it tells.
struct About {
    key: Key,
    slot: Slot,
    /// Octets of the IP header that is quoted, options included: 60 at most.
    header_len: usize,
    /// Of the request, as it was quoted.
    checksum: u16,
    objects: Objects,
}

impl About {
    /// Octets of the datagram that is quoted, if its checksum is the one that we sent.
    fn len_if_checked(&self) -> Option<u16> {
        let len = self.slot.len;
        let checked = usize::from(len) >= COOKIE_LEN && self.slot.proof == self.checksum.into();
        checked.then(|| len.saturating_add((self.header_len + HEADER_LEN) as u16))
    }
}
