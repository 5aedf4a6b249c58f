//! What passes, and how it is handed up.

use std::{
    net::UdpSocket,
    panic::{self, AssertUnwindSafe},
};

use etherparse::EtherType;
use libtest_mimic::Trial;

use sidestack_link::{
    Checksum, Direction, Event, Filter, Frame, FrameIo, FrameTx, PacketSocket, Ring, SendError,
    Source, Tag, Wait, namespace::Namespace,
};

use crate::wire::{
    FAR, NEAR, PATIENCE, STEP, Tested, each, either, event, gather, open, pair, payloads, send,
    small, wire, with,
};

pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = either([
        ("a_burst_arrives_whole_in_order_and_stamped", burst),
        ("a_vlan_tag_is_where_it_was_on_the_wire", tag),
        ("a_frame_longer_than_there_is_room_for_is_counted", truncated),
        ("frames_come_back_in_order_stamped_and_before_their_answers", stamped),
        ("an_unfinished_checksum_is_said_to_be_unfinished", unfinished),
        ("frames_that_nobody_reads_are_counted_and_later_ones_arrive", overflow),
        ("after_a_panic_in_the_callback_the_rest_is_still_there", panicked),
    ]);
    tests.push(Trial::test("a_filter_read_from_text_keeps_out_what_it_does_not_accept", filter));
    tests
}

fn burst(ring: Ring) -> Tested {
    let (mut near, mut far, _net) = pair(ring)?;
    let count = 5_000;
    // More than one block holds; not more than there is room for, though a busy machine takes so
    // long to send it that blocks are handed over half full.
    let at_once = if matches!(ring, Ring::V3 { .. }) { 1_250 } else { 250 };
    let mut got = Vec::new();
    for n in 0..count {
        let len = if n % 2 == 0 { 50 } else { 1_500 };
        let mut payload = vec![n as u8; len];
        payload[..4].copy_from_slice(&u32::to_be_bytes(n));
        flood(&mut far, &payload)?;
        if n % at_once == at_once - 1 {
            far.flush()?;
            got.extend(gather(&mut near, at_once as usize)?);
        }
    }
    for (got, n) in got.iter().zip(0_u32..) {
        assert_eq!(got.octets.len(), if n % 2 == 0 { 64 } else { 1_514 });
        assert_eq!(got.octets[14..18], n.to_be_bytes());
        assert!(got.octets[18..].iter().all(|&octet| octet == n as u8));
        assert_eq!(got.facts.stamp.source, Source::Kernel);
    }
    assert!(got.is_sorted_by_key(|got| got.facts.at));
    assert_eq!((near.stats().received, near.stats().dropped), (count.into(), 0));
    Ok(())
}

fn tag(ring: Ring) -> Tested {
    let net = wire()?;
    let mut near = open(&net.near, "near0", with(ring))?;
    let mut far = open(&net.far, "far0", PacketSocket::options().stamps(false).tagged(true))?;
    let tag = Tag::new(7, 5);
    let mut frame = [&FAR.into_array()[..], &NEAR.into_array(), &tag.octets(), &[8, 1]].concat();
    frame.resize(1_518, 0xab);
    for _ in 0..3 {
        far.transmit(frame.len(), &mut |slot| slot.copy_from_slice(&frame))?;
    }
    far.flush()?;
    for got in gather(&mut near, 3)? {
        assert_eq!(got.octets, frame);
        let view = Frame::new(&got.octets, got.facts).expect("a header");
        assert_eq!(view.tags().collect::<Vec<_>>(), [tag]);
    }
    Ok(())
}

fn truncated(ring: Ring) -> Tested {
    let (ring, mtu) = match ring {
        Ring::V3 { octets, timeout, .. } => (Ring::V3 { octets, block: 1, timeout }, 65_535),
        v2 => (v2, 9_000),
    };
    let net = wire()?;
    let mut near = open(&net.near, "near0", with(ring))?;
    net.near.set_mtu("near0", mtu)?;
    net.far.set_mtu("far0", mtu)?;
    assert_eq!(event(&mut near)?, Event::Mtu(mtu as usize));
    let mut far = open(&net.far, "far0", PacketSocket::options().stamps(false))?;
    send(&mut far, &vec![7; mtu as usize])?;
    send(&mut far, b"short")?;
    far.flush()?;
    assert_eq!(payloads(&gather(&mut near, 1)?), [b"short"]);
    assert_eq!((near.stats().truncated, near.stats().received), (1, 1));
    Ok(())
}

