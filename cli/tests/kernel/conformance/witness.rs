//! A second reader of what the host sends: tshark, where it is installed.

use std::{
    env, fs, io,
    path::PathBuf,
    process::{self, Command},
};

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::Signal;

use super::{
    Row, arp, ethernet, fragments, icmp, ip,
    packet::{HOST_MAC, Ip},
    wire::Wire,
};
use crate::{peers::left_out, run::Tested};

pub(crate) fn trial() -> Trial {
    Trial::test("IP-1_tshark_finds_nothing_wrong_with_what_the_host_sends", nothing_wrong)
}

/// The host records what it does while it is asked all that the rows ask.
fn nothing_wrong() -> Tested {
    let file = env::temp_dir().join(format!("sidestack-witness-{}.pcap", process::id()));
    let file = Temporary(file);
    let path = file.0.display();
    let args = "-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03 --gateway 10.77.0.254";
    let mut wire = Wire::serving(&format!("{args} --pcap {path}"))?;
    for (_, row) in quick() {
        row(&mut wire);
    }
    wire.answer(&Ip::echo(1, 8).frame());
    wire.serve().signal(Signal::SIGINT)?;
    wire.serve().until(r#""type":"end""#)?;
    let of_host = format!("eth.src == {}", colons(HOST_MAC.as_bytes()));
    let Some(all) = frames(&file, &of_host)? else { return Ok(()) };
    assert!(all.len() > 400, "only {} frames", all.len());
    let wrong = "_ws.malformed or ip.checksum.status == 0 or icmp.checksum.status == 0 or \
                 ip.len < 20 or ip.ttl == 0 or ip.flags.rb == 1 or eth.src.ig == 1";
    let wrong = frames(&file, &format!("{of_host} and ({wrong})"))?.unwrap_or_default();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// The rows that leave the host as they found it, its patience with errors too, and do not wait.
fn quick() -> impl Iterator<Item = &'static Row> {
    let others = ["ARP-12", "ACD-", "LNK-3", "ICMP-14", "SEC-"];
    let themes = [ethernet::ROWS, arp::ROWS, ip::ROWS, icmp::ROWS];
    let rows = themes.into_iter().flatten();
    let rows = rows.filter(move |(name, _)| !others.iter().any(|id| name.starts_with(id)));
    rows.chain(fragments::ROWS.iter().filter(|(name, _)| name.starts_with("FRG-2")))
}

/// What tshark shows of a capture, a line a frame; `None`, with a word, where it is missing.
fn frames(file: &Temporary, filter: &str) -> Result<Option<Vec<String>>, Failed> {
    let mut tshark = Command::new("tshark");
    tshark.env("HOME", env::temp_dir()); // nobody's preferences
    tshark.args(["-n", "-o", "ip.check_checksum:TRUE", "-o", "ip.defragment:FALSE"]);
    let output = match tshark.args(["-Y", filter, "-r"]).arg(&file.0).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return left_out("tshark").map(|()| None);
        }
        output => output?,
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(Some(text.lines().map(str::to_owned).collect()))
}

fn colons(octets: &[u8]) -> String {
    let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    octets.join(":")
}

/// A file that is gone when this is.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // it may never have been made
    }
}
