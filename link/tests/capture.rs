//! What a recorder writes, and when.

mod script;

use std::{
    cell::RefCell,
    env, fs,
    io::{self, Write},
    process::{self, Command},
    rc::Rc,
    time::Duration,
};

use etherparse::EtherType;
use pcap_file::{
    DataLink,
    pcapng::{
        Block, PcapNgReader,
        blocks::{
            enhanced_packet::EnhancedPacketOption,
            interface_description::{InterfaceDescriptionOption, InterfaceTsResolution},
        },
    },
};
use script::{Script, THEM, US, WALL, facts, frame};
use sidestack_link::{Cast, Direction, Event, FrameIo, FrameTx, Unsent, Wait, capture::Recorder};

#[test]
fn the_head_names_the_interface_and_counts_in_nanoseconds() {
    let disk = Disk::default();
    let _recorder = Recorder::new(Script::new([]), "eth0", disk.clone()).unwrap();
    let octets = disk.octets.borrow();
    let mut reader = PcapNgReader::with_capacity(&octets[..], 4096).unwrap();
    let (block, _) = reader.next_block().unwrap().unwrap();
    let Block::InterfaceDescription(interface) = block else { panic!("{block:?}") };
    assert_eq!((interface.linktype, interface.snaplen), (DataLink::ETHERNET, 0));
    let name = InterfaceDescriptionOption::IfName("eth0".into());
    let resolution = InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO);
    assert_eq!(interface.options, [name, resolution]);
}

#[test]
fn received_frames_keep_octets_stamp_and_cast_tags_included() {
    let casts = [Cast::Host, Cast::Multicast, Cast::Broadcast, Cast::Other];
    let rest = [&b"\x08\x00"[..], b"\x08\x00a", b"\x08\x00ab", b"\x81\x00\x00\x2a\x08\x00abc"];
    let batch = casts.into_iter().zip(rest).zip(1..);
    let batch = batch
        .map(|((cast, rest), n)| (facts(Direction::Received, cast, n), frame(rest)))
        .collect::<Vec<_>>();
    let expected = batch.iter().zip([0b0101, 0b1001, 0b1101, 0b1_0001]);
    let expected = expected
        .map(|((facts, octets), flags)| (facts.stamp.since_epoch, flags, octets.clone()))
        .collect::<Vec<_>>();
    let mut recorder = Recorder::new(Script::new([batch]), "eth0", Vec::new()).unwrap();
    drain(&mut recorder);
    assert_eq!(records(&recorder.finish().1.unwrap()), expected);
}

#[test]
fn a_sent_frame_stands_where_its_stamp_puts_it_though_it_comes_back_after_the_answer() {
    let answer = (facts(Direction::Received, Cast::Host, 2_000), frame(b"\x08\x00answer"));
    let request = (facts(Direction::Sent, Cast::Other, 1_999), frame(b"\x08\x00request"));
    let mut script = Script::new([vec![answer.clone()], vec![request.clone()]]);
    script.returns_sent = true;
    let disk = Disk::default();
    let mut recorder = Recorder::new(script, "eth0", disk.clone()).unwrap();
    recorder.send(THEM, EtherType::IPV4, 7, &mut |_| ()).unwrap();
    let now = recorder.now();
    for taken in [1, 1] {
        assert_eq!(recorder.recv(now, &mut |_, _| ()).unwrap(), taken);
        assert_eq!(records(&disk.octets.borrow()), [], "something may still be waiting");
    }
    assert_eq!(recorder.recv(now, &mut |_, _| ()).unwrap(), 0);
    let expected = [
        (WALL + Duration::from_nanos(1_999), OUTBOUND, request.1),
        (WALL + Duration::from_nanos(2_000), INBOUND, answer.1),
    ];
    assert_eq!(records(&disk.octets.borrow()), expected);
}

#[test]
fn where_no_sent_frame_comes_back_it_is_recorded_at_once_with_the_users_clock() {
    let mut recorder = Recorder::new(Script::new([]), "eth0", Vec::new()).unwrap();
    recorder.send(US, EtherType::ARP, 2, &mut |payload| payload.copy_from_slice(b"hi")).unwrap();
    recorder.transmit(9_999, &mut |_| ()).unwrap_err();
    let (script, file) = recorder.finish();
    let sent = [US.as_bytes(), US.as_bytes(), b"\x08\x06hi"].concat();
    assert_eq!(script.left[..], [&sent[..]]);
    assert_eq!(records(&file.unwrap()), [(WALL, OUTBOUND, sent)], "and what was refused is not");
}

