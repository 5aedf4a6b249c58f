use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    net::Ipv4Addr,
    path::Path,
};

use macaddr::MacAddr6;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// What the JSON lines of an earlier scan say, or those of several, one after the other.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// What was to be scanned.
    pub(super) targets: Vec<String>,
    /// The stations that each address was at; none of one that only answered from afar.
    pub(super) up: BTreeMap<Ipv4Addr, Vec<MacAddr6>>,
    /// Addresses of which all is known, silent ones too.
    pub(super) done: Vec<Ipv4Addr>,
    /// Addresses with several owners.
    pub(super) contested: BTreeSet<Ipv4Addr>,
}

impl Earlier {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let unreadable = |error: &io::Error| Failure::usage(format!("{name}: {error}"));
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let earlier = Self::of(BufReader::new(file.take(LARGEST)));
        let hint = "`sidestack scan -j ... > FILE` writes such a file";
        let not = |why: &str| Failure::usage(format!("{name}: {why}")).hint(hint);
        let earlier = earlier.map_err(|why| not(&why))?;
        earlier.ok_or_else(|| not("no scan begins in it"))
    }

    /// Whether all is known of `addr`.
    pub(super) fn is_done(&self, addr: Ipv4Addr) -> bool {
        self.done.binary_search(&addr).is_ok()
    }

    fn of(mut lines: impl BufRead) -> Result<Option<Self>, String> {
        let (mut earlier, mut is_scan) = (Self::default(), false);
        let mut line = Vec::new();
        for n in 1.. {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(|error| error.to_string())? == 0 {
                break;
            }
            let is_whole = line.ends_with(b"\n");
            match serde_json::from_slice(&line) {
                Ok(said) => is_scan |= earlier.take_in(said),
                Err(_) if !is_whole => break, // cut off in the middle
                Err(_) => return Err(format!("line {n}: {}", expected(&line))),
            }
        }
        earlier.done.sort_unstable();
        earlier.done.dedup();
        Ok(is_scan.then_some(earlier))
    }

    /// Says whether a scan begins with this.
    fn take_in(&mut self, line: Line) -> bool {
        match line {
            Line::Start { cmd, targets } if cmd == "scan" => {
                if self.targets.is_empty() {
                    self.targets = targets;
                }
                return true;
            }
            Line::Host { ip, state, mac, conflict, interrupted } => {
                if conflict {
                    self.contested.insert(ip);
                }
                if !interrupted {
                    self.done.push(ip);
                }
                if state == "up" {
                    let mac = mac.and_then(|mac| mac.parse().ok());
                    let known = self.up.entry(ip).or_default();
                    known.extend(mac.filter(|mac| !known.contains(mac)));
                }
            }
            _ => {}
        }
        false
    }
}

/// What should stand on a line that says something else.
fn expected(line: &[u8]) -> String {
    let Ok(Value::Object(keys)) = serde_json::from_slice::<Value>(line) else {
        let begin: String = String::from_utf8_lossy(line).trim_end().chars().take(SHOWN).collect();
        return format!("expected one JSON object, found {begin:?}");
    };
    let kind = match keys.get("type").and_then(Value::as_str) {
        Some("start") => "start",
        Some("host") => "host",
        _ => return "expected an object with a \"type\"".to_owned(),
    };
    for (wanted, key, what, fits) in KEYS {
        if *wanted == kind && !keys.get(*key).is_some_and(fits) {
            let found = keys.get(*key).map_or_else(|| "nothing".to_owned(), Value::to_string);
            let found: String = found.chars().take(SHOWN).collect();
            return format!("expected {what} as \"{key}\" of a {kind}, found {found}");
        }
    }
    format!("expected a {kind} as `sidestack scan -j` writes it")
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Start {
        cmd: String,
        targets: Vec<String>,
    },
    Host {
        ip: Ipv4Addr,
        state: String,
        mac: Option<String>,
        conflict: bool,
        interrupted: bool,
    },
    #[serde(other)]
    Other,
}

/// Whether a value is what should stand there.
type Fits = fn(&Value) -> bool;

