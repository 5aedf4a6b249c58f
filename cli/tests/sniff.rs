//! What `sniff` shows of a capture, line by line.

#[path = "common/capture.rs"]
mod capture;
mod common;

use std::{fs, path::PathBuf};

use capture::pcap;
use common::sidestack;

#[test]
fn each_frame_is_a_line_in_the_manner_of_tcpdump() {
    let file = Scratch::new("lines.pcap", &pcap(&[(ARP, 0), (ECHO, 0), (UNREACHABLE, 0)]));
    assert_eq!(
        shown(&format!("-r {}", file.name())),
        "00:00:05.000000001 ARP, Request who-has 10.0.0.2 tell 10.0.0.1\n\
         00:00:05.000000002 IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 1, length 8\n\
         00:00:05.000000003 IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.3 port unreachable, length 36\n"
    );
}

#[test]
fn a_capture_is_a_link_too() {
    let file = Scratch::new("link.pcap", &pcap(&[(ARP, 0)]));
    let by_file = shown(&format!("-r {}", file.name()));
    assert_eq!(shown(&format!("-I pcap:{}", file.name())), by_file);
}

#[test]
fn the_link_header_and_the_octets_are_shown_on_demand() {
    let file = Scratch::new("octets.pcap", &pcap(&[(VLAN, 0)]));
    assert_eq!(
        shown(&format!("-e -x -r {}", file.name())),
        "00:00:05.000000001 02:00:00:00:00:0b > ff:ff:ff:ff:ff:ff, vlan 42, p 1, \
         ethertype 0x0801, length 21: ethertype 0x0801, length 3\n\t0x0000:  4142 43\n"
    );
}

#[test]
fn verbose_shows_the_header_of_the_datagram() {
    let file = Scratch::new("verbose.pcap", &pcap(&[(ECHO, 0)]));
    let line = shown(&format!("-v -r {}", file.name()));
    let header = "IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto 1, length 28";
    assert!(line.contains(header), "{line}");
}

#[test]
fn what_is_malformed_is_named() {
    let file = Scratch::new("malformed.pcap", &pcap(&[("02000000", 0), (&ARP[..68], 0)]));
    assert_eq!(
        shown(&format!("-r {}", file.name())),
        "00:00:05.000000001 no frame, length 4 [malformed eth at octet 4: no whole Ethernet header]\n\
         00:00:05.000000002 ARP, Request who-has ? tell 10.0.0.1 \
         [malformed arp at octet 34: no room for its addresses]\n"
    );
}

#[test]
fn a_count_ends_it_early() {
    let file = Scratch::new("count.pcap", &pcap(&[(ARP, 0), (ECHO, 0), (ARP, 0)]));
    assert_eq!(shown(&format!("-c 2 -r {}", file.name())).lines().count(), 2);
}

#[test]
fn what_is_written_is_read_again_the_same() {
    let file = Scratch::new("first.pcap", &pcap(&[(ARP, 0), (ECHO, 1_500), (VLAN, 0)]));
    let copy = Scratch::new("second.pcapng", &[]);
    let first = shown(&format!("-j -r {} -w {}", file.name(), copy.name()));
    let second = shown(&format!("-j -r {}", copy.name()));
    let frames = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains("\"frame\"")).map(str::to_owned).collect()
    };
    assert_eq!(frames(&first).len(), 3);
    assert_eq!(frames(&first), frames(&second));
}

#[test]
fn octets_are_shown_in_ascii_too() {
    let file = Scratch::new("ascii.pcap", &pcap(&[(VLAN, 0)]));
    let said = shown(&format!("-X -r {}", file.name()));
    let dump = said.lines().nth(1).expect("a line below the frame's");
    assert_eq!(dump, format!("\t0x0000:  4142 43{}ABC", " ".repeat(34)));
}

#[test]
fn what_is_written_is_shown_only_on_demand() {
    let file = Scratch::new("silent.pcap", &pcap(&[(ARP, 0), (ECHO, 0)]));
    let copy = Scratch::new("silent.pcapng", &[]);
    let args = format!("-r {} -w {}", file.name(), copy.name());
    assert_eq!(shown(&args), "");
    assert_eq!(shown(&format!("-r {}", copy.name())), shown(&format!("--print {args}")));
    let piped = sidestack(&format!("sniff -r {} -w -", file.name())).stdout;
    let piped = Scratch::new("piped.pcapng", &piped);
    assert_eq!(shown(&format!("-r {}", piped.name())), shown(&format!("-r {}", file.name())));
}

