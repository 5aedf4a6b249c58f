//! What becomes of an echo request.

use std::net::Ipv4Addr;

use macaddr::MacAddr6;
use stack::icmp::{Corrupt, Error, Outcome, Stray, Straying};

use super::{Mac, Record, Time, nanoseconds, unsent};

impl Record<'static> {
    /// How the request `seq` to `dst` ended.
    pub(crate) fn ended(
        ts: Time,
        dst: Ipv4Addr,
        from_mac: Option<MacAddr6>,
        seq: u16,
        outcome: &Outcome,
    ) -> Self {
        match *outcome {
            Outcome::Reply { len, ttl, round_trip, reordered, .. } => Self::Reply {
                ts,
                dst,
                from: dst,
                from_mac: from_mac.map(Mac),
                seq,
                bytes: len,
                ttl,
                rtt_ns: Some(nanoseconds(round_trip)),
                dup: false,
                reordered,
                corrupt: None,
            },
            Outcome::TimedOut { waited } => {
                Self::Timeout { ts, dst, seq, waited_ns: nanoseconds(waited) }
            }
            Outcome::Error(error) => Self::icmp_error(ts, dst, seq, &error),
            never => Self::Unsent { ts, dst, seq, reason: unsent::reason(&never) },
        }
    }

    /// An error that came for the request `seq` to `dst`.
    pub(crate) fn icmp_error(ts: Time, dst: Ipv4Addr, seq: u16, error: &Error) -> Self {
        let &Error { from, icmp_type, code: icmp_code, mtu, .. } = error;
        let what = error.name();
        Self::IcmpError { ts, dst, from, icmp_type, icmp_code, what, seq, mtu }
    }

    /// An answer that ended no request, to the request `seq` to `dst` as it says.
    pub(crate) fn stray(
        ts: Time,
        dst: Ipv4Addr,
        from_mac: Option<MacAddr6>,
        seq: u16,
        stray: &Stray,
    ) -> Self {
        let &Stray { from, len: bytes, ttl, straying, .. } = stray;
        let from_mac = from_mac.map(Mac);
        let reply = |rtt_ns, dup, corrupt| Self::Reply {
            ts,
            dst,
            from,
            from_mac,
            seq,
            bytes,
            ttl,
            rtt_ns,
            dup,
            reordered: false,
            corrupt,
        };
        match straying {
            Straying::Late { round_trip } => {
                let rtt_ns = nanoseconds(round_trip);
                Self::Late { ts, dst, from_mac, seq, bytes, ttl, rtt_ns }
            }
            Straying::Duplicate { round_trip } => reply(Some(nanoseconds(round_trip)), true, None),
            Straying::Corrupt(corrupt) => reply(None, false, Some(corrupt_name(corrupt))),
            Straying::Elsewhere { asked } => {
                Self::Foreign { ts, from, from_mac, seq, asked: Some(asked) }
            }
            _ => Self::Foreign { ts, from, from_mac, seq, asked: None },
        }
    }
}

/// What of a corrupt answer is not as it was sent.
pub(crate) fn corrupt_name(corrupt: Corrupt) -> &'static str {
    match corrupt {
        Corrupt::Checksum => "checksum",
        Corrupt::Code => "code",
        Corrupt::Length => "length",
        Corrupt::Data => "data",
    }
}
