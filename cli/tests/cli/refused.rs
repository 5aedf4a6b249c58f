//! What is refused before anything is sent, with which exit code, and what is said.

use crate::run;

#[test]
fn what_cannot_be_understood_is_exit_2_and_says_what() {
    for (args, says) in [
        ("ping -I lab 10.0.0.300", "10.0.0.300 is no IPv4 address"),
        ("ping -I lab 10.0.0", "10.0.0 is no IPv4 address"),
        ("ping -I lab 127.0.0.1", "127.0.0.1 is this host itself"),
        ("ping -I lab 0.0.0.0", "0.0.0.0 is nobody's address"),
        ("ping -I lab 10.0.0.1", "10.0.0.1 is our own address on lab"),
        ("ping -I lab 10.0.0.255", "10.0.0.255 is not one host's address"),
        ("ping -I lab 224.0.0.1", "224.0.0.1 is not one host's address"),
        (
            "ping -I lab nosuch.invalid",
            "nosuch.invalid: cannot be resolved: such names never exist",
        ),
        ("ping -I lab -S 192.168.1.1/24 10.0.0.2", "name a router of that network by --gateway"),
        ("sniff -I lab --bpf /dev/null", "--bpf needs a kernel to run it"),
        ("sniff -I lo --bpf /dev/null", "--bpf /dev/null: "),
        ("ping -I lab --gateway 192.168.1.1 10.0.1.2", "must be another host of our network"),
        (
            "ping -I lab --via 192.168.1.1 10.0.1.2",
            "--via 192.168.1.1 is no other host of 10.0.0.0/24",
        ),
        ("ping -I lab -S 10.0.0.255 10.0.0.2", "10.0.0.255 is everybody's address"),
        ("ping -I lab -S 127.0.0.1 10.0.0.2", "no host can have the address 127.0.0.1"),
        ("ping -I lab --source-mac ff:ff:ff:ff:ff:ff 10.0.0.2", "no station can have the MAC"),
        ("ping -I lab --vlan 4095 10.0.0.2", "4095 is no number from 0 to 4094"),
        ("ping -I lab -c 0 10.0.0.2", "0 is not in 1.."),
        ("ping -I lab -t 0 10.0.0.2", "0 is not in 1.."),
        ("ping -I lab -t 256 10.0.0.2", "256 is not in 1..=255"),
        ("ping -I lab -i 0 10.0.0.2", "must be more than nothing"),
        ("ping -I lab -i 1parsec 10.0.0.2", "parsec is no unit of time"),
        ("ping -I lab -Q 256 10.0.0.2", "256 is no number from 0 to 255"),
        ("ping -I lab -p xyz 10.0.0.2", "'x' at character 1 is no hexadecimal digit"),
        ("ping -I lab -p 123 10.0.0.2", "an odd number of digits: 3"),
        ("ping -I lab:colour=1 10.0.0.2", "no such key; there are hosts, loss"),
        ("ping -I lab:loss=2 10.0.0.2", "a probability such as 5% or 0.05"),
        ("ping -I lab:hosts=253 10.0.0.2", "a number from 0 to 252"),
        (
            "ping -I lab:proxy=1,hosts=127 10.0.0.2",
            "hosts=127,proxy=1: both would answer for 10.0.0.128",
        ),
        ("arp -I lab 10.0.0.1", "10.0.0.1 is our own address on lab"),
        ("arp -I lab -i 0.5 10.0.0.2", "one address is asked for at most once a second"),
        ("arp -I lab -D 10.0.0.2 10.0.0.3", "one address at a time"),
        ("serve -I lab -S 10.0.0.9/24 --gateway 10.0.0.9", "10.0.0.9 must be another host than"),
        ("serve -I lab -S 10.0.0.9/32 --gateway 10.0.0.9", "10.0.0.9 must be another host than"),
        ("serve -I lab 10.0.0.9-20 --gateway 10.0.0.12", "10.0.0.12 must be another host than"),
        (
            "serve -I lab -S 10.0.0.9/24 --routers 2 10.9.0.0/24 --gateway 172.31.255.2",
            "172.31.255.2 must be another host than",
        ),
        (
            "serve -I lab -S 10.0.0.9/24 -S 10.1.0.9/24 --gateway 10.2.0.1",
            "the gateway 10.2.0.1 must be a host of a network of ours",
        ),
        ("serve -I lab -S 10.0.0.9/24 --gateway 10.0.0.255", "must be a host of a network of ours"),
        ("serve -I lab -S 10.0.0.9/32 --gateway 127.0.0.1", "must be a host of a network of ours"),
        ("serve -I lab 10.0.0.9 --gateway 224.0.0.1", "must be a host of a network of ours"),
        ("ping -I lab --gateway 10.0.0.1 10.0.1.2", "must be another host of our network"),
        ("ping -I lab --gateway 10.0.0.255 10.0.1.2", "must be another host of our network"),
        ("route -I lab --gateway 10.0.0.1 10.0.1.2", "must be another host of our network"),
        ("scan -I lab --gateway 10.0.0.1 10.0.1.2", "must be another host of our network"),
        (
            "serve -I lab --metrics . 10.0.0.9",
            "--metrics .: a directory, which no file may replace",
        ),
        ("serve -I lab --delay 10ms --delay 20ms 10.0.0.9", "--delay twice for everybody"),
        (
            "serve -I lab --loss 10.0.0.9/24=1% --loss 10.0.0.0/24=2% 10.0.0.9",
            "--loss twice for 10.0.0.0/24",
        ),
        ("serve -I lab --ttl 9 --ttl 9 10.0.0.9", "--ttl twice for everybody"),
        (
            "serve -I lab --unreachable 10.0.0.9/32 --unreachable 10.0.0.9/32:1 10.0.0.9",
            "--unreachable twice for 10.0.0.9/32",
        ),
        ("send -I lab 48454c4c4f", "5 octets are no frame: an Ethernet header alone has 14"),
        ("send -I lab HELLO", "'H' at character 1 is no hexadecimal digit"),
        ("send -I lab --ethertype 0x05ff 00", "types begin at 0x0600"),
    ] {
        let refused = run(args);
        assert_eq!(refused.exit, 2, "{args}: {}", refused.err);
        assert!(refused.err.contains(says), "{args}: {}", refused.err);
        assert_eq!(refused.out, "", "{args}");
    }
}

