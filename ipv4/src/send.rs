use std::{net::Ipv4Addr, time::Instant};

use arp::{NextHop, PacketTx, Sent};

use crate::{
    fragment::{Head, Rest, fragment_len},
    interface::Ipv4,
    packet::{HEADER_LEN, TOTAL_LEN},
    path::FLOOR,
    tx::{DatagramTx, Header, SendError},
};

/// [`Ipv4`] placed over a link layer for the duration of one call.
pub struct Over<'a> {
    pub(crate) ipv4: &'a mut Ipv4,
    pub(crate) below: &'a mut dyn PacketTx,
    pub(crate) now: Instant,
}

impl DatagramTx for Over<'_> {
    fn src(&self, dst: Ipv4Addr) -> Option<Ipv4Addr> {
        self.ipv4.route(dst).map(|route| route.src)
    }

    fn max_len(&self, dst: Ipv4Addr) -> usize {
        self.mtu(dst).0.saturating_sub(HEADER_LEN)
    }

    fn send(
        &mut self,
        header: &Header,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        self.ipv4.push_rest(self.now, self.below)?; // what was begun goes first
        let (next_hop, _) = self.ipv4.next_hop(header.dst).ok_or(SendError::NoRoute(header.dst))?;
        let src = header.src.unwrap_or_else(|| self.ipv4.src_of(next_hop, header.dst));
        if !may_leave(src, header.dst, next_hop) {
            return Err(SendError::NoRoute(header.dst));
        }
        let from = match next_hop {
            NextHop::Unicast(next_hop) => self.ipv4.addresses.speaker(src, next_hop),
            NextHop::Broadcast | NextHop::Multicast(_) => src,
        };
        let head_len = HEADER_LEN + header.options.octets().len();
        let (mtu, below_floor) = match header.probe {
            true => (self.below.mtu().min(TOTAL_LEN), false),
            false => self.mtu(header.dst),
        };
        let room = mtu.saturating_sub(head_len);
        let longest = match header.dont_fragment {
            true => room,
            false if fragment_len(mtu, head_len, len) == 0 => room,
            false => TOTAL_LEN - head_len,
        };
        if len > longest {
            return Err(SendError::TooLong { len, max: longest });
        }
        let dont_fragment = header.dont_fragment && !below_floor;
        let identification = match header.identification {
            Some(identification) => identification,
            None if dont_fragment => 0, // it is atomic (RFC 6864 §4.1)
            None => {
                let ids = &mut self.ipv4.identifications;
                ids.next(self.now, src, header.dst, header.protocol)
                    .ok_or(SendError::Identifications(header.dst))?
            }
        };
        let head = Head::new(header, src, identification, dont_fragment);
        if len > room {
            let rest = Rest::new(header, &head, (from, next_hop, mtu), self.now);
            return self.send_fragments(&head, rest, len, write);
        }
        let sent = self.below.send(from, next_hop, head_len + len, &mut |packet| {
            let (header, message) = packet.split_at_mut(head_len);
            head.write(header, len, 0, false);
            write(message);
        })?;
        Ok(sent)
    }
}

impl Over<'_> {
    /// Longest packet to `dst`, and whether the path is said to take less than a host agrees to.
    fn mtu(&self, dst: Ipv4Addr) -> (usize, bool) {
        let link = self.below.mtu().min(TOTAL_LEN);
        match self.ipv4.path_mtu(self.now, dst) {
            None => (link, false),
            Some(path) => (link.min(path.max(FLOOR).into()), path < FLOOR),
        }
    }

    /// RFC 791 §3.2. The message is written when the first fragment is, and only then.
    fn send_fragments(
        &mut self,
        head: &Head,
        mut rest: Rest,
        len: usize,
        write: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Sent, SendError> {
        let first = fragment_len(rest.mtu, head.len(), len);
        let message = &mut rest.message;
        let total = head.len() + first;
        let sent = self.below.send(rest.from, rest.next_hop, total, &mut |packet| {
            *message = vec![0; len];
            write(message);
            let (header, payload) = packet.split_at_mut(head.len());
            head.write(header, first, 0, true);
            payload.copy_from_slice(&message[..first]);
        })?;
        rest.left = first;
        // Any other refusal means that the link has shrunk below every fragment: they are lost.
        if let Err(link::SendError::Full) = rest.push(self.now, self.below) {
            self.ipv4.rest = Some(Box::new(rest));
        }
        Ok(sent)
    }
}

/// RFC 3927 §2.6.2, §2.7: from or to a link-local address, nothing is ever given to a router.
pub(crate) fn may_leave(src: Ipv4Addr, dst: Ipv4Addr, next_hop: NextHop) -> bool {
    let routed = matches!(next_hop, NextHop::Unicast(addr) if addr != dst);
    !routed || !(src.is_link_local() || dst.is_link_local())
}
