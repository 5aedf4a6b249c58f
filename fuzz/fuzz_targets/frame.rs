//! An Ethernet header, as layers and as people read it, of arbitrary octets.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use link::{Cast, Checksum, Direction, Facts, Frame, MacAddr6, Source, Stamp, TAG_LEN, View};

fuzz_target!(|input: (u16, &[u8])| {
    let (len, octets) = input;
    let view = View::read(octets, len.into());
    if let Ok(view) = &view {
        let flaw_at = view.flaw.map_or(0, |flaw| flaw.octet);
        assert!(view.payload.len() <= view.payload_len && flaw_at <= octets.len());
        let len = octets.len().max(len.into());
        assert!(view.payload_at + view.payload_len <= len);
        assert!(octets[view.payload_at..].starts_with(view.payload));
    }
    let Ok(frame) = Frame::new(octets, facts()) else {
        let whole = view.is_ok_and(|view| view.flaw.is_none());
        return assert!(!whole, "what layers refuse has a flaw");
    };
    let view = view.expect("what layers take can be shown");
    assert_eq!((frame.dst(), frame.src()), (view.dst, view.src));
    assert!(frame.tags().eq(view.tags()));
    assert_eq!(frame.payload().len() + 14 + TAG_LEN * frame.tags().count(), octets.len());
    assert_eq!(frame.payload(), &octets[octets.len() - frame.payload().len()..]);
    assert_eq!(frame.is_in_vlan(), view.tags().any(|tag| tag.id != 0));
    let inner = frame.without_tags();
    assert_eq!((inner.tags().count(), inner.ether_type()), (0, frame.ether_type()));
    for tag in frame.tags() {
        assert!(octets[12..].chunks_exact(TAG_LEN).any(|octets| octets == tag.octets()));
    }
});

#[expect(clippy::disallowed_methods, reason = "an arbitrary origin")]
fn facts() -> Facts {
    Facts {
        direction: Direction::Received,
        cast: Cast::of(MacAddr6::broadcast(), MacAddr6::nil()),
        at: Instant::now(),
        stamp: Stamp { since_epoch: Duration::ZERO, source: Source::Virtual },
        checksum: Checksum::Complete,
    }
}