#[test]
fn an_answer_from_inside_recv_is_recorded_and_never_before_its_question() {
    let questions = [0, 500].map(|n| (facts(Direction::Received, Cast::Host, n), frame(ARP)));
    let mut recorder =
        Recorder::new(Script::new([questions.to_vec()]), "eth0", Vec::new()).unwrap();
    let now = recorder.now() + Duration::from_nanos(100);
    recorder
        .recv(now, &mut |frame, tx| tx.send(frame.src(), EtherType::ARP, 0, &mut |_| ()).unwrap())
        .unwrap();
    let records = records(&recorder.finish().1.unwrap());
    let order = records.iter().map(|(at, flags, _)| ((*at - WALL).as_nanos(), *flags));
    let expected = [(0, INBOUND), (100, OUTBOUND), (500, INBOUND), (500, OUTBOUND)];
    assert_eq!(order.collect::<Vec<_>>(), expected);
}

#[test]
fn a_frame_is_recorded_once_and_an_unsent_one_not_at_all() {
    let back = |direction| vec![(facts(direction, Cast::Other, 1), frame(ARP))];
    let unsent = Direction::Unsent(Unsent::Down);
    for returns_sent in [true, false] {
        let mut script = Script::new([back(Direction::Sent), back(unsent)]);
        script.returns_sent = returns_sent;
        let mut recorder = Recorder::new(script, "eth0", Vec::new()).unwrap();
        recorder.send(THEM, EtherType::ARP, 0, &mut |_| ()).unwrap();
        let now = recorder.now();
        let mut seen = Vec::new();
        for _ in 0..2 {
            recorder.recv(now, &mut |frame, _| seen.push(frame.direction())).unwrap();
        }
        assert_eq!(seen, [Direction::Sent, unsent], "both are handed up");
        assert_eq!(records(&recorder.finish().1.unwrap()).len(), 1);
    }
}

#[test]
fn under_constant_load_the_older_half_is_written_past_4096_frames() {
    let load = |range: std::ops::Range<u64>| {
        let frames = range.rev().map(|n| (facts(Direction::Received, Cast::Host, n), frame(ARP)));
        frames.collect::<Vec<_>>()
    };
    let disk = Disk::default();
    let script = Script::new([load(0..4_096), load(4_096..4_097)]);
    let mut recorder = Recorder::new(script, "eth0", disk.clone()).unwrap();
    let now = recorder.now();
    recorder.recv(now, &mut |_, _| ()).unwrap();
    assert_eq!(records(&disk.octets.borrow()).len(), 0);
    recorder.recv(now, &mut |_, _| ()).unwrap();
    assert_eq!(records(&disk.octets.borrow()).len(), 2_048);
    recorder.finish().1.unwrap();
    let stamps = records(&disk.octets.borrow()).into_iter().map(|(at, ..)| at - WALL);
    assert!(stamps.eq((0..4_097).map(Duration::from_nanos)), "all, in order");
}

