use etherparse::IpNumber;
use ipv4::{Cast, Datagram, DatagramTx, Header};

use crate::{
    discard::Discard,
    echo::Icmp,
    message::{ECHO_REPLY, HEADER_LEN, Message, TIMESTAMP_REPLY, write_message},
};

impl Icmp {
    /// RFC 1122 §3.2.2.6: all data comes back, with identifier and sequence number.
    pub(crate) fn answer_echo(
        &mut self,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), Discard> {
        self.may_answer(datagram, message, self.config.answers_broadcast)?;
        let [a, b] = message.identifier().to_be_bytes();
        let [c, d] = message.sequence().to_be_bytes();
        let to = header(datagram, message.len(), below);
        let sent = below.send(&to, message.len(), &mut |out| {
            write_message(out, (ECHO_REPLY, 0), [a, b, c, d], |data| {
                data.copy_from_slice(message.data());
            });
        });
        sent.map(|_| ()).map_err(|_| Discard::Unanswerable)
    }

    /// RFC 792, RFC 1122 §3.2.2.8: when the request came, and when its answer leaves, which is the
    /// same moment here.
    pub(crate) fn answer_timestamp(
        &mut self,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        below: &mut dyn DatagramTx,
    ) -> Result<(), Discard> {
        if !self.config.timestamps {
            return Err(Discard::Timestamp);
        }
        if message.len() != TIMESTAMP_LEN {
            return Err(Discard::Length);
        }
        self.may_answer(datagram, message, false)?;
        let [a, b] = message.identifier().to_be_bytes();
        let [c, d] = message.sequence().to_be_bytes();
        let since_midnight = datagram.stamp.since_epoch.as_millis() % DAY;
        let came = (since_midnight as u32).to_be_bytes(); // less than 2^27
        let to = header(datagram, TIMESTAMP_LEN, below);
        let sent = below.send(&to, TIMESTAMP_LEN, &mut |out| {
            write_message(out, (TIMESTAMP_REPLY, 0), [a, b, c, d], |times| {
                times[..4].copy_from_slice(&message.data()[..4]);
                times[4..8].copy_from_slice(&came);
                times[8..].copy_from_slice(&came);
            });
        });
        sent.map(|_| ()).map_err(|_| Discard::Unanswerable)
    }

    fn may_answer(
        &mut self,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        broadcast: bool,
    ) -> Result<(), Discard> {
        match datagram.cast {
            Cast::Host => {}
            Cast::Broadcast | Cast::Multicast if broadcast => {}
            _ => return Err(Discard::Broadcast),
        }
        if message.code() != 0 {
            return Err(Discard::Code);
        }
        if !self.config.answers {
            return Err(Discard::Unanswered);
        }
        let Some(limit) = self.config.replies else { return Ok(()) };
        let now = self.epoch.ticks(datagram.at);
        self.replies = self.replies.taken(limit, now).ok_or(Discard::Limited)?;
        Ok(())
    }
}

/// From the address that was asked (RFC 1122 §3.2.2.6), if that is one; with the request's type of
/// service (RFC 1349 §5.1), and its route and times recorded on (RFC 1122 §3.2.2.6). Fragmented
/// only where it must be: what is not needs no identification of its own (RFC 6864 §4).
fn header(datagram: &Datagram<'_>, len: usize, below: &dyn DatagramTx) -> Header {
    let options = datagram.reply_options();
    Header {
        src: (datagram.cast == Cast::Host).then_some(datagram.dst),
        tos: datagram.tos,
        dont_fragment: len + options.octets().len() <= below.max_len(datagram.src),
        options,
        ..Header::new(datagram.src, IpNumber::ICMP)
    }
}

/// Octets of a timestamp message.
const TIMESTAMP_LEN: usize = HEADER_LEN + 12;

/// Milliseconds.
const DAY: u128 = 86_400_000;
