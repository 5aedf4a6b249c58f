//! An arbitrary file, read as a capture.

#![no_main]

use libfuzzer_sys::fuzz_target;
use link::capture::Reader;

fuzz_target!(|octets: &[u8]| {
    let Ok(mut reader) = Reader::new(octets) else { return };
    let mut captured = 0;
    let mut read = Ok(true);
    while let Ok(true) = read {
        let before = captured;
        read = reader.next_frame(&mut |frame| {
            captured += RECORD_LEN + frame.octets.len();
            assert!(frame.octets.len() <= frame.len);
        });
        assert_eq!(captured > before, matches!(read, Ok(true)));
        assert!(captured <= octets.len(), "more frames than there are octets for");
    }
    if let Err(error) = read {
        assert!(error.to_string().starts_with("at octet "));
    }
});

/// Octets of the least that a frame is wrapped in: those of a pcap record, and of a simple block.
const RECORD_LEN: usize = 16;
