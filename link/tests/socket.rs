//! The packet socket, against the kernel's own interfaces in private namespaces.

use std::{
    fs,
    net::{Ipv4Addr, UdpSocket},
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    thread,
    time::Duration,
};

use etherparse::EtherType;
use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;

use sidestack_link::{
    Cast, Checksum, Direction, Event, Facts, Filter, Frame, FrameIo, FrameTx, Instruction,
    OpenError, PacketSocket, SendError, Source, Tag, Unsent, Wait,
    namespace::{self, Namespace, veth},
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![
        test("hello_is_no_frame_and_nothing_is_sent", hello),
        test("a_frame_on_loopback_is_seen_whole_by_another_socket", loopback),
        test("what_is_sent_is_not_received_by_the_one_who_sent_it", own),
        test("what_another_socket_sends_is_handed_up_only_on_demand", outgoing),
        test("the_socket_is_closed_when_dropped_whatever_happens", closed),
        test("frames_come_back_in_order_stamped_and_before_their_answers", stamped),
        test("without_stamps_nothing_comes_back", unstamped),
        test("a_thousand_stamps_are_all_read_and_the_wait_lasts", storm),
        test("a_vlan_tag_is_where_it_was_on_the_wire", tag),
        test("a_full_queue_refuses_until_it_is_flushed", full),
        test("a_filter_keeps_out_what_it_does_not_accept", filter),
        test("who_receives_nothing_still_learns_when_frames_left", deaf),
        test("frames_to_an_adopted_address_are_to_us", adopted),
        test("an_unfinished_checksum_is_said_to_be_unfinished", unfinished),
        test("without_a_carrier_frames_come_back_unsent_until_it_is_there", no_carrier),
        test("a_frame_lost_with_the_carrier_comes_back_unsent", carrier_lost),
        test("a_link_set_down_gives_frames_back_and_works_again_when_up", down),
        test("a_link_may_be_opened_before_it_is_up", opened_down),
        test("a_frame_longer_than_a_lowered_mtu_comes_back_and_the_next_is_refused", mtu_lowered),
        test("stamps_are_still_the_right_ones_after_a_refusal", refusal),
        test("with_a_raised_mtu_longer_frames_pass", mtu_raised),
        test("a_new_address_of_the_interface_is_told_once", new_mac),
        test("a_deleted_interface_is_an_error_at_once_and_for_ever", deleted),
        test("frames_that_overflow_are_counted", overflow),
        test("the_socket_may_move_to_another_thread", moved),
        test("what_is_not_there_cannot_be_opened_and_is_named", not_there),
        test("a_filter_that_the_kernel_refuses_opens_nothing", bad_filter),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
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

fn closed() -> Tested {
    let net = wire()?;
    let open = || net.near.run(|| PacketSocket::open("near0"));
    let sockets = || {
        let list = net.near.run(|| fs::read_to_string("/proc/thread-self/net/packet"));
        list.map(|list| list.lines().count() - 1)
    };
    assert_eq!(sockets()?, 0);
    let mut socket = open()?;
    assert_eq!(sockets()?, 2);
    send(&mut socket, b"never flushed")?;
    drop(socket);
    assert_eq!(sockets()?, 0);

    let mut socket = open()?;
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    send(&mut far, b"bad news")?;
    far.flush()?;
    let panicked = panic::catch_unwind(AssertUnwindSafe(move || {
        each(&mut socket, &mut |_, _| panic!("in the callback"));
    }));
    assert!(panicked.is_err());
    assert_eq!(sockets()?, 0);

    let filter = Filter::new([Instruction { code: 0xffff, jt: 0, jf: 0, k: 0 }])?;
    let refused = net.near.run(|| PacketSocket::options().filter(filter).open("near0"));
    assert!(refused.is_err());
    assert_eq!(sockets()?, 0);
    Ok(())
}

fn stamped() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    warm_up(&mut far, &mut near)?;
    for n in 0..100_u8 {
        let before = near.now();
        send(&mut near, &[n, b'?'])?;
        near.flush()?;
        let question = gather(&mut far, 1)?;
        send(&mut far, &[n, b'!'])?;
        far.flush()?;
        let got = gather(&mut near, 2)?;
        let after = near.now();
        assert_eq!(payloads(&got), [[n, b'?'], [n, b'!']]);
        let [sent, answer] = [got[0].facts, got[1].facts];
        assert_eq!([sent.direction, answer.direction], [Direction::Sent, Direction::Received]);
        assert_eq!([sent.stamp.source, answer.stamp.source], [Source::Kernel; 2]);
        let arrived = question[0].facts.at;
        assert!(before <= sent.at && sent.at <= answer.at && answer.at <= after);
        assert!(arrived <= answer.at);
        let difference = answer.stamp.since_epoch - sent.stamp.since_epoch;
        assert_eq!(answer.at - sent.at, difference);
    }
    assert_eq!(near.stats().sent, 100);
    assert_eq!((near.stats().unsent, near.stats().unstamped), (0, 0));
    Ok(())
}

fn unstamped() -> Tested {
    let net = wire()?;
    let mut near = net.near.run(|| PacketSocket::options().stamps(false).open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    assert!(!near.returns_sent() && far.returns_sent());
    for n in 0..200 {
        send(&mut near, &[n])?;
    }
    near.flush()?;
    let expected: Vec<[u8; 1]> = (0..200).map(|n| [n]).collect();
    assert_eq!(payloads(&gather(&mut far, 200)?), expected);
    assert_eq!(each(&mut near, &mut |_, _| ()), 0);
    assert_eq!(near.stats().sent, 200);
    Ok(())
}

fn storm() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    warm_up(&mut far, &mut near)?;
    for n in 0..1_024_u16 {
        send(&mut near, &n.to_be_bytes())?;
        if n % 256 == 255 {
            near.flush()?;
            let expected: Vec<[u8; 2]> = (n - 255..=n).map(u16::to_be_bytes).collect();
            let got = gather(&mut near, 256)?;
            assert_eq!(payloads(&got), expected);
            assert!(got.iter().all(|got| got.facts.stamp.source == Source::Kernel));
            assert!(got.is_sorted_by_key(|got| got.facts.at));
        }
    }
    lasts(&mut near)
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

fn deaf() -> Tested {
    let net = wire()?;
    let options = PacketSocket::options().filter(Filter::none());
    let mut near = net.near.run(|| options.open("near0"))?;
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    send(&mut far, b"unheard")?;
    far.flush()?;
    gather(&mut far, 1)?;
    send(&mut near, b"sent")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!((got[0].facts.direction, payloads(&got)), (Direction::Sent, vec![b"sent".to_vec()]));
    assert_eq!(near.stats().received, 0);
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

fn no_carrier() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.far.down("far0")?;
    assert_eq!(event(&mut near)?, Event::Down);
    for n in 0..3 {
        send(&mut near, &[n])?;
    }
    near.flush()?;
    let got = gather(&mut near, 3)?;
    assert_eq!(payloads(&got), [[0], [1], [2]]);
    assert!(got.iter().all(|got| got.facts.direction == Direction::Unsent(Unsent::NoCarrier)));
    net.far.up("far0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    assert_eq!(near.event(), None);
    passes(&mut near, &mut far)
}

fn carrier_lost() -> Tested {
    let (mut near, _far, net) = pair()?;
    net.far.down("far0")?;
    send(&mut near, b"too late")?; // before the socket has looked
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::NoCarrier));
    assert_eq!(payloads(&got), [b"too late"]);
    Ok(())
}

fn down() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.near.down("near0")?;
    send(&mut near, b"not now")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::Down));
    assert_eq!(payloads(&got), [b"not now"]);
    assert_eq!(near.stats().unsent, 1);
    assert_eq!(event(&mut near)?, Event::Down);
    assert_eq!(near.event(), None);
    lasts(&mut near)?;
    net.near.up("near0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    assert_eq!(near.event(), None);
    passes(&mut near, &mut far)
}

