//! Frames that come back with the stamp of their leaving.

use libtest_mimic::Trial;

use sidestack_link::{Direction, Filter, FrameIo, FrameTx, PacketSocket, Source, Wait};

use crate::wire::{STEP, Tested, each, gather, lasts, pair, payloads, send, test, warm_up, wire};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("frames_come_back_in_order_stamped_and_before_their_answers", stamped),
        test("without_stamps_nothing_comes_back", unstamped),
        test("a_thousand_stamps_are_all_read_and_the_wait_lasts", storm),
        test("who_receives_nothing_still_learns_when_frames_left", deaf),
        test("stamps_are_still_the_right_ones_after_a_refusal", refusal),
    ]
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
