//! The packet socket with mapped rings, and in groups, against the kernel's own interfaces.

use std::{
    fs,
    net::UdpSocket,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    time::Duration,
};

use etherparse::EtherType;
use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;

use sidestack_link::{
    Checksum, Direction, Event, Facts, Fanout, Filter, Frame, FrameIo, FrameTx, Options,
    PacketSocket, Ring, SendError, Source, Tag, Unsent, Wait,
    namespace::{self, Namespace, veth},
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let rules: [(&str, Rule); 10] = [
        ("a_burst_arrives_whole_in_order_and_stamped", burst),
        ("a_vlan_tag_is_where_it_was_on_the_wire", tag),
        ("a_frame_longer_than_there_is_room_for_is_counted", truncated),
        ("frames_come_back_in_order_stamped_and_before_their_answers", stamped),
        ("an_unfinished_checksum_is_said_to_be_unfinished", unfinished),
        ("a_link_set_down_ends_no_wait_twice_and_works_again_when_up", down),
        ("a_deleted_interface_is_an_error_and_not_a_loop", deleted),
        ("frames_that_nobody_reads_are_counted_and_later_ones_arrive", overflow),
        ("after_a_panic_in_the_callback_the_rest_is_still_there", panicked),
        ("nothing_stays_mapped_when_the_socket_is_dropped", unmapped),
    ];
    let mut tests: Vec<Trial> = [("v2", Ring::LOW_DELAY), ("v3", Ring::CAPTURE)]
        .into_iter()
        .flat_map(|(name, ring)| {
            rules.map(|(rule, run)| Trial::test(format!("{name}::{rule}"), move || run(ring)))
        })
        .collect();
    tests.extend([
        Trial::test("a_ring_as_small_as_can_be_works", smallest),
        Trial::test("a_ring_larger_than_can_be_said_is_refused", too_large),
        Trial::test("a_group_shares_what_comes_in", fanout),
        Trial::test("a_filter_read_from_text_keeps_out_what_it_does_not_accept", filter),
    ]);
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1); // what is mapped is the whole process's
    libtest_mimic::run(&arguments, tests).exit_code()
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

fn down(ring: Ring) -> Tested {
    let (mut near, mut far, net) = pair(ring)?;
    net.near.down("near0")?;
    send(&mut near, b"not now")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::Down));
    assert_eq!(event(&mut near)?, Event::Down);
    settles(&mut near)?;
    net.near.up("near0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    reaches(&mut near, &mut far)?;
    reaches(&mut far, &mut near)
}

fn deleted(ring: Ring) -> Tested {
    let (mut near, _far, net) = pair(ring)?;
    net.far.delete("far0")?;
    for _ in 0..10 {
        let now = near.now();
        if near.recv(now, &mut |_, _| ()).is_err() {
            assert!(near.flush().is_err());
            return Ok(());
        }
        near.wait(Some(now + PATIENCE), None)?;
    }
    Err("ten waits ended without an error".into())
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

fn unmapped(ring: Ring) -> Tested {
    let net = Namespace::new()?;
    let mapped =
        || fs::read_to_string("/proc/self/maps").map(|maps| maps.matches("socket:[").count());
    for _ in 0..50 {
        let socket = open(&net, "lo", with(small(ring)))?;
        assert_eq!(mapped()?, 1);
        drop(socket);
        assert_eq!(mapped()?, 0);
    }
    Ok(())
}

fn smallest() -> Tested {
    let rings = [Ring::V2 { octets: 0 }, Ring::V3 { octets: 0, block: 0, timeout: Duration::ZERO }];
    for (ring, octets) in rings.into_iter().zip([64 * 2_048, 2 * 65_536]) {
        let (mut near, mut far, _net) = pair(ring)?;
        assert_eq!(near.receive_buffer(), octets);
        for n in 0..1_000_u16 {
            send(&mut far, &n.to_be_bytes())?;
            if n % 50 == 49 {
                far.flush()?;
                let expected: Vec<[u8; 2]> = (n - 49..=n).map(u16::to_be_bytes).collect();
                assert_eq!(payloads(&gather(&mut near, 50)?), expected);
            }
        }
    }
    Ok(())
}

fn too_large() -> Tested {
    let net = Namespace::new()?;
    let block = 1 << 20;
    for ring in [
        Ring::V2 { octets: usize::MAX },
        Ring::V3 { octets: usize::MAX, block, timeout: Duration::ZERO },
        Ring::V3 { octets: block, block: usize::MAX, timeout: Duration::ZERO },
        Ring::V3 { octets: block, block, timeout: Duration::MAX },
    ] {
        assert!(open(&net, "lo", with(ring)).is_err());
    }
    Ok(())
}

fn fanout() -> Tested {
    for ring in [None, Some(Ring::LOW_DELAY), Some(Ring::CAPTURE)] {
        let net = wire()?;
        let options = |how| {
            let options = PacketSocket::options().fanout(7, how);
            match ring {
                Some(ring) => options.ring(ring),
                None => options,
            }
        };
        let mut one = open(&net.near, "near0", options(Fanout::LoadBalance))?;
        let mut other = open(&net.near, "near0", options(Fanout::LoadBalance))?;
        assert!(open(&net.near, "near0", options(Fanout::Hash)).is_err());
        assert!(!one.returns_sent());
        let mut far = open(&net.far, "far0", PacketSocket::options().stamps(false))?;
        send(&mut one, b"to nobody here")?;
        one.flush()?;
        for n in 0..100 {
            send(&mut far, &[n])?;
        }
        far.flush()?;
        let got = [gather(&mut one, 50)?, gather(&mut other, 50)?].concat();
        let mut got: Vec<u8> = got.iter().map(|got| got.octets[14]).collect();
        got.sort_unstable();
        assert_eq!(got, (0..100).collect::<Vec<u8>>());
        drop((one, other));
        for how in [Fanout::Hash, Fanout::Cpu] {
            open(&net.near, "near0", options(how))?;
        }
    }
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

struct Net {
    near: Namespace,
    far: Namespace,
}

#[derive(Clone)]
struct Got {
    octets: Vec<u8>,
    facts: Facts,
}

fn wire() -> Result<Net, Failed> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR, &far, "far0", FAR)?;
    Ok(Net { near, far })
}

