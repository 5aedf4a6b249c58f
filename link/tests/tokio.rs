//! The packet socket in a runtime of tokio's, against the kernel in private namespaces.

use std::{
    future::Future,
    net::Ipv4Addr,
    pin::pin,
    process::{Command, ExitCode, Stdio},
    task::{Context, Waker},
    time::Duration,
};

use etherparse::EtherType;
use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;

use sidestack_link::{
    Event, Frame, FrameIo, FrameTx, HEADER_LEN, PacketSocket,
    namespace::{self, Namespace, veth},
    tokio::AsyncFrameIo,
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![
        test("the_kernel_is_answered_its_ping", ping),
        test("it_is_ready_at_the_time_and_not_before_it", time),
        test("what_a_dropped_wait_was_for_is_there_for_the_next", dropped),
        test("what_happens_to_the_link_makes_it_ready", event),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

async fn ping(net: &Net, mut link: AsyncFrameIo) -> Tested {
    net.far.add_address("far0", FAR, 24)?;
    let mut ping = Command::new("ping");
    ping.args(["-n", "-c", "3", "-i", "0.2", "-W", "5", &NEAR.to_string()]);
    let mut ping = net.far.run(|| ping.stdout(Stdio::null()).spawn())?;
    let (end, mut echoes) = (link.now() + PATIENCE, 0);
    while echoes < 3 && link.now() < end {
        link.ready(Some(end)).await?;
        let now = link.now();
        link.recv(now, &mut |frame, tx| echoes += u32::from(answer(&frame, tx)))?;
        link.flush()?;
    }
    assert!(ping.wait()?.success());
    assert_eq!(echoes, 3);
    Ok(())
}

async fn time(_: &Net, mut link: AsyncFrameIo) -> Tested {
    for _ in 0..3 {
        let until = link.now() + STEP;
        link.ready(Some(until)).await?;
        assert!(link.now() >= until);
    }
    let past = link.now();
    link.ready(Some(past)).await?;
    Ok(())
}

async fn dropped(net: &Net, mut link: AsyncFrameIo) -> Tested {
    let mut far = net.far.run(|| PacketSocket::open("far0"))?;
    for _ in 0..100 {
        {
            let mut wait = pin!(link.ready(None));
            assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            far.send(MacAddr6::broadcast(), TYPE, 4, &mut |slot| slot.copy_from_slice(b"here"))?;
            far.flush()?;
        }
        let end = link.now() + PATIENCE;
        link.ready(Some(end)).await?;
        let (now, mut count) = (link.now(), 0);
        link.recv(now, &mut |frame, _| count += usize::from(frame.octets().ends_with(b"here")))?;
        assert_eq!(count, 1);
    }
    Ok(())
}

async fn event(net: &Net, mut link: AsyncFrameIo) -> Tested {
    net.near.set_mtu("near0", 1400)?;
    let end = link.now() + PATIENCE;
    while link.now() < end {
        link.ready(Some(end)).await?;
        if link.event() == Some(Event::Mtu(1400)) {
            assert_eq!(link.mtu(), 1400);
            return Ok(());
        }
    }
    Err("no event".into())
}

/// Answers a question for our address, or an echo request, and says whether it was the latter.
fn answer(frame: &Frame<'_>, tx: &mut dyn FrameTx) -> bool {
    let (mac, src) = (tx.mac(), frame.src());
    let mut answer = frame.octets()[HEADER_LEN..].to_vec();
    let is_echo = match frame.ether_type() {
        EtherType::ARP if answer[24..28] == NEAR.octets() && answer[7] == 1 => {
            answer.copy_within(8..18, 18);
            answer[7] = 2;
            answer[8..14].copy_from_slice(mac.as_bytes());
            answer[14..18].copy_from_slice(&NEAR.octets());
            false
        }
        EtherType::IPV4 if answer[9] == 1 && answer[20] == 8 => {
            answer[12..20].rotate_left(4);
            answer[20] = 0;
            // The sum is of one's complement: what the type lost, it gains (RFC 1624).
            let sum = u16::from_be_bytes([answer[22], answer[23]]);
            let (sum, carry) = sum.overflowing_add(0x0800);
            answer[22..24].copy_from_slice(&(sum + u16::from(carry)).to_be_bytes());
            true
        }
        _ => return false,
    };
    let write = &mut |slot: &mut [u8]| slot.copy_from_slice(&answer);
    tx.send(src, frame.ether_type(), answer.len(), write).expect("there is room");
    is_echo
}

struct Net {
    near: Namespace,
    far: Namespace,
}

fn test(name: &str, run: impl AsyncFnOnce(&Net, AsyncFrameIo) -> Tested + Send + 'static) -> Trial {
    Trial::test(name, || {
        let net = Net { near: Namespace::new()?, far: Namespace::new()? };
        veth(&net.near, "near0", NEAR_MAC, &net.far, "far0", FAR_MAC)?;
        let socket = net.near.run(|| PacketSocket::options().stamps(false).open("near0"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async { run(&net, AsyncFrameIo::new(socket)?).await })
    })
}

type Tested = Result<(), Failed>;

/// An EtherType that no kernel answers.
const TYPE: EtherType = EtherType(0x0801);

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const NEAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// Longer than anything takes that will happen at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for a wait that should not end to be seen ending.
const STEP: Duration = Duration::from_millis(20);
