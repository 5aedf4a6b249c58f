//! The private namespaces that all kernel tests are made of.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpStream},
    os::fd::AsFd,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    process::ExitCode,
    thread,
};

use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;
use nix::poll::{PollFd, PollFlags, poll};

use sidestack_link::{
    Address, Change, Kind, Monitor, State, interface, interfaces,
    namespace::{self, KernelLab, Namespace, Refusal, veth},
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![
        test("the_lab_has_a_router_and_a_host_beyond", lab),
        test("the_end_of_the_lab_that_is_ours_has_no_address", lab_ours),
        test("the_host_beyond_answers_through_the_router", lab_answers),
        test("nothing_of_a_lab_is_seen_outside", lab_unseen),
        test("the_far_end_of_a_wire_vanishes_with_its_namespace", vanished),
        test("a_thread_is_back_when_what_it_ran_panics", back),
        test("a_process_with_two_threads_is_not_let_in", crowd),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn lab() -> Tested {
    let lab = KernelLab::new()?;
    let addresses = |namespace: &Namespace, name| -> Result<Vec<String>, Failed> {
        let found = namespace.run(|| interface(name))?;
        assert_eq!(found.state, State::Up);
        Ok(found.addresses.iter().map(Address::to_string).collect())
    };
    assert_eq!(addresses(&lab.router, "here")?, ["10.0.0.2/24", "10.0.0.254/24"]);
    assert_eq!(addresses(&lab.router, "beyond")?, ["10.0.1.254/24"]);
    assert_eq!(addresses(&lab.beyond, "lab0")?, ["10.0.1.2/24"]);
    let gateway = lab.beyond.run(|| interface("lab0"))?.gateway;
    assert_eq!(gateway, Some(Ipv4Addr::new(10, 0, 1, 254)));
    let forwards = |namespace: &Namespace| {
        namespace.run(|| fs::read_to_string("/proc/sys/net/ipv4/conf/all/forwarding"))
    };
    assert_eq!(forwards(&lab.router)?, "1\n");
    Ok(())
}

fn lab_ours() -> Tested {
    let lab = KernelLab::new()?;
    let ours = lab.here.run(|| interface(KernelLab::INTERFACE))?;
    assert_eq!((ours.state, ours.kind, ours.mtu), (State::Up, Kind::Ethernet, 1500));
    assert!(ours.mac.is_some_and(|mac| mac.is_local() && mac.is_unicast()));
    assert_eq!((ours.addresses, ours.routes), (vec![], vec![]));
    Ok(())
}

fn lab_answers() -> Tested {
    let lab = KernelLab::new()?;
    lab.here.add_address(KernelLab::INTERFACE, Ipv4Addr::new(10, 0, 0, 1), 24)?;
    lab.here.add_route(Ipv4Addr::UNSPECIFIED, 0, Ipv4Addr::new(10, 0, 0, 254))?;
    for host in [[10, 0, 0, 2], [10, 0, 0, 254], [10, 0, 1, 2]] {
        // Nobody listens there: only a host that got the question can refuse.
        let refused = lab.here.run(|| TcpStream::connect((Ipv4Addr::from(host), 7))).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "{host:?}");
    }
    Ok(())
}

fn lab_unseen() -> Tested {
    let before = interfaces()?;
    let lab = KernelLab::new()?;
    assert_eq!(interfaces()?, before);
    drop(lab);
    assert_eq!(interfaces()?, before);
    Ok(())
}

fn vanished() -> Tested {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    let mac = |host| MacAddr6::new(2, 0, 0, 0, 0, host);
    veth(&near, "near0", mac(1), &far, "far0", mac(2))?;
    let mut monitor = near.run(|| Monitor::open(interface("near0")?.index))?;
    drop(far);
    while monitor.read() != Some(Change::Gone) {
        let mut fds = [PollFd::new(monitor.as_fd(), PollFlags::POLLIN)];
        assert_ne!(poll(&mut fds, 5000_u16), Ok(0), "it is still there");
    }
    let left: Vec<String> = near.run(interfaces)?.into_iter().map(|is| is.name).collect();
    assert_eq!(left, ["lo"]);
    Ok(())
}

fn back() -> Tested {
    let before = identity()?;
    let elsewhere = Namespace::new()?;
    assert_eq!(identity()?, before);
    assert_ne!(elsewhere.run(identity)?, before);
    let unwound = panic::catch_unwind(AssertUnwindSafe(|| {
        elsewhere.run(|| panic::resume_unwind(Box::new(())))
    }));
    assert!(unwound.is_err());
    assert_eq!(identity()?, before);
    Ok(())
}

fn crowd() -> Tested {
    let refusal = thread::spawn(namespace::enter).join().expect("no panic").unwrap_err();
    assert!(matches!(refusal, Refusal::Threads(threads) if threads > 1), "{refusal}");
    Ok(())
}

/// Which network namespace the calling thread is in.
fn identity() -> io::Result<PathBuf> {
    fs::read_link("/proc/thread-self/ns/net")
}

fn test(name: &str, body: fn() -> Tested) -> Trial {
    Trial::test(name, body)
}

type Tested = Result<(), Failed>;