#[test]
fn an_interface_that_is_not_there_is_exit_4_and_the_message_says_where_to_look() {
    let refused = run("ping -I wread-none 10.0.0.2");
    assert_eq!(refused.exit, 4);
    assert_eq!(
        refused.err,
        "sidestack: wread-none: no such interface\n  \
         `sidestack interfaces` lists those there are\n"
    );
}

#[test]
fn loopback_has_no_neighbours_to_ping() {
    let refused = run("ping -I lo 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert!(refused.err.contains("carries no ARP"), "{}", refused.err);
}

#[test]
fn a_combination_without_meaning_is_refused_and_never_ignored() {
    for args in [
        "interfaces -I lab",
        "interfaces --pcap none",
        "send -S 10.0.0.9 --ethertype 0x0801 --text hi -I lab",
        "send --gateway 10.0.0.254 --ethertype 0x0801 --text hi -I lab",
        "send --via 10.0.0.3 --ethertype 0x0801 --text hi -I lab",
        "send --no-probe --ethertype 0x0801 --text hi -I lab",
        "send --text hi -I lab",
        "send --to 02:00:00:00:00:01 48454c4c4f -I lab",
        "send --ethertype 0x0801 --text hi 4849 -I lab",
        "arp --via 10.0.0.3 10.0.0.2 -I lab",
        "arp -D -U 10.0.0.99 -I lab",
        "arp -D -c 2 10.0.0.99 -I lab",
        "arp -D -i 2 10.0.0.99 -I lab",
        "arp -D -w 2 10.0.0.99 -I lab",
        "arp -D -f 10.0.0.99 -I lab",
        "arp -D -S 10.0.0.9 10.0.0.99 -I lab",
        "arp -U -A 10.0.0.99 -I lab",
        "arp table -I lab",
        "arp probe -I lab",
        "arp probe 10.0.0.98 10.0.0.99 -I lab",
        "arp probe -c 2 10.0.0.99 -I lab",
        "arp probe -i 2 10.0.0.99 -I lab",
        "arp announce -I lab",
        "arp announce -f 10.0.0.99 -I lab",
        "arp announce --max-loss 1 10.0.0.99 -I lab",
        "arp announce -S 10.0.0.9 10.0.0.99 -I lab",
        "arp 10.0.0.99 probe -I lab",
        "arp -U -f 10.0.0.99 -I lab",
        "arp -U -S 10.0.0.9 10.0.0.99 -I lab",
    ] {
        let refused = run(args);
        assert_eq!(refused.exit, 2, "{args}: {}", refused.out);
        assert_ne!(refused.err, "", "{args}");
    }
}

#[test]
fn data_beyond_the_mtu_is_refused_with_the_most_that_fits() {
    let refused = run("ping -c 1 -M do -s 1473 -I lab:pace=0 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert_eq!(
        refused.err,
        "sidestack: -s 1473: with headers 1501 octets, beyond the MTU of 1500 on lab, and -M do \
         forbids fragments: at most -s 1472\n"
    );
    let refused = run("ping -c 1 -s 65508 -I lab:pace=0 10.0.0.2");
    assert_eq!(refused.exit, 2);
    assert_eq!(
        refused.err,
        "sidestack: -s 65508: with headers 65536 octets, and no datagram is longer than 65535: \
         at most -s 65507\n"
    );
    let fits = run("ping -c 1 -s 1472 -I lab:pace=0 10.0.0.2");
    assert!(fits.out.contains("1480 bytes from 10.0.0.2"), "{}", fits.out);
}

#[test]
fn a_capture_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let refused = run("ping -c 1 --pcap /nowhere/at/all.pcapng -I lab:pace=0 10.0.0.2");
    assert_eq!((refused.exit, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("--pcap /nowhere/at/all.pcapng: cannot be written"));
}

#[test]
fn beside_a_proxy_a_lab_has_room_for_126_hosts() {
    for keys in ["hosts=126,proxy=126", "hosts=127,proxy=0", "hosts=252"] {
        let ran = run(&format!("ping -c 1 -I lab:pace=0,{keys} 10.0.0.127"));
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{keys}");
    }
}
