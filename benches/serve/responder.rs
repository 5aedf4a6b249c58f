//! Those who answer.

use std::{
    os::fd::AsRawFd,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use link::{FrameTx, Link, PacketSocket, Ring, Wait};
use nix::sys::resource::{UsageWho, getrusage};
use smoltcp::{
    iface::{Config, Interface, SocketSet},
    phy::{Medium, RawSocket, wait},
    time::Instant,
    wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr},
};
use stack::{Hosts, Impaired, Served, Stack, arp::Macs};

use crate::{Trouble, US};

/// As `sidestack serve` does.
pub(crate) fn ours(name: &str, stop: &AtomicBool) -> Result<Duration, Trouble> {
    let options = PacketSocket::options().stamps(false).ring(Ring::V2 { octets: 4 << 20 });
    let link: Box<dyn Link> = Box::new(options.open(name)?);
    let addr = "10.77.0.3".parse()?;
    let hosts = Hosts::new(Macs::One(link.mac()), [addr..=addr]);
    let (now, kept) = (link.now(), vec![addr]);
    let link = Impaired::new(now, link, &[], 0);
    let mut stack = Stack::new(link, stack::Config::new("10.77.0.3/24".parse()?));
    stack.serve(now, Served { hosts, kept, beyond: None, refused: Vec::new() }, false);
    let mut busy = now;
    while !stop.load(Ordering::Relaxed) {
        let now = stack.link().now();
        let before = stack.counters().received();
        let more = stack.poll(now)?;
        if stack.counters().received() != before {
            busy = now + Duration::from_micros(50);
        }
        if !more && busy <= now {
            stack.link_mut().wait(Some(now + LOOK), None)?;
        }
    }
    cpu()
}

/// As the examples of smoltcp do.
pub(crate) fn smoltcp(name: &str, stop: &AtomicBool) -> Result<Duration, Trouble> {
    let mut device = RawSocket::new(name, Medium::Ethernet)?;
    let fd = device.as_raw_fd();
    let config = Config::new(HardwareAddress::Ethernet(EthernetAddress(US.into_array())));
    let mut interface = Interface::new(config, &mut device, Instant::now());
    interface.update_ip_addrs(|addresses| {
        addresses.push(IpCidr::new(IpAddress::v4(10, 77, 0, 3), 24)).expect("room for one");
    });
    let mut sockets = SocketSet::new(Vec::new());
    while !stop.load(Ordering::Relaxed) {
        interface.poll(Instant::now(), &mut device, &mut sockets);
        wait(fd, Some(smoltcp::time::Duration::from_millis(LOOK.as_millis() as u64)))?;
    }
    cpu()
}

/// Processor time of this thread.
fn cpu() -> Result<Duration, Trouble> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let (user, system) = (usage.user_time(), usage.system_time());
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    Ok(Duration::from_micros((micros(user) + micros(system)).try_into()?))
}

/// How often a responder looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);