fn opened_down() -> Tested {
    let net = wire()?;
    net.near.down("near0")?;
    let mut near = net.near.run(|| PacketSocket::open("near0"))?;
    send(&mut near, b"not yet")?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::Down));
    net.near.up("near0")?;
    assert_eq!(event(&mut near)?, Event::Up);
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    passes(&mut near, &mut far)
}

fn mtu_lowered() -> Tested {
    let (mut near, _far, net) = pair()?;
    send(&mut near, &[0; 1_500])?;
    net.near.set_mtu("near0", 1_000)?;
    near.flush()?;
    let got = gather(&mut near, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::TooLong));
    assert_eq!(event(&mut near)?, Event::Mtu(1_000));
    assert_eq!(near.event(), None);
    assert_eq!(near.mtu(), 1_000);
    let refused = send(&mut near, &[0; 1_001]);
    assert_eq!(refused, Err(SendError::TooLong { len: 1_001, mtu: 1_000 }));
    Ok(())
}

fn refusal() -> Tested {
    let (mut near, _far, net) = pair()?;
    for mtu in [1_498, 1_000] {
        // Refused by up to 4 octets, a frame uses up an id; by more, it does not.
        net.near.set_mtu("near0", 1_500)?;
        while near.mtu() != 1_500 {
            near.wait(Some(near.now() + STEP), None)?;
            near.event();
        }
        send(&mut near, b"before")?;
        send(&mut near, &[0; 1_500])?;
        send(&mut near, b"after")?;
        net.near.set_mtu("near0", mtu)?;
        near.flush()?;
        send(&mut near, b"later")?;
        near.flush()?;
        let got = gather(&mut near, 4)?;
        let short = got.iter().filter(|got| got.facts.direction == Direction::Sent);
        assert!(short.clone().all(|got| got.facts.stamp.source == Source::Kernel));
        let short: Vec<&[u8]> = short.map(|got| &got.octets[14..]).collect();
        assert_eq!(short, [&b"before"[..], b"after", b"later"]);
    }
    Ok(())
}