#[test]
fn a_full_disk_stops_the_recording_but_not_the_link() {
    let batch = || vec![(facts(Direction::Received, Cast::Host, 0), frame(ARP)); 10];
    let disk = Disk { room: 300, ..Disk::default() };
    let script = Script::new([batch(), vec![], batch()]);
    let mut recorder = Recorder::new(script, "eth0", disk.clone()).unwrap();
    drain(&mut recorder);
    assert_eq!(recorder.error().unwrap().kind(), io::ErrorKind::StorageFull);
    let written = disk.octets.borrow().len();
    assert_eq!(drain(&mut recorder), 10);
    recorder.send(THEM, EtherType::ARP, 0, &mut |_| ()).unwrap();
    recorder.flush().unwrap();
    let (script, file) = recorder.finish();
    assert_eq!(file.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!((script.left.len(), script.flushes), (1, 1));
    assert_eq!(disk.octets.borrow().len(), written, "not a second try");
}

#[test]
fn a_file_that_takes_not_even_its_head_is_refused() {
    let refused = Recorder::new(Script::new([]), "eth0", Disk { room: 0, ..Disk::default() });
    assert_eq!(refused.err().unwrap().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_dropped_recorder_writes_what_it_holds() {
    let disk = Disk::default();
    let mut recorder = Recorder::new(Script::new([]), "eth0", disk.clone()).unwrap();
    recorder.send(THEM, EtherType::ARP, 0, &mut |_| ()).unwrap();
    assert_eq!(records(&disk.octets.borrow()).len(), 0);
    drop(recorder);
    assert_eq!(records(&disk.octets.borrow()).len(), 1);
}

#[test]
fn a_stamp_beyond_the_format_is_recorded_as_its_last() {
    let mut late = facts(Direction::Received, Cast::Host, 0);
    late.stamp.since_epoch = Duration::MAX;
    let script = Script::new([vec![(late, frame(ARP))]]);
    let mut recorder = Recorder::new(script, "eth0", Vec::new()).unwrap();
    drain(&mut recorder);
    let records = records(&recorder.finish().1.unwrap());
    assert_eq!(records, [(Duration::from_nanos(u64::MAX), INBOUND, frame(ARP))]);
}

#[test]
fn what_the_link_says_of_itself_passes_through() {
    let mut script = Script::new([]);
    script.events.push_back(Event::Down);
    script.returns_sent = true;
    script.dropped = 7;
    let mut recorder = Recorder::new(script, "eth0", Vec::new()).unwrap();
    assert_eq!(recorder.dropped(), 7);
    assert_eq!((recorder.event(), recorder.event()), (Some(Event::Down), None));
    assert!(recorder.returns_sent());
    assert_eq!((recorder.mac(), recorder.mtu()), (US, 1500));
    recorder.flush().unwrap();
    assert_eq!(recorder.inner().flushes, 1);
}

#[test]
fn wireshark_finds_nothing_malformed() {
    if Command::new("tshark").arg("-v").output().is_err() {
        assert!(env::var_os("CI").is_none(), "tshark is missing");
        println!("left out: tshark is not installed");
        return;
    }
    let tagged = [b"\x81\x00\x00\x2a", ARP].concat();
    let batch = vec![
        (facts(Direction::Received, Cast::Host, 1), frame(ARP)),
        (facts(Direction::Received, Cast::Broadcast, 2), frame(&tagged)),
    ];
    let mut recorder = Recorder::new(Script::new([batch]), "eth0", Vec::new()).unwrap();
    recorder.send(THEM, EtherType::ARP, 28, &mut |p| p.copy_from_slice(&ARP[2..])).unwrap();
    drain(&mut recorder);
    let path = env::temp_dir().join(format!("sidestack-capture-{}.pcapng", process::id()));
    fs::write(&path, recorder.finish().1.unwrap()).unwrap();
    let fields = "frame.time_epoch frame.interface_name vlan.id arp.src.proto_ipv4 _ws.malformed \
                  frame.packet_flags_direction";
    let tshark = Command::new("tshark")
        .args(["-n", "-T", "fields", "-E", "separator=,", "-r"])
        .arg(&path)
        .args(fields.split(' ').flat_map(|field| ["-e", field]))
        .output()
        .unwrap();
    fs::remove_file(&path).unwrap();
    let text = String::from_utf8(tshark.stdout).unwrap().replace("0x0000000", "");
    let expected = "1800000000.123456789,eth0,,10.0.0.2,,2\n\
                    1800000000.123456790,eth0,,10.0.0.2,,1\n\
                    1800000000.123456791,eth0,42,10.0.0.2,,1\n";
    assert_eq!(text, expected, "{}", String::from_utf8_lossy(&tshark.stderr));
}

/// Takes in until nothing is waiting; how many frames there were.
fn drain<W: Write>(recorder: &mut Recorder<Script, W>) -> usize {
    let now = recorder.now();
    let mut taken = 0;
    loop {
        match recorder.recv(now, &mut |_, _| ()).unwrap() {
            0 => return taken,
            n => taken += n,
        }
    }
}

/// Stamp, flags and octets of each packet in a capture.
fn records(file: &[u8]) -> Vec<(Duration, u32, Vec<u8>)> {
    let mut reader = PcapNgReader::with_capacity(file, 1 << 16).unwrap();
    let mut records = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block.unwrap().0 else { continue };
        let [EnhancedPacketOption::Flags(flags)] = packet.options[..] else { panic!("{packet:?}") };
        assert_eq!(packet.original_len as usize, packet.data.len());
        records.push((packet.timestamp, flags, packet.data.into_owned()));
    }
    records
}

/// A file that others can read, with room for so many octets.
#[derive(Clone, Debug)]
struct Disk {
    octets: Rc<RefCell<Vec<u8>>>,
    room: usize,
}

impl Default for Disk {
    fn default() -> Self {
        Self { octets: Rc::default(), room: usize::MAX }
    }
}

impl Write for Disk {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut file = self.octets.borrow_mut();
        let taken = octets.len().min(self.room - file.len());
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.extend(&octets[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const INBOUND: u32 = 0b0101; // and unicast
const OUTBOUND: u32 = 0b10;

/// An ARP request from its EtherType on (RFC 826).
const ARP: &[u8] = b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01\
    \x02\x00\x00\x00\x00\x02\x0a\x00\x00\x02\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x01";
