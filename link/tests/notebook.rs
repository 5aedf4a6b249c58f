//! The first steps of anybody who writes frames by hand.

use std::net::Ipv4Addr;

use etherparse::EtherType;
use macaddr::MacAddr6;
use sidestack_link::{FrameIo, FrameTx, memory::Network};

#[test]
fn a_mac_address_is_read_and_written_as_six_pairs_of_hexadecimal_digits() {
    let mac: MacAddr6 = "01:02:03:04:05:06".parse().unwrap();
    assert_eq!(mac.into_array(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(MacAddr6::from([0xde, 0xad, 0xbe, 0xef, 0, 1]).to_string(), "DE:AD:BE:EF:00:01");
}

#[test]
fn what_is_nearly_a_mac_address_is_none() {
    for text in [
        "",
        "01:02:03:04:05",
        "01:02:03:04:05:06:07",
        "01:02:03:04:05:0g",
        "01:02:03:04:05:",
        "01:02:03:04:05:006",
        " 01:02:03:04:05:06",
        "01:02:03:04:05:06\n",
        "10.0.0.254",
    ] {
        assert!(text.parse::<MacAddr6>().is_err(), "{text:?}");
    }
}

#[test]
fn an_ipv4_address_is_read_and_written_as_four_decimal_numbers() {
    let addr: Ipv4Addr = "10.0.0.254".parse().unwrap();
    assert_eq!(addr.octets(), [10, 0, 0, 254]);
    assert_eq!(Ipv4Addr::from([10, 0, 0, 254]).to_string(), "10.0.0.254");
}

#[test]
fn what_is_nearly_an_ipv4_address_is_none() {
    for text in
        ["", "10.0.0", "10.0.0.256", "10.0.0.254.1", "10.0.0.0254", " 10.0.0.254", "0x0a000001"]
    {
        assert!(text.parse::<Ipv4Addr>().is_err(), "{text:?}");
    }
}

#[test]
fn an_ethernet_ii_frame_of_type_0x0801_says_hello_world() {
    let network = Network::new();
    let mut alice = network.attach("02:00:00:00:00:01".parse().unwrap());
    let mut bob = network.attach("02:00:00:00:00:02".parse().unwrap());
    let text = b"Hello, world!";
    alice
        .send(bob.mac(), EtherType(0x0801), text.len(), &mut |out| out.copy_from_slice(text))
        .unwrap();
    alice.flush().unwrap();
    network.advance_to(network.next_arrival().unwrap());
    let mut wire = Vec::new();
    bob.recv(network.now(), &mut |frame, _| wire.push(frame.octets().to_vec())).unwrap();
    let mut expected =
        b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x01Hello, world!".to_vec();
    expected.resize(60, 0);
    assert_eq!(wire, [expected]);
}
