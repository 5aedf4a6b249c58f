use std::time::Duration;

use clap::Args;

use super::{Global, Thresholds};
use crate::{failure::Failure, value};

#[derive(Args)]
pub(crate) struct Arp {
    /// Whom to ask for; or `probe ADDR`, which is -D, or `announce ADDR`, which is -U
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Probe whether anybody uses the address (RFC 5227): 0 if it is free
    #[arg(
        short = 'D', long, conflicts_with_all = ["announce", "advertise", "count", "interval",
        "deadline", "first", "max_loss", "max_rtt", "min_replies", "expect_mac"]
    )]
    pub(crate) probe: bool,
    /// Announce the address by requests
    #[arg(short = 'U', long, conflicts_with_all = ["advertise", "first", "max_loss", "max_rtt",
        "min_replies", "expect_mac"])]
    pub(crate) announce: bool,
    /// Announce the address by replies
    #[arg(
        short = 'A', long, conflicts_with_all = ["first", "max_loss", "max_rtt", "min_replies",
        "expect_mac"]
    )]
    pub(crate) advertise: bool,
    /// Ask this many times, one second apart or more, instead of until it answers
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Between two requests, 1s by default and at least; between two announcements, 2s
    #[arg(short, long, value_name = "DUR", value_parser = value::arp_interval)]
    pub(crate) interval: Option<Duration>,
    /// Stop after this long, whatever has come
    #[arg(short = 'w', long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// With -c: stop at the first answer
    #[arg(short = 'f', long)]
    pub(crate) first: bool,
    /// Only the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) thresholds: Thresholds,
}

impl Arp {
    /// Takes the word that comes before an address for the letter that it stands for; and, where
    /// none comes after `announce`, that of -S.
    ///
    /// # Errors
    /// Where the word stands elsewhere, beside letters that mean nothing to it, or for nothing.
    pub(super) fn obey(&mut self, global: &mut Global) -> Result<(), Failure> {
        let is_word = |text: &String| WORDS.contains(&text.as_str());
        if let Some(word) = self.targets.iter().skip(1).find(|text| is_word(text)) {
            return Err(Failure::usage(format!("{word} comes before the address")));
        }
        let Some(word) = self.targets.first().filter(|text| is_word(text)).cloned() else {
            return Ok(());
        };
        let foreign = match word.as_str() {
            PROBE => self.foreign_to_probe(),
            ANNOUNCE => self.probe.then_some("-D").or_else(|| self.of_answers()),
            _ => {
                let why = format!("arp {word}: each run has its own, which ends with it");
                return Err(Failure::usage(why).hint("scan --arp finds who is where"));
            }
        };
        if let Some(letter) = foreign {
            return Err(Failure::usage(format!("{letter} means nothing to arp {word}")));
        }
        self.targets.remove(0);
        if word == PROBE {
            self.probe = true;
        } else {
            self.announce = !self.advertise;
            if self.targets.is_empty() {
                self.targets.extend(global.sources.pop().map(|source| source.addr.to_string()));
            }
        }
        let [_] = self.targets[..] else {
            return Err(Failure::usage(format!("arp {word}: name one address")));
        };
        Ok(())
    }

    fn foreign_to_probe(&self) -> Option<&'static str> {
        let letters = [
            (self.announce, "-U"),
            (self.advertise, "-A"),
            (self.count.is_some(), "-c"),
            (self.interval.is_some(), "-i"),
            (self.deadline.is_some(), "-w"),
        ];
        let given = letters.into_iter().find(|(given, _)| *given);
        given.map(|(_, letter)| letter).or_else(|| self.of_answers())
    }

    /// A letter that only answers give a meaning.
    fn of_answers(&self) -> Option<&'static str> {
        let thresholds = self.thresholds.are_given().then_some("a threshold");
        self.first.then_some("-f").or(thresholds)
    }
}

const PROBE: &str = "probe";

const ANNOUNCE: &str = "announce";

/// What comes before an address, and is no name of a host.
const WORDS: [&str; 3] = [PROBE, ANNOUNCE, "table"];
