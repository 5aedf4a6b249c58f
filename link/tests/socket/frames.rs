//! What passes, and how it is handed up.

use std::{net::Ipv4Addr, net::UdpSocket};

use etherparse::EtherType;
use libtest_mimic::Trial;
use macaddr::MacAddr6;

use sidestack_link::{
    Cast, Checksum, Direction, Filter, Frame, FrameIo, FrameTx, PacketSocket, SendError, Source,
    Tag, namespace::Namespace,
};

use crate::wire::{
    FAR, NEAR, TYPE, Tested, each, gather, header, pair, payloads, received, send, test, wire,
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("hello_is_no_frame_and_nothing_is_sent", hello),
        test("a_frame_on_loopback_is_seen_whole_by_another_socket", loopback),
        test("what_is_sent_is_not_received_by_the_one_who_sent_it", own),
        test("what_another_socket_sends_is_handed_up_only_on_demand", outgoing),
        test("a_vlan_tag_is_where_it_was_on_the_wire", tag),
        test("a_full_queue_refuses_until_it_is_flushed", full),
        test("a_filter_keeps_out_what_it_does_not_accept", filter),
        test("frames_to_an_adopted_address_are_to_us", adopted),
        test("an_unfinished_checksum_is_said_to_be_unfinished", unfinished),
        test("frames_that_overflow_are_counted", overflow),
    ]
}

fn hello() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    let mut written = false;
    let refused = near.transmit(5, &mut |slot| {
        slot.copy_from_slice(b"HELLO");
        written = true;
    });
    assert_eq!(refused, Err(SendError::Runt { len: 5 }));
    assert!(!written);
    near.flush()?;
    assert_eq!(near.stats().sent, 0);
    send(&mut near, b"marker")?;
    near.flush()?;
    assert_eq!(payloads(&gather(&mut far, 1)?), [b"marker"]);
    Ok(())
}

fn loopback() -> Tested {
    let net = Namespace::new()?;
    let mut first = net.run(|| PacketSocket::open("lo"))?;
    let mut second = net.run(|| PacketSocket::open("lo"))?;
    first.send(MacAddr6::nil(), TYPE, 13, &mut |slot| slot.copy_from_slice(b"Hello, world!"))?;
    first.flush()?;
    let got = gather(&mut second, 1)?;
    assert_eq!(got[0].octets, b"\0\0\0\0\0\0\0\0\0\0\0\0\x08\x01Hello, world!");
    assert_eq!(got[0].facts.direction, Direction::Received);
    assert_eq!(got[0].facts.cast, Cast::Host);
    Ok(())
}

fn own() -> Tested {
    let net = wire()?;
    let mut near = net.near.run(|| PacketSocket::options().stamps(false).open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    send(&mut near, b"there")?;
    near.flush()?;
    gather(&mut far, 1)?;
    send(&mut far, b"and back")?;
    far.flush()?;
    assert_eq!(payloads(&gather(&mut near, 1)?), [b"and back"]);
    Ok(())
}

fn outgoing() -> Tested {
    let (mut near, mut far, net) = pair()?;
    let watching = || PacketSocket::options().outgoing(true).stamps(false).open("near0");
    let mut watcher = net.near.run(watching)?;
    let mut other = net.near.run(|| PacketSocket::open("near0"))?;
    send(&mut near, b"out")?;
    near.flush()?;
    send(&mut far, b"in")?;
    far.flush()?;
    let got = gather(&mut watcher, 2)?;
    assert_eq!(payloads(&got), [&b"out"[..], b"in"]);
    assert_eq!(
        [got[0].facts.direction, got[1].facts.direction],
        [Direction::Sent, Direction::Received]
    );
    assert_eq!(got[0].facts.stamp.source, Source::Kernel);
    assert_eq!(payloads(&gather(&mut other, 1)?), [b"in"]);
    Ok(())
}

fn tag() -> Tested {
    let net = wire()?;
    let mut near = net.near.run(|| PacketSocket::open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::options().tagged(true).open("far0"))?;
    let tags =
        [Tag::new(7, 5), Tag { protocol: EtherType::PROVIDER_BRIDGING, ..Tag::new(4095, 0) }];
    assert_eq!(far.mtu(), 1504);
    for tag in tags {
        let mut frame = header(NEAR, FAR);
        frame.truncate(12);
        frame.extend(tag.octets());
        frame.extend([0x08, 0x01]);
        frame.resize(1518, 0xab);
        if tag.protocol != EtherType::VLAN_TAGGED_FRAME {
            frame.truncate(1514); // beyond the MTU, the kernel excepts a customer's tag only
        }
        far.transmit(frame.len(), &mut |slot| slot.copy_from_slice(&frame))?;
        far.flush()?;
        let got = gather(&mut near, 1)?;
        assert_eq!(got[0].octets, frame);
        let view = Frame::new(&got[0].octets, got[0].facts).expect("a header");
        assert_eq!(view.tags().collect::<Vec<_>>(), [tag]);
        assert_eq!(view.ether_type(), TYPE);
    }
    Ok(())
}

fn full() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    let mut queued = 0;
    while send(&mut near, &[0; 64]) != Err(SendError::Full) {
        queued += 1;
    }
    assert!(queued >= 64);
    near.flush()?;
    assert_eq!(gather(&mut far, queued)?.len(), queued);
    assert_eq!(gather(&mut near, queued)?.len(), queued);
    assert_eq!(send(&mut near, &[0; 64]), Ok(()));
    Ok(())
}