fn pair(ring: Ring) -> Result<(PacketSocket, PacketSocket, Net), Failed> {
    let net = wire()?;
    let near = open(&net.near, "near0", with(ring))?;
    let far = open(&net.far, "far0", PacketSocket::options().stamps(false))?;
    Ok((near, far, net))
}

fn with(ring: Ring) -> Options {
    PacketSocket::options().ring(ring)
}

fn small(ring: Ring) -> Ring {
    match ring {
        Ring::V3 { timeout, .. } => Ring::V3 { octets: 1, block: 1, timeout },
        _ => Ring::V2 { octets: 1 },
    }
}

fn open(net: &Namespace, name: &str, options: Options) -> Result<PacketSocket, Failed> {
    Ok(net.run(|| options.open(name))?)
}

/// Queues a frame to everybody.
fn send(link: &mut PacketSocket, payload: &[u8]) -> Result<(), SendError> {
    link.send(MacAddr6::broadcast(), TYPE, payload.len(), &mut |slot| slot.copy_from_slice(payload))
}

/// The same, and flushes if it must.
fn flood(link: &mut PacketSocket, payload: &[u8]) -> Tested {
    while send(link, payload) == Err(SendError::Full) {
        link.flush()?;
    }
    Ok(())
}

/// What comes up in one call of `recv`.
fn each(link: &mut PacketSocket, each: &mut dyn FnMut(Frame<'_>, &mut dyn FrameTx)) -> usize {
    let now = link.now();
    link.recv(now, each).expect("the link is there")
}

/// The next `count` frames, exactly.
fn gather(link: &mut PacketSocket, count: usize) -> Result<Vec<Got>, Failed> {
    let mut got = Vec::new();
    let end = link.now() + PATIENCE;
    while got.len() < count {
        if link.now() > end {
            return Err(
                format!("{} frames instead of {count}: {:?}", got.len(), link.stats()).into()
            );
        }
        each(link, &mut |frame, _| {
            got.push(Got { octets: frame.octets().to_vec(), facts: frame.facts() });
        });
        if got.len() < count {
            link.wait(Some(end), None)?;
        }
    }
    assert_eq!(got.len(), count);
    Ok(got)
}

/// The next event.
fn event(link: &mut PacketSocket) -> Result<Event, Failed> {
    let end = link.now() + PATIENCE;
    while link.now() < end {
        if let Some(event) = link.event() {
            return Ok(event);
        }
        link.wait(Some(end), None)?;
        each(link, &mut |_, _| ());
    }
    Err("no event".into())
}

/// After a few waits that end early, one lasts.
fn settles(link: &mut PacketSocket) -> Tested {
    for _ in 0..10 {
        while each(link, &mut |_, _| ()) > 0 || link.event().is_some() {}
        let until = link.now() + STEP;
        link.wait(Some(until), None)?;
        if link.now() >= until {
            return Ok(());
        }
    }
    Err("every wait ends early".into())
}

fn reaches(from: &mut PacketSocket, to: &mut PacketSocket) -> Tested {
    let end = from.now() + PATIENCE;
    while from.now() < end {
        send(from, b"anybody")?;
        from.flush()?;
        each(from, &mut |_, _| ());
        to.wait(Some(to.now() + STEP), None)?;
        let mut heard = false;
        each(to, &mut |frame, _| heard |= frame.direction() == Direction::Received);
        if heard {
            return Ok(());
        }
    }
    Err("no frame passes".into())
}

fn payloads(got: &[Got]) -> Vec<Vec<u8>> {
    got.iter().map(|got| got.octets[14..].to_vec()).collect()
}

type Tested = Result<(), Failed>;

/// What holds of either ring.
type Rule = fn(Ring) -> Tested;

/// An EtherType that no kernel answers.
const TYPE: EtherType = EtherType(0x0801);

const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// Longer than anything takes that will happen at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for a wait that should not end to be seen ending.
const STEP: Duration = Duration::from_millis(20);
