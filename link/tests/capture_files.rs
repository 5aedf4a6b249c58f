//! Captures in either form, in one file or several, and what other programs make of them.

mod script;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{Arc, Mutex},
    time::Duration,
};

use etherparse::EtherType;
use script::{Script, THEM, WALL, facts, frame};
use sidestack_link::{
    Cast, Direction, FrameIo, FrameTx, Wait,
    capture::{Captured, Format, Reader, Recorder, Writer, numbered},
};

#[test]
fn classic_pcap_is_read_octet_for_octet_and_stamp_for_stamp() {
    let frames = some_frames();
    let mut writer = Writer::with_format(Format::Pcap, "eth0", Vec::new()).unwrap();
    write(&mut writer, &frames);
    let file = writer.finish().unwrap();
    assert_eq!(file[..4], 0xa1b2_3c4d_u32.to_ne_bytes(), "the magic of nanoseconds");
    assert_eq!(file.len(), 24 + frames.iter().map(|kept| 16 + kept.octets.len()).sum::<usize>());
    let undirected = frames.into_iter().map(|kept| Kept { outbound: None, ..kept });
    assert_eq!(read(&file), undirected.collect::<Vec<_>>());
}

#[test]
fn a_recorder_writes_both_directions_to_classic_pcap_too() {
    let answer = (facts(Direction::Received, Cast::Host, 2_000), frame(b"\x08\x00answer"));
    let request = (facts(Direction::Sent, Cast::Other, 1_999), frame(b"\x08\x00request"));
    let mut script = Script::new([vec![answer.clone()], vec![request.clone()]]);
    script.returns_sent = true;
    let writer = Writer::with_format(Format::Pcap, "eth0", Vec::new()).unwrap();
    let mut recorder = Recorder::over(script, writer);
    let now = recorder.now();
    while recorder.recv(now, &mut |_, _| ()).unwrap() > 0 {}
    let recorded = read(&recorder.finish().1.unwrap());
    let recorded: Vec<_> = recorded.into_iter().map(|kept| (kept.stamp, kept.octets)).collect();
    let at = |nanoseconds| WALL + Duration::from_nanos(nanoseconds);
    assert_eq!(recorded, [(at(1_999), request.1), (at(2_000), answer.1)]);
}

#[test]
fn a_stamp_beyond_classic_pcap_is_written_as_its_last() {
    let late = Kept { stamp: Duration::MAX, ..some_frames().remove(0) };
    let mut writer = Writer::with_format(Format::Pcap, "eth0", Vec::new()).unwrap();
    write(&mut writer, &[late]);
    let last = Duration::new(u32::MAX.into(), 999_999_999);
    assert_eq!(read(&writer.finish().unwrap())[0].stamp, last);
}

#[test]
fn the_name_of_a_file_says_its_form() {
    assert_eq!(Format::of(Path::new("a/b.pcap")), Format::Pcap);
    for name in ["b.pcapng", "b", ".pcap", "pcap", "b.pcap.gz", "b.PCAP"] {
        assert_eq!(Format::of(Path::new(name)), Format::PcapNg, "{name}");
    }
}

#[test]
fn files_are_counted_as_tcpdump_counts_them() {
    let names: Vec<_> = numbered(Path::new("dir/a.pcap")).take(4).collect();
    assert_eq!(names, ["dir/a.pcap", "dir/a.pcap1", "dir/a.pcap2", "dir/a.pcap3"].map(Path::new));
}

#[test]
fn no_file_is_longer_than_said_and_each_is_whole_whenever_it_is_looked_at() {
    for format in [Format::Pcap, Format::PcapNg] {
        let (shelf, frames) = (Shelf::default(), some_frames());
        let mut writer = shelf.writer(format, 400);
        for n in 0..frames.len() {
            write(&mut writer, &frames[n..=n]);
            writer.flush().unwrap();
            assert_eq!(shelf.stamps(), stamps(&frames[..=n]), "{format:?}");
        }
        writer.finish().unwrap();
        let files = shelf.files();
        let (long, short): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.len() > 400);
        assert!(short.len() > 2, "{} files", files.len());
        assert_eq!(long.len(), 1, "the frame that is longer itself");
        assert!(long.iter().all(|file| read(file).len() == 1));
    }
}

#[test]
fn a_limit_is_met_to_the_octet() {
    let record = Kept { octets: vec![7; 60], ..some_frames().remove(0) };
    let two = 24 + 2 * (16 + 60);
    for (limit, files) in [(two, [2, 2]), (two - 1, [1, 1]), (two + 1, [2, 2])] {
        let shelf = Shelf::default();
        let mut writer = shelf.writer(Format::Pcap, limit);
        for _ in 0..4 {
            write(&mut writer, std::slice::from_ref(&record));
        }
        writer.finish().unwrap();
        let counts: Vec<_> = shelf.files().iter().map(|file| read(file).len()).collect();
        assert_eq!(counts[..2], files, "{limit}");
    }
}