fn filter() -> Tested {
    let net = wire()?;
    let ours = Ipv4Addr::new(192, 0, 2, 1);
    let options = PacketSocket::options().filter(Filter::host(&[ours]));
    let mut near = net.near.run(|| options.open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    let mut ipv4 = |dst: Ipv4Addr| {
        far.send(NEAR, EtherType::IPV4, 20, &mut |slot| slot[16..].copy_from_slice(&dst.octets()))
    };
    ipv4(Ipv4Addr::new(192, 0, 2, 2))?;
    ipv4(ours)?;
    send(&mut far, b"neither ARP nor IPv4")?;
    far.send(NEAR, EtherType::ARP, 28, &mut |_| ())?;
    far.flush()?;
    let got = gather(&mut near, 2)?;
    assert_eq!(got[0].octets[30..], ours.octets());
    assert_eq!(got[1].octets[12..14], EtherType::ARP.0.to_be_bytes());
    Ok(())
}

fn adopted() -> Tested {
    let net = wire()?;
    let mac = MacAddr6::new(2, 0, 0, 0, 9, 9);
    let mut near = net.near.run(|| PacketSocket::options().mac(mac).open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    assert_eq!(near.mac(), mac);
    let group = MacAddr6::new(1, 0, 0x5e, 0, 0, 1);
    for dst in [mac, NEAR, MacAddr6::broadcast(), group] {
        far.send(dst, TYPE, 0, &mut |_| ())?;
    }
    far.flush()?;
    let casts: Vec<Cast> = gather(&mut near, 4)?.iter().map(|got| got.facts.cast).collect();
    assert_eq!(casts, [Cast::Host, Cast::Other, Cast::Broadcast, Cast::Multicast]);
    near.send(FAR, TYPE, 0, &mut |_| ())?;
    near.flush()?;
    let got = received(gather(&mut far, 5)?);
    assert_eq!(got[0].octets[6..12], mac.into_array());
    net.near.set_mac("near0", MacAddr6::new(2, 0, 0, 0, 1, 1))?;
    assert_eq!((near.event(), near.mac()), (None, mac));
    Ok(())
}

fn unfinished() -> Tested {
    let net = Namespace::new()?;
    let mut socket = net.run(|| PacketSocket::open("lo"))?;
    let udp = net.run(|| UdpSocket::bind("127.0.0.1:0"))?;
    udp.send_to(b"locally", udp.local_addr()?)?;
    send(&mut socket, b"complete")?;
    socket.flush()?;
    let checksums: Vec<Checksum> =
        received(gather(&mut socket, 3)?).iter().map(|got| got.facts.checksum).collect();
    assert_eq!(checksums, [Checksum::Unfinished, Checksum::Complete]);
    Ok(())
}

fn overflow() -> Tested {
    let net = wire()?;
    let mut near = net.near.run(|| PacketSocket::open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    let frames = near.receive_buffer() as u64 / 256; // each takes more than its octets
    for _ in 0..frames {
        while send(&mut far, b"flood") == Err(SendError::Full) {
            far.flush()?;
        }
    }
    far.flush()?;
    while each(&mut near, &mut |_, _| ()) > 0 {}
    let stats = near.stats();
    assert!(stats.dropped > 0);
    assert_eq!(stats.received + stats.dropped, frames);
    assert_eq!(near.stats(), stats);
    Ok(())
}