fn stamped(ring: Ring) -> Tested {
    let (mut near, mut far, _net) = pair(ring)?;
    assert!(near.returns_sent());
    for n in 0..20_u8 {
        let before = near.now();
        send(&mut near, &[n, b'?'])?;
        near.flush()?;
        gather(&mut far, 1)?;
        send(&mut far, &[n, b'!'])?;
        far.flush()?;
        let got = gather(&mut near, 2)?;
        assert_eq!(payloads(&got), [[n, b'?'], [n, b'!']]);
        let [sent, answer] = [got[0].facts, got[1].facts];
        assert_eq!([sent.direction, answer.direction], [Direction::Sent, Direction::Received]);
        assert_eq!([sent.stamp.source, answer.stamp.source], [Source::Kernel; 2]);
        assert!(before <= sent.at && sent.at <= answer.at && answer.at <= near.now());
        let difference = answer.stamp.since_epoch - sent.stamp.since_epoch;
        assert_eq!(answer.at - sent.at, difference);
    }
    assert_eq!((near.stats().sent, near.stats().unstamped), (20, 0));
    Ok(())
}

fn unfinished(ring: Ring) -> Tested {
    let net = Namespace::new()?;
    let mut socket = open(&net, "lo", with(ring).stamps(false))?;
    let udp = net.run(|| UdpSocket::bind("127.0.0.1:0"))?;
    udp.send_to(b"locally", udp.local_addr()?)?;
    send(&mut socket, b"complete")?;
    socket.flush()?;
    let got = gather(&mut socket, 2)?;
    let checksums: Vec<Checksum> = got.iter().map(|got| got.facts.checksum).collect();
    assert_eq!(checksums, [Checksum::Unfinished, Checksum::Complete]);
    Ok(())
}

fn overflow(ring: Ring) -> Tested {
    let (mut near, mut far, _net) = pair(small(ring))?;
    let count = 4_000;
    for _ in 0..count {
        flood(&mut far, &[7; 100])?;
    }
    far.flush()?;
    let mut got = 0;
    let end = near.now() + PATIENCE;
    let mut dropped = 0;
    while got + dropped < count && near.now() < end {
        near.wait(Some(near.now() + STEP), None)?;
        got += each(&mut near, &mut |_, _| ()) as u64;
        dropped = near.stats().dropped;
    }
    assert!(dropped > 0 && got > 0);
    assert_eq!((got, dropped), (near.stats().received, count - got));
    send(&mut far, b"there is room again")?;
    far.flush()?;
    assert_eq!(payloads(&gather(&mut near, 1)?), [b"there is room again"]);
    Ok(())
}

fn panicked(ring: Ring) -> Tested {
    let (mut near, mut far, _net) = pair(ring)?;
    for n in 0..3 {
        send(&mut far, &[n])?;
    }
    far.flush()?;
    let mut seen = 0;
    while seen == 0 {
        near.wait(Some(near.now() + PATIENCE), None)?;
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            each(&mut near, &mut |_, _| {
                seen += 1;
                panic::resume_unwind(Box::new("in the callback"));
            });
        }));
        assert_eq!(outcome.is_err(), seen == 1);
    }
    assert_eq!(payloads(&gather(&mut near, 2)?), [[1], [2]]);
    Ok(())
}

fn filter() -> Tested {
    let net = wire()?;
    let arp = Filter::parse("4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n")?;
    let mut near = open(&net.near, "near0", with(Ring::LOW_DELAY).filter(arp))?;
    let mut far = open(&net.far, "far0", PacketSocket::options().stamps(false))?;
    send(&mut far, b"not ARP")?;
    far.send(NEAR, EtherType::ARP, 28, &mut |_| ())?;
    far.flush()?;
    assert_eq!(gather(&mut near, 1)?[0].octets[12..14], EtherType::ARP.0.to_be_bytes());
    Ok(())
}

/// The same, and flushes if it must.
fn flood(link: &mut PacketSocket, payload: &[u8]) -> Tested {
    while send(link, payload) == Err(SendError::Full) {
        link.flush()?;
    }
    Ok(())
}
