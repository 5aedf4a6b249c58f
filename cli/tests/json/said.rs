//! What a command says, held to the schema.

use std::{fs, process::Output};

use serde_json::{Value, json};

use crate::{capture::pcap, common::sidestack, schema::record};

/// What a command said with `-j`, each line held to the schema.
pub(crate) struct Run {
    pub(crate) lines: Vec<Value>,
    pub(crate) exit: i32,
}

impl Run {
    pub(crate) fn types(&self) -> Vec<&str> {
        self.lines.iter().map(type_of).collect()
    }

    pub(crate) fn of(&self, wanted: &str) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(move |line| type_of(line) == wanted)
    }

    /// The only one of its type.
    pub(crate) fn one(&self, wanted: &str) -> &Value {
        let all: Vec<&Value> = self.of(wanted).collect();
        let [one] = all[..] else { panic!("one {wanted}: {:?}", self.lines) };
        one
    }
}

pub(crate) fn run(args: &str) -> Run {
    let Output { status, stdout, stderr } = sidestack(args);
    let exit = status.code().expect("it was not killed");
    assert!(stderr.is_empty(), "{args}: {}", String::from_utf8_lossy(&stderr));
    check(&String::from_utf8(stdout).expect("UTF-8"), exit, args)
}

/// What `sniff -j` says of a capture of these frames, with the octets that each had on the wire.
pub(crate) fn sniffed(name: &str, frames: &[(&str, u32)]) -> Run {
    let dir = env!("CARGO_TARGET_TMPDIR");
    let path = format!("{dir}/json-{}-{name}.pcap", std::process::id());
    fs::write(&path, pcap(frames)).expect("a file can be written");
    let run = run(&format!("sniff -j -r {path}"));
    fs::remove_file(&path).expect("it is there");
    run
}

/// Holds what was said to the schema, and to what must stand first and last.
pub(crate) fn check(said: &str, exit: i32, args: &str) -> Run {
    let lines: Vec<Value> = said.lines().map(record).collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        panic!("{args}: not a line")
    };
    let opened = !matches!(type_of(first), "error" | "interface");
    let starts = lines.iter().filter(|line| type_of(line) == "start").count();
    assert_eq!(starts, usize::from(opened), "{args}: {said}");
    assert!(!opened || type_of(first) == "start", "{args}: {said}");
    if first["cmd"] == "ping" {
        let summaries = lines.iter().filter(|line| type_of(line) == "summary").count();
        assert_eq!(first["targets"].as_array().map(Vec::len), Some(summaries), "{args}: {said}");
    }
    let ends = lines.iter().filter(|line| type_of(line) == "end").count();
    assert_eq!((ends, &last["type"], &last["exit"]), (1, &json!("end"), &json!(exit)), "{args}");
    Run { lines, exit }
}

fn type_of(line: &Value) -> &str {
    line["type"].as_str().unwrap_or_default()
}
