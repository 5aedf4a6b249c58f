mod instruction;
mod text;

use std::{net::Ipv4Addr, ops::RangeInclusive, sync::Arc};

use etherparse::EtherType;
use nix::libc;

pub use instruction::Instruction;

use self::instruction::{
    ACCEPT, REJECT, if_equal, if_greater, load_half, load_word, unless_at_least, unless_equal,
};
use crate::frame::HEADER_LEN;

/// A kernel filter: a classic BPF program over the octets of a frame (Linux `filter.rst`).
///
/// The kernel takes the outermost VLAN tag off before the program runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filter(Arc<[Instruction]>);

impl Filter {
    /// A program of one's own, as `tcpdump -dd` prints it.
    ///
    /// The kernel verifies it when a socket is opened with it.
    ///
    /// # Errors
    /// [`FilterError`] for a length that no kernel accepts.
    pub fn new(program: impl Into<Vec<Instruction>>) -> Result<Self, FilterError> {
        let program = program.into();
        match program.len() {
            0 => Err(FilterError::Empty),
            len if len > MAX_LEN => Err(FilterError::TooLong { len }),
            _ => Ok(Self(program.into())),
        }
    }

    /// A program as `tcpdump -ddd` prints it: how many instructions, then a line for each.
    ///
    /// # Errors
    /// [`FilterError`], which names the line that is not as it should be.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::new(text::parse(text)?)
    }

    /// What a host with these addresses may have to look at: ARP, IPv4 to one of them, and
    /// frames that still have a VLAN tag.
    ///
    /// Name the broadcast addresses too if they matter. With more than [`Filter::MAX_ADDRESSES`],
    /// all of IPv4 passes.
    pub fn host(addresses: &[Ipv4Addr]) -> Self {
        let mut program = Self::up_to_ipv4();
        if addresses.len() > Self::MAX_ADDRESSES {
            program.push(ACCEPT);
            return Self(program.into());
        }
        program.push(load_word(HEADER_LEN + IPV4_DST));
        for &address in addresses {
            program.extend([unless_equal(address.into(), 1), ACCEPT]);
        }
        program.push(REJECT);
        Self(program.into())
    }

    /// As [`Filter::host`], for every address of these ranges; with more than
    /// [`Filter::MAX_RANGES`], all of IPv4 passes.
    pub fn hosts(ranges: &[RangeInclusive<Ipv4Addr>]) -> Self {
        let mut program = Self::up_to_ipv4();
        if ranges.len() > Self::MAX_RANGES {
            program.push(ACCEPT);
            return Self(program.into());
        }
        program.push(load_word(HEADER_LEN + IPV4_DST));
        for range in ranges {
            let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
            program.extend([unless_at_least(first, 2), if_greater(last, 1), ACCEPT]);
        }
        program.push(REJECT);
        Self(program.into())
    }

    /// Accepts ARP and what has a tag, rejects what is not IPv4, and goes on with that.
    fn up_to_ipv4() -> Vec<Instruction> {
        let mut program = vec![load_half(HEADER_LEN - 2)];
        for ether_type in [
            EtherType::ARP,
            EtherType::VLAN_TAGGED_FRAME,
            EtherType::PROVIDER_BRIDGING,
            EtherType::VLAN_DOUBLE_TAGGED_FRAME,
        ] {
            program.extend([unless_equal(ether_type.0.into(), 1), ACCEPT]);
        }
        program.extend([if_equal(EtherType::IPV4.0.into(), 1), REJECT]);
        program
    }

    /// Accepts nothing: for a socket that only sends.
    pub fn none() -> Self {
        Self([REJECT].into())
    }

    /// Accepts everything.
    pub(crate) fn all() -> Self {
        Self([ACCEPT].into())
    }

    /// The same for what comes in; of what goes out, only what bears `mark`.
    pub(crate) fn and_sent(&self, mark: u32) -> Self {
        let mut program = vec![
            load_word(PACKET_TYPE),
            unless_equal(libc::PACKET_OUTGOING.into(), SENT_LEN - 2),
            load_word(MARK),
            unless_equal(mark, 1),
            ACCEPT,
            REJECT,
        ];
        program.extend_from_slice(&self.0);
        Self(program.into())
    }

    /// The instructions, at least one.
    pub fn program(&self) -> &[Instruction] {
        &self.0
    }

    /// Most addresses that [`Filter::host`] tells apart.
    pub const MAX_ADDRESSES: usize = 2_000;

    /// Most ranges that [`Filter::hosts`] tells apart.
    pub const MAX_RANGES: usize = 1_000;
}

