use crate::{
    args::{Global, Ping},
    failure::Failure,
};

/// Refuses letters that mean nothing to many targets, or nothing together.
pub(super) fn refuse(global: &Global, args: &Ping) -> Result<(), Failure> {
    if let Some(letter) = args.letters.given() {
        let (to, hint) = match args.many.as_fping {
            true => ("to fping", "ping asks one target with it"),
            false => ("to many targets", "give one target"),
        };
        return none(letter, to, hint);
    }
    if global.via.is_some() {
        let hint = "name a router by --gateway, or a neighbour as IP@MAC";
        return none("--via", "to many targets", hint);
    }
    let (many, is_series) = (&args.many, args.rounds().is_some());
    let repeats = many.retries.map_or(!is_series, |retries| retries > 0);
    if many.backoff.is_some() && !repeats {
        return none("-B", "where nothing is asked again", "-r says how often");
    }
    if many.outage && args.count.is_none() {
        let hint = "-c has a line for it; that of -C has round trips alone";
        return none("-o", "without -c", hint);
    }
    if many.period.is_some() && !is_series {
        return none("--period", "where each is asked once", "-c or -C asks again");
    }
    if args.timestamps && (global.json || !args.shows_each()) {
        let hint = "-c and -C have such lines; each line of -j has its time anyway";
        return none("-D", "where no line is shown for an answer", hint);
    }
    let lists = [(many.alive, "-a"), (many.unreachable, "-u"), (many.elapsed, "-e")];
    if let Some((_, letter)) = lists.into_iter().find(|(given, _)| *given && global.json) {
        return none(letter, "to -j", "its lines say all of each target");
    }
    let tells_of_each = many.alive || !(is_series || args.is_quiet());
    if many.elapsed && (many.unreachable || !tells_of_each) {
        let (to, hint) = match is_series {
            true => ("in a series", "its lines have round trips anyway; -a lists who answers"),
            false => ("where nobody who answers is shown", "-a shows who answers"),
        };
        return none("-e", to, hint);
    }
    Ok(())
}

/// Refuses a list of round trips too long to be kept.
pub(super) fn check_list(args: &Ping, targets: u64) -> Result<(), Failure> {
    let listed = args.many.vcount.map_or(0, |rounds| rounds.saturating_mul(targets));
    if listed <= MOST_LISTED {
        return Ok(());
    }
    let why = format!("-C: {listed} round trips are too many to keep: at most {MOST_LISTED}");
    Err(Failure::usage(why).hint("-c keeps none, and -j tells them as they come"))
}

fn none(letter: &str, to: &str, hint: &str) -> Result<(), Failure> {
    Err(Failure::usage(format!("{letter} means nothing {to}")).hint(hint))
}

/// Round trips that -C may have to keep: 256 MiB of them.
const MOST_LISTED: u64 = 1 << 24;
