//! A slot and a block of a mapped ring, whatever the kernel is supposed to have written there.
//!
//! The readers of both are private to the link, and are compiled in here from its sources.

#![no_main]

use libfuzzer_sys::fuzz_target;
use link::TAG_LEN;

fuzz_target!(|octets: &[u8]| {
    let mut octets = octets.to_vec();
    socket::ring::read(&mut octets);
});

#[path = "../../link/src/socket"]
#[expect(dead_code, reason = "the link itself has more use for it")]
mod socket {
    mod control;

    mod inlet {
        use super::control::Control;

        pub(super) struct Message<'a> {
            pub(super) room: &'a mut [u8],
            pub(super) truncated: bool,
            pub(super) kind: u8,
            pub(super) control: Control,
        }

        pub(super) const HEADROOM: usize = crate::TAG_LEN;
    }

    pub(crate) mod ring {
        mod packet;

        use super::inlet::{HEADROOM, Message};
        use packet::Walk;

        /// Reads `octets` as a slot, then as a block.
        pub(crate) fn read(octets: &mut [u8]) {
            if let Some(message) = packet::slot(octets) {
                touch(message);
            }
            let mut walk = Walk::begin(octets);
            let mut end = octets.as_ptr();
            while walk.left() > 0 {
                let left = walk.left();
                let mut pieces = walk.resume(octets, SOME);
                while let Some(piece) = pieces.cut() {
                    let Some(message) = packet::piece(piece) else { continue };
                    let room = touch(message);
                    assert!(end <= room.start, "a frame within another");
                    end = room.end;
                }
                drop(pieces);
                assert!(walk.left() < left, "no step towards the end");
            }
        }

        /// Frames looked at before the walk is interrupted.
        const SOME: usize = 3;

        /// Writes to all of a frame's room, and tells where that is.
        fn touch(message: Message<'_>) -> std::ops::Range<*const u8> {
            assert!(message.room.len() >= HEADROOM);
            assert!(message.control.tag().is_none_or(|tag| tag.len() == HEADROOM));
            message.room.iter_mut().for_each(|octet| *octet = !*octet);
            message.room.iter_mut().for_each(|octet| *octet = !*octet);
            message.room.as_ptr_range()
        }
    }
}