/// Why a program cannot be a [`Filter`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// It has no instructions.
    #[error("a filter has at least one instruction")]
    Empty,
    /// It has too many.
    #[error("a filter of {len} instructions exceeds the {MAX_LEN} that the kernel leaves us")]
    TooLong {
        /// How many it has.
        len: usize,
    },
    /// A line of its text is not as `tcpdump -ddd` prints it.
    #[error("line {line} of the filter: {expected} expected")]
    Syntax {
        /// Which, counted from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
}

/// The kernel's `BPF_MAXINSNS`, and room for what [`Filter::and_sent`] puts before.
const MAX_LEN: usize = 4_096 - SENT_LEN as usize;

/// Instructions that [`Filter::and_sent`] puts before.
const SENT_LEN: u8 = 6;

/// Where the kernel lets a program load what is not in the frame: its `pkt_type`, and the mark of
/// the socket that sent it.
const PACKET_TYPE: usize = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned() as usize;
const MARK: usize = (libc::SKF_AD_OFF + libc::SKF_AD_MARK).cast_unsigned() as usize;

/// Where the destination stands in an IPv4 header (RFC 791 §3.1).
const IPV4_DST: usize = 16;

#[cfg(test)]
mod tests {
    use super::{
        instruction::{JUMP_AT_LEAST, JUMP_EQUAL, JUMP_GREATER, LOAD_HALF, LOAD_WORD, RETURN},
        *,
    };

    /// Runs the six instructions that our own programs consist of.
    fn accepts(filter: &Filter, frame: &[u8]) -> bool {
        let mut accumulator = 0;
        let mut at = 0;
        loop {
            let Instruction { code, jt, jf, k } = filter.program()[at];
            let octets = frame.get(k as usize..).unwrap_or_default();
            at += 1;
            match code {
                LOAD_HALF => match octets.first_chunk::<2>() {
                    Some(&half) => accumulator = u16::from_be_bytes(half).into(),
                    None => return false,
                },
                LOAD_WORD => match octets.first_chunk::<4>() {
                    Some(&word) => accumulator = u32::from_be_bytes(word),
                    None => return false,
                },
                JUMP_EQUAL => at += usize::from(if accumulator == k { jt } else { jf }),
                JUMP_AT_LEAST => at += usize::from(if accumulator >= k { jt } else { jf }),
                JUMP_GREATER => at += usize::from(if accumulator > k { jt } else { jf }),
                RETURN => return k != 0,
                other => panic!("{other:#x} is none of ours"),
            }
        }
    }

    fn frame(ether_type: EtherType, dst: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![0; HEADER_LEN + 20];
        frame[12..14].copy_from_slice(&ether_type.0.to_be_bytes());
        frame[30..34].copy_from_slice(&dst);
        frame
    }

    fn addresses(count: u32) -> Vec<Ipv4Addr> {
        (1..=count).map(|n| Ipv4Addr::from(0x0a00_0000 + n)).collect()
    }

