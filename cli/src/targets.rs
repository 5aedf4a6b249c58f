//! Targets as people write them: addresses, prefixes, ranges, files, pins and exceptions.

mod shard;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    net::Ipv4Addr,
    ops::RangeInclusive,
};

use ipnetwork::Ipv4Network;
use macaddr::MacAddr6;
use stack::Targets;

use crate::{failure::Failure, target, value};

pub(crate) use shard::shard;

/// What `texts` mean, all together: everything that is named, without what is excepted. What no
/// host can be is left out of prefixes and ranges.
pub(crate) fn parse(texts: &[String]) -> Result<Targets, Failure> {
    let mut list = List::default();
    texts.iter().try_for_each(|text| list.add(text))?;
    list.excepted.extend(NOBODY.map(|(first, last)| first.into()..=last.into()));
    let mut targets =
        list.named.into_iter().collect::<Targets>().without(&list.excepted.into_iter().collect());
    if targets.is_empty() {
        return Err(Failure::usage("no targets: nothing is left to ask"));
    }
    for (addr, mac) in list.pins {
        targets.pin(addr, mac);
    }
    Ok(targets)
}

/// What -g means by `texts`: the hosts of one network, or all from one address to another.
pub(crate) fn generate(texts: &[String]) -> Result<Vec<String>, Failure> {
    match texts {
        [text] if text.contains('/') => {
            let network = network(text)?;
            let everybodys =
                (network.prefix() < 31).then(|| [network.network(), network.broadcast()]);
            let excepted = everybodys.into_iter().flatten().map(|addr| format!("!{addr}"));
            Ok([text.clone()].into_iter().chain(excepted).collect())
        }
        [first, last] => {
            if let Some(text) = texts.iter().find(|text| text.contains('/')) {
                return Err(Failure::usage(format!("-g: {text} is a network, which stands alone"))
                    .hint("as in `-g 10.0.0.0/24`, or `-g 10.0.0.1 10.0.0.50`"));
            }
            let (first, last) = (target::resolve(first)?, target::resolve(last)?);
            if last < first {
                return Err(Failure::usage(format!("-g: {last} comes before {first}")));
            }
            Ok(vec![format!("{first}-{last}")])
        }
        _ => Err(Failure::usage("-g takes one network, or two addresses")
            .hint("as in `-g 10.0.0.0/24`, or `-g 10.0.0.1 10.0.0.50`")),
    }
}

/// Whether `texts` are one plain address or name.
pub(crate) fn are_one(texts: &[String]) -> bool {
    let [text] = texts else { return false };
    text != "-" && !text.contains([',', '/', '@', '!']) && range(text).is_none()
}

#[derive(Default)]
struct List {
    named: Vec<RangeInclusive<Ipv4Addr>>,
    excepted: Vec<RangeInclusive<Ipv4Addr>>,
    pins: Vec<(Ipv4Addr, MacAddr6)>,
}

impl List {
    fn add(&mut self, text: &str) -> Result<(), Failure> {
        if text == "-" {
            return self.add_lines("standard input", io::stdin().lock());
        }
        if text == "@" {
            return Err(Failure::usage("@: names no file"));
        }
        if let Some(path) = text.strip_prefix('@') {
            let unreadable = |error| Failure::usage(format!("@{path}: cannot be read: {error}"));
            return self.add_lines(path, BufReader::new(File::open(path).map_err(unreadable)?));
        }
        let mut items = text.split(',');
        items.try_for_each(|item| self.add_item(item).map_err(|failure| named(text, failure)))
    }

