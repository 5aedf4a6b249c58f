//! Captures read back: ours and others', whole and broken.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use sidestack_link::{
    Direction, EtherType, FrameIo, FrameTx, MacAddr6, SendError, Wait,
    capture::{Captured, LinkType, Reader, Recorder, Replay, Writer},
    memory::Network,
};

#[test]
fn what_was_written_is_read_octet_for_octet_and_stamp_for_stamp() {
    let frames = [
        (Duration::new(1_700_000_000, 123_456_789), Some(false), 60, frame(1, 60)),
        (Duration::new(1_700_000_000, 123_456_790), Some(true), 61, frame(2, 61)),
        (Duration::new(1_700_000_001, 1), None, 1_500, frame(3, 96)),
        (Duration::ZERO, Some(true), 3, frame(4, 3)),
    ];
    let mut writer = Writer::new("eth0", Vec::new()).unwrap();
    for (stamp, outbound, len, octets) in &frames {
        let (stamp, outbound, len) = (*stamp, *outbound, *len);
        writer.write(&Captured { stamp, outbound, len, octets }).unwrap();
    }
    let file = writer.finish().unwrap();
    assert_eq!(read(&file).unwrap(), frames);
}

#[test]
fn what_a_recorder_wrote_is_read_octet_for_octet_and_stamp_for_stamp() {
    let network = Network::new();
    let mut far = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 2));
    let port = network.attach(MacAddr6::new(2, 0, 0, 0, 0, 1));
    let mut near = Recorder::new(port, "lab", Vec::new()).unwrap();
    let mut passed = Vec::new();
    for fill in 0..3 {
        far.send(MacAddr6::broadcast(), EtherType(0x0801), 50, &mut |out| out.fill(fill)).unwrap();
        far.flush().unwrap();
        near.wait(None, None).unwrap();
        let now = near.now();
        near.recv(now, &mut |frame, _| {
            let outbound = Some(frame.direction() == Direction::Sent);
            let octets = frame.octets().to_vec();
            passed.push((frame.stamp().since_epoch, outbound, octets.len(), octets));
        })
        .unwrap();
    }
    let (_, file) = near.finish();
    assert_eq!(passed.len(), 3);
    assert_eq!(read(&file.unwrap()).unwrap(), passed);
}

#[test]
fn pcap_is_read_in_either_resolution_and_order() {
    for (nanoseconds, stamp) in
        [(false, Duration::new(5, 123_456_000)), (true, Duration::new(5, 123_456))]
    {
        for big in [false, true] {
            let file = pcap(nanoseconds, big, 1, &[&frame(9, 20)]);
            assert_eq!(read(&file).unwrap(), [(stamp, None, 1_000, frame(9, 20))]);
        }
    }
}

#[test]
fn pcapng_of_either_order_is_read_with_microseconds_by_default() {
    for big in [false, true] {
        let file = pcapng(big, 1);
        let stamp = Duration::from_micros(0x0000_0001_0000_0002);
        assert_eq!(read(&file).unwrap(), [(stamp, Some(true), 20, frame(9, 20))]);
    }
}

#[test]
fn a_bad_option_of_an_interface_costs_nothing_but_itself() {
    let [name, unit, speed] = [(2, b"\xff\xfe..".to_vec()), (9, vec![9]), (8, vec![1, 2])];
    for big in [false, true] {
        let options = [name.clone(), unit.clone(), speed.clone()];
        let file = [section(big, 1), interface(big, 1, &options), packet(big, 0)].concat();
        let stamp = Duration::from_nanos(0x0000_0001_0000_0002);
        assert_eq!(read(&file).unwrap(), [(stamp, Some(true), 20, frame(9, 20))]);

        let mut cut = interface(big, 1, &[unit.clone(), speed.clone()]);
        let at = if big { 27 } else { 26 };
        cut[at] = 200; // the length of the last
        let file = [section(big, 1), cut, packet(big, 0)].concat();
        assert_eq!(read(&file).unwrap()[0].0, stamp);
    }
}

#[test]
fn each_section_has_its_own_order_and_interfaces() {
    let one = |big| [section(big, 1), interface(big, 1, &[]), packet(big, 0)].concat();
    let file = [one(false), one(true), one(false)].concat();
    assert_eq!(read(&file).unwrap().len(), 3);
    let file = [one(false), section(true, 1), packet(true, 0)].concat();
    let error = read(&file).unwrap_err().to_string();
    assert_eq!(error, "at octet 140: no interface 0");
}

