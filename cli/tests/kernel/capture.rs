//! What --pcap writes.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Duration,
};

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::Signal;
use pcap_file::pcapng::{Block, PcapNgReader, blocks::enhanced_packet::EnhancedPacketOption};

use crate::{
    net::{Net, US},
    raw,
    run::{Form, Run, Tested, both},
    tap::{Seen, Tap},
};

pub(crate) fn tests() -> Vec<Trial> {
    both("a_capture_holds_every_frame_of_either_direction_in_order", whole).into()
}

fn whole(form: Form) -> Tested {
    let net = Net::new()?;
    let file = Temporary::new(form);
    let (mut far, mut near) = (net.tap()?, Tap::open(&net.here, "v0")?);
    let path = file.0.display();
    let args = "-I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1";
    let mut program = Run::start(&net.here, form, &format!("ping -i 0.05 --pcap {path} {args}"))?;
    program.until_reply(3)?;
    assert_eq!(raw::ping(&net.far, US)?, US);
    program.until_reply(5)?;
    program.signal(Signal::SIGINT)?;
    program.ends(0)?;
    let records = records(&file.0)?;
    assert!(records.is_sorted_by_key(|record| record.at));
    let of = |direction| records.iter().filter(move |record| record.direction == direction);
    assert_same(of(OUTBOUND), far.seen()?);
    // What arrived after the program had looked for the last time is in no capture of its.
    let mut arrived = near.seen()?;
    arrived.truncate(of(INBOUND).count());
    assert!(arrived.len() >= 7, "a neighbour, five replies and a request");
    assert_same(of(INBOUND), arrived);
    assert!(records.iter().all(|record| record.direction & INBOUND_OR_OUT != 0));
    tshark(&file.0, records.len())
}

fn assert_same<'a>(records: impl Iterator<Item = &'a Record>, seen: Vec<Seen>) {
    let records: Vec<&Vec<u8>> = records.map(|record| &record.octets).collect();
    let seen: Vec<&Vec<u8>> = seen.iter().map(|seen| &seen.octets).collect();
    assert_eq!(records, seen);
}

/// Where it is installed, another reader finds as many frames, and nothing wrong with any.
fn tshark(path: &Path, frames: usize) -> Tested {
    let read = |filter: &str| {
        let mut tshark = Command::new("tshark");
        tshark.args(["-n", "-o", "ip.check_checksum:TRUE", "-Y", filter, "-r"]).arg(path).output()
    };
    let output = match read("frame") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("tshark is not installed: left out");
            return Ok(());
        }
        output => output?,
    };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout.split(|&octet| octet == b'\n').count() - 1, frames);
    let wrong = read("_ws.malformed or ip.checksum.status == 0 or icmp.checksum.status == 0")?;
    assert!(wrong.status.success() && wrong.stdout.is_empty(), "{wrong:?}");
    Ok(())
}

fn records(path: &Path) -> Result<Vec<Record>, Failed> {
    let octets = fs::read(path)?;
    let mut reader = PcapNgReader::with_capacity(&octets[..], 1 << 16)?;
    let mut records = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block?.0 else { continue };
        let [EnhancedPacketOption::Flags(flags)] = packet.options[..] else {
            return Err(format!("no direction: {packet:?}").into());
        };
        assert_eq!(packet.original_len as usize, packet.data.len());
        let (at, direction) = (packet.timestamp, flags & INBOUND_OR_OUT);
        records.push(Record { at, direction, octets: packet.data.into_owned() });
    }
    Ok(records)
}

struct Record {
    at: Duration,
    direction: u32,
    octets: Vec<u8>,
}

/// The path of a file that is gone when this is.
struct Temporary(PathBuf);

impl Temporary {
    fn new(form: Form) -> Self {
        let name = format!("sidestack-kernel-{}-{form:?}.pcapng", process::id());
        Self(env::temp_dir().join(name))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // it may never have been made
    }
}

/// Direction bits of epb_flags (draft-ietf-opsawg-pcapng §4.3.1).
const INBOUND: u32 = 0b01;
const OUTBOUND: u32 = 0b10;
const INBOUND_OR_OUT: u32 = 0b11;
