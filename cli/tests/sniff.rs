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
fn a_file_that_is_cut_is_shown_as_far_as_it_goes_and_exits_4() {
    let whole = pcap(&[(ARP, 0), (ECHO, 0)]);
    let file = Scratch::new("cut.pcap", &whole[..whole.len() - 1]);
    let output = sidestack(&format!("sniff -r {}", file.name()));
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(output.stdout.iter().filter(|octet| **octet == b'\n').count(), 1);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("at octet 82: cut short"), "{stderr}");
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