fn mtu_raised() -> Tested {
    let (mut near, mut far, net) = pair()?;
    net.near.set_mtu("near0", 9_000)?;
    net.far.set_mtu("far0", 9_000)?;
    assert_eq!(event(&mut near)?, Event::Mtu(9_000));
    assert_eq!(event(&mut far)?, Event::Mtu(9_000));
    send(&mut near, &[7; 9_000])?;
    near.flush()?;
    assert_eq!(payloads(&gather(&mut far, 1)?), [[7; 9_000]]);
    Ok(())
}

fn new_mac() -> Tested {
    let (mut near, _far, net) = pair()?;
    let mac = MacAddr6::new(2, 0, 0, 0, 1, 1);
    net.near.set_mac("near0", mac)?;
    assert_eq!(event(&mut near)?, Event::Mac(mac));
    assert_eq!(near.event(), None);
    assert_eq!(near.mac(), mac);
    Ok(())
}

fn deleted() -> Tested {
    let (mut near, mut far, net) = pair()?;
    send(&mut near, b"too late")?;
    net.near.delete("near0")?;
    let flushed = near.flush();
    assert!(flushed.is_err_and(|error| error.to_string() == "interface near0 is gone"));
    let mut back = Vec::new();
    let now = near.now();
    let outcome = near.recv(now, &mut |frame, _| back.push(frame.direction()));
    assert!(outcome.is_err());
    assert_eq!(back, [Direction::Unsent(Unsent::Down)]);
    for _ in 0..3 {
        let now = near.now();
        assert!(near.recv(now, &mut |_, _| ()).is_err());
        assert!(near.flush().is_err());
    }
    // Its peer is gone with it, and waiting must end in the error, not in a loop.
    let mut waits = 0;
    loop {
        let now = far.now();
        if far.recv(now, &mut |_, _| ()).is_err() {
            return Ok(());
        }
        far.wait(Some(now + PATIENCE), None)?;
        waits += 1;
        assert!(waits < 10);
    }
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

fn moved() -> Tested {
    let (mut near, mut far, _net) = pair()?;
    let sender = thread::spawn(move || {
        send(&mut near, b"from afar")?;
        near.flush().map(|()| near).map_err(Failed::from)
    });
    let _near = sender.join().map_err(|_| "the thread panicked")??;
    assert_eq!(payloads(&gather(&mut far, 1)?), [b"from afar"]);
    Ok(())
}

fn not_there() -> Tested {
    let net = Namespace::new()?;
    let error = net.run(|| PacketSocket::open("eth9")).err().ok_or("opened")?;
    assert!(matches!(&error, OpenError::NoSuchInterface { interface } if interface == "eth9"));
    assert_eq!(error.to_string(), "eth9: no such interface; `ip link` lists those there are");
    Ok(())
}

fn bad_filter() -> Tested {
    let net = Namespace::new()?;
    let beyond = Instruction { code: 0x15, jt: 200, jf: 200, k: 0 };
    let options = PacketSocket::options().filter(Filter::new([beyond])?);
    let error = net.run(|| options.open("lo")).err().ok_or("opened")?;
    assert!(matches!(error, OpenError::Io { .. }));
    Ok(())
}

struct Net {
    near: Namespace,
    far: Namespace,
}

struct Got {
    octets: Vec<u8>,
    facts: Facts,
}

fn wire() -> Result<Net, Failed> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR, &far, "far0", FAR)?;
    Ok(Net { near, far })
}

