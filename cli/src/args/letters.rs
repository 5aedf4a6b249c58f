use clap::{Args, ValueEnum};

/// What only one target can be asked with.
#[derive(Args)]
#[command(next_help_heading = "One target")]
pub(crate) struct Letters {
    /// Ask again as soon as an answer has come, or 10 ms have passed; -i sets a pace instead
    ///
    /// Up to 32 requests are under way at once, or as many as -l says. No line for each: on a
    /// terminal a dot, which the answer takes away again.
    #[arg(short = 'f', long, conflicts_with_all = ["adaptive", "outstanding", "timestamps",
        "record_route", "record_times"])]
    pub(crate) flood: bool,
    /// Ask again as soon as the answer has come, or a second has passed
    #[arg(short = 'A', long, conflicts_with = "interval")]
    pub(crate) adaptive: bool,
    /// Ask so often at once, before waiting for any answer; with -f and -A, always have so many
    /// under way
    #[arg(
        short = 'l', long, value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=PRELOADED)
    )]
    pub(crate) preload: Option<u16>,
    /// Have the addresses on the way recorded, nine at most, and show them
    #[arg(short = 'R', long, conflicts_with = "record_times")]
    pub(crate) record_route: bool,
    /// Have the times of day on the way recorded, and show them
    #[arg(short = 'T', long, value_name = "HOW")]
    pub(crate) record_times: Option<Times>,
    /// When the next request is due, tell that the one before has no answer yet
    #[arg(short = 'O', long)]
    pub(crate) outstanding: bool,
}

/// What -T has recorded.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum Times {
    /// Nine times
    #[value(name = "tsonly")]
    Only,
    /// Four times, and whose they are
    #[value(name = "tsandaddr")]
    AndAddresses,
}

impl Letters {
    /// The letter, if one was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let Self { flood, adaptive, preload, record_route, record_times, outstanding } = self;
        let letters = [
            (*flood, "-f"),
            (*adaptive, "-A"),
            (preload.is_some(), "-l"),
            (*record_route, "-R"),
            (record_times.is_some(), "-T"),
            (*outstanding, "-O"),
        ];
        letters.into_iter().find_map(|(given, letter)| given.then_some(letter))
    }
}

/// As many sequence numbers as can be under way without one being met again too soon.
const PRELOADED: i64 = 16_384;