/// Of which record, under which key, what is expected.
const KEYS: &[(&str, &str, &str, Fits)] = &[
    ("start", "cmd", "a command", Value::is_string),
    ("start", "targets", "a list of targets", |value| {
        value.as_array().is_some_and(|targets| targets.iter().all(Value::is_string))
    }),
    ("host", "ip", "an IPv4 address", |value| {
        value.as_str().is_some_and(|text| text.parse::<Ipv4Addr>().is_ok())
    }),
    ("host", "state", "a state", Value::is_string),
    ("host", "mac", "a MAC address or null", |value| value.is_string() || value.is_null()),
    ("host", "conflict", "true or false", Value::is_boolean),
    ("host", "interrupted", "true or false", Value::is_boolean),
];

/// Characters of what was found that are shown.
const SHOWN: usize = 40;

/// Octets of such a file that are read.
const LARGEST: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"v":1,"type":"start","cmd":"scan","targets":["10.0.0.0/24"]}"#;

    fn host(ip: u8, state: &str, mac: &str, interrupted: bool) -> String {
        format!(
            r#"{{"type":"host","ip":"10.0.0.{ip}","state":"{state}","mac":{mac},"conflict":false,"interrupted":{interrupted}}}"#
        )
    }

    fn of(lines: &[&str]) -> Result<Option<Earlier>, String> {
        Earlier::of(lines.join("\n").as_bytes())
    }

    #[test]
    fn what_was_cut_is_not_done_and_what_was_silent_is() {
        let (two, three, four) = (
            host(2, "up", r#""02:00:00:00:00:02""#, false),
            host(3, "silent", "null", false),
            host(4, "up", r#""02:00:00:00:00:04""#, true),
        );
        let earlier = of(&[START, &two, &three, &four, r#"{"type":"end","exit":130}"#]);
        let earlier = earlier.unwrap().unwrap();
        assert_eq!(earlier.targets, ["10.0.0.0/24"]);
        assert_eq!(earlier.done, [2, 3].map(|n| Ipv4Addr::new(10, 0, 0, n)));
        assert_eq!(earlier.up.len(), 2);
    }

    #[test]
    fn a_last_line_that_was_cut_off_is_no_harm_and_one_before_it_is() {
        let two = host(2, "up", "null", false);
        let cut = r#"{"type":"host","ip":"10.0"#;
        assert_eq!(of(&[START, &two, cut]).unwrap().unwrap().done.len(), 1);
        assert!(of(&[START, cut, &two]).unwrap_err().starts_with("line 2: "));
    }

    #[test]
    fn what_is_no_scan_is_told_apart() {
        assert!(of(&[r#"{"v":1,"type":"start","cmd":"ping","targets":[]}"#]).unwrap().is_none());
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&["PING 10.0.0.2", ""]).is_err());
    }

    #[test]
    fn a_line_that_is_something_else_says_what_was_expected_and_what_stands_there() {
        for (line, why) in [
            ("PING 10.0.0.2", r#"expected one JSON object, found "PING 10.0.0.2""#),
            ("[1]", r#"expected one JSON object, found "[1]""#),
            ("", r#"expected one JSON object, found """#),
            ("{}", r#"expected an object with a "type""#),
            (r#"{"type":"host","ip":5}"#, r#"expected an IPv4 address as "ip" of a host, found 5"#),
            (
                r#"{"type":"host","ip":"10.0.0.300","state":"up"}"#,
                r#"expected an IPv4 address as "ip" of a host, found "10.0.0.300""#,
            ),
            (
                r#"{"type":"host","ip":"10.0.0.3","state":"up"}"#,
                r#"expected a MAC address or null as "mac" of a host, found nothing"#,
            ),
            (
                r#"{"type":"start","cmd":"scan","targets":"10.0.0.0/24"}"#,
                r#"expected a list of targets as "targets" of a start, found "10.0.0.0/24""#,
            ),
        ] {
            assert_eq!(of(&[START, line, ""]).unwrap_err(), format!("line 2: {why}"));
        }
    }
}
