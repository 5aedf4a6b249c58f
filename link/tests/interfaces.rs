//! What the kernel says of interfaces, against kernels' own interfaces in private namespaces.

use std::{io, iter, net::Ipv4Addr, os::fd::AsFd, process::ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;
use nix::poll::{PollFd, PollFlags, poll};

use sidestack_link::{
    Address, Change, Condition, Interface, Kind, Monitor, Route, State, interface, interfaces,
    namespace::{self, Namespace, veth},
    time_stamping,
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![
        test("an_interface_is_listed_with_all_that_the_kernel_knows", listed),
        test("loopback_is_a_kind_of_its_own", loopback),
        test("down_and_without_carrier_are_different_states", states),
        test("an_interface_that_is_not_there_is_not_found_by_name", not_found),
        test("a_route_to_one_network_makes_no_default_gateway", gateway),
        test("a_veth_is_stamped_by_the_kernel_alone", stamps),
        test("the_monitor_tells_what_becomes_of_its_interface", told),
        test("the_monitor_tells_what_happened_before_the_first_read", told_late),
        test("the_monitor_tells_nothing_of_other_interfaces", told_not),
        test("the_monitor_ends_with_the_last_state_when_news_were_lost", told_last),
        test("the_monitor_stays_with_the_namespace_that_it_was_opened_in", told_at_home),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn listed() -> Tested {
    let (near, far) = wire()?;
    near.add_address("near0", Ipv4Addr::new(192, 0, 2, 1), 24)?;
    near.add_address("near0", Ipv4Addr::new(198, 51, 100, 1), 30)?;
    near.add_route(Ipv4Addr::UNSPECIFIED, 0, Ipv4Addr::new(192, 0, 2, 254))?;
    near.set_mtu("near0", 1400)?;
    let found = near.run(|| interface("near0"))?;
    let net = |a, b, c, d, prefix_len| Address { addr: Ipv4Addr::new(a, b, c, d), prefix_len };
    let connected =
        |destination, source| Route { destination, gateway: None, source: Some(source), metric: 0 };
    let expected = Interface {
        name: "near0".into(),
        index: found.index,
        mac: Some(NEAR),
        mtu: 1400,
        state: State::Up,
        kind: Kind::Ethernet,
        addresses: vec![net(192, 0, 2, 1, 24), net(198, 51, 100, 1, 30)],
        gateway: Some(Ipv4Addr::new(192, 0, 2, 254)),
        routes: vec![
            Route {
                destination: net(0, 0, 0, 0, 0),
                gateway: Some(Ipv4Addr::new(192, 0, 2, 254)),
                source: None,
                metric: 0,
            },
            connected(net(192, 0, 2, 0, 24), Ipv4Addr::new(192, 0, 2, 1)),
            connected(net(198, 51, 100, 0, 30), Ipv4Addr::new(198, 51, 100, 1)),
        ],
    };
    assert_eq!(found, expected);
    assert_ne!(found.index, 0);
    let names: Vec<String> = far.run(interfaces)?.into_iter().map(|is| is.name).collect();
    assert_eq!(names, ["lo", "far0"]);
    Ok(())
}

fn loopback() -> Tested {
    let found = Namespace::new()?.run(|| interface("lo"))?;
    assert_eq!((found.kind, found.state, found.index), (Kind::Loopback, State::Up, 1));
    Ok(())
}

fn states() -> Tested {
    let (near, far) = wire()?;
    let states = || -> io::Result<_> {
        Ok((near.run(|| interface("near0"))?.state, far.run(|| interface("far0"))?.state))
    };
    assert_eq!(states()?, (State::Up, State::Up));
    far.down("far0")?;
    assert_eq!(states()?, (State::NoCarrier, State::Down));
    near.down("near0")?;
    assert_eq!(states()?, (State::Down, State::Down));
    Ok(())
}

fn not_found() -> Tested {
    for name in ["absent0", "a-name-that-no-interface-can-have", ""] {
        let error = interface(name).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(error.to_string(), format!("there is no interface {name}"));
        assert_eq!(time_stamping(name).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
    let (near, _far) = wire()?;
    assert_eq!(near.up("far0").unwrap_err().to_string(), "there is no interface far0");
    Ok(())
}

fn gateway() -> Tested {
    let (near, _far) = wire()?;
    near.add_address("near0", Ipv4Addr::new(192, 0, 2, 1), 24)?;
    near.add_route(Ipv4Addr::new(10, 0, 0, 0), 8, Ipv4Addr::new(192, 0, 2, 7))?;
    assert_eq!(near.run(|| interface("near0"))?.gateway, None);
    near.add_route(Ipv4Addr::UNSPECIFIED, 0, Ipv4Addr::new(192, 0, 2, 8))?;
    assert_eq!(near.run(|| interface("near0"))?.gateway, Some(Ipv4Addr::new(192, 0, 2, 8)));
    assert_eq!(near.run(|| interface("lo"))?.gateway, None);
    Ok(())
}

fn stamps() -> Tested {
    let (near, _far) = wire()?;
    let offers = near.run(|| time_stamping("near0"))?;
    assert!(offers.transmit_software);
    assert!(!offers.transmit_hardware && !offers.receive_hardware);
    Ok(())
}

fn told() -> Tested {
    let (near, far) = wire()?;
    let mut seen = watch(&near)?;
    let is = |state, mtu, mac| Change::Is(Condition { state, mtu, mac: Some(mac) });
    assert_eq!(seen.now()?, is(State::Up, 1500, NEAR));
    far.down("far0")?;
    until(&mut seen, is(State::NoCarrier, 1500, NEAR));
    far.up("far0")?;
    until(&mut seen, is(State::Up, 1500, NEAR));
    near.set_mtu("near0", 1280)?;
    until(&mut seen, is(State::Up, 1280, NEAR));
    near.set_mac("near0", OTHER)?;
    until(&mut seen, is(State::Up, 1280, OTHER));
    near.down("near0")?;
    until(&mut seen, is(State::Down, 1280, OTHER));
    near.delete("near0")?;
    until(&mut seen, Change::Gone);
    assert_eq!(seen.now()?, Change::Gone);
    Ok(())
}

fn told_late() -> Tested {
    let (near, _far) = wire()?;
    let mut seen = watch(&near)?;
    near.set_mtu("near0", 1280)?;
    let condition = Condition { state: State::Up, mtu: 1280, mac: Some(NEAR) };
    until(&mut seen, Change::Is(condition));
    Ok(())
}

fn told_not() -> Tested {
    let (near, _far) = wire()?;
    let there = Namespace::new()?;
    let mut seen = watch(&near)?;
    veth(&near, "near1", OTHER, &there, "far1", FAR)?;
    near.set_mtu("near1", 1280)?;
    near.delete("near1")?;
    assert_eq!(seen.read(), None);
    Ok(())
}

fn told_last() -> Tested {
    let (near, _far) = wire()?;
    let mut seen = watch(&near)?;
    for mtu in 1001..=1000 + MORE_THAN_THE_BUFFER {
        near.set_mtu("near0", mtu)?;
    }
    let mtu = 1000 + MORE_THAN_THE_BUFFER as usize;
    let last = Condition { state: State::Up, mtu, mac: Some(NEAR) };
    assert_eq!(iter::from_fn(|| seen.read()).last(), Some(Change::Is(last)));
    near.delete("near0")?;
    until(&mut seen, Change::Gone);
    Ok(())
}

fn told_at_home() -> Tested {
    let (near, far) = wire()?;
    let mut seen = watch(&near)?;
    let now = seen.now()?;
    assert_eq!(far.run(|| seen.now())?, now);
    Ok(())
}

/// Two namespaces and a wire between them, `near0` to `far0`.
fn wire() -> io::Result<(Namespace, Namespace)> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR, &far, "far0", FAR)?;
    Ok((near, far))
}

/// A monitor of `near0`, which has nothing to tell yet.
fn watch(near: &Namespace) -> io::Result<Monitor> {
    near.run(|| Monitor::open(interface("near0")?.index))
}

/// Reads what the monitor tells until it is `expected`, and fails if it never is.
fn until(monitor: &mut Monitor, expected: Change) {
    let mut told = Vec::new();
    while told.last() != Some(&expected) {
        if let Some(change) = monitor.read() {
            told.push(change);
            continue;
        }
        let mut fds = [PollFd::new(monitor.as_fd(), PollFlags::POLLIN)];
        assert_ne!(poll(&mut fds, 5000_u16), Ok(0), "not {expected:?}, only {told:?}");
    }
}

fn test(name: &str, body: fn() -> Tested) -> Trial {
    Trial::test(name, body)
}

type Tested = Result<(), Failed>;

const NEAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);
const OTHER: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 3);

/// Changes that the buffer of a socket (net.core.rmem_default, 208 KiB) cannot hold.
const MORE_THAN_THE_BUFFER: u32 = 1000;