    /// Items between commas and white space; `#` begins a comment.
    fn add_lines(&mut self, name: &str, lines: impl BufRead) -> Result<(), Failure> {
        for (n, line) in lines.take(LARGEST).lines().enumerate() {
            let at = |why: String| Failure::usage(format!("{name}, line {}: {why}", n + 1));
            let line = line.map_err(|error| at(error.to_string()))?;
            let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| n == 0).unwrap_or(&line);
            let items = line.split('#').next().unwrap_or_default();
            let separator = |c: char| c == ',' || c.is_whitespace();
            for item in items.split(separator).filter(|item| !item.is_empty()) {
                self.add_item(item).map_err(|failure| at(failure.message))?;
            }
        }
        Ok(())
    }

    fn add_item(&mut self, item: &str) -> Result<(), Failure> {
        if item.starts_with('@') {
            return Err(Failure::usage(format!("{item}: a list of targets cannot be named here"))
                .hint("`@file` is a target of its own on the command line"));
        }
        if let Some(excepted) = item.strip_prefix('!') {
            self.excepted.push(addresses(excepted)?);
            return Ok(());
        }
        let Some((addr, mac)) = item.split_once('@') else {
            self.named.push(addresses(item)?);
            return Ok(());
        };
        let addr = target::resolve(addr)?;
        self.pins.push((addr, value::station(mac).map_err(Failure::usage)?));
        self.named.push(addr..=addr);
        Ok(())
    }
}

/// The mistake in one item, with the argument that it is in unless that is clear.
fn named(text: &str, failure: Failure) -> Failure {
    if failure.message.contains(text) && !text.is_empty() {
        return failure;
    }
    Failure { message: format!("{text:?}: {}", failure.message), ..failure }
}

/// A prefix, a range, an address or a name.
fn addresses(item: &str) -> Result<RangeInclusive<Ipv4Addr>, Failure> {
    if item.contains('/') {
        let network = network(item)?;
        return Ok(network.network()..=network.broadcast());
    }
    match range(item) {
        Some(range) => range.map_err(Failure::usage),
        None => target::resolve(item).map(|addr| addr..=addr),
    }
}

fn network(item: &str) -> Result<Ipv4Network, Failure> {
    item.parse().map_err(|_| Failure::usage(format!("{item} is no prefix such as 10.0.0.0/24")))
}

/// `10.0.0.1-50` or `10.0.0.1-10.0.3.255`; `None` of what may be a name.
fn range(item: &str) -> Option<Result<RangeInclusive<Ipv4Addr>, String>> {
    let (first, last) = item.split_once('-')?;
    let wrong = || Err(format!("{item} is no range such as 10.0.0.1-50"));
    let Ok(first) = first.parse::<Ipv4Addr>() else {
        let is_no_name = item.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        return is_no_name.then(wrong);
    };
    let [a, b, c, _] = first.octets();
    let short = last.parse().map(|d| Ipv4Addr::new(a, b, c, d));
    let last = short.or_else(|_| last.parse::<Ipv4Addr>());
    let range = last.ok().filter(|last| first <= *last).map(|last| Ok(first..=last));
    Some(range.unwrap_or_else(wrong))
}

/// Addresses that no host can have, or that are on no link.
const NOBODY: [([u8; 4], [u8; 4]); 3] = [
    ([0, 0, 0, 0], [0, 255, 255, 255]),
    ([127, 0, 0, 0], [127, 255, 255, 255]),
    ([224, 0, 0, 0], [255, 255, 255, 255]),
];

/// What some programs begin a file in UTF-8 with.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Octets of a list of targets that are read: room for tens of millions of addresses.
const LARGEST: u64 = 1 << 30;

/// So many targets are asked in their order, unless a seed is given; more are not, so that no
/// network of theirs has to take it all at once.
pub(crate) const LISTED: u64 = 256;

/// Requests a second whose leaving the kernel is asked to stamp.
pub(crate) const STAMPED: u32 = 1000;

/// So many targets are worth a second thread.
pub(crate) const MANY: u64 = 4096;

