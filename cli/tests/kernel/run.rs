//! The program as a child, and what it said.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use libtest_mimic::{Failed, Trial};
use link::namespace::Namespace;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::schema::record;

pub(crate) type Tested = Result<(), Failed>;

/// In which form the program is asked to speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// A test of what the program says to people, and one of what it says to programs.
pub(crate) fn both(name: &str, run: fn(Form) -> Tested) -> [Trial; 2] {
    [
        Trial::test(name, move || run(Form::Text)),
        Trial::test(format!("{name}_in_json"), move || run(Form::Json)),
    ]
}

/// The program at work; it does not outlive this.
pub(crate) struct Run {
    child: Child,
    form: Form,
    lines: Receiver<String>,
    heard: Vec<String>,
    errors: Option<JoinHandle<String>>,
}

impl Run {
    /// Starts it in `namespace`, with the arguments that are between the spaces of `args`.
    pub(crate) fn start(namespace: &Namespace, form: Form, args: &str) -> Result<Self, Failed> {
        namespace.run(|| Self::start_here(form, args.split_whitespace()))
    }

    /// Starts it where the thread is, with its privileges.
    pub(crate) fn start_here<'a>(
        form: Form,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Failed> {
        let mut command = Command::new(PROGRAM);
        command.args((form == Form::Json).then_some("-j")).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let out = child.stdout.take().expect("it is piped");
        let mut err = child.stderr.take().expect("it is piped");
        let (heard, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = heard.send(line); // the test may have failed meanwhile
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text); // what there is of it
            text
        });
        Ok(Self { child, form, lines, heard: Vec::new(), errors: Some(errors) })
    }

    /// Waits for a line in which there is `part`.
    pub(crate) fn until(&mut self, part: &str) -> Result<&str, Failed> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.map_err(|_| format!("no line with {part:?}: {:#?}", self.heard))?;
            let found = line.contains(part);
            self.heard.push(line);
            if found {
                return Ok(self.heard.last().expect("just pushed"));
            }
        }
    }

    /// Waits for the `n`th answer.
    pub(crate) fn until_reply(&mut self, n: u32) -> Tested {
        let part = match self.form {
            Form::Text => format!("icmp_seq={n} ttl="),
            Form::Json => format!(r#""seq":{n},"bytes""#),
        };
        self.until(&part).map(drop)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Tested {
        Ok(kill(self.pid(), signal)?)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Waits for its end, which must have this exit code.
    pub(crate) fn ends(mut self, code: i32) -> Result<Said, Failed> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("it does not end: {:#?}", self.heard).into());
                }
            }
        }
        let ended = self.child.wait()?.code();
        let errors = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        let out = std::mem::take(&mut self.heard);
        if ended != Some(code) {
            return Err(format!("exit code {ended:?}, not {code}: {out:#?}\n{errors}").into());
        }
        let said = Said { form: self.form, records: Said::parse(self.form, &out), out, errors };
        if self.form == Form::Json {
            let last = said.records.last().ok_or("nothing was said")?;
            assert_eq!((&last["type"], &last["exit"]), (&"end".into(), &code.into()));
            assert_eq!(said.of("end").count(), 1);
            assert_eq!(said.errors, "");
        }
        Ok(said)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it has ended, unless the test has failed
        let _ = self.child.wait();
    }
}

/// Runs it to its end.
pub(crate) fn run(
    namespace: &Namespace,
    form: Form,
    args: &str,
    code: i32,
) -> Result<Said, Failed> {
    Run::start(namespace, form, args)?.ends(code)
}

/// All that the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) form: Form,
    pub(crate) out: Vec<String>,
    pub(crate) errors: String,
    records: Vec<Value>,
}

impl Said {
    /// Lines for programs of one type.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.records.iter().filter(move |record| record["type"] == kind)
    }

    /// Whether a line for people has `part` in it.
    pub(crate) fn says(&self, part: &str) -> bool {
        self.out.iter().any(|line| line.contains(part)) || self.errors.contains(part)
    }

    /// Sequence numbers of the answers that count.
    pub(crate) fn replies(&self) -> Vec<u64> {
        let from_text =
            self.out.iter().filter(|line| line.ends_with(" ms") || line.contains("arp="));
        let from_text = from_text.filter_map(|line| {
            let (_, rest) = line.split_once("icmp_seq=")?;
            rest.split_once(" ttl=")?.0.parse().ok()
        });
        match self.form {
            Form::Text => from_text.collect(),
            Form::Json => self.of("reply").filter_map(|reply| reply["seq"].as_u64()).collect(),
        }
    }

    /// Requests that left, and answers, as the summary has them.
    pub(crate) fn counts(&self) -> Result<(u64, u64), Failed> {
        if self.form == Form::Json {
            return Ok((self.total("sent")?, self.total("received")?));
        }
        let line = self.out.iter().find(|line| line.contains(" packets transmitted, "));
        let mut words = line.ok_or("no summary")?.split(' ');
        let sent = words.next().ok_or("no count")?.parse()?;
        Ok((sent, words.nth(2).ok_or("no count")?.parse()?))
    }

    /// A number of the one summary.
    pub(crate) fn total(&self, key: &str) -> Result<u64, Failed> {
        let mut summaries = self.of("summary");
        let (summary, more) = (summaries.next().ok_or("no summary")?, summaries.next());
        assert_eq!(more, None);
        Ok(summary[key].as_u64().ok_or_else(|| format!("no {key} in {summary}"))?)
    }

    fn parse(form: Form, out: &[String]) -> Vec<Value> {
        match form {
            Form::Text => Vec::new(),
            Form::Json => out.iter().map(|line| record(line)).collect(),
        }
    }
}

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sidestack");

/// Longer than anything takes that will happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
