mod ask;
mod change;

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkBuffer, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, sendto,
        socket,
    },
};

pub(crate) use ask::{Hop, Link, no_such_interface};

/// A conversation with the kernel about interfaces, addresses and routes (RFC 3549).
///
/// It speaks of the network namespace of the thread that opened it, wherever that goes later.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// For asking and changing; it waits for each answer.
    pub(crate) fn open() -> io::Result<Self> {
        Self::bound(SockFlag::empty(), 0)
    }

    /// For listening to what befalls the `groups`, from now on; it never waits.
    pub(crate) fn listen(groups: u32) -> io::Result<Self> {
        Self::bound(SockFlag::SOCK_NONBLOCK, groups)
    }

    /// The messages of the next datagram that nobody asked for; those that cannot be decoded are
    /// left out.
    ///
    /// # Errors
    /// EAGAIN if there is none, ENOBUFS if some were lost.
    pub(crate) fn heard(&mut self) -> Result<Vec<RouteNetlinkMessage>, Errno> {
        let messages = messages(self.receive()?);
        Ok(messages
            .filter_map(|octets| match NetlinkMessage::deserialize(octets).ok()?.payload {
                NetlinkPayload::InnerMessage(message) => Some(message),
                _ => None,
            })
            .collect())
    }

    /// Does what `request` says, or asks for the one thing that it names.
    fn ask(
        &mut self,
        request: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        Ok(self.exchange(request, NLM_F_ACK | flags)?.messages)
    }

    /// Asks for all that there is of a kind, again if it changed in the middle.
    fn dump(&mut self, request: &RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        for _ in 0..DUMPS {
            let answer = self.exchange(request.clone(), NLM_F_DUMP)?;
            if !answer.interrupted {
                return Ok(answer.messages);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the network configuration does not stand still",
        ))
    }

    fn exchange(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<Answer> {
        let sequence = self.send(request, flags)?;
        let mut answer = Answer { messages: Vec::new(), interrupted: false };
        loop {
            for octets in messages(self.receive()?) {
                let header = NetlinkBuffer::new(octets);
                if header.sequence_number() != sequence {
                    continue;
                }
                answer.interrupted |= header.flags() & NLM_F_DUMP_INTR != 0;
                match NetlinkMessage::deserialize(octets).map(|message| message.payload) {
                    Ok(NetlinkPayload::InnerMessage(message)) => answer.messages.push(message),
                    Ok(NetlinkPayload::Error(error)) => return code(error.raw_code(), answer),
                    Ok(NetlinkPayload::Done(done)) => return code(done.code, answer),
                    Ok(_) => {}
                    // A newer kernel's message: what it tells of is as if it were not there.
                    Err(_) if header.message_type() >= FIRST_ROUTE_MESSAGE => {}
                    Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                }
            }
        }
    }

    /// Returns the sequence number that the answers will bear.
    fn send(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<u32> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::from(request);
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        let socket = self.socket.as_raw_fd();
        uninterrupted(|| sendto(socket, &octets, &kernel(0), MsgFlags::empty()))?;
        Ok(self.sequence)
    }

    /// The next datagram, whole: its length is asked for before it is taken.
    fn receive(&mut self) -> Result<&[u8], Errno> {
        let socket = self.socket.as_raw_fd();
        let peek = MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC;
        let len = uninterrupted(|| recv(socket, &mut [], peek))?;
        self.buffer.resize(len, 0);
        let len = uninterrupted(|| recv(socket, &mut self.buffer, MsgFlags::empty()))?;
        Ok(&self.buffer[..len])
    }

    fn bound(flags: SockFlag, groups: u32) -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | flags,
            SockProtocol::NetlinkRoute,
        )?;
        bind(socket.as_raw_fd(), &kernel(groups))?;
        Ok(Self { socket, sequence: 0, buffer: Vec::new() })
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

struct Answer {
    messages: Vec<RouteNetlinkMessage>,
    /// What was dumped changed in the middle, so that it may be neither the old nor the new.
    interrupted: bool,
}

/// Cuts a datagram into messages; where a length field is impossible, the rest is left.
fn messages(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(*rest.first_chunk()?) as usize;
        if len < HEADER_LEN {
            return None;
        }
        let message = rest.get(..len)?;
        rest = rest.get(len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some(message)
    })
}

fn code(code: i32, answer: Answer) -> io::Result<Answer> {
    if code == 0 { Ok(answer) } else { Err(io::Error::from_raw_os_error(code.wrapping_neg())) }
}

fn uninterrupted<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

fn kernel(groups: u32) -> NetlinkAddr {
    NetlinkAddr::new(0, groups)
}

/// How often a dump that is interrupted is begun, before it is given up.
const DUMPS: usize = 16;

/// Octets of a message's header; its length field includes it (RFC 3549 §2.3.2).
const HEADER_LEN: usize = 16;

/// Where a message may begin: NLMSG_ALIGNTO.
const ALIGNMENT: usize = 4;

/// NLMSG_MIN_TYPE: what is below belongs to netlink itself.
const FIRST_ROUTE_MESSAGE: u16 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_cut_at_aligned_lengths() {
        let mut datagram = [0; 40];
        datagram[0] = 17;
        datagram[20] = 20;
        let lens: Vec<usize> = messages(&datagram).map(<[u8]>::len).collect();
        assert_eq!(lens, [17, 20]);
    }

    #[test]
    fn random_octets_are_cut_and_decoded_to_an_end() {
        let mut random = 1_u64;
        let mut octet = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        };
        let kinds = [16, 17, 20, 24, 2, 3]; // links, addresses, routes, errors, ends
        let mut decoded = 0;
        for _ in 0..20_000 {
            let mut datagram = [0; 256];
            datagram.fill_with(|| if octet() < 160 { octet() & 7 } else { octet() });
            datagram[..4].copy_from_slice(&u32::from(octet()).to_ne_bytes());
            datagram[4..6].copy_from_slice(&[kinds[usize::from(octet()) % kinds.len()], 0]);
            for message in messages(&datagram) {
                decoded += usize::from(
                    NetlinkMessage::<RouteNetlinkMessage>::deserialize(message).is_ok(),
                );
            }
        }
        assert_ne!(decoded, 0);
    }

    #[test]
    fn an_impossible_length_ends_the_datagram() {
        for len in [0, 1, 15, 41, u32::MAX] {
            let mut datagram = [0; 40];
            datagram[..4].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(messages(&datagram).count(), 0, "{len}");
        }
        assert_eq!(messages(&[1, 0, 0]).count(), 0);
    }
}