#[test]
fn a_block_that_contradicts_itself_is_named_by_its_octet() {
    let head = [section(false, 1), interface(false, 1, &[])].concat();
    for (longs, why) in [
        (&[6, 64, 0, 1, 2, 48, 48][..], "a frame longer than its block"),
        (&[6, 65], "a block of 65 octets"),
        (&[6, 8], "a block of 8 octets"),
        (&[6, 4 << 20 | 4], "a block of 4194308 octets, more than 4 MiB"),
        (&[7, 12, 16], "a block of two lengths"),
        (&[6, 16, 0, 16], "a block too short for what it holds"),
        (&[0x0a0d_0d0a, 28, 5], "a section of no known order of octets"),
        (&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 2], "pcapng of version 2"),
    ] {
        let mut block = Numbers(false, Vec::new()).longs(longs.iter().copied()).1;
        let total = longs[1].next_multiple_of(4).clamp(12, 64) as usize;
        if block.len() < total {
            block.resize(total - 4, 0);
            block.extend((total as u32).to_le_bytes());
        }
        let error = read(&[&head[..], &block[..]].concat()).unwrap_err();
        assert_eq!(error.to_string(), format!("at octet 48: {why}"));
    }
}

#[test]
fn a_capture_of_no_ethernet_frame_is_refused_by_name() {
    let error = read(&pcap(true, false, 113, &[])).unwrap_err();
    assert_eq!(error.to_string(), "a capture of Linux cooked (113), not of Ethernet frames");
    let error = read(&pcapng(false, 300)).unwrap_err();
    assert_eq!(error.to_string(), "a capture of link type 300, not of Ethernet frames");
}

#[test]
fn frames_of_other_links_are_left_out_and_counted() {
    let kinds = [113, 1, 127].map(|link_type| interface(false, link_type, &[]));
    let packets = [0, 2, 1, 0, 1, 0].map(|id| packet(false, id));
    let file = [section(false, 1), kinds.concat(), packets.concat()].concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    let mut seen = 0;
    while reader.next_frame(&mut |_| seen += 1).unwrap() {}
    let foreign: Vec<_> = reader.foreign().collect();
    assert_eq!((seen, foreign), (2, vec![(LinkType(113), 3), (LinkType(127), 1)]));
    let names: Vec<_> = reader.foreign().map(|(link_type, _)| link_type.to_string()).collect();
    assert_eq!(names, ["Linux cooked (113)", "802.11 with radiotap (127)"]);
}

#[test]
fn a_file_that_is_cut_ends_with_the_octet_where_its_last_record_begins() {
    let file = pcap(true, false, 1, &[&frame(1, 60), &frame(2, 60)]);
    let mut seen = 0;
    let error = each(&file[..file.len() - 1], |_| seen += 1).unwrap_err();
    assert_eq!((seen, error.kind()), (1, io::ErrorKind::UnexpectedEof));
    assert!(error.to_string().starts_with("at octet 100: cut short"), "{error}");
    let file = pcapng(false, 1);
    let error = read(&file[..file.len() - 1]).unwrap_err();
    assert!(error.to_string().starts_with("at octet 48: cut short"), "{error}");
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    assert_eq!(read(b"abc").unwrap_err().to_string(), "too short for a capture");
    assert_eq!(read(b"Received: ").unwrap_err().to_string(), "neither pcap nor pcapng");
}

#[test]
fn a_replay_hands_up_each_frame_at_its_own_time_and_is_done() {
    let mut writer = Writer::new("eth0", Vec::new()).unwrap();
    for (seconds, outbound, len) in [(10, true, 60), (11, false, 5), (12, false, 61)] {
        let stamp = Duration::from_secs(seconds);
        let octets = &frame(1, len);
        writer.write(&Captured { stamp, outbound: Some(outbound), len, octets }).unwrap();
    }
    let file = writer.finish().unwrap();
    let mut replay = Replay::new(Reader::new(&file[..]).unwrap());
    let mut seen = Vec::new();
    let now = replay.now();
    while !replay.is_done() {
        replay
            .recv(now, &mut |frame, _| {
                let since: Duration = frame.at() - now;
                seen.push((frame.direction(), since, frame.octets().len()));
            })
            .unwrap();
    }
    let sent = (Direction::Sent, Duration::ZERO, 60);
    assert_eq!(seen, [sent, (Direction::Received, Duration::from_secs(2), 61)]);
    assert_eq!(replay.runts(), 1);
    assert_eq!(replay.recv(now, &mut |_, _| panic!("there is no more")).unwrap(), 0);
}

#[test]
fn nothing_can_be_sent_into_the_past() {
    let file = pcap(true, false, 1, &[&frame(1, 60)]);
    let mut replay = Replay::new(Reader::new(&file[..]).unwrap());
    let refused = replay.transmit(60, &mut |_| panic!("it is not sent"));
    assert_eq!(refused, Err(SendError::TooLong { len: 46, mtu: 0 }));
    let now: Instant = replay.now();
    let mut answered = None;
    replay.recv(now, &mut |_, tx| answered = Some(tx.transmit(14, &mut |_| {}))).unwrap();
    assert!(answered.is_some_and(|answer| answer.is_err()));
}