fn pair() -> Result<(PacketSocket, PacketSocket, Net), Failed> {
    let net = wire()?;
    let near = net.near.run(|| PacketSocket::open("near0"))?;
    let far = net.far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    Ok((near, far, net))
}

/// Queues a frame to everybody.
fn send(link: &mut PacketSocket, payload: &[u8]) -> Result<(), SendError> {
    link.send(MacAddr6::broadcast(), TYPE, payload.len(), &mut |slot| slot.copy_from_slice(payload))
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
        let now = link.now();
        if now > end {
            return Err(format!("{} frames instead of {count}", got.len()).into());
        }
        link.recv(now, &mut |frame, _| {
            got.push(Got { octets: frame.octets().to_vec(), facts: frame.facts() });
        })?;
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

/// Frames pass both ways, as soon as both ends have found out that they may.
fn passes(near: &mut PacketSocket, far: &mut PacketSocket) -> Tested {
    reaches(near, far)?;
    reaches(far, near)
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

/// Returns once the kernel stamps what `to` receives: when the first socket asks for stamps, it
/// takes it a moment to begin.
fn warm_up(from: &mut PacketSocket, to: &mut PacketSocket) -> Tested {
    for _ in 0..1_000 {
        send(from, b"is it on?")?;
        from.flush()?;
        if gather(to, 1)?[0].facts.stamp.source == Source::Kernel {
            return Ok(());
        }
    }
    Err("the kernel stamps nothing".into())
}

/// Nothing is left that would end a wait before its time.
fn lasts(link: &mut PacketSocket) -> Tested {
    while each(link, &mut |_, _| ()) > 0 || link.event().is_some() {}
    let until = link.now() + STEP;
    link.wait(Some(until), None)?;
    assert!(link.now() >= until);
    Ok(())
}

fn received(mut got: Vec<Got>) -> Vec<Got> {
    got.retain(|got| got.facts.direction == Direction::Received);
    got
}

fn payloads(got: &[Got]) -> Vec<Vec<u8>> {
    got.iter().map(|got| got.octets[14..].to_vec()).collect()
}

fn header(dst: MacAddr6, src: MacAddr6) -> Vec<u8> {
    [&dst.into_array()[..], &src.into_array(), &TYPE.0.to_be_bytes()].concat()
}

fn test(name: &str, run: fn() -> Tested) -> Trial {
    Trial::test(name, run)
}

type Tested = Result<(), Failed>;

/// An EtherType that no kernel answers.
const TYPE: EtherType = EtherType(0x0801);

const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// Longer than anything takes that will happen at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for a wait that should not end to be seen ending.
const STEP: Duration = Duration::from_millis(20);
