//! Text, written at the end of a buffer without the detour of `fmt`: a line of `sniff` costs what
//! its octets cost.

use std::net::Ipv4Addr;

use macaddr::MacAddr6;

/// Writes at the end of what was written.
pub(crate) struct Pen<'b>(pub(crate) &'b mut Vec<u8>);

impl Pen<'_> {
    #[inline]
    pub(crate) fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// In decimal.
    #[inline]
    pub(crate) fn number(&mut self, number: impl TryInto<u64>) {
        let mut left = number.try_into().unwrap_or(u64::MAX);
        let (mut digits, mut at) = ([0; 20], 20); // u64::MAX has 20
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }

    /// In hexadecimal, without leading zeros.
    pub(crate) fn hex(&mut self, number: u8) {
        if number > 0x0f {
            self.0.push(DIGITS[usize::from(number >> 4)]);
        }
        self.0.push(DIGITS[usize::from(number & 0x0f)]);
    }

    /// In hexadecimal, all digits of it.
    #[inline]
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        for octet in octets {
            let pair = [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 0x0f)]];
            self.0.extend_from_slice(&pair);
        }
    }

    /// In hexadecimal, a colon between two.
    #[inline]
    pub(crate) fn parted(&mut self, octets: &[u8]) {
        for (n, octet) in octets.iter().enumerate() {
            if n > 0 {
                self.0.push(b':');
            }
            self.octets(&[*octet]);
        }
    }

    #[inline]
    pub(crate) fn mac(&mut self, mac: MacAddr6) {
        self.parted(mac.as_bytes());
    }

    #[inline]
    pub(crate) fn addr(&mut self, addr: Ipv4Addr) {
        let [a, b, c, d] = addr.octets();
        self.number(a);
        for octet in [b, c, d] {
            self.0.push(b'.');
            self.number(octet);
        }
    }

    /// Octets as `tcpdump -x` shows them, 16 a line; with the ASCII of each line as `-X` does.
    pub(crate) fn dump(&mut self, octets: &[u8], ascii: bool) {
        for (n, row) in octets.chunks(16).enumerate() {
            self.text("\t0x");
            self.octets(&((n * 16) as u16).to_be_bytes());
            self.text(": ");
            let begun = self.0.len();
            for word in row.chunks(2) {
                self.0.push(b' ');
                self.octets(word);
            }
            if ascii {
                self.0.resize(begun + COLUMNS, b' ');
                let shown = |octet: &u8| if octet.is_ascii_graphic() { *octet } else { b'.' };
                self.0.extend(row.iter().map(shown));
            }
            self.0.push(b'\n');
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Between the offset and the ASCII of a dumped line: eight words, and two spaces.
const COLUMNS: usize = 8 * 5 + 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut buffer = Vec::new();
        write(&mut Pen(&mut buffer));
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn numbers_are_written_as_fmt_writes_them() {
        for number in [0, 9, 10, 255, 1_000_000, u64::MAX] {
            assert_eq!(written(|pen| pen.number(number)), number.to_string());
        }
        for number in [0, 9, 0x10, 0xff] {
            assert_eq!(written(|pen| pen.hex(number)), format!("{number:x}"));
        }
    }

    #[test]
    fn addresses_are_written_as_fmt_writes_them() {
        for addr in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 9, 200, 1)] {
            assert_eq!(written(|pen| pen.addr(addr)), addr.to_string());
        }
        let mac = MacAddr6::new(2, 0, 0xab, 0xff, 0x10, 1);
        assert_eq!(written(|pen| pen.mac(mac)), "02:00:ab:ff:10:01");
    }

    #[test]
    fn a_dump_has_sixteen_octets_a_line_and_their_ascii_below_each_other() {
        let text = b"Up to 16 a line\0and then";
        assert_eq!(
            written(|pen| pen.dump(text, true)),
            "\t0x0000:  5570 2074 6f20 3136 2061 206c 696e 6500  Up.to.16.a.line.\n\
             \t0x0010:  616e 6420 7468 656e                      and.then\n"
        );
        assert_eq!(written(|pen| pen.dump(&text[..3], false)), "\t0x0000:  5570 20\n");
    }
}
