//! How a socket is opened, and closed.

use std::{fs, panic, panic::AssertUnwindSafe, thread};

use libtest_mimic::{Failed, Trial};

use sidestack_link::{Filter, FrameIo, Instruction, OpenError, PacketSocket, namespace::Namespace};

use crate::wire::{Tested, each, gather, pair, payloads, send, test, wire};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("the_socket_is_closed_when_dropped_whatever_happens", closed),
        test("the_socket_may_move_to_another_thread", moved),
        test("what_is_not_there_cannot_be_opened_and_is_named", not_there),
        test("a_filter_that_the_kernel_refuses_opens_nothing", bad_filter),
    ]
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
