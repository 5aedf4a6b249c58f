use std::str::FromStr;

use super::{FilterError, Instruction};

/// Reads what `tcpdump -ddd` prints: decimal numbers, a space between two, and nothing else.
pub(super) fn parse(text: &str) -> Result<Vec<Instruction>, FilterError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut lines = text.split('\n').zip(1..);
    let (first, line) = lines.next().unwrap_or(("", 1));
    let count: usize =
        number(first).ok_or(FilterError::Syntax { line, expected: "how many instructions" })?;
    let mut program = Vec::new();
    for (text, line) in lines {
        if program.len() == count {
            return Err(FilterError::Syntax { line, expected: "the end" });
        }
        let read = instruction(text);
        program.push(read.ok_or(FilterError::Syntax { line, expected: INSTRUCTION })?);
    }
    if program.len() < count {
        return Err(FilterError::Syntax { line: program.len() + 2, expected: INSTRUCTION });
    }
    Ok(program)
}

fn instruction(line: &str) -> Option<Instruction> {
    let mut words = line.split(' ');
    let read = Instruction {
        code: number(words.next()?)?,
        jt: number(words.next()?)?,
        jf: number(words.next()?)?,
        k: number(words.next()?)?,
    };
    words.next().is_none().then_some(read)
}

/// Digits only: the standard library would take a sign too.
fn number<T: FromStr>(word: &str) -> Option<T> {
    word.bytes().all(|octet| octet.is_ascii_digit()).then(|| word.parse().ok())?
}

const INSTRUCTION: &str = "an instruction (code, jt, jf, k)";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::Filter;

    /// `tcpdump -ddd arp`.
    const ARP: &str = "4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n";

    fn syntax(text: &str) -> Option<usize> {
        match Filter::parse(text) {
            Err(FilterError::Syntax { line, .. }) => Some(line),
            _ => None,
        }
    }

    #[test]
    fn what_tcpdump_prints_is_read() {
        let filter = Filter::parse(ARP).unwrap();
        assert_eq!(filter.program().len(), 4);
        assert_eq!(filter.program()[1], Instruction { code: 21, jt: 0, jf: 1, k: 2054 });
        assert_eq!(Filter::parse(ARP.trim_end()), Ok(filter));
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        assert_eq!(syntax(""), Some(1));
        assert_eq!(syntax("four\n"), Some(1));
        assert_eq!(syntax("+1\n6 0 0 0\n"), Some(1));
        assert_eq!(syntax("2\n6 0 0 0\n6 0 0\n"), Some(3));
        assert_eq!(syntax("1\n6 0 0 0 0\n"), Some(2));
        assert_eq!(syntax("1\n6  0 0 0\n"), Some(2));
        assert_eq!(syntax("1\n6 256 0 0\n"), Some(2));
        assert_eq!(syntax("1\n6 0 0 4294967296\n"), Some(2));
        assert_eq!(syntax("1\n{ 0x6, 0, 0, 0x0 },\n"), Some(2));
    }

    #[test]
    fn fewer_or_more_lines_than_said_are_refused() {
        assert_eq!(syntax("2\n6 0 0 0\n"), Some(3));
        assert_eq!(syntax("1\n6 0 0 0\n6 0 0 0\n"), Some(3));
        assert_eq!(syntax("1\n6 0 0 0\n\n"), Some(3));
        assert_eq!(Filter::parse("0\n"), Err(FilterError::Empty));
        let error = Filter::parse("1\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2 of the filter: an instruction (code, jt, jf, k) expected"
        );
    }

    proptest! {
        #[test]
        fn any_program_survives_being_printed(
            program in prop::collection::vec(any::<(u16, u8, u8, u32)>(), 1..100),
        ) {
            let lines: String = program
                .iter()
                .map(|(code, jt, jf, k)| format!("{code} {jt} {jf} {k}\n"))
                .collect();
            let read = parse(&format!("{}\n{lines}", program.len())).unwrap();
            let read: Vec<_> = read.iter().map(|i| (i.code, i.jt, i.jf, i.k)).collect();
            prop_assert_eq!(read, program);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*", lines in "[0-9 \n]*") {
            let _either = (parse(&text), parse(&lines));
        }
    }
}