#[test]
fn a_long_file_is_never_all_held() {
    let endless = pcap(true, false, 1, &[]);
    let record = pcap(true, false, 1, &[&frame(1, 1_500)])[24..].to_vec();
    let file = endless.chain_records(&record, 20_000);
    let mut reader = Reader::new(file).unwrap();
    let mut seen = 0;
    while reader.next_frame(&mut |frame| seen += frame.octets.len()).unwrap() {}
    assert_eq!(seen, 20_000 * 1_500);
}

proptest! {
    #[test]
    fn no_file_is_too_much(
        at in 0..120usize,
        with in any::<[u8; 4]>(),
        ng: bool,
        big: bool,
        end in 0..200usize,
    ) {
        let mut file = if ng { pcapng(big, 1) } else { pcap(true, big, 1, &[&frame(1, 60)]) };
        for (slot, octet) in file.iter_mut().skip(at).zip(with) {
            *slot = octet;
        }
        file.truncate(end);
        let _ = read(&file);
    }
}

type Owned = (Duration, Option<bool>, usize, Vec<u8>);

fn read(file: &[u8]) -> io::Result<Vec<Owned>> {
    let mut frames = Vec::new();
    each(file, |frame| frames.push(frame))?;
    Ok(frames)
}

fn each(file: &[u8], mut each: impl FnMut(Owned)) -> io::Result<()> {
    let mut reader = Reader::new(file)?;
    while reader.next_frame(&mut |frame| {
        each((frame.stamp, frame.outbound, frame.len, frame.octets.to_vec()));
    })? {}
    Ok(())
}

fn frame(fill: u8, len: usize) -> Vec<u8> {
    vec![fill; len]
}

/// Numbers in one order of octets.
struct Numbers(bool, Vec<u8>);

impl Numbers {
    fn longs(mut self, longs: impl IntoIterator<Item = u32>) -> Self {
        for long in longs {
            self.1.extend(if self.0 { long.to_be_bytes() } else { long.to_le_bytes() });
        }
        self
    }

    fn shorts(mut self, shorts: impl IntoIterator<Item = u16>) -> Self {
        for short in shorts {
            self.1.extend(if self.0 { short.to_be_bytes() } else { short.to_le_bytes() });
        }
        self
    }

    fn octets(mut self, octets: &[u8]) -> Self {
        self.1.extend(octets);
        self
    }
}

/// Frames of 1,000 octets or more at 5 s and 123,456 of a smaller unit.
fn pcap(nanoseconds: bool, big: bool, link_type: u32, frames: &[&[u8]]) -> Vec<u8> {
    let magic = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let mut file = Numbers(big, Vec::new()).longs([magic]).shorts([2, 4]);
    file = file.longs([0, 0, 65_535, link_type]);
    for frame in frames {
        file = file.longs([5, 123_456, frame.len() as u32, 1_000]).octets(frame);
    }
    file.1
}

/// A section, an interface, and one frame of 20 octets that went out.
fn pcapng(big: bool, link_type: u16) -> Vec<u8> {
    [section(big, 1), interface(big, link_type, &[]), packet(big, 0)].concat()
}

fn section(big: bool, major: u16) -> Vec<u8> {
    Numbers(big, Vec::new())
        .longs([0x0a0d_0d0a, 28, 0x1a2b_3c4d])
        .shorts([major, 0])
        .longs([u32::MAX, u32::MAX, 28])
        .1
}

/// With options of these codes and values, not ended.
fn interface(big: bool, link_type: u16, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = Numbers(big, Vec::new()).shorts([link_type, 0]).longs([0]);
    for (code, value) in options {
        body = body.shorts([*code, value.len() as u16]).octets(value);
        body.1.resize(body.1.len().next_multiple_of(4), 0);
    }
    let total = 12 + body.1.len() as u32;
    Numbers(big, Vec::new()).longs([1, total]).octets(&body.1).longs([total]).1
}

fn packet(big: bool, interface: u32) -> Vec<u8> {
    Numbers(big, Vec::new())
        .longs([6, 64, interface, 1, 2, 20, 20])
        .octets(&frame(9, 20))
        .shorts([2, 4])
        .longs([0b10, 0, 64])
        .1
}

trait Chain {
    fn chain_records(self, record: &[u8], count: u64) -> impl Read;
}

impl Chain for Vec<u8> {
    /// These octets, and then `record` so many times.
    fn chain_records(self, record: &[u8], count: u64) -> impl Read {
        let len = record.len() as u64;
        let records = Cycle { octets: record.to_vec(), at: 0 }.take(len * count);
        io::Cursor::new(self).chain(records)
    }
}

/// The same octets over and over.
struct Cycle {
    octets: Vec<u8>,
    at: usize,
}

impl Read for Cycle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = (&self.octets[self.at..]).read(out)?;
        self.at = (self.at + read) % self.octets.len();
        Ok(read)
    }
}
