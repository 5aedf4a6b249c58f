//! The tap, between a host of ours and the kernel's own end, in private namespaces.

#[path = "ends/gather.rs"]
mod gather;

use std::{env, fs::File, process::ExitCode};

use etherparse::EtherType;
use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;
use nix::unistd::geteuid;

use sidestack_link::{
    Cast, Direction, Event, FrameIo, FrameTx, Link, PacketSocket, SendError, Source, Tap, TapError,
    Unsent, Wait, interface,
    namespace::{self, Namespace, veth},
};

use self::gather::{Got, PATIENCE};

fn main() -> ExitCode {
    let is_root = geteuid().is_root();
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    if let Err(error) = File::options().read(true).write(true).open("/dev/net/tun") {
        eprintln!("tap tests left out: /dev/net/tun: {error}");
        let must_run = is_root && env::var_os("CI").is_some();
        return if must_run { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let tests = vec![
        Trial::test("frames_pass_both_ways_with_the_users_stamp", both_ways),
        Trial::test("a_tap_that_is_made_here_is_up_at_once_and_gone_when_dropped", made_here),
        Trial::test("we_are_not_the_kernels_end_and_stay_who_we_are", somebody_else),
        Trial::test("the_address_of_the_kernels_end_cannot_be_ours", same_address),
        Trial::test("a_vlan_tag_is_where_it_was_on_the_wire", tag),
        Trial::test("a_tap_set_down_gives_frames_back_and_works_again_when_up", down),
        Trial::test("a_frame_longer_than_a_lowered_mtu_comes_back", mtu_lowered),
        Trial::test("a_deleted_tap_is_an_error_at_once_and_for_ever_and_can_be_made_anew", deleted),
        Trial::test("a_full_queue_refuses_until_frames_have_come_back", full),
        Trial::test("a_tap_is_held_by_one_at_a_time", busy),
        Trial::test("an_interface_of_another_kind_is_no_tap", no_tap),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn both_ways() -> Tested {
    let mut net = Net::new()?;
    send(&mut net.tap, b"to the kernel")?;
    net.tap.flush()?;
    let heard = gather(&mut net.kernel, 1)?;
    assert_eq!(&heard[0].octets[14..][..13], b"to the kernel");
    assert_eq!(&heard[0].octets[6..12], net.tap.mac().as_bytes());

    let ours = net.tap.mac();
    net.kernel.send(ours, TYPE, 10, &mut |slot| slot.copy_from_slice(b"and from!!"))?;
    net.kernel.flush()?;
    let got = gather(&mut net.tap, 2)?;
    assert_eq!((got[0].facts.direction, &got[0].octets[14..]), (SENT, &b"to the kernel"[..]));
    assert_eq!((got[1].facts.direction, got[1].facts.cast), (RECEIVED, Cast::Host));
    assert_eq!(&got[1].octets[14..], b"and from!!");
    assert!(got[0].facts.stamp.since_epoch <= got[1].facts.stamp.since_epoch);
    assert!(got.iter().all(|got| got.facts.stamp.source == Source::User));
    assert!(got[0].facts.at <= got[1].facts.at);
    Ok(())
}

fn made_here() -> Tested {
    let net = Net::new()?;
    let state = || net.namespace.run(|| interface(NAME));
    assert_eq!(state()?.state, sidestack_link::State::Up);
    assert_eq!(net.tap.mtu(), 1_500);
    let Net { tap, namespace, .. } = net;
    drop(tap);
    assert!(namespace.run(|| interface(NAME)).is_err());
    Ok(())
}

fn somebody_else() -> Tested {
    let mut net = Net::new()?;
    let (ours, theirs) = (net.tap.mac(), net.namespace.run(|| interface(NAME))?.mac);
    assert_ne!(Some(ours), theirs);
    net.namespace.set_mac(NAME, MacAddr6::new(2, 0, 0, 9, 9, 9))?;
    send(&mut net.tap, b"the same as ever")?;
    net.tap.flush()?;
    assert_eq!(&gather(&mut net.kernel, 1)?[0].octets[6..12], ours.as_bytes());
    assert_eq!((net.tap.event(), net.tap.mac()), (None, ours));
    Ok(())
}

fn same_address() -> Tested {
    let namespace = Namespace::new()?;
    let held = namespace.run(|| Tap::open(NAME))?;
    let theirs = namespace.run(|| interface(NAME))?.mac.ok_or("no address")?;
    drop(held);
    command(&namespace, &format!("tuntap add dev {NAME} mode tap"))?;
    namespace.set_mac(NAME, theirs)?;
    let refused = namespace.run(|| Tap::options().mac(theirs).open(NAME));
    assert!(matches!(refused, Err(TapError::SameMac { .. })));
    let chosen = MacAddr6::new(2, 0, 0, 0, 0, 0x77);
    assert_eq!(namespace.run(|| Tap::options().mac(chosen).open(NAME))?.mac(), chosen);
    Ok(())
}

fn tag() -> Tested {
    let mut net = Net::new()?;
    let tagged = [0x81, 0, 0xa0, 42, 0x08, 0x01, 7, 7];
    let frame = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1], &tagged].concat();
    net.tap.transmit(frame.len(), &mut |slot| slot.copy_from_slice(&frame))?;
    net.tap.flush()?;
    assert_eq!(gather(&mut net.kernel, 1)?[0].octets, frame);
    net.kernel.transmit(frame.len(), &mut |slot| slot.copy_from_slice(&frame))?;
    net.kernel.flush()?;
    assert_eq!(gather(&mut net.tap, 2)?[1].octets, frame);
    Ok(())
}

fn down() -> Tested {
    let mut net = Net::new()?;
    net.namespace.down(NAME)?;
    assert_eq!(event(&mut net.tap)?, Event::Down);
    for payload in [b"one", b"two"] {
        send(&mut net.tap, payload)?;
        net.tap.flush()?;
    }
    let unsent = Direction::Unsent(Unsent::Down);
    let got = gather(&mut net.tap, 2)?;
    assert!(got.iter().all(|got| got.facts.direction == unsent));
    net.namespace.up(NAME)?;
    assert_eq!(event(&mut net.tap)?, Event::Up);
    send(&mut net.tap, b"three")?;
    net.tap.flush()?;
    let heard = gather(&mut net.kernel, 1)?;
    assert_eq!(&heard[0].octets[14..][..5], b"three", "nothing old was sent");
    Ok(())
}

fn mtu_lowered() -> Tested {
    let mut net = Net::new()?;
    send(&mut net.tap, &[7; 1_500])?;
    net.namespace.set_mtu(NAME, 1_000)?;
    assert_eq!(event(&mut net.tap)?, Event::Mtu(1_000));
    net.tap.flush()?;
    let got = gather(&mut net.tap, 1)?;
    assert_eq!(got[0].facts.direction, Direction::Unsent(Unsent::TooLong));
    let refused = send(&mut net.tap, &[7; 1_001]);
    assert_eq!(refused, Err(SendError::TooLong { len: 1_001, mtu: 1_000 }));
    Ok(())
}

fn deleted() -> Tested {
    let mut net = Net::new()?;
    net.namespace.delete(NAME)?;
    let now = net.tap.now();
    let error = net.tap.recv(now, &mut |_, _| ()).expect_err("it is gone");
    assert_eq!(error.to_string(), format!("interface {NAME} is gone"));
    for _ in 0..3 {
        net.tap.wait(None, None)?; // and does not wait for ever
        assert!(net.tap.recv(now, &mut |_, _| ()).is_err() && net.tap.flush().is_err());
    }
    drop(net.tap);
    let mut again = net.namespace.run(|| Tap::open(NAME))?;
    send(&mut again, b"anew")?;
    again.flush()?;
    assert_eq!(gather(&mut again, 1)?[0].facts.direction, SENT);
    Ok(())
}

fn full() -> Tested {
    let mut net = Net::new()?;
    let mut queued = 0;
    while send(&mut net.tap, b"more").is_ok() {
        queued += 1;
    }
    assert_eq!((queued, send(&mut net.tap, b"more")), (256, Err(SendError::Full)));
    net.tap.flush()?;
    assert_eq!(gather(&mut net.tap, 256)?.len(), 256);
    Ok(send(&mut net.tap, b"more")?)
}

fn busy() -> Tested {
    let net = Net::new()?;
    let second = net.namespace.run(|| Tap::open(NAME));
    assert!(matches!(second, Err(TapError::Busy { .. })));
    Ok(())
}

fn no_tap() -> Tested {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, NAME, MacAddr6::new(2, 0, 0, 0, 0, 1), &far, "far0", [2, 0, 0, 0, 0, 2].into())?;
    let refused = near.run(|| Tap::open(NAME));
    assert!(matches!(refused, Err(TapError::NotTap { .. })));
    Ok(())
}

/// A tap, and who sits on the kernel's end of it.
struct Net {
    tap: Tap,
    kernel: PacketSocket,
    namespace: Namespace,
}

impl Net {
    fn new() -> Result<Self, Failed> {
        let namespace = Namespace::new()?;
        let (tap, kernel) = namespace.run(|| {
            let tap = Tap::open(NAME)?;
            let kernel = PacketSocket::options().stamps(false).open(NAME)?;
            Ok::<_, Failed>((tap, kernel))
        })?;
        Ok(Self { tap, kernel, namespace })
    }
}

/// Queues a frame to everybody.
fn send(link: &mut dyn Link, payload: &[u8]) -> Result<(), SendError> {
    link.send(MacAddr6::broadcast(), TYPE, payload.len(), &mut |slot| slot.copy_from_slice(payload))
}

/// The next `count` frames of ours, exactly.
fn gather(link: &mut dyn Link, count: usize) -> Result<Vec<Got>, Failed> {
    gather::gather(link, count, |frame| frame.ether_type() == TYPE)
}

/// The next event.
fn event(link: &mut dyn Link) -> Result<Event, Failed> {
    let end = link.now() + PATIENCE;
    while link.now() < end {
        if let Some(event) = link.event() {
            return Ok(event);
        }
        link.wait(Some(end), None)?;
    }
    Err("no event".into())
}

/// Has `ip` do something in `namespace`.
fn command(namespace: &Namespace, args: &str) -> Tested {
    let status =
        namespace.run(|| std::process::Command::new("ip").args(args.split(' ')).status())?;
    if status.success() { Ok(()) } else { Err(format!("ip {args}: {status}").into()) }
}

type Tested = Result<(), Failed>;

const NAME: &str = "tap0";

/// An EtherType that no kernel answers.
const TYPE: EtherType = EtherType(0x0801);

const SENT: Direction = Direction::Sent;
const RECEIVED: Direction = Direction::Received;
