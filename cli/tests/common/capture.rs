//! Captures to be read.

/// A pcap file in nanoseconds: frames in hexadecimal, the first 5 s and 1 ns after the epoch, each
/// next one 1 ns later; with the octets that it had on the wire, if those were more.
pub(crate) fn pcap(frames: &[(&str, u32)]) -> Vec<u8> {
    let mut file = vec![0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend([0, 0, 65_535, 1].map(u32::to_le_bytes).concat());
    for (n, (frame, len)) in (1..).zip(frames) {
        let octets = hex(frame);
        let captured = u32::try_from(octets.len()).expect("a short frame");
        file.extend([5, n, captured, captured.max(*len)].map(u32::to_le_bytes).concat());
        file.extend(octets);
    }
    file
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}
