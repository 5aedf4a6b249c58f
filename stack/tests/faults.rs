//! Routers and neighbours that misbehave, in virtual time: who they are is played by hand.

use std::{net::Ipv4Addr, time::Duration};

use sidestack_stack as stack;
use stack::{
    Config, Stack,
    icmp::Echo,
    link::{
        EtherType, FrameIo, FrameTx, MacAddr6,
        memory::{Network, Port},
    },
};

// ARP-12
#[test]
fn a_router_that_moves_with_a_gratuitous_arp_is_followed() {
    let (network, mut host) = host();
    let (mut old, mut new) = (network.attach(OLD), network.attach(NEW));
    echo(&network, &mut host, BEYOND, 1);
    assert_eq!(heard(&network, &mut old), [EtherType::ARP]);
    say(&network, &mut old, &mut host, US_MAC, [2, OLD_END, ROUTER_END, US_END]);
    assert_eq!(heard(&network, &mut old), [EtherType::IPV4]);
    heard(&network, &mut new);

    network.advance_to(network.now() + Duration::from_secs(2));
    say(&network, &mut new, &mut host, BROADCAST, [1, NEW_END, ROUTER_END, ROUTER_END]);
    echo(&network, &mut host, BEYOND, 2);
    assert_eq!(heard(&network, &mut new), [EtherType::IPV4]);
    // It heard the gratuitous request, as everybody did, and nothing else.
    assert_eq!(heard(&network, &mut old), [EtherType::ARP]);
}

#[test]
fn a_spoofed_answer_that_nobody_asked_for_is_not_believed() {
    let (network, mut host) = host();
    let mut liar = network.attach(NEW);
    say(&network, &mut liar, &mut host, US_MAC, [2, NEW_END, ROUTER_END, US_END]);
    assert_eq!(heard(&network, &mut liar), []);
    echo(&network, &mut host, BEYOND, 1);
    assert_eq!(heard(&network, &mut liar), [EtherType::ARP], "the router is asked for first");
}

type Host = Stack<Port>;

fn host() -> (Network, Host) {
    let network = Network::new();
    let port = network.attach(US_MAC);
    let gateway = Some(Ipv4Addr::new(10, 0, 0, ROUTER_END));
    let config = Config { gateway, ..Config::new("10.0.0.1/24".parse().unwrap()) };
    (network, Stack::new(port, config))
}

/// Asks for an echo, and lets what leaves arrive.
fn echo(network: &Network, host: &mut Host, dst: Ipv4Addr, sequence: u16) {
    host.echo(network.now(), &Echo::new(dst, sequence, &[0x5a; 56])).unwrap();
    settle(network, host);
}

/// Says by ARP (RFC 826), as a station of our network to `dst`, what the four octets say:
/// operation, the last of the sender's MAC, of its address and of the target's.
fn say(
    network: &Network,
    port: &mut Port,
    host: &mut Host,
    dst: MacAddr6,
    [op, mac, spa, tpa]: [u8; 4],
) {
    let head = [0, 1, 8, 0, 6, 4, 0, op];
    let (sender, target) = ([2, 0, 0, 0, 0, mac, 10, 0, 0, spa], [0, 0, 0, 0, 0, 0, 10, 0, 0, tpa]);
    let packet = [&head[..], &sender, &target].concat();
    port.send(dst, EtherType::ARP, 28, &mut |slot| slot.copy_from_slice(&packet)).unwrap();
    port.flush().unwrap();
    settle(network, host);
}

/// Lets all arrive that is on its way, and the host do what comes of it.
fn settle(network: &Network, host: &mut Host) {
    loop {
        while host.poll(network.now()).unwrap() {}
        let Some(at) = network.next_arrival() else { return };
        network.advance_to(at);
    }
}

/// Of what kinds the frames are that have come from others since.
fn heard(network: &Network, port: &mut Port) -> Vec<EtherType> {
    let mut kinds = Vec::new();
    let mac = port.mac();
    while port
        .recv(network.now(), &mut |frame, _| {
            if frame.src() != mac {
                kinds.push(frame.ether_type());
            }
        })
        .unwrap()
        > 0
    {}
    kinds
}

const US_END: u8 = 1;
const ROUTER_END: u8 = 254;
const OLD_END: u8 = 0xfe;
const NEW_END: u8 = 0xfd;

const US_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const OLD: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, OLD_END);
const NEW: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, NEW_END);
const BROADCAST: MacAddr6 = MacAddr6::new(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

const BEYOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