#[test]
fn a_recorder_goes_on_in_the_next_file() {
    let shelf = Shelf::default();
    let batch = (0..20).map(|n| (facts(Direction::Received, Cast::Host, n), frame(b"\x08\x06x")));
    let script = Script::new([batch.collect()]);
    let mut recorder = Recorder::over(script, shelf.writer(Format::PcapNg, 500));
    recorder.send(THEM, EtherType::ARP, 0, &mut |_| ()).unwrap();
    let now = recorder.now();
    while recorder.recv(now, &mut |_, _| ()).unwrap() > 0 {}
    assert!(shelf.files().len() > 2);
    assert_eq!(shelf.stamps().len(), 21, "each file is whole though none is finished");
    recorder.finish().1.unwrap();
    assert_eq!(shelf.stamps().len(), 21);
}

#[test]
fn without_a_next_file_what_was_written_is_whole_and_the_failure_is_told() {
    let shelf = Shelf::default();
    let first = shelf.next();
    let writer = Writer::with_format(Format::Pcap, "eth0", first).unwrap();
    let mut writer = writer.rotating(200, || Err(io::ErrorKind::StorageFull.into()));
    let frames = some_frames();
    let failed = frames.iter().map(|kept| writer.write(&kept.captured())).find(Result::is_err);
    assert_eq!(failed.unwrap().unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(writer.finish().is_err(), "and not forgotten");
    assert_ne!(read(&shelf.files()[0]), []);
}

#[test]
fn what_we_write_others_read_and_what_they_write_we_read() {
    for format in [Format::Pcap, Format::PcapNg] {
        let ours = Temporary::new("ours");
        let frames = some_frames();
        let mut writer =
            Writer::with_format(format, "eth0", fs::File::create(&ours.0).unwrap()).unwrap();
        write(&mut writer, &frames);
        writer.finish().unwrap();
        for (program, args) in [
            ("tcpdump", "--time-stamp-precision=nano -n"),
            ("tshark", "-F nsecpcap -n"),
            ("tshark", "-F pcapng -n"),
        ] {
            if Command::new(program).arg("--version").output().is_err() {
                assert!(env::var_os("CI").is_none(), "{program} is missing");
                println!("left out: {program} is not installed");
                continue;
            }
            let theirs = Temporary::new("theirs");
            let mut command = Command::new(program);
            command.args(args.split(' ')).arg("-r").arg(&ours.0).arg("-w").arg(&theirs.0);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{program}: {output:?}");
            let same: Vec<_> = read(&fs::read(&theirs.0).unwrap())
                .into_iter()
                .map(|kept| (kept.stamp, kept.len, kept.octets))
                .collect();
            let expected: Vec<_> =
                frames.iter().map(|kept| (kept.stamp, kept.len, kept.octets.clone())).collect();
            assert_eq!(same, expected, "{format:?} by {program} {args}");
        }
    }
}

/// A frame of a capture, owned.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Kept {
    stamp: Duration,
    outbound: Option<bool>,
    len: usize,
    octets: Vec<u8>,
}

impl Kept {
    fn captured(&self) -> Captured<'_> {
        let Self { stamp, outbound, len, ref octets } = *self;
        Captured { stamp, outbound, len, octets }
    }
}

/// Of many lengths, one of them longer than a small file, one captured in part; to the nanosecond.
fn some_frames() -> Vec<Kept> {
    let lens = [60, 61, 62, 63, 64, 14, 1_514, 128, 60, 100, 90, 80];
    let frames = lens.into_iter().zip(0_u32..).map(|(captured, n)| Kept {
        stamp: Duration::new(1_800_000_000 + u64::from(n), 999_999_989 + n % 11),
        outbound: Some(n % 2 == 0),
        len: if n == 7 { 1_000 } else { captured },
        octets: (0..captured).map(|at| (at as u32 * 7 + n) as u8).collect(),
    });
    frames.collect()
}

fn write<W: Write>(writer: &mut Writer<W>, frames: &[Kept]) {
    frames.iter().for_each(|kept| writer.write(&kept.captured()).unwrap());
}

fn read(file: &[u8]) -> Vec<Kept> {
    let mut reader = Reader::new(file).unwrap();
    let mut frames = Vec::new();
    let mut each = |captured: Captured<'_>| {
        let Captured { stamp, outbound, len, octets } = captured;
        frames.push(Kept { stamp, outbound, len, octets: octets.to_vec() });
    };
    while reader.next_frame(&mut each).unwrap() {}
    frames
}

fn stamps(frames: &[Kept]) -> Vec<Duration> {
    frames.iter().map(|kept| kept.stamp).collect()
}

/// Files in memory, in the order in which they were begun.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Volume>>>);

impl Shelf {
    fn writer(&self, format: Format, limit: u64) -> Writer<Volume> {
        let shelf = self.clone();
        let writer = Writer::with_format(format, "eth0", self.next()).unwrap();
        writer.rotating(limit, move || Ok(shelf.next()))
    }

    fn next(&self) -> Volume {
        let file = Volume::default();
        self.0.lock().unwrap().push(file.clone());
        file
    }

    fn files(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().iter().map(|file| file.0.lock().unwrap().clone()).collect()
    }

    /// Those of all frames in all files, each of which must be whole.
    fn stamps(&self) -> Vec<Duration> {
        self.files().iter().flat_map(|file| stamps(&read(file))).collect()
    }
}

#[derive(Clone, Default)]
struct Volume(Arc<Mutex<Vec<u8>>>);

impl Write for Volume {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The path of a file that is gone when this is.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("sidestack-files-{}-{name}", process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // it may never have been made
    }
}
