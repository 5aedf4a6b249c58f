//! Sweeps that are cut at any moment.

use std::{collections::BTreeSet, fs, sync::mpsc::channel, time::Duration};

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    net::Net,
    others::{serve, stop},
    run::{Form, Run, Said, Tested, run},
    scan::US,
};

pub(crate) fn tests() -> Vec<Trial> {
    let scan = |seed| {
        let name = format!("a_scan_cut_at_random_moment_{seed}_is_whole_and_is_gone_on_with");
        Trial::test(name, move || scan(seed))
    };
    let ping = |seed| {
        let name = format!("a_ping_of_many_cut_at_random_moment_{seed}_is_whole");
        Trial::test(name, move || ping(seed))
    };
    (1..=MOMENTS).map(scan).chain((1..=MOMENTS).map(ping)).collect()
}

fn scan(seed: u64) -> Tested {
    let net = Net::new()?;
    let served = serve(&net.far, HOSTS)?;
    let args = format!("scan {US} -r 0 -R --seed {seed} --rate 400 10.77.0.0/24");
    let first = cut(&net, Form::Json, &args, seed)?;
    assert_eq!(scanned(&first)?["interrupted"], true);
    let path = std::env::temp_dir().join(format!("scan-{}-{seed}.jsonl", std::process::id()));
    fs::write(&path, first.out.join("\n") + "\n")?;
    let args = format!("scan {US} -r 0 --rate 400 --resume {}", path.display());
    let rest = run(&net.here, Form::Json, &args, 0);
    fs::remove_file(&path)?;
    let rest = rest?;
    assert_eq!(scanned(&rest)?["interrupted"], false);
    let whole = |said: &Said| -> Vec<String> {
        let whole = said.of("host").filter(|host| host["interrupted"] == false);
        whole.filter_map(|host| host["ip"].as_str().map(str::to_owned)).collect()
    };
    let mut covered = whole(&first);
    covered.extend(whole(&rest));
    let different: BTreeSet<&String> = covered.iter().collect();
    assert_eq!((covered.len(), different.len()), (253, 253), "each exactly once");
    let up = |said: &Said| -> Vec<String> {
        let up = said.of("host").filter(|host| host["state"] == "up");
        up.filter_map(|host| host["ip"].as_str().map(str::to_owned)).collect()
    };
    let found: BTreeSet<String> = up(&first).into_iter().chain(up(&rest)).collect();
    let all: BTreeSet<String> =
        [1, 2].into_iter().chain(64..96).map(|n| format!("10.77.0.{n}")).collect();
    assert_eq!(found, all);
    stop(served)
}

/// Every second time for people, else for programs.
fn ping(seed: u64) -> Tested {
    let net = Net::new()?;
    let served = serve(&net.far, HOSTS)?;
    let args = format!("ping {US} -c 9 --seed {seed} --rate 400 10.77.0.1-2 10.77.0.60-95");
    if seed.is_multiple_of(2) {
        let said = cut(&net, Form::Text, &args, seed)?;
        let whole =
            |line: &String| line.ends_with("% loss)") || line.ends_with(" no ARP reply yet");
        assert!(said.out.iter().all(whole), "{said:#?}");
        let sums = said.errors.lines().filter(|line| line.contains(" : xmt/rcv/%loss = "));
        let named: BTreeSet<&str> =
            said.out.iter().filter_map(|line| line.split(' ').next()).collect();
        let summed: Vec<&str> = sums.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(summed.len(), named.len(), "{said:#?}");
        assert_eq!(summed.into_iter().collect::<BTreeSet<_>>(), named);
        return stop(served);
    }
    let said = cut(&net, Form::Json, &args, seed)?;
    let summaries: Vec<&Value> = said.of("summary").collect();
    let named: BTreeSet<String> = summaries.iter().map(|is| is["dst"].to_string()).collect();
    assert_eq!(named.len(), summaries.len(), "each exactly once");
    for summary in summaries {
        let replies = said.of("reply").filter(|reply| reply["dst"] == summary["dst"]).count();
        assert_eq!(summary["received"], replies);
        assert_eq!(summary["interrupted"], true);
    }
    let told: BTreeSet<String> = said.of("reply").map(|is| is["dst"].to_string()).collect();
    assert!(told.is_subset(&named));
    stop(served)
}

/// Runs what takes 1.6 s at least, and interrupts it at a moment of the first 1.4 s.
fn cut(net: &Net, form: Form, args: &str, seed: u64) -> Result<Said, Failed> {
    let mut program = Run::start(&net.here, form, args)?;
    if form == Form::Json {
        program.until(r#""type":"start""#)?;
    } else {
        program.until("")?;
    }
    let (_open, nothing) = channel::<()>();
    let _ = nothing.recv_timeout(moment(seed)); // nobody says anything
    program.signal(Signal::SIGINT)?;
    program.ends(130)
}

/// Some moment, the same for the same seed (SplitMix64).
fn moment(seed: u64) -> Duration {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Duration::from_micros((z ^ (z >> 31)) % 1_400_000)
}

fn scanned(said: &Said) -> Result<&Value, Failed> {
    Ok(said.of("scanned").next().ok_or("no figures")?)
}

/// How many moments are tried of each.
const MOMENTS: u64 = 20;

/// Besides 10.77.0.1, the kernel.
const HOSTS: &str = "-S 10.77.0.2/24 10.77.0.64/27";
