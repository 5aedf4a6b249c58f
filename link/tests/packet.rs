//! What a packet socket leaves behind, and what nobody can take from it, in private namespaces.

use std::{collections::BTreeSet, fs, os::fd::BorrowedFd, process::ExitCode, time::Duration};

use etherparse::EtherType;
use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;
use nix::{
    errno::Errno,
    libc, setsockopt_impl, sockopt_impl,
    sys::socket::{setsockopt, sockopt::SockType},
};

use sidestack_link::{
    Direction, Filter, FrameIo, FrameTx, PacketSocket, Wait,
    namespace::{self, Namespace, veth},
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![
        Trial::test("an_interface_that_was_deleted_is_opened_anew_by_its_name", anew),
        Trial::test("the_filter_of_an_open_socket_is_locked", locked),
    ];
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1); // one of them looks for descriptors that it did not open
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn anew() -> Tested {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    let lay = || veth(&near, "near0", NEAR, &far, "far0", FAR);
    lay()?;
    let mut old = near.run(|| PacketSocket::open("near0"))?;
    near.delete("near0")?;
    lay()?;
    let mut to = far.run(|| PacketSocket::options().stamps(false).open("far0"))?;
    let mut new = near.run(|| PacketSocket::open("near0"))?;
    new.send(MacAddr6::broadcast(), TYPE, 5, &mut |slot| slot.copy_from_slice(b"again"))?;
    new.flush()?;
    let (end, mut heard) = (to.now() + PATIENCE, Vec::new());
    while heard.is_empty() && to.now() < end {
        to.wait(Some(end), None)?;
        let now = to.now();
        to.recv(now, &mut |frame, _| {
            if frame.ether_type() == TYPE && frame.direction() == Direction::Received {
                heard.push(frame.payload()[..5].to_vec());
            }
        })?;
    }
    assert_eq!(heard, [b"again"]);
    let now = old.now();
    assert!(old.recv(now, &mut |_, _| ()).is_err(), "the old one stays what it is");
    assert!(old.flush().is_err());
    Ok(())
}

#[expect(unsafe_code, reason = "the socket lends nobody its descriptors")]
fn locked() -> Tested {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR, &far, "far0", FAR)?;
    let before = descriptors()?;
    let socket =
        near.run(|| PacketSocket::options().stamps(false).filter(Filter::host(&[])).open("near0"))?;
    let mut refused = 0;
    for fd in descriptors()?.difference(&before) {
        // SAFETY: `socket` is alive, and keeps open what has been opened with it.
        let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
        if nix::sys::socket::getsockopt(&fd, SockType).is_err() {
            continue;
        }
        match setsockopt(&fd, DetachFilter, &0) {
            Err(Errno::EPERM) => refused += 1,
            Err(Errno::ENOENT) => {} // those that transmit, or listen to netlink
            other => return Err(format!("{other:?}").into()),
        }
    }
    assert_eq!(refused, 2); // the one that receives, which also waits to be closed
    drop(socket);
    Ok(())
}

sockopt_impl!(
    /// Takes a socket its filter.
    DetachFilter,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_DETACH_FILTER,
    libc::c_int
);

fn descriptors() -> Result<BTreeSet<i32>, Failed> {
    let entries = fs::read_dir("/proc/self/fd")?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(names.collect())
}

type Tested = Result<(), Failed>;

/// An EtherType that no kernel answers.
const TYPE: EtherType = EtherType(0x0801);

const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// Longer than anything takes that will happen at all.
const PATIENCE: Duration = Duration::from_secs(10);
