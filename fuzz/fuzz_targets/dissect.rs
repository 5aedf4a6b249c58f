//! A frame of arbitrary octets, said to have had arbitrarily many, decoded for people.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stack::{Dissected, dissect};

fuzz_target!(|input: (u32, &[u8])| {
    let (len, octets) = input;
    let frame = dissect(octets, len as usize);
    show(&frame);
    let len = octets.len().max(len as usize);
    if let Some(malformed) = frame.malformed {
        assert!(malformed.octet <= octets.len(), "{malformed:?} of {}", octets.len());
    }
    if let Some(ip) = frame.ip {
        assert!(ip.payload.len() <= ip.payload_len && ip.payload_len <= len);
    }
    if let (Some(quoted), Some(ip)) = (frame.icmp.and_then(|icmp| icmp.quoted), frame.ip) {
        assert!(quoted.octets.len() <= quoted.len);
        assert!(quoted.at + quoted.len <= ip.payload_len);
        assert!(ip.payload[quoted.at..].starts_with(quoted.octets));
    }
});

/// Asks for all that is read only when asked for.
fn show(frame: &Dissected<'_>) {
    for ip in frame.ip.iter().chain(&frame.quoted) {
        assert!(ip.option_types().count() <= ip.options.len());
    }
    let extensions = frame.icmp.and_then(|icmp| icmp.extensions);
    for object in extensions.iter().flat_map(|extensions| extensions.objects()) {
        assert!(object.payload.len() < usize::from(u16::MAX));
    }
    assert!(!format!("{frame:?}").is_empty());
}