/// Neighbours that are remembered at most: a /16 of them.
pub(crate) const MOST_NEIGHBOURS: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn count(texts: &[&str]) -> Result<u64, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        parse(&texts).map(|targets| targets.len()).map_err(|failure| failure.message)
    }

    #[test]
    fn what_is_named_is_counted_once_and_what_is_excepted_not_at_all() {
        for (texts, expected) in [
            (&["10.0.0.5"][..], 1),
            (&["10.0.0.0/24"], 256),
            (&["10.0.0.7/24"], 256),
            (&["10.0.0.1-50"], 50),
            (&["10.0.0.250-10.0.1.5"], 12),
            (&["10.0.0.1,10.0.0.2", "10.0.0.2"], 2),
            (&["10.0.0.0/24", "!10.0.0.0,!10.0.0.255"], 254),
            (&["!10.0.0.0/25", "10.0.0.0/24"], 128),
            (&["10.0.0.5@02:00:00:00:00:05"], 1),
            (&["0.0.0.0/0"], (1 << 32) - (34 << 24)),
        ] {
            assert_eq!(count(texts), Ok(expected), "{texts:?}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused_in_words() {
        for (text, why) in [
            ("10.0.0.9-5", "is no range"),
            ("10.0.0.1-256", "is no range"),
            ("10.0.0.300-301", "is no range"),
            ("10.0.0.0/33", "is no prefix"),
            ("", "\"\": an empty target"),
            ("10.0.0.1,", "\"10.0.0.1,\": an empty target"),
            ("10.0.0.1,10.0.0.300", "\"10.0.0.1,10.0.0.300\": 10.0.0.300 is no IPv4 address"),
            ("10.0.0.1,@list", "@list: a list of targets cannot be named here"),
            ("!", "\"!\": an empty target"),
            ("@", "@: names no file"),
            ("!!10.0.0.1", "is neither an IPv4 address nor a name"),
            ("10.0.0.1@ff:ff:ff:ff:ff:ff", "no station can have the MAC address"),
            ("@/nonexistent", "@/nonexistent: cannot be read"),
            ("224.0.0.0/8", "nothing is left to ask"),
        ] {
            let refused = count(&[text]).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_list_has_comments_and_its_mistakes_have_a_line() {
        let mut list = List::default();
        let text = "10.0.0.1 10.0.0.2 # two\n\n10.0.1.0/30, !10.0.1.0\n# none";
        assert!(list.add_lines("list", text.as_bytes()).is_ok());
        assert_eq!((list.named.len(), list.excepted.len()), (3, 1));
        let wrong = list.add_lines("list", "10.0.0.1\n10.0.0.300".as_bytes());
        let message = wrong.map_err(|failure| failure.message);
        assert_eq!(
            message,
            Err("list, line 2: 10.0.0.300 is no IPv4 address such as 10.0.0.2".into())
        );
        assert!(list.add_lines("list", &b"\xff\xfe"[..]).is_err());
        let nested = list.add_lines("list", "10.0.0.1\n@other".as_bytes());
        assert_eq!(
            nested.map_err(|failure| failure.message),
            Err("list, line 2: @other: a list of targets cannot be named here".into())
        );
    }

    #[test]
    fn a_list_may_begin_with_a_byte_order_mark_and_have_it_nowhere_else() {
        let mut list = List::default();
        assert!(list.add_lines("list", "\u{feff}10.0.0.1\n10.0.0.2".as_bytes()).is_ok());
        assert_eq!(list.named.len(), 2);
        assert!(list.add_lines("list", "10.0.0.1\n\u{feff}10.0.0.2".as_bytes()).is_err());
    }

    #[test]
    fn generate_says_that_a_network_stands_alone() {
        for texts in [["10.0.0.0/24", "10.0.0.5"], ["10.0.0.5", "10.0.0.0/24"]] {
            let refused = generate(&texts.map(str::to_owned)).map_err(|failure| failure.message);
            let why = "-g: 10.0.0.0/24 is a network, which stands alone".to_owned();
            assert_eq!(refused, Err(why));
        }
    }
}