#[test]
fn a_frame_is_taken_as_far_as_the_snapshot_length_goes() {
    let file = Scratch::new("whole.pcap", &pcap(&[(ECHO, 0), (VLAN, 0)]));
    let cut = Scratch::new("snapshot.pcapng", &[]);
    let said = shown(&format!("-j -s 34 -r {} -w {}", file.name(), cut.name()));
    for said in [said, shown(&format!("-j -r {}", cut.name()))] {
        let frames: Vec<&str> = said.lines().filter(|line| line.contains("\"frame\"")).collect();
        assert!(frames[0].contains(r#""len":42,"caplen":34"#), "{said}");
        assert!(frames[0].contains(r#""ip":"#) && !frames[0].contains(r#""icmp":"#), "{said}");
        assert!(frames[0].contains(r#""malformed":null"#), "{said}");
        assert!(frames[1].contains(r#""len":21,"caplen":21"#), "{said}");
    }
    assert_eq!(shown(&format!("-s 0 -r {0}", file.name())), shown(&format!("-r {0}", file.name())));
}

#[test]
fn either_direction_is_shown_alone() {
    let file = Scratch::new("ways.pcapng", &[]);
    let ping = sidestack(&format!("ping -c 1 -I lab:pace=0 --pcap {} 10.0.0.2", file.name()));
    assert_eq!(ping.status.code(), Some(0));
    let out = shown(&format!("-Q out -r {}", file.name()));
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.contains("Request who-has") && out.contains("echo request"), "{out}");
    let came = shown(&format!("-Q in -r {}", file.name()));
    assert_eq!(came.lines().count(), 2, "{came}");
    assert!(came.contains("Reply 10.0.0.2") && came.contains("echo reply"), "{came}");
    assert_eq!(shown(&format!("-Q inout -r {}", file.name())).lines().count(), 4);
    let first = shown(&format!("-Q in -c 1 -r {}", file.name()));
    assert_eq!(first.lines().count(), 1, "only what is shown is counted");
}

#[test]
fn what_would_change_nothing_is_refused() {
    let file = Scratch::new("nothing.pcap", &pcap(&[(ARP, 0)]));
    for (args, why) in [
        ("-j -x", "-x means nothing with -j"),
        ("-j -e", "-e means nothing with -j"),
        ("-X -w /dev/null", "-X means nothing with -w"),
        ("-j -w -", "the output is the capture, and nothing else"),
        ("-w - -C 1", "standard output is one file"),
        ("-Q out", "does not say which way"),
        ("--print", "--write"),
        ("-s -1", "-1"),
        ("-Q sideways", "sideways"),
    ] {
        let output = sidestack(&format!("sniff -r {} {args}", file.name()));
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(2), "{args}: {said}");
        assert!(said.contains(why), "{args}: {said}");
    }
    let output = sidestack(&format!("sniff -I pcap:{} --bpf /dev/null", file.name()));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_name_of_a_file_says_whether_it_is_written_as_classic_pcap() {
    let file = Scratch::new("form.pcap", &pcap(&[(ARP, 0), (ECHO, 0)]));
    for (name, magic) in
        [("a.pcap", 0xa1b2_3c4d_u32), ("a.pcapng", 0x0a0d_0d0a), ("a", 0x0a0d_0d0a)]
    {
        let copy = Scratch::new(name, &[]);
        shown(&format!("-r {} -w {}", file.name(), copy.name()));
        assert_eq!(fs::read(&copy.0).expect("it was written")[..4], magic.to_ne_bytes(), "{name}");
        assert_eq!(shown(&format!("-r {}", copy.name())).lines().count(), 2, "{name}");
    }
    let kept = Scratch::new("ping.pcap", &[]);
    let args = format!("ping -q -c 1 -I lab:pace=0 --pcap {} 10.0.0.2", kept.name());
    assert_eq!(sidestack(&args).status.code(), Some(0));
    let magic = 0xa1b2_3c4d_u32.to_ne_bytes();
    assert_eq!(fs::read(&kept.0).expect("it was written")[..4], magic);
    assert_eq!(shown(&format!("-r {}", kept.name())).lines().count(), 4);
}

#[test]
fn a_capture_goes_on_in_numbered_files_once_one_is_full() {
    let file = Scratch::new("long.pcap", &pcap(&[(ARP, 0); 40]));
    let base = Scratch::new("part.pcap", &[]);
    let more = [1, 2].map(|n| Scratch::new(&format!("part.pcap{n}"), &[]));
    let all = shown(&format!("--print -r {} -w {} -C 1k", file.name(), base.name()));
    let parts = [&base, &more[0], &more[1]];
    let shown: Vec<_> = parts.map(|part| shown(&format!("-r {}", part.name()))).into();
    let counts: Vec<_> = shown.iter().map(|part| part.lines().count()).collect();
    assert_eq!(counts, [17, 17, 6], "24 octets of head, and 58 a frame");
    assert_eq!(shown.concat(), all);

    let output = sidestack(&format!("sniff -r {} -w {} -C 1k", more[0].name(), base.name()));
    assert_eq!(output.status.code(), Some(0), "17 frames need no second file");
    let again = format!("sniff -r {} -w {} -C 1k", file.name(), file.name());
    assert_eq!(sidestack(&again).status.code(), Some(2));
    for size in ["0", "k", "-1", "1t", "+1", "99999999999g"] {
        let args = format!("sniff -r {} -w {} -C {size}", file.name(), base.name());
        assert_eq!(sidestack(&args).status.code(), Some(2), "{size}");
    }
    assert_eq!(sidestack(&format!("sniff -r {} -C 1", file.name())).status.code(), Some(2));
}

#[test]
fn a_next_file_is_never_the_one_that_is_read() {
    let read = Scratch::new("read.pcap1", &pcap(&[(ARP, 0); 40]));
    let name = read.name().to_string();
    let base = name.strip_suffix('1').expect("it ends so");
    let output = sidestack(&format!("sniff -r {name} -w {base} -C 1k"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("it is what is being read"), "{stderr}");
    assert_eq!(shown(&format!("-r {name}")).lines().count(), 40, "it is as it was");
    fs::remove_file(base).expect("it was begun");
}

#[test]
fn a_file_that_is_cut_is_shown_as_far_as_it_goes_and_exits_4() {
    let whole = pcap(&[(ARP, 0), (ECHO, 0)]);
    let file = Scratch::new("cut.pcap", &whole[..whole.len() - 1]);
    let output = sidestack(&format!("sniff -r {}", file.name()));
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(output.stdout.iter().filter(|octet| **octet == b'\n').count(), 1);
    let told = sidestack(&format!("sniff -j -r {}", file.name())).stdout;
    let told = String::from_utf8(told).expect("UTF-8");
    let types = ["start", "frame", "stats", "error", "end"];
    for (line, record) in told.lines().zip(types) {
        assert!(line.contains(&format!(r#""type":"{record}""#)), "{told}");
    }
    assert_eq!(told.lines().count(), types.len());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("at octet 82: cut short"), "{stderr}");
}

#[test]
fn frames_of_other_links_are_skipped_and_said_to_be() {
    let block = |kind: u32, body: &[u8]| {
        let total = 12 + body.len() as u32;
        [&kind.to_le_bytes()[..], &total.to_le_bytes(), body, &total.to_le_bytes()].concat()
    };
    let head =
        block(0x0a0d_0d0a, &[&[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0][..], &[0xff; 8]].concat());
    let [cooked, ethernet] = [113, 1].map(|link_type| block(1, &[link_type, 0, 0, 0, 0, 0, 0, 0]));
    let packet = |interface: u8| {
        let lens = [16, 0, 0, 0, 16, 0, 0, 0];
        block(6, &[&[interface, 0, 0, 0][..], &[0; 8], &lens, &[0x88; 16]].concat())
    };
    let mixed = [&head, &cooked, &ethernet, &packet(0), &packet(1), &packet(0)];
    let file = Scratch::new("mixed.pcapng", &mixed.map(Vec::as_slice).concat());
    let output = sidestack(&format!("sniff -r {}", file.name()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "1 frames\n2 frames of Linux cooked (113) skipped\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    let said = shown(&format!("-j -r {}", file.name()));
    assert!(said.contains(r#""frames":1,"dropped":null,"too_long":null,"skipped":2}"#), "{said}");

    let none = Scratch::new("none.pcapng", &[head, cooked, packet(0)].concat());
    let output = sidestack(&format!("sniff -r {}", none.name()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("a capture of Linux cooked (113), not of Ethernet frames"), "{said}");
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let text = Scratch::new("text", b"no capture");
    let file = Scratch::new("same.pcap", &pcap(&[(ARP, 0)]));
    for (args, code, why) in [
        ("-r /nowhere/at.all".to_owned(), 2, "cannot be read"),
        (format!("-r {}", text.name()), 4, "neither pcap nor pcapng"),
        (format!("-r {0} -I pcap:{0}", text.name()), 2, "either -I or -r"),
        (format!("-r {0} -w {0}", file.name()), 2, "it is what is being read"),
        (String::new(), 2, "which link?"),
        ("-S 10.0.0.1 -I lab".to_owned(), 2, "-S means nothing to sniff"),
    ] {
        let output = sidestack(&format!("sniff {args}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args}: {stderr}");
        assert!(stderr.contains(why), "{args}: {stderr}");
    }
}

fn shown(args: &str) -> String {
    let output = sidestack(&format!("sniff {args}"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A file that is gone after the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, octets: &[u8]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("sniff-{}-{name}", std::process::id()));
        fs::write(&path, octets).expect("a file can be written");
        Self(path)
    }

    fn name(&self) -> std::path::Display<'_> {
        self.0.display()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // it is in a directory for such files
    }
}

const ARP: &str = "ffffffffffff02000000000b0806000108000604000102000000000b\
                   0a0000010000000000000a000002";
const ECHO: &str = "02000000000a02000000000b08004500001c00074000400126d80a0000010a000002\
                    0800f7f700070001";
const UNREACHABLE: &str = "02000000000a02000000000b080045000038000700004001000\
                           00a0000010a0000020303dd300000000045000020000700004011000\
                           00a0000020a00000303e8829a000c0000";
const VLAN: &str = "ffffffffffff02000000000b8100202a0801414243";