    #[test]
    fn a_host_sees_arp_and_what_is_sent_to_it() {
        let filter = Filter::host(&addresses(2));
        assert!(accepts(&filter, &frame(EtherType::ARP, [9; 4])));
        assert!(accepts(&filter, &frame(EtherType::IPV4, [10, 0, 0, 1])));
        assert!(accepts(&filter, &frame(EtherType::IPV4, [10, 0, 0, 2])));
        assert!(!accepts(&filter, &frame(EtherType::IPV4, [10, 0, 0, 3])));
        assert!(!accepts(&filter, &frame(EtherType::IPV6, [10, 0, 0, 1])));
    }

    #[test]
    fn a_tag_that_is_still_there_passes() {
        let filter = Filter::host(&[]);
        assert!(accepts(&filter, &frame(EtherType::VLAN_TAGGED_FRAME, [9; 4])));
        assert!(accepts(&filter, &frame(EtherType::PROVIDER_BRIDGING, [9; 4])));
        assert!(accepts(&filter, &frame(EtherType::VLAN_DOUBLE_TAGGED_FRAME, [9; 4])));
    }

    #[test]
    fn a_runt_passes_no_filter() {
        let filter = Filter::host(&addresses(1));
        assert!(!accepts(&filter, &[]));
        assert!(!accepts(&filter, &frame(EtherType::IPV4, [10, 0, 0, 1])[..33]));
    }

    #[test]
    fn thousands_of_addresses_fit_and_more_let_all_of_ipv4_in() {
        let most = Filter::host(&addresses(Filter::MAX_ADDRESSES as u32));
        assert!(most.program().len() <= MAX_LEN);
        assert!(accepts(&most, &frame(EtherType::IPV4, [10, 0, 0x07, 0xd0])));
        assert!(!accepts(&most, &frame(EtherType::IPV4, [10, 0, 0x07, 0xd1])));
        let more = Filter::host(&addresses(Filter::MAX_ADDRESSES as u32 + 1));
        assert!(accepts(&more, &frame(EtherType::IPV4, [8; 4])));
        assert!(!accepts(&more, &frame(EtherType::IPV6, [8; 4])));
    }

    #[test]
    fn hosts_are_told_from_their_neighbours_on_either_side() {
        let addr = |last| Ipv4Addr::new(10, 0, 0, last);
        let filter = Filter::hosts(&[addr(4)..=addr(7), addr(9)..=addr(9)]);
        for (last, accepted) in
            [(3, false), (4, true), (7, true), (8, false), (9, true), (10, false)]
        {
            let frame = frame(EtherType::IPV4, [10, 0, 0, last]);
            assert_eq!(accepts(&filter, &frame), accepted, "{last}");
        }
        assert!(accepts(&filter, &frame(EtherType::ARP, [9; 4])));
        assert!(!accepts(&filter, &frame(EtherType::IPV6, [10, 0, 0, 4])));
    }

    #[test]
    fn every_address_there_is_and_too_many_ranges_let_all_of_ipv4_in() {
        let every = [Ipv4Addr::UNSPECIFIED..=Ipv4Addr::BROADCAST];
        let many = vec![Ipv4Addr::LOCALHOST..=Ipv4Addr::LOCALHOST; Filter::MAX_RANGES + 1];
        assert!(Filter::hosts(&many[1..]).program().len() <= MAX_LEN);
        for filter in [Filter::hosts(&every), Filter::hosts(&many)] {
            assert!(accepts(&filter, &frame(EtherType::IPV4, [255; 4])));
            assert!(accepts(&filter, &frame(EtherType::IPV4, [0; 4])));
        }
    }

    #[test]
    fn none_accepts_nothing() {
        assert!(!accepts(&Filter::none(), &frame(EtherType::ARP, [0; 4])));
    }

    #[test]
    fn a_program_without_instructions_or_with_too_many_is_refused() {
        assert_eq!(Filter::new([]), Err(FilterError::Empty));
        assert_eq!(Filter::new([REJECT; MAX_LEN]).map(|_| ()), Ok(()));
        assert_eq!(
            Filter::new([REJECT; MAX_LEN + 1]),
            Err(FilterError::TooLong { len: MAX_LEN + 1 })
        );
    }
}
